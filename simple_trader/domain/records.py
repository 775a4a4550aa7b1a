"""Records: rows the brain wants remembered; each type belongs to one table.

Market records may be thinned and go through the market lane; all others are ledger records and are
committed, in order, before anything they caused can be seen outside.
"""

from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.domain.fills import Fill, LedgerEntry, Lot
from simple_trader.domain.instruments import AssetRules, PairRules
from simple_trader.domain.marks import (
    CounterfactualRow,
    DecisionMarkRow,
    MarkOutcomeRow,
    ShadowDecisionRow,
)
from simple_trader.domain.memory import RiskMemory
from simple_trader.domain.orders import Order, Side
from simple_trader.domain.predictions import HorizonView, ModelSkill, PendingPrediction
from simple_trader.domain.reasons import Reason
from simple_trader.domain.shown import OutsideText, ShownLimits

# -- market lane -------------------------------------------------------------------------


class PriceRow(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """price_history: one quote as it was seen; `ts` is the venue's moment where it gives one."""

    pair: str
    ts: datetime
    last: Decimal
    bid: Decimal
    ask: Decimal
    volume: Decimal
    vwap: Decimal


class BookMetricsRow(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """order_book_metrics: summary of a trustworthy book."""

    pair: str
    ts: datetime
    bid: Decimal
    ask: Decimal
    spread_bps: float
    imbalance: float
    mid: Decimal
    vwap_mid: Decimal
    depth: int


# -- ledger lane: decisions --------------------------------------------------------------


class SnapshotRow(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """ai_snapshots: everything about one pair that the model is shown in one cycle.

    These rows and the template make the prompt, byte for byte (I-43). `balances` holds the cash and
    the holding as fractions of equity in exact text, `feature_times` for each moment (RFC 3339) the
    features whose newest event it is: none is after `newest_event_at`, and that not after `as_of`
    (I-42). `cost_pct` is a round trip in percent of the price, None where no fee is known.
    """

    snapshot_id: str
    cycle_id: str
    pair: str
    position: int = 0  # place among the pairs of the prompt
    as_of: datetime
    newest_event_at: datetime
    mid: Decimal
    bid: Decimal
    ask: Decimal
    spread_bps: float
    features: dict[str, float | None]
    feature_times: dict[str, tuple[str, ...]] = {}
    balances: dict[str, str]
    unrealised_pct: float | None = None
    tradable: bool
    cost_pct: Decimal | None = None
    limits: ShownLimits
    probabilities: tuple[HorizonView, ...] = ()
    texts: tuple[OutsideText, ...] = ()
    config_hash: str


class LlmCallRow(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """llm_calls: the exact prompt and the exact reply of one attempt at a question.

    The attempt that ended a question has the question's id as `call_id`; `attempt` counts from 1.
    """

    call_id: str
    cycle_id: str
    asked_at: datetime
    answered_at: datetime
    provider: str
    model: str
    advisor_label: str
    prompt_hash: str
    template_hash: str
    prompt: str
    reply: str
    kind: str
    finish_reason: str
    tokens_in: int
    tokens_out: int
    latency_ms: int
    error: str
    reason: Reason | None
    advisor: str = ""  # name of the shadow that was asked; empty: the advisor that is traded on
    attempt: int = 1
    status: int | None = None
    params: str = "{}"
    cost_usd: Decimal | None = None
    budget_tokens: int = 0  # what it counts for against llm_budget: the most where usage is unknown
    budget_usd: Decimal = Decimal(0)


class DecisionRow(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """ai_decisions: one row per pair and cycle, with the verdict and its one reason.

    `price_target` to `sentiment` are the advisor's words; `wanted_*` (quote units, before caps; the
    side is None for hold) and `sized_qty` (base units) are what the program made of them.
    `expected_move_used_pct` and `cost_pct` (round trip) are percent of the price.
    """

    decision_id: str
    cycle_id: str
    pair: str
    snapshot_id: str | None  # None: nothing was shown
    call_id: str | None
    decided_at: datetime
    action: str  # buy, sell, hold
    confidence: float | None
    risk_level: str | None
    rationale: str
    verdict: str  # approved, refused, hold
    reason: Reason
    detail: str
    cl_ord_id: str | None
    config_hash: str
    price_target: Decimal | None = None
    stop_loss: Decimal | None = None
    expected_move_pct: float | None = None
    horizon_minutes: float | None = None
    bias_allocation: float | None = None
    sentiment: float | None = None
    wanted_side: Side | None = None
    wanted_value: Decimal | None = None
    sized_qty: Decimal | None = None
    size_confidence: float | None = None  # the factor of the size, after calibration
    reused_from: str | None = None  # call_id of the answer that was used again
    expected_move_used_pct: float | None = None
    cost_pct: Decimal | None = None


class PredictionRow(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """model_predictions: logged before the outcome is known."""

    prediction: PendingPrediction


class PredictionScoreRow(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """model_predictions: the outcome of a prediction, written once."""

    prediction_id: str
    outcome: int
    brier: float
    log_loss: float
    mid: Decimal
    scored_at: datetime


class SkillRow(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """model_skills, upserted: how good the predictions for one pair and horizon were so far."""

    skill: ModelSkill


class ModelRow(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """model_snapshots: a checkpoint with its hash; `basis` is the model it went on from."""

    model_id: str
    kind: str  # trained, or online: what was learned since, kept now and then
    basis: str
    trained_at: datetime
    sha256: str
    blob: bytes
    rows: int
    metrics: dict[str, float]


# -- ledger lane: orders and money -------------------------------------------------------


class IntentRow(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """pending_trades, inserted: an approved order, durable before it is sent (I-01).

    The database refuses it where the reservations of all purchases on their way, this one with
    them, are above `cap_total`, or those of its base asset above `cap_asset` (I-19; USD).
    """

    order: Order
    epoch: int
    cap_asset: Decimal = Decimal(0)
    cap_total: Decimal = Decimal(0)


class OrderStateRow(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """pending_trades, updated: what is known of the order now (and kraken_orders, where it has
    an id).
    """

    order: Order


class ExecutionRow(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """executions: the inbox, with the raw payload; trades have a unique exec_id."""

    exec_id: str | None
    order_id: str
    cl_ord_id: str | None
    exec_type: str
    order_status: str
    source: str
    venue_at: datetime
    raw: str


class TradeRow(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """trades and kraken_trades: one fill, booked once; `realised_pnl` in quote units, net of
    fees.
    """

    fill: Fill
    realised_pnl: Decimal


class LotRow(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """holding_lots: a lot as it stands now (upsert by lot_id; `deleted` when a re-fold removed
    it).
    """

    lot: Lot
    deleted: bool = False


class BalanceRow(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """kraken_balances (upsert) and kraken_balance_history (append)."""

    asset: str
    balance: Decimal
    at: datetime
    cause: str


class LedgerRow(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """kraken_ledgers: one ledger entry, upserted by its id."""

    entry: LedgerEntry


class ReconciliationRow(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """reconciliations: what one comparison found; of one asset, or (`asset` None) of a whole look.

    residual = balance - opening - ledger_sum - explained, in units of the asset; `ledger_sum` is of
    the entries stamped after `since`. `short` is what an operator has accepted to be missing of
    our lots. `looked_from` is the begin of a full look by REST.
    """

    at: datetime
    cause: str  # start, reconnect, stream, rest, operator
    state: str  # clean, explained, UNEXPLAINED
    subject: str = ""  # what it is about: an asset, `trade <id>`, `lots <asset>`, `order <id>`
    detail: str = ""
    asset: str | None = None
    since: datetime | None = None
    opening: Decimal | None = None
    ledger_sum: Decimal | None = None
    explained: Decimal | None = None
    short: Decimal | None = None
    balance: Decimal | None = None
    residual: Decimal | None = None
    looked_from: datetime | None = None


class RiskRow(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """risk_states: the trading state and what must survive a restart (one row, name `account`)."""

    state: str  # RUN, REDUCE, HALT
    reasons: tuple[Reason, ...]
    memory: RiskMemory
    equity: Decimal | None
    at: datetime


class AuditRow(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """audit_log: who did what to what, from what to what, with what result; append-only."""

    at: datetime
    actor: str
    origin: str
    action: str  # start, stop, config, arm, halt, resume, limits
    object: str
    before: str
    after: str
    result: str


class ConfigRow(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """config_versions: the texts behind a hash: config.yaml, templates and tool schemas by name."""

    config_hash: str
    at: datetime
    source: str
    texts: dict[str, str] = {}


# -- mirrors, written by boot and reconciliation -----------------------------------------


class AssetRow(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """kraken_assets."""

    rules: AssetRules


class PairRow(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """kraken_pairs."""

    rules: PairRules


class VenueOrderRow(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """kraken_orders: an order as the exchange tells it, ours or foreign."""

    order_id: str
    cl_ord_id: str | None
    pair: str
    side: Side
    order_type: str
    status: str
    qty: Decimal
    filled_qty: Decimal
    cost: Decimal
    fee: Decimal
    limit_price: Decimal | None
    avg_price: Decimal | None
    opened_at: datetime
    closed_at: datetime | None
    reason: str


MarketRecord = PriceRow | BookMetricsRow
LedgerRecord = (
    SnapshotRow
    | LlmCallRow
    | DecisionRow
    | PredictionRow
    | PredictionScoreRow
    | DecisionMarkRow
    | MarkOutcomeRow
    | CounterfactualRow
    | ShadowDecisionRow
    | SkillRow
    | ModelRow
    | IntentRow
    | OrderStateRow
    | ExecutionRow
    | TradeRow
    | LotRow
    | BalanceRow
    | LedgerRow
    | ReconciliationRow
    | RiskRow
    | AuditRow
    | ConfigRow
    | AssetRow
    | PairRow
    | VenueOrderRow
)
Record = MarketRecord | LedgerRecord
