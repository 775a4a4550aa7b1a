"""Events: everything the brain can learn; each a frozen, tagged struct: the journal codec.

`Stamped` is the envelope: the engine loop numbers the event and says when (market time) it came.
"""

from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.domain.fills import Fill, LedgerEntry, Lot
from simple_trader.domain.instruments import AssetRules, FeeRates, PairRules, VenueStatus
from simple_trader.domain.memory import RiskMemory
from simple_trader.domain.orders import Order, Side
from simple_trader.domain.predictions import PendingPrediction, Prediction
from simple_trader.domain.quotes import BookSummary, Candle, Quote
from simple_trader.domain.reasons import Reason
from simple_trader.domain.recovered import Undecided
from simple_trader.domain.settings import TradingSettings

# -- the life of the daemon --------------------------------------------------------------


class Started(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The daemon is up: all state that was recovered from rows and the exchange's mirrors."""

    epoch: int
    mode: str
    world: str
    settings: TradingSettings
    config_hash: str
    assets: tuple[AssetRules, ...]
    pairs: tuple[PairRules, ...]
    fees: tuple[FeeRates, ...]
    orders: tuple[Order, ...]
    lots: tuple[Lot, ...]
    fills: tuple[Fill, ...]  # fills since the oldest open lot of each key: the fold can be redone
    seen_exec_ids: tuple[str, ...]  # booked of late (two minutes of overlap and more)
    balances: dict[str, Decimal]
    risk: RiskMemory
    candles: tuple[Candle, ...]
    last_cycle_at: datetime | None = None
    last_training_at: datetime | None = None
    pending_predictions: tuple[PendingPrediction, ...] = ()
    last_trade_at: datetime | None = None  # newest fill booked: the watermark of reconciliation
    realised_pnl: Decimal = Decimal(0)  # of all fills so far
    realised_today: Decimal = Decimal(0)  # of the UTC day of `last_trade_at`
    fills_booked: int = 0
    cycles_run: int = 0
    undecided: tuple[Undecided, ...] = ()  # of a cycle that the last end cut off
    source: str = ""  # the text of the configuration, for config_versions (it holds no secrets)
    venue: VenueStatus = VenueStatus.ONLINE  # SystemStatus, before the first word of a stream


class Stopping(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The daemon will stop: no new intents."""

    reason: str


class SettingsChanged(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """config.yaml, a template or a tool schema changed: a version valid from the next cycle."""

    settings: TradingSettings
    config_hash: str
    before: str
    after: str
    source: str  # the text of the configuration, for config_versions (it holds no secrets)


class SettingsRejected(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """An edit of config.yaml was refused; the old version stays."""

    detail: str


class OperatorHalt(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Someone pressed stop: HALT, latched."""

    actor: str
    detail: str


class OperatorResume(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Someone deliberately lifted HALT or a daily stop."""

    actor: str
    detail: str


class StoreHealth(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The ledger lane is slow, down or well again."""

    ok: bool
    reason: Reason | None
    oldest_age_s: float


class TimerFired(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A timer of the schedule is due; `name` is one of core.schedule's names."""

    name: str
    due: datetime


# -- the market --------------------------------------------------------------------------


class QuoteSeen(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A ticker message."""

    quote: Quote


class BookSeen(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A throttled summary of a verified book."""

    book: BookSummary


class BookLost(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A book failed or its feed ended: the pair is untrusted until the next BookSeen."""

    pair: str
    detail: str


class CandleSeen(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A running or finished candle; an earlier one is final when a later one arrives."""

    candle: Candle


class InstrumentSeen(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The exchange changed the rules of a pair."""

    rules: PairRules


class VenueStatusSeen(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The exchange said in what state it is."""

    status: VenueStatus


class VenueWarned(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Something about a connection that people should know: late data, a refused subscription.

    `value` is in seconds for `late` and `clock_skew`; `over` says that it has passed.
    """

    feed: str
    kind: str
    detail: str
    value: float | None = None
    over: bool = False


class FeedUp(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A feed is subscribed and delivers: `public`, `private` or `book`."""

    feed: str


class FeedDown(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A feed is gone."""

    feed: str
    detail: str
    disabled: bool = False


# -- the account -------------------------------------------------------------------------


class BalancesSeen(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A full snapshot of balances (totals, holds not subtracted)."""

    balances: dict[str, Decimal]
    source: str


class LedgerSeen(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """One ledger entry from the balances channel or REST."""

    entry: LedgerEntry


class FeesSeen(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The account's fee tier for a pair."""

    fees: FeeRates


class Reconciled(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A look at the exchange was completed: open orders, recent fills and balances are in."""

    open_cl_ord_ids: tuple[str, ...]
    foreign_open_orders: int
    looked_from: datetime
    clean: bool
    detail: str


# -- orders ------------------------------------------------------------------------------


class OrderSent(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The one send of an order was handed to the socket."""

    cl_ord_id: str


class NotSent(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The gate did not send an approved order: its reservation is freed, the row becomes VOID."""

    cl_ord_id: str
    reason: Reason
    detail: str


class OrderAcked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The exchange acknowledged the order."""

    cl_ord_id: str
    order_id: str


class OrderRejected(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The exchange refused the order with a definitive error."""

    cl_ord_id: str
    error: str


class SendUnknown(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The order may or may not be at the exchange: never sent again, only resolved."""

    cl_ord_id: str
    detail: str


class CancelRejected(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A cancel was refused, as for an order that is already closed."""

    cl_ord_id: str
    error: str


class OrderLooked(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """What the resolver found about one order; `status` None: no trace in open, closed, trades."""

    cl_ord_id: str
    order_id: str | None
    status: str | None  # open, closed, canceled, expired, pending
    filled_qty: Decimal | None
    looked_from: datetime
    error: str = ""


class ExecutionReport(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """One element of the executions channel, or one trade found by REST, normalised.

    `fill` is set for trades only; what the exchange left out is None; `raw` is as received.
    """

    exec_type: str
    order_status: str
    order_id: str
    cl_ord_id: str | None
    pair: str | None
    side: Side | None
    order_qty: Decimal | None
    limit_price: Decimal | None
    cum_qty: Decimal | None
    fill: Fill | None
    reason: str
    venue_at: datetime
    snapshot: bool
    source: str  # "ws" or "rest"
    raw: str


# -- questions answered ------------------------------------------------------------------


class AdviceArrived(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The advisor answered: raw text or tool arguments as received; core/strategy/advice judges."""

    question_id: str
    prompt: str
    prompt_hash: str
    template_hash: str
    raw: str
    kind: str  # "tool_call" or "content"
    finish_reason: str
    provider: str
    model: str
    advisor_label: str  # "stand-in advisor, not an LLM" or the model's name
    tokens_in: int
    tokens_out: int
    latency_ms: int


class AdviceFailed(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """There is no answer, and why."""

    question_id: str
    reason: Reason
    detail: str
    prompt: str = ""
    prompt_hash: str = ""
    provider: str = ""
    model: str = ""
    latency_ms: int = 0


class PredictionsArrived(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The learner answered."""

    question_id: str
    model_id: str
    predictions: tuple[Prediction, ...]
    learned: int


class PredictionsFailed(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The learner gave no answer: the cycle goes on without."""

    question_id: str
    reason: Reason
    detail: str


class ModelTrained(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A training run ended with a new model; the blob is kept in model_snapshots under its hash."""

    question_id: str
    model_id: str
    sha256: str
    blob: bytes
    rows: int
    metrics: dict[str, float]


class TrainingSkipped(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A training run made no model."""

    question_id: str
    reason: Reason
    detail: str


Event = (
    Started
    | Stopping
    | SettingsChanged
    | SettingsRejected
    | OperatorHalt
    | OperatorResume
    | StoreHealth
    | TimerFired
    | QuoteSeen
    | BookSeen
    | BookLost
    | CandleSeen
    | InstrumentSeen
    | VenueStatusSeen
    | VenueWarned
    | FeedUp
    | FeedDown
    | BalancesSeen
    | LedgerSeen
    | FeesSeen
    | Reconciled
    | OrderSent
    | NotSent
    | OrderAcked
    | OrderRejected
    | SendUnknown
    | CancelRejected
    | OrderLooked
    | ExecutionReport
    | AdviceArrived
    | AdviceFailed
    | PredictionsArrived
    | PredictionsFailed
    | ModelTrained
    | TrainingSkipped
)


class Stamped(msgspec.Struct, frozen=True):
    """An event with its number in the journal and the market time at which it was processed."""

    seq: int
    at: datetime
    event: Event
