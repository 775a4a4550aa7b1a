"""Events of our orders: what was sent, what came back, what was found."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from simple_trader.domain.fills import Fill
from simple_trader.domain.orders import Side
from simple_trader.domain.reasons import Reason


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


class RejectKind(StrEnum):
    """What a refusal is about, as far as the brain acts on it."""

    OTHER = "other"
    FUNDS = "funds"  # the exchange sees less than we do (X17)
    RATE = "rate"  # too many requests (X18)
    CROWDED = "crowded"  # too many open orders (X33)


class OrderRejected(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The exchange refused the order with a definitive error."""

    cl_ord_id: str
    error: str
    kind: RejectKind = RejectKind.OTHER


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
    qty: Decimal | None = None
    limit_price: Decimal | None = None


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
