"""Actions: everything the brain can ask of the body.

Only PlaceOrder can risk money, and it needs Approved.
"""

from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.domain.predictions import HorizonView
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import Record
from simple_trader.domain.shown import OutsideText
from simple_trader.domain.verdicts import Approved


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """An open wait of a multi-step flow; the answer or the expiry names its id.

    `deadline` is transport time in seconds from asking, watched by the body; the body always
    answers,
    with a ...Failed event at the latest then.
    """

    question_id: str
    kind: str  # advice, predictions, training, orders, account
    subject: str
    asked_at: datetime
    deadline_s: float
    config_hash: str


class PlaceOrder(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Send an approved order once, after its batch is committed."""

    approved: Approved


class CancelOrder(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Cancel one order of ours; exempt from commit-before-send because it is safe."""

    cl_ord_id: str
    order_id: str | None
    pair: str
    reason: Reason


class CancelAllOrders(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Cancel every order of the account (kill switch)."""

    reason: Reason


class Remember(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Write a row."""

    record: Record


class PairBrief(msgspec.Struct, frozen=True, kw_only=True):
    """What the advisor is shown about one pair; fractions are of equity, None means not enough
    data.
    """

    pair: str
    snapshot_id: str
    mid: Decimal
    bid: Decimal
    ask: Decimal
    spread_bps: float
    features: dict[str, float | None]
    holding_fraction: float
    unrealised_pct: float | None
    probabilities: tuple[HorizonView, ...]  # of a higher mid, by horizon
    tradable: bool
    cost_pct: float | None = None  # of a round trip, in percent of the price
    texts: tuple[OutsideText, ...] = ()


class AskAdvice(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Render the prompt from these briefs and ask the advisor.

    `advisor` is the name of a shadow (`shadows` in config.yaml); empty: the one that is traded on.
    """

    question: Question
    cycle_id: str
    as_of: datetime
    briefs: tuple[PairBrief, ...]
    cash_fraction: float
    max_asset_exposure: float
    max_total_exposure: float
    min_confidence: float
    max_risk_level: str = "high"
    min_expected_move_pct: float = 0.0
    interval_s: int = 0  # until the next question; 0: not said
    advisor: str = ""


class Lesson(msgspec.Struct, frozen=True, kw_only=True):
    """A past prediction whose outcome is now known: learn it before predicting again.

    `known_at` is the moment of the price that decided it, never before `made_at` + `horizon_s`
    (M02); `probability` is what was predicted then.
    """

    pair: str
    horizon_cycles: int
    horizon_s: int
    made_at: datetime
    known_at: datetime
    features: dict[str, float | None]
    probability: float
    outcome: int


class PredictFor(msgspec.Struct, frozen=True, kw_only=True):
    """Predict for this pair from these features."""

    pair: str
    features: dict[str, float | None]


class AskPredictions(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Learn the lessons, then predict each item for each horizon (in cycles of `cycle_s` seconds).

    `checkpoint` asks for the learner's state too, to be kept.
    """

    question: Question
    lessons: tuple[Lesson, ...]
    items: tuple[PredictFor, ...]
    horizons: tuple[int, ...]
    cycle_s: int
    checkpoint: bool = False


class AskTraining(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Train a fresh model from ai_snapshots rows with as_of in [since, until)."""

    question: Question
    since: datetime
    until: datetime
    horizons: tuple[int, ...]  # in cycles of `cycle_s` seconds
    cycle_s: int
    min_rows: int


class UseModel(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The learner shall predict with this model from now on."""

    model_id: str
    sha256: str
    blob: bytes


class AskOrders(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Resolve these orders by looking (open, closed, trades); answered by ExecutionReports and
    OrderLooked.

    None of them was approved before `since`: so far back the lists must be read.
    """

    question: Question
    cl_ord_ids: tuple[str, ...]
    since: datetime | None = None


class AskReconcile(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Look at open orders, trades since the watermark and balances; answered by events and
    Reconciled.
    """

    question: Question
    since: datetime


class RecycleStream(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """End the private connection and open it anew: one of its channels has gone silent (N04)."""

    detail: str


class LeaveVenue(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Close the connections and wait until the exchange is back: it advised so (X23)."""

    detail: str


class Note(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Tell people: a log line with a level, and the reason where there is one."""

    level: str  # info, warning, error
    text: str
    reason: Reason | None = None
    pair: str | None = None
    decision_id: str | None = None
    cl_ord_id: str | None = None


Action = (
    PlaceOrder
    | CancelOrder
    | CancelAllOrders
    | Remember
    | AskAdvice
    | AskPredictions
    | AskTraining
    | UseModel
    | AskOrders
    | AskReconcile
    | RecycleStream
    | LeaveVenue
    | Note
)

# Actions that are visible outside and therefore wait for the commit of their batch.
VISIBLE = (PlaceOrder, AskAdvice, UseModel)
