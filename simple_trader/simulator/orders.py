"""What the exchange is told and what it reports: commands, orders, trades, ledger entries."""

from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

Side = Literal["buy", "sell"]
OrderType = Literal["limit", "market"]
TimeInForce = Literal["gtc", "gtd", "ioc"]
OrderStatus = Literal["new", "partially_filled", "filled", "canceled", "expired"]

ZERO = Decimal(0)

REASON_USER = "User requested"
REASON_IOC = "Immediate or cancel remainder"
REASON_PROTECTION = "Market price protection"
REASON_SELF_TRADE = "Self trade prevention"
REASON_EXPIRED = "Order expired"
REASON_POST_ONLY = "Post only order"
REASON_SWITCH = "Dead man's switch"


class Place(msgspec.Struct, frozen=True, tag=True, kw_only=True, omit_defaults=True):
    """Ask for a new order; `qty` in base currency, `cash_qty` in quote (market buys only)."""

    symbol: str
    side: Side
    order_type: OrderType
    qty: Decimal | None = None
    cash_qty: Decimal | None = None
    limit_price: Decimal | None = None
    time_in_force: TimeInForce = "gtc"
    expire_at: datetime | None = None
    deadline: datetime | None = None
    post_only: bool = False
    fee_in_base: bool = False
    cl_ord_id: str | None = None
    userref: int = 0
    validate: bool = False


class Amend(msgspec.Struct, frozen=True, tag=True, kw_only=True, omit_defaults=True):
    """Change an open order in place; `qty` is the new total including what has filled."""

    order_id: str
    qty: Decimal | None = None
    limit_price: Decimal | None = None
    post_only: bool = False
    deadline: datetime | None = None


class Cancel(msgspec.Struct, frozen=True, tag=True):
    """Cancel one open order by its venue id."""

    order_id: str


class CancelAll(msgspec.Struct, frozen=True, tag=True):
    """Cancel every open order of the account, for the reason given."""

    reason: str = REASON_USER


Command = Place | Amend | Cancel | CancelAll


class Order(msgspec.Struct, kw_only=True):
    """One order and its life so far; `queue_lots` is what stands before it at its price."""

    order_id: str
    symbol: str
    side: Side
    order_type: OrderType
    qty: Decimal
    limit_price: Decimal | None
    time_in_force: TimeInForce
    opened_at: datetime
    hold_rate: Decimal
    cash_qty: Decimal | None = None
    expire_at: datetime | None = None
    post_only: bool = False
    fee_in_base: bool = False
    cl_ord_id: str | None = None
    userref: int = 0
    status: OrderStatus = "new"
    cum_qty: Decimal = ZERO
    cum_cost: Decimal = ZERO
    fee: Decimal = ZERO
    queue_lots: int = 0
    amended: bool = False
    closed_at: datetime | None = None
    reason: str | None = None
    trades: list[str] = msgspec.field(default_factory=list)

    @property
    def open_qty(self) -> Decimal:
        """What is still to fill."""
        return self.qty - self.cum_qty


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """One fill of one order; `cost` and `fee` are exactly what the ledger booked."""

    exec_id: str
    trade_id: int
    order_id: str
    cl_ord_id: str | None
    userref: int
    symbol: str
    side: Side
    order_type: OrderType
    price: Decimal
    qty: Decimal
    cost: Decimal
    fee: Decimal
    fee_asset: str
    liquidity: Literal["m", "t"]
    at: datetime
    ledgers: tuple[str, ...]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One ledger entry: new balance = old balance + amount - fee (protocol section 7)."""

    ledger_id: str
    ref_id: str
    at: datetime
    kind: Literal["trade", "deposit", "withdrawal"]
    asset: str
    amount: Decimal
    fee: Decimal
    balance: Decimal


class Refused(msgspec.Struct, frozen=True, tag=True):
    """The command was refused with Kraken's words; nothing changed."""

    error: str


class Checked(msgspec.Struct, frozen=True, tag=True):
    """A `validate` order passed every check; nothing changed."""

    order: Order


class Opened(msgspec.Struct, frozen=True, tag=True):
    """An order was accepted (Kraken's pending_new and new)."""

    order: Order


class Traded(msgspec.Struct, frozen=True, tag=True):
    """An order filled in part or in whole; both ledger entries are posted."""

    order: Order
    trade: Trade
    entries: tuple[Entry, ...]


class Closed(msgspec.Struct, frozen=True, tag=True):
    """An order ended; `order.status` is filled, canceled or expired."""

    order: Order


class Amended(msgspec.Struct, frozen=True, tag=True):
    """An open order was changed in place."""

    order: Order
    amend_id: str


Report = Refused | Checked | Opened | Traded | Closed | Amended
