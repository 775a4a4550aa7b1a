"""Orders: requests as they are asked for, intents before the risk manager, orders on their way."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from simple_trader.domain.money import ZERO
from simple_trader.domain.order_states import TERMINAL, OrderState
from simple_trader.domain.reasons import Reason


class Side(StrEnum):
    """Buy or sell the base asset."""

    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    """Order types the product can use (protocol section 8.1)."""

    LIMIT = "limit"
    MARKET = "market"
    STOP_LOSS = "stop-loss"
    STOP_LOSS_LIMIT = "stop-loss-limit"
    TAKE_PROFIT = "take-profit"
    TAKE_PROFIT_LIMIT = "take-profit-limit"
    TRAILING_STOP = "trailing-stop"
    TRAILING_STOP_LIMIT = "trailing-stop-limit"

    @property
    def has_limit(self) -> bool:
        """Whether it carries a limit price."""
        return self in _WITH_LIMIT

    @property
    def has_trigger(self) -> bool:
        """Whether it waits for a trigger before it is worked."""
        return self not in {OrderType.LIMIT, OrderType.MARKET}

    @property
    def trails(self) -> bool:
        """Whether its trigger follows the market at a distance."""
        return self in {OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT}


_WITH_LIMIT = frozenset(
    {
        OrderType.LIMIT,
        OrderType.STOP_LOSS_LIMIT,
        OrderType.TAKE_PROFIT_LIMIT,
        OrderType.TRAILING_STOP_LIMIT,
    }
)


class TimeInForce(StrEnum):
    """How long an order lives (protocol section 8.1)."""

    GTC = "gtc"
    GTD = "gtd"
    IOC = "ioc"


class PriceType(StrEnum):
    """How a price is meant: as it stands, or as a distance in percent or in quote units."""

    STATIC = "static"
    PCT = "pct"
    QUOTE = "quote"


class TriggerReference(StrEnum):
    """The price a trigger watches: last trade, or the index of the pair."""

    LAST = "last"
    INDEX = "index"


class FeePreference(StrEnum):
    """The asset in which the fee is asked for; what was taken stands in each trade's fees."""

    BASE = "base"
    QUOTE = "quote"


class SelfTrade(StrEnum):
    """Which order goes when two of ours would trade with each other."""

    CANCEL_NEWEST = "cancel_newest"
    CANCEL_OLDEST = "cancel_oldest"
    CANCEL_BOTH = "cancel_both"


class Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """When a stop, take-profit or trailing stop is worked.

    For trailing types `price` is the distance kept behind the best price so far: above zero, in
    percent or quote units.
    """

    price: Decimal
    price_type: PriceType = PriceType.STATIC
    reference: TriggerReference = TriggerReference.LAST


class Origin(StrEnum):
    """Who made an intent; stands on every order, lot and audit row."""

    AI = "ai"
    EXIT = "exit"
    OPERATOR = "operator"


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the exchange, complete: the wire bytes are a function of this alone."""

    cl_ord_id: str
    pair: str
    side: Side
    order_type: OrderType
    qty: Decimal
    limit_price: Decimal | None
    time_in_force: TimeInForce
    post_only: bool
    expire_at: datetime | None
    deadline: datetime
    # Of a trailing-stop-limit the limit price is a distance from the trigger.
    limit_price_type: PriceType = PriceType.STATIC
    trigger: Trigger | None = None
    # Both are always said on the wire: the defaults of the exchange are disputed.
    fee_preference: FeePreference = FeePreference.QUOTE
    stp: SelfTrade = SelfTrade.CANCEL_NEWEST


class AmendRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A change of one resting order in place; None leaves a value as it is.

    `qty` is the new total in base units, with what is filled already: below that the rest is
    cancelled. The order is named by `order_id` where it is known, else by `cl_ord_id`.
    """

    cl_ord_id: str
    pair: str
    order_id: str | None = None
    qty: Decimal | None = None
    limit_price: Decimal | None = None
    limit_price_type: PriceType = PriceType.STATIC
    trigger_price: Decimal | None = None
    trigger_price_type: PriceType = PriceType.STATIC
    post_only: bool = False  # refuse the change rather than take
    deadline: datetime


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """An idea to trade, before the risk manager saw it; qty in base units, at steps of the pair.

    `lowers_exposure` is true for orders that only sell what we hold. `protective` ones (exits)
    are exempt
    from the candle guard. `price` is the limit price; `mid` the middle it was priced from.
    """

    origin: Origin
    owner: str
    pair: str
    side: Side
    order_type: OrderType
    qty: Decimal
    price: Decimal
    time_in_force: TimeInForce
    post_only: bool
    reason: Reason
    mid: Decimal
    decision_id: str | None = None
    protective: bool = False

    @property
    def lowers_exposure(self) -> bool:
        """Spot: a sale lowers the exposure, a purchase raises it."""
        return self.side is Side.SELL


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One order of ours: the approved request and what is known of it; replaced, never changed."""

    request: OrderRequest
    origin: Origin
    owner: str
    decision_id: str | None
    reason: Reason
    state: OrderState
    approved_at: datetime
    send_by: datetime
    params_hash: str
    config_hash: str
    notional: Decimal = ZERO  # value at approval, in the reporting currency (PT3)
    reserved: Decimal = ZERO  # of a purchase: the same with its fee (I-18); of a sale nothing
    order_id: str | None = None
    filled_qty: Decimal = ZERO
    filled_cost: Decimal = ZERO
    fees_quote: Decimal = ZERO
    amended_qty: Decimal | None = None  # after a change at the exchange; None: as ordered
    amended_price: Decimal | None = None
    amended_at: datetime | None = None  # the exchange's moment of that word
    state_reason: Reason | None = None
    detail: str = ""
    changed_at: datetime | None = None

    @property
    def cl_ord_id(self) -> str:
        """The client order id."""
        return self.request.cl_ord_id

    @property
    def qty(self) -> Decimal:
        """What it is for now, in base units: as ordered, or as the exchange says it was changed."""
        return self.request.qty if self.amended_qty is None else self.amended_qty

    @property
    def limit_price(self) -> Decimal | None:
        """Its limit now, in quote units."""
        return self.request.limit_price if self.amended_price is None else self.amended_price

    @property
    def left_qty(self) -> Decimal:
        """What may still fill, in base units."""
        return max(ZERO, self.qty - self.filled_qty)

    @property
    def is_terminal(self) -> bool:
        """Whether no more fills are expected."""
        return self.state in TERMINAL
