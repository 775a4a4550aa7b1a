"""EngineState: everything the brain knows, as one value that can be encoded and taken up again."""

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from simple_trader.core.market.price_board import PriceBoard
from simple_trader.core.portfolio.account import equity_of, priced_equity
from simple_trader.core.portfolio.balances import Balances
from simple_trader.core.portfolio.doubts import Doubts
from simple_trader.core.portfolio.lots import LotBook
from simple_trader.core.portfolio.open_orders import OpenOrders, holds
from simple_trader.core.portfolio.reconcile import Reconciliation
from simple_trader.core.risk.repeats import Repeats
from simple_trader.core.risk.turnover import Turnover
from simple_trader.core.schedule.timers import Timers
from simple_trader.core.scoring.calibration import Calibration
from simple_trader.core.scoring.outcomes import OpenMarks
from simple_trader.core.strategy.last_advice import LastAdvice
from simple_trader.domain.actions import Question
from simple_trader.domain.events import ExecutionReport
from simple_trader.domain.ids import client_order_id, local_id
from simple_trader.domain.instruments import (
    AssetRules,
    FeeRates,
    PairRules,
    VenueStatus,
    base_of,
    quote_of,
)
from simple_trader.domain.memory import RiskMemory
from simple_trader.domain.moments import EPOCH
from simple_trader.domain.money import ZERO
from simple_trader.domain.orders import Side
from simple_trader.domain.predictions import ModelSkill, PendingPrediction
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import SnapshotRow
from simple_trader.domain.settings import TradingSettings
from simple_trader.domain.views import DecisionView

AI_OWNER = "ai"
MAX_QUESTIONS = 200
MAX_SEEN_EXECS = 20_000
QUESTION_LIFE = timedelta(hours=2)  # market time; the body answers long before, at any speed


class Cycle(msgspec.Struct, kw_only=True):
    """The decision cycle in flight: what it saw, and the settings it began with (C03, I-50)."""

    cycle_id: str
    as_of: datetime
    config_hash: str
    settings: TradingSettings
    question_id: str
    waits_for: str  # predictions or advice
    rows: tuple[SnapshotRow, ...]
    fills: int = 0  # of ours, booked when it began
    stale: tuple[str, ...] = ()  # pairs whose price was too old to predict from

    @property
    def pairs(self) -> tuple[str, ...]:
        """The pairs that are asked about, in the order of the prompt."""
        return tuple(row.pair for row in self.rows)


class ShadowWait(msgspec.Struct, frozen=True, kw_only=True):
    """A question to a shadow: whom it went to, and the cycle that its answer is judged by."""

    advisor: str
    asked_at: datetime
    cycle: Cycle


class Health(msgspec.Struct, kw_only=True):
    """How well the account, the market and the store can be seen.

    The exchange counts as online until it says otherwise: before its first word the feed is down.
    """

    reconciled: bool = False
    private_up: bool = False
    look_after: datetime | None = None  # a full look that began before it proves nothing
    public_up: bool = False
    store: Reason | None = None
    venue: VenueStatus = VenueStatus.ONLINE
    unexplained: str = ""
    skew_s: float = 0.0
    loop_slow: bool = False
    late_since: datetime | None = None  # evidence came late, and no full look has explained it yet
    doubtful: str = ""  # a difference that is being looked into
    announced: str = ""  # what the exchange advises before a maintenance: see VenueAnnounced
    announced_at: datetime | None = None
    troubled: bool = False  # at the last look
    trouble_over_at: datetime | None = None
    ran: bool = False  # RUN was reached since the start
    switch_fired_at: datetime | None = None

    @property
    def takes(self) -> VenueStatus:
        """What the exchange may be asked for: after advice to stop as if it took only cancels."""
        stopped = self.announced in {"stop", "disconnect"}
        if stopped and self.venue in {VenueStatus.ONLINE, VenueStatus.POST_ONLY}:
            return VenueStatus.CANCEL_ONLY
        return self.venue


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """Money that came or went without our doing, and is not yet counted in the loss of the day."""

    asset: str
    amount: Decimal
    at: datetime
    what: str


class Tally(msgspec.Struct, kw_only=True):
    """Running sums for people, in the quote currency of the sales."""

    realised: Decimal = ZERO
    realised_today: Decimal = ZERO
    today: datetime = EPOCH
    fills: int = 0
    cycles: int = 0


class EngineState(msgspec.Struct, kw_only=True):
    """All live trading state; changed only by the engine's reactions, one event at a time."""

    epoch: int
    mode: str
    world: str
    settings: TradingSettings
    config_hash: str
    started_at: datetime
    counts: dict[str, int] = {}
    assets: dict[str, AssetRules] = {}
    rules: dict[str, PairRules] = {}
    fees: dict[str, FeeRates] = {}
    board: PriceBoard = msgspec.field(default_factory=PriceBoard)
    orders: OpenOrders = msgspec.field(default_factory=OpenOrders)
    lots: LotBook = msgspec.field(default_factory=LotBook)
    balances: Balances = msgspec.field(default_factory=Balances)
    recon: Reconciliation = msgspec.field(default_factory=Reconciliation)
    unpriced_flows: list[Flow] = []
    judged_assets: tuple[str, ...] = ()  # whose value the equity of the newest judgement held
    memory: RiskMemory = msgspec.field(default_factory=RiskMemory)
    turnover: Turnover = msgspec.field(default_factory=Turnover)
    repeats: Repeats = msgspec.field(default_factory=Repeats)
    exit_due: dict[str, datetime] = {}  # "ai BTC/USD" -> since when its exit is due at every look
    health: Health = msgspec.field(default_factory=Health)
    trading_state: str = "REDUCE"
    causes: tuple[Reason, ...] = (Reason.RECONCILING,)
    timers: Timers = msgspec.field(default_factory=Timers)
    questions: dict[str, Question] = {}
    cycle: Cycle | None = None
    last_advice: LastAdvice | None = None
    shadow_waits: dict[str, ShadowWait] = {}  # by question id
    pending_predictions: tuple[PendingPrediction, ...] = ()
    shown_features: dict[str, dict[str, float | None]] = {}  # of pending ones, by snapshot id
    skills: dict[str, dict[int, ModelSkill]] = {}  # of the online model: pair, horizon_s
    last_checkpoint_at: datetime | None = None
    marks: OpenMarks = msgspec.field(default_factory=OpenMarks)
    calibration: Calibration = msgspec.field(default_factory=Calibration)
    model_id: str = ""
    seen_execs: dict[str, bool] = {}
    orphans: dict[str, ExecutionReport] = {}
    doubts: Doubts = msgspec.field(default_factory=Doubts)
    imported: dict[str, bool] = {}  # orders of ours that no book held (D12), not yet explained
    ledger_fees: dict[str, dict[str, Decimal]] = {}  # exec_id -> what the ledger says was taken
    recovered_until: datetime = EPOCH  # where the books ended at the start
    watermark: datetime | None = None
    last_cycle_at: datetime | None = None
    last_training_at: datetime | None = None
    decisions: dict[str, DecisionView] = {}
    snapshot_ids: dict[str, str] = {}
    exit_told: dict[str, Reason] = {}
    told_training: str = ""
    trained_for: str = ""  # who asked for the training that runs, where a person did
    tally: Tally = msgspec.field(default_factory=Tally)
    ready: bool = False
    stopping: bool = False

    # -- identities

    def next_id(self, kind: str) -> str:
        """A new id of the house: never made twice, as epoch and count only grow."""
        return local_id(kind, self.epoch, self._count(kind))

    def next_order_id(self) -> str:
        """A new client order id (I-02)."""
        return client_order_id(self.epoch, self._count("order"))

    def _count(self, kind: str) -> int:
        count = self.counts.get(kind, 0) + 1
        self.counts[kind] = count
        return count

    # -- questions

    def open_question(
        self, kind: str, subject: str, at: datetime, deadline_s: float
    ) -> Question | None:
        """Open a wait; None when one of the same kind and subject is open, or too many are."""
        for question in self.questions.values():
            if question.kind == kind and question.subject == subject:
                return None
        if len(self.questions) >= MAX_QUESTIONS:
            return None
        question = Question(
            question_id=self.next_id("q"),
            kind=kind,
            subject=subject,
            asked_at=at,
            deadline_s=deadline_s,
            config_hash=self.config_hash,
        )
        self.questions[question.question_id] = question
        return question

    def close_question(self, question_id: str) -> Question | None:
        """Take an answered wait away; None when it is not open."""
        return self.questions.pop(question_id, None)

    def close_about(self, kind: str, subject: str) -> None:
        """Take the wait of this kind and subject away, if it is open."""
        for question_id, question in list(self.questions.items()):
            if question.kind == kind and question.subject == subject:
                del self.questions[question_id]

    def expired_questions(self, at: datetime) -> list[Question]:
        """Waits that were never answered, against the promise of the body.

        Market time stands or crawls while the others are open; training takes real minutes, which
        at a high speed are market days.
        """
        return [
            question
            for question in self.questions.values()
            if question.kind != "training" and at - question.asked_at > QUESTION_LIFE
        ]

    # -- executions

    def see_exec(self, exec_id: str) -> None:
        """Note an execution as booked: the one noted longest ago is forgotten first."""
        self.seen_execs.pop(exec_id, None)
        self.seen_execs[exec_id] = True
        if len(self.seen_execs) > MAX_SEEN_EXECS:
            del self.seen_execs[next(iter(self.seen_execs))]

    # -- the account

    def watched_pairs(self) -> tuple[str, ...]:
        """Traded pairs, and those with lots or live orders of ours (C04: never abandoned)."""
        pairs = dict.fromkeys(self.settings.traded_pairs)
        pairs.update(dict.fromkeys(lot.pair for lot in self.lots.lots()))
        pairs.update(dict.fromkeys(order.request.pair for order in self.orders.live()))
        return tuple(pairs)

    def watched_assets(self) -> tuple[str, ...]:
        """Base and quote assets of the watched pairs."""
        assets: dict[str, None] = {}
        for pair in self.watched_pairs():
            assets[base_of(pair)] = None
            assets[quote_of(pair)] = None
        return tuple(assets)

    def mids(self) -> dict[str, Decimal]:
        """Middle of the latest quote of every pair that has a usable one."""
        return {
            pair: board.quote.mid
            for pair, board in self.board.boards.items()
            if board.quote is not None and board.quote.bid > ZERO
        }

    def equity(self) -> Decimal | None:
        """Equity in the reporting currency; None if a price is missing."""
        return equity_of(self.balances.all_expected(), self.watched_assets(), self.mids())

    def shown_equity(self) -> Decimal:
        """Equity of what has a price."""
        return priced_equity(self.balances.all_expected(), self.watched_assets(), self.mids())

    def holds(self) -> dict[str, Decimal]:
        """What our live orders reserve, by asset."""
        return holds(self.orders.live(), self.fees)

    def spendable(self, asset: str) -> Decimal:
        """Lower of total and expected, minus our holds; never below zero."""
        return max(ZERO, self.balances.at_least(asset) - self.holds().get(asset, ZERO))

    def sellable(self, owner: str, pair: str) -> Decimal:
        """Units of the owner's lots that no live sale may still take, one of unknown outcome too.

        Without this a second sale would be filled from coins on the account that are not ours.
        """
        on_their_way = sum(
            (
                order.left_qty
                for order in self.orders.live()
                if order.owner == owner
                and order.request.pair == pair
                and order.request.side is Side.SELL
            ),
            ZERO,
        )
        return max(ZERO, self.lots.held(owner, pair) - on_their_way)

    def held_at_most(self) -> dict[str, Decimal]:
        """Units of each watched base asset that count as held for exposure."""
        bases = dict.fromkeys(base_of(pair) for pair in self.watched_pairs())
        return {asset: self.balances.at_most(asset) for asset in bases}
