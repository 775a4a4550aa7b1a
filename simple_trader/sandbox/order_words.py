"""Words of WS order requests turned into commands (protocol sections 8.1 to 8.3)."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, TypeVar, cast, get_args

from simple_trader.sandbox import wire
from simple_trader.sandbox.requests import (
    CONDITIONAL_FIELDS,
    TRIGGER_FIELDS,
    Request,
    check_fields,
)
from simple_trader.simulator.checks import BAD
from simple_trader.simulator.orders import (
    Amend,
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

Params = Mapping[str, Any]
FeeWord = Literal["quote", "base"]
_Word = TypeVar("_Word")


def word(params: Params, name: str, kind: Any, default: _Word, shown: str = "") -> _Word:
    """Read one of the words of a Literal; raises Request for another."""
    if name not in params:
        return default
    if params[name] not in get_args(kind):
        raise Request(f"{BAD}:{shown or name}")
    return cast(_Word, params[name])


def place_of(params: Params, symbol: str, account: str, method: str = "add_order") -> Place:
    """Turn the checked fields of a new order into a command; raises Request on wrong words."""
    for name in ("order_type", "side"):
        if name not in params:
            raise Request(f"{BAD}:{name}")
    side: Side = word(params, "side", Side, "buy")
    order_type: OrderType = word(params, "order_type", OrderType, "limit", "ordertype")
    if params.get("margin") or params.get("reduce_only"):
        raise Request(f"{BAD}:margin")
    static: PriceType = "quote" if order_type == "trailing-stop-limit" else "static"
    return Place(
        symbol=symbol,
        side=side,
        order_type=order_type,
        account=account,
        qty=number(params, "order_qty"),
        cash_qty=number(params, "cash_order_qty"),
        limit_price=number(params, "limit_price"),
        limit_price_type=word(params, "limit_price_type", PriceType, static),
        trigger=trigger_of(params, order_type, method),
        time_in_force=word(params, "time_in_force", TimeInForce, "gtc"),
        expire_at=moment(params, "expire_time"),
        effective_at=moment(params, "effective_time"),
        deadline=moment(params, "deadline"),
        post_only=params.get("post_only", False),
        fee_in_base=fee_of(params),
        cl_ord_id=params.get("cl_ord_id"),
        userref=userref_of(params) or 0,
        stp=word(params, "stp_type", SelfTrade, "cancel_newest"),
        display_qty=number(params, "display_qty"),
        close=_conditional(params, method),
        sender_sub_id=params.get("sender_sub_id"),
        validate=params.get("validate", False),
    )


def amend_of(params: Params, order: Order) -> Amend:
    """Turn the checked fields of amend_order into a command."""
    return Amend(
        order_id=order.order_id,
        account=order.account,
        qty=number(params, "order_qty"),
        limit_price=number(params, "limit_price"),
        limit_price_type=word(params, "limit_price_type", PriceType, None),
        trigger_price=number(params, "trigger_price"),
        trigger_price_type=word(params, "trigger_price_type", PriceType, None),
        display_qty=number(params, "display_qty"),
        post_only=params.get("post_only", False),
        deadline=moment(params, "deadline"),
    )


def edit_of(params: Params, account: str) -> Edit:
    """Turn the checked fields of edit_order into a command."""
    for name in ("order_id", "symbol"):
        if name not in params:
            raise Request(f"{BAD}:{name}")
    if params.get("reduce_only"):
        raise Request(f"{BAD}:margin")
    return Edit(
        order_id=params["order_id"],
        symbol=params["symbol"],
        account=account,
        qty=number(params, "order_qty"),
        limit_price=number(params, "limit_price"),
        trigger=trigger_of(params, None, "edit_order"),
        display_qty=number(params, "display_qty"),
        post_only=params.get("post_only"),
        userref=userref_of(params),
        fee_in_base=fee_of(params),
        deadline=moment(params, "deadline"),
        validate=params.get("validate", False),
    )


def trigger_of(params: Params, order_type: OrderType | None, method: str) -> Trigger | None:
    """Read `triggers`; for trailing types the price is a distance, in quote units by default."""
    inner = params.get("triggers")
    if inner is None:
        return None
    check_fields(inner, TRIGGER_FIELDS, method)
    price = number(inner, "price")
    if price is None:
        raise Request(f"{BAD}:triggers.price")
    trailing = order_type is not None and order_type.startswith("trailing")
    usual: PriceType = "quote" if trailing else "static"
    return Trigger(
        price=price,
        price_type=word(inner, "price_type", PriceType, usual, "triggers.price_type"),
        reference=word(inner, "reference", Reference, "last", "triggers.reference"),
    )


def _conditional(params: Params, method: str) -> Conditional | None:
    inner = params.get("conditional")
    if inner is None:
        return None
    check_fields(inner, CONDITIONAL_FIELDS, method)
    order_type = inner.get("order_type")
    if order_type not in get_args(OrderType) or order_type in ("market", "iceberg"):
        raise Request(f"{BAD}:conditional.order_type")
    static: PriceType = "static"
    return Conditional(
        order_type=order_type,
        limit_price=number(inner, "limit_price"),
        limit_price_type=word(
            inner, "limit_price_type", PriceType, static, "conditional.limit_price_type"
        ),
        trigger_price=number(inner, "trigger_price"),
        trigger_price_type=word(
            inner, "trigger_price_type", PriceType, static, "conditional.trigger_price_type"
        ),
    )


def fee_of(params: Params) -> bool | None:
    """Read `fee_preference`; None when the order names none."""
    chosen: FeeWord | None = word(params, "fee_preference", FeeWord, None)
    return None if chosen is None else chosen == "base"


def userref_of(params: Params) -> int | None:
    """Read `order_userref`, a signed 32-bit number."""
    userref: int | None = params.get("order_userref")
    if userref is not None and not -(2**31) <= userref < 2**31:
        raise Request(f"{BAD}:order_userref")
    return userref


def number(params: Params, name: str) -> Decimal | None:
    """Read a number exactly."""
    value = params.get(name)
    return None if value is None else Decimal(value)


def moment(params: Params, name: str) -> datetime | None:
    """Read an RFC 3339 moment; raises Request for anything else."""
    text = params.get(name)
    if text is None:
        return None
    found = wire.read_moment(text)
    if found is None:
        raise Request(f"{BAD}:{name}")
    return found


def client_id(order: Order) -> dict[str, Any]:
    """Give the client's own name of an order as a response shows it."""
    if order.cl_ord_id is not None:
        return {"cl_ord_id": order.cl_ord_id}
    return {"order_userref": order.userref} if order.userref else {}
