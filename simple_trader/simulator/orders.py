"""What the exchange is told and what it reports: commands, orders, trades, ledger entries."""

from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

Side = Literal["buy", "sell"]
OrderType = Literal[
    "limit",
    "market",
    "iceberg",
    "stop-loss",
    "stop-loss-limit",
    "take-profit",
    "take-profit-limit",
    "trailing-stop",
    "trailing-stop-limit",
]
TimeInForce = Literal["gtc", "gtd", "ioc", "fok"]
OrderStatus = Literal["pending_new", "new", "partially_filled", "filled", "canceled", "expired"]
PriceType = Literal["static", "pct", "quote"]
Reference = Literal["last", "index"]
SelfTrade = Literal["cancel_newest", "cancel_oldest", "cancel_both"]
TransferKind = Literal["deposit", "withdrawal", "staking", "transfer", "adjustment"]
EntryKind = Literal["trade"] | TransferKind
SystemStatus = Literal["online", "cancel_only", "post_only", "maintenance"]
PairStatus = Literal[
    "online",
    "cancel_only",
    "post_only",
    "limit_only",
    "reduce_only",
    "maintenance",
    "delisted",
    "work_in_progress",
]

ZERO = Decimal(0)
MAIN = "main"
LIVE: frozenset[OrderStatus] = frozenset(("pending_new", "new", "partially_filled"))

REASON_USER = "User requested"
REASON_IOC = "Immediate or cancel remainder"
REASON_FOK = "Fill or kill"
REASON_PROTECTION = "Market price protection"
REASON_SELF_TRADE = "Self trade prevention"
REASON_EXPIRED = "Order expired"
REASON_POST_ONLY = "Post only order"
REASON_SWITCH = "Dead man's switch"
REASON_REPLACED = "Order replaced"
REASON_FUNDS = "Insufficient funds"
REASON_DELISTED = "Market delisted"
REASON_NO_MARKET = "Market unavailable"


class Trigger(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When an order wakes; for trailing types `price` is a positive distance (section 8.1)."""

    price: Decimal
    price_type: PriceType = "static"
    reference: Reference = "last"


class Conditional(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The close order that each fill of its primary spawns, of the filled size."""

    order_type: OrderType
    limit_price: Decimal | None = None
    limit_price_type: PriceType = "static"
    trigger_price: Decimal | None = None
    trigger_price_type: PriceType = "static"


class Place(msgspec.Struct, frozen=True, tag=True, kw_only=True, omit_defaults=True):
    """Ask for a new order; `qty` in base currency, `cash_qty` in quote (market buys only).

    `fee_in_base` None leaves the choice to `VenueRules.fee_default`. `limit_price_type` other than
    static is an offset from the trigger (trailing-stop-limit).
    """

    symbol: str
    side: Side
    order_type: OrderType
    account: str = MAIN
    qty: Decimal | None = None
    cash_qty: Decimal | None = None
    limit_price: Decimal | None = None
    limit_price_type: PriceType = "static"
    trigger: Trigger | None = None
    time_in_force: TimeInForce = "gtc"
    expire_at: datetime | None = None
    effective_at: datetime | None = None
    deadline: datetime | None = None
    post_only: bool = False
    fee_in_base: bool | None = None
    cl_ord_id: str | None = None
    userref: int = 0
    stp: SelfTrade = "cancel_newest"
    display_qty: Decimal | None = None
    close: Conditional | None = None
    sender_sub_id: str | None = None
    validate: bool = False


class PlaceBatch(msgspec.Struct, frozen=True, tag=True, kw_only=True, omit_defaults=True):
    """Ask for 2 to 15 orders of one pair; account, symbol, deadline and validate hold for all."""

    symbol: str
    orders: tuple[Place, ...]
    account: str = MAIN
    deadline: datetime | None = None
    validate: bool = False


class Amend(msgspec.Struct, frozen=True, tag=True, kw_only=True, omit_defaults=True):
    """Change an open order in place; `qty` is the new total including what has filled."""

    order_id: str
    account: str = MAIN
    qty: Decimal | None = None
    limit_price: Decimal | None = None
    limit_price_type: PriceType | None = None
    trigger_price: Decimal | None = None
    trigger_price_type: PriceType | None = None
    display_qty: Decimal | None = None
    post_only: bool = False
    deadline: datetime | None = None


class Edit(msgspec.Struct, frozen=True, tag=True, kw_only=True, omit_defaults=True):
    """Cancel an order and put another in its place (legacy, section 8.3); None keeps a field."""

    order_id: str
    symbol: str
    account: str = MAIN
    qty: Decimal | None = None
    limit_price: Decimal | None = None
    trigger: Trigger | None = None
    display_qty: Decimal | None = None
    post_only: bool | None = None
    userref: int | None = None
    fee_in_base: bool | None = None
    deadline: datetime | None = None
    validate: bool = False


class Cancel(msgspec.Struct, frozen=True, tag=True):
    """Cancel one open order by its venue id."""

    order_id: str
    account: str = MAIN


class CancelBatch(msgspec.Struct, frozen=True, tag=True):
    """Cancel up to 50 open orders by their venue ids."""

    order_ids: tuple[str, ...]
    account: str = MAIN


class CancelAll(msgspec.Struct, frozen=True, tag=True):
    """Cancel every open order of the account, for the reason given."""

    reason: str = REASON_USER
    account: str = MAIN


class Transfer(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Operator: money or coins come (amount > 0) or go (amount < 0) without a trade."""

    asset: str
    amount: Decimal
    kind: TransferKind
    account: str = MAIN


class SetSystem(msgspec.Struct, frozen=True, tag=True):
    """Operator: the whole exchange takes another status."""

    status: SystemStatus


class SetPair(msgspec.Struct, frozen=True, tag=True, kw_only=True, omit_defaults=True):
    """Operator: one pair takes another status or other rules; None leaves a field as it is.

    `index` False takes the index price away; True brings it back.
    """

    symbol: str
    status: PairStatus | None = None
    qty_min: Decimal | None = None
    cost_min: Decimal | None = None
    price_increment: Decimal | None = None
    index: bool | None = None


class SetVolume(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Operator: the account's 30-day volume in USD is now this, and with it its fee tier."""

    volume: Decimal
    account: str = MAIN


Command = (
    Place
    | PlaceBatch
    | Amend
    | Edit
    | Cancel
    | CancelBatch
    | CancelAll
    | Transfer
    | SetSystem
    | SetPair
    | SetVolume
)


class TriggerState(msgspec.Struct, frozen=True, kw_only=True):
    """What an order waits for: `actual_price` is the trigger in force, `peak_price` the best seen.

    `last_price` is the reference price at the last change, `at` the moment of that change.
    """

    reference: Reference
    price: Decimal
    price_type: PriceType
    actual_price: Decimal
    last_price: Decimal
    at: datetime
    peak_price: Decimal | None = None
    triggered: bool = False


class Order(msgspec.Struct, kw_only=True):
    """One order and its life so far; `queue_lots` is what stands before it at its price.

    `pending_new` is the status of a scheduled order before its start. `display_left` is the rest
    of an iceberg's visible slice. `parent_id` (Kraken's ord_ref_id) names the order whose fill
    spawned this one, `replaces` the order that this one took the place of (edit). `hold_price` is
    what a scheduled market buy reserves at.
    """

    order_id: str
    symbol: str
    side: Side
    order_type: OrderType
    qty: Decimal
    limit_price: Decimal | None
    time_in_force: TimeInForce
    opened_at: datetime
    hold_rate: Decimal
    account: str = MAIN
    limit_price_type: PriceType = "static"
    cash_qty: Decimal | None = None
    trigger: TriggerState | None = None
    expire_at: datetime | None = None
    effective_at: datetime | None = None
    amended_at: datetime | None = None
    post_only: bool = False
    fee_in_base: bool = False
    cl_ord_id: str | None = None
    userref: int = 0
    stp: SelfTrade = "cancel_newest"
    display_qty: Decimal | None = None
    display_left: Decimal | None = None
    close: Conditional | None = None
    parent_id: str | None = None
    replaces: str | None = None
    sender_sub_id: str | None = None
    status: OrderStatus = "new"
    cum_qty: Decimal = ZERO
    cum_cost: Decimal = ZERO
    fee: Decimal = ZERO
    queue_lots: int = 0
    hold_price: Decimal | None = None
    amended: bool = False
    closed_at: datetime | None = None
    reason: str | None = None
    trades: list[str] = msgspec.field(default_factory=list)

    @property
    def open_qty(self) -> Decimal:
        """What is still to fill."""
        return self.qty - self.cum_qty

    @property
    def untriggered(self) -> bool:
        """Whether the order still waits for its trigger."""
        return self.trigger is not None and not self.trigger.triggered


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """One fill of one order; `cost` and `fee` are exactly what the ledger booked.

    Two orders of this venue that met share the `trade_id`. `usd_rate` is USD per quote unit.
    """

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
    account: str = MAIN
    usd_rate: Decimal = Decimal(1)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One ledger entry: new balance = old balance + amount - fee (protocol section 7)."""

    ledger_id: str
    ref_id: str
    at: datetime
    kind: EntryKind
    asset: str
    amount: Decimal
    fee: Decimal
    balance: Decimal
