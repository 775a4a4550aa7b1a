"""Fields of REST orders turned into commands, with Kraken's relative prices (section 11.5)."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, NamedTuple, cast, get_args

from simple_trader.sandbox import wire
from simple_trader.sandbox.rest_shared import (
    Call,
    Fields,
    RestFloor,
    exact,
    flag,
    invalid,
    moment,
    one_pair,
    whole,
)
from simple_trader.simulator.instruments import Instrument
from simple_trader.simulator.orders import (
    Conditional,
    Edit,
    Order,
    OrderType,
    Place,
    PriceType,
    Reference,
    SelfTrade,
    Side,
    TimeInForce,
    Trigger,
)

_FLAGS = ("post", "fcib", "fciq", "nompp", "viqc")
_TRIGGERED = tuple(t for t in get_args(OrderType) if t.startswith(("stop", "take", "trailing")))
_NO_LEVERAGE = ("none", "", "0", "1", "1:1")


class Price(NamedTuple):
    """A price as REST writes it: `sign` is +, -, # or nothing, `percent` its last character."""

    value: Decimal
    sign: str
    percent: bool

    @property
    def kind(self) -> PriceType:
        """What the venue calls it."""
        return "pct" if self.percent else "quote" if self.sign else "static"


def read_price(fields: Fields, name: str) -> Price | None:
    """Read a price with prefix `+ - #` and suffix `%`; None when there is none (or 0)."""
    text = fields.get(name, "").strip()
    if text in ("", "0"):
        return None
    sign = text[0] if text[0] in "+-#" else ""
    body = text[len(sign) :].removesuffix("%")
    value = exact({name: body}, name)
    if value is None or (text.endswith("%") and not sign) or body[:1] in "+-":
        raise invalid(name)
    if value.adjusted() > 12:
        raise invalid(name)
    return Price(value, sign, text.endswith("%"))


def place_of(call: Call, fields: Fields, pair: Instrument, *, batch: bool = False) -> Place:
    """Turn the fields of AddOrder (or of one of a batch) into a command."""
    side, order_type = _word(fields, "type", Side), _word(fields, "ordertype", OrderType)
    flags = _flags(fields)
    if fields.get("leverage", "none") not in _NO_LEVERAGE or flag(fields, "reduce_only"):
        raise invalid("leverage")
    force = fields.get("timeinforce") or "GTC"
    if force.lower() not in get_args(TimeInForce):
        raise invalid("timeinforce")
    volume, now = exact(fields, "volume"), call.floor.now
    userref = whole(fields, "userref", 0)
    if not -(2**31) <= userref < 2**31:
        raise invalid("userref")
    limit, limit_type, trigger = prices_of(call.floor, fields, pair, side, order_type)
    cash = "viqc" in flags
    return Place(
        symbol=pair.symbol,
        side=side,
        order_type=order_type,
        account=call.account,
        qty=None if cash else volume,
        cash_qty=volume if cash else None,
        limit_price=limit,
        limit_price_type=limit_type,
        trigger=trigger,
        time_in_force=cast(TimeInForce, force.lower()),
        expire_at=moment(now, fields, "expiretm") if force.upper() == "GTD" else None,
        effective_at=moment(now, fields, "starttm"),
        deadline=None if batch else wire_moment(fields, "deadline"),
        post_only="post" in flags,
        fee_in_base=True if "fcib" in flags else False if "fciq" in flags else None,
        cl_ord_id=fields.get("cl_ord_id") or None,
        userref=userref,
        stp=_stp(fields),
        display_qty=exact(fields, "displayvol"),
        close=_close(call.floor, fields, pair, side),
        sender_sub_id=fields.get("sender_sub_id") or None,
        validate=not batch and flag(fields, "validate"),
    )


def edit_of(call: Call, order: Order) -> Edit:
    """Turn the fields of EditOrder into a command."""
    fields = call.fields
    _, pair = one_pair(call.floor, fields)
    flags = _flags(fields)
    limit, _, trigger = prices_of(
        call.floor, fields, pair, order.side, order.order_type, editing=True
    )
    return Edit(
        order_id=order.order_id,
        symbol=pair.symbol,
        account=call.account,
        qty=exact(fields, "volume"),
        limit_price=limit,
        trigger=trigger,
        display_qty=exact(fields, "displayvol"),
        post_only=("post" in flags) if fields.get("oflags") else None,
        userref=whole(fields, "userref", 0) if fields.get("userref") else None,
        fee_in_base=True if "fcib" in flags else False if "fciq" in flags else None,
        deadline=wire_moment(fields, "deadline"),
        validate=flag(fields, "validate"),
    )


def prices_of(
    floor: RestFloor,
    fields: Fields,
    pair: Instrument,
    side: Side,
    order_type: OrderType,
    *,
    editing: bool = False,
) -> tuple[Decimal | None, PriceType, Trigger | None]:
    """Read price and price2 into limit price, its type and trigger, by the order type."""
    first, second = read_price(fields, "price"), read_price(fields, "price2")
    if order_type not in _TRIGGERED:
        if second is not None:
            raise invalid("price2")
        if first is None or order_type == "market":
            return None, "static", None
        return _resolved(first, _last(floor, pair), pair, side), "static", None
    reference = fields.get("trigger") or "last"
    if reference not in get_args(Reference):
        raise invalid("trigger")
    trigger = None
    if first is not None:
        trigger = _trigger(floor, first, pair, side, order_type, cast(Reference, reference))
    elif not editing:
        raise invalid("price")
    if second is None or not order_type.endswith("-limit"):
        if not editing and order_type.endswith("-limit"):
            raise invalid("price2")
        return None, "static", trigger
    if order_type.startswith("trailing"):
        value = -second.value if second.sign == "-" else second.value
        return value, second.kind if second.sign else "static", trigger
    # A relative second price counts from the trigger.
    base = trigger.price if trigger is not None and trigger.price_type == "static" else None
    return _resolved(second, base or _last(floor, pair), pair, side), "static", trigger


def amended_price(
    floor: RestFloor, fields: Fields, name: str, order: Order, pair: Instrument
) -> tuple[Decimal | None, PriceType | None]:
    """Read a price of AmendOrder; offsets count from the last price, but trail as they are."""
    price = read_price(fields, name)
    if price is None:
        return None, None
    if order.order_type.startswith("trailing"):
        value = -price.value if price.sign == "-" else price.value
        return value, price.kind if price.sign else None
    return _resolved(price, _last(floor, pair), pair, order.side), None


def _trigger(
    floor: RestFloor,
    price: Price,
    pair: Instrument,
    side: Side,
    order_type: OrderType,
    reference: Reference,
) -> Trigger:
    if order_type.startswith("trailing"):
        # Trailing stops take a distance: its sign only says that it is one.
        if not price.sign:
            raise invalid("price")
        return Trigger(price=price.value, price_type=price.kind, reference=reference)
    above = (side == "buy") == order_type.startswith("stop")
    value = _resolved(price, _last(floor, pair), pair, "sell" if above else "buy")
    return Trigger(price=value, price_type="static", reference=reference)


def _resolved(price: Price, base: Decimal, pair: Instrument, side: Side) -> Decimal:
    """Turn an offset into a price on the tick; `#` goes below for buys and above for sells."""
    if not price.sign:
        return price.value
    offset = base * price.value / 100 if price.percent else price.value
    below = price.sign == "-" or (price.sign == "#" and side == "buy")
    target = base - offset if below else base + offset
    steps = (target / pair.price_increment).quantize(Decimal(1), ROUND_HALF_EVEN)
    return steps * pair.price_increment


def _last(floor: RestFloor, pair: Instrument) -> Decimal:
    market = floor.market(pair.symbol)
    return pair.price_of(market.last.tick if market.last else market.bid)


def _close(floor: RestFloor, fields: Fields, pair: Instrument, side: Side) -> Conditional | None:
    word = fields.get("close[ordertype]")
    if not word:
        return None
    if word not in get_args(OrderType) or word in ("market", "iceberg"):
        raise invalid("close[ordertype]")
    order_type = cast(OrderType, word)
    first, second = read_price(fields, "close[price]"), read_price(fields, "close[price2]")
    if first is None:
        raise invalid("close[price]")
    value = -first.value if first.sign == "-" else first.value
    if order_type not in _TRIGGERED:
        return Conditional(order_type=order_type, limit_price=value, limit_price_type=first.kind)
    limit = None
    if second is not None:
        limit = -second.value if second.sign == "-" else second.value
    return Conditional(
        order_type=order_type,
        limit_price=limit,
        limit_price_type="static" if second is None else second.kind,
        trigger_price=value,
        trigger_price_type=first.kind,
    )


def _flags(fields: Fields) -> list[str]:
    flags = [word.strip() for word in fields.get("oflags", "").split(",") if word.strip()]
    if any(word not in _FLAGS for word in flags):
        raise invalid("oflags")
    return flags


def _stp(fields: Fields) -> SelfTrade:
    """Read `stptype`, whose words REST writes with hyphens."""
    text = (fields.get("stptype") or "cancel-newest").replace("-", "_")
    if text not in get_args(SelfTrade):
        raise invalid("stptype")
    return cast(SelfTrade, text)


def _word(fields: Fields, name: str, kind: Any) -> Any:
    if fields.get(name) not in get_args(kind):
        raise invalid(name)
    return fields[name]


def wire_moment(fields: Fields, name: str) -> Any:
    """Read an RFC 3339 moment; None when there is none."""
    text = fields.get(name)
    if not text:
        return None
    found = wire.read_moment(text)
    if found is None:
        raise invalid(name)
    return found
