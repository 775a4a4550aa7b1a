"""Views: what people are shown of the brain's state; read by terminal and health."""

from datetime import datetime
from decimal import Decimal

import msgspec


class PriceView(msgspec.Struct, frozen=True, kw_only=True):
    """Latest price of a pair; `age_s` in market seconds."""

    pair: str
    last: Decimal
    bid: Decimal
    ask: Decimal
    age_s: float


class DecisionView(msgspec.Struct, frozen=True, kw_only=True):
    """The last decision about a pair."""

    decision_id: str
    pair: str
    at: datetime
    action: str
    confidence: float | None
    verdict: str
    reason: str
    detail: str
    advisor: str
    rationale: str = ""


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """An order that is not finished."""

    cl_ord_id: str
    pair: str
    side: str
    qty: Decimal
    left_qty: Decimal
    price: Decimal | None
    state: str


class StatusView(msgspec.Struct, frozen=True, kw_only=True):
    """The whole brain on one card; money in the account's reporting currency (USD)."""

    at: datetime
    mode: str
    world: str
    trading_state: str
    reasons: tuple[str, ...]
    prices: tuple[PriceView, ...]
    decisions: tuple[DecisionView, ...]
    orders: tuple[OrderView, ...]
    balances: dict[str, Decimal]
    equity: Decimal | None
    realised_pnl: Decimal
    unrealised_pnl: Decimal | None
    realised_today: Decimal
    fills: int
    cycles: int
    model: str
    next_cycle_at: datetime | None
