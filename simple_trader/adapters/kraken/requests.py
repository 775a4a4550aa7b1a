"""Builds what is asked of WS v2: pure functions, no token in anything but the finished frame.

Source: protocol sections 2, 3, 6, 7 and 8. Decimals are JSON numbers written with their own digits,
never with an exponent; `decode_order` reads back exactly what `encode_order` wrote.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from simple_trader.domain.moments import parse_rfc3339, to_rfc3339
from simple_trader.domain.money import plain
from simple_trader.domain.orders import (
    AmendRequest,
    FeePreference,
    OrderRequest,
    OrderType,
    PriceType,
    SelfTrade,
    Side,
    TimeInForce,
    Trigger,
    TriggerReference,
)

_ENCODER = msgspec.json.Encoder()
MAX_REQ_ID = 2**31 - 1
MAX_SWITCH_S = 86_399  # cancel_all_orders_after takes less than a day (8.6)


class _TriggerParams(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`triggers` of add_order; all three are always said."""

    reference: TriggerReference
    price: Decimal
    price_type: PriceType


class _OrderParams(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`params` of add_order as we send them (section 8.1); `reduce_only` is of margin: never."""

    order_type: OrderType
    side: Side
    symbol: str
    order_qty: Decimal
    limit_price: Decimal | None = None
    limit_price_type: PriceType = PriceType.STATIC
    triggers: _TriggerParams | None = None
    time_in_force: TimeInForce = TimeInForce.IOC
    post_only: bool = False
    expire_time: str | None = None
    deadline: str
    cl_ord_id: str
    # The fee's currency and the self-trade rule are always said: their defaults are disputed.
    fee_preference: FeePreference
    stp_type: SelfTrade


_ORDER = msgspec.json.Decoder(_OrderParams)


def encode_order(request: OrderRequest) -> bytes:
    """The `params` of an order without token: a pure function of the request.

    Raises ValueError for what the wire cannot say (see `objection_to`). Times are cut to the wire's
    grid (deadline: milliseconds, expiry: seconds), so a request with a finer time does not decode
    to itself and is stopped by the egress audit.
    """
    objection = objection_to(request)
    if objection is not None:
        raise ValueError(objection)
    params: dict[str, object] = {
        "order_type": request.order_type,
        "side": request.side,
        "symbol": request.pair,
        "order_qty": _number(request.qty),
    }
    if request.limit_price is not None:
        params["limit_price"] = _number(request.limit_price)
    if request.order_type is OrderType.TRAILING_STOP_LIMIT:
        params["limit_price_type"] = request.limit_price_type
    if request.trigger is not None:
        params["triggers"] = {
            "reference": request.trigger.reference,
            "price": _number(request.trigger.price),
            "price_type": request.trigger.price_type,
        }
    if request.order_type is not OrderType.MARKET:
        params["time_in_force"] = request.time_in_force
    if request.post_only:
        params["post_only"] = True
    if request.expire_at is not None:
        params["expire_time"] = to_rfc3339(request.expire_at, digits=0)
    params["deadline"] = to_rfc3339(request.deadline, digits=3)
    params["cl_ord_id"] = request.cl_ord_id
    params["fee_preference"] = request.fee_preference
    params["stp_type"] = request.stp
    return _ENCODER.encode(params)


def objection_to(request: OrderRequest) -> str | None:
    """Why an order cannot be said, or not without doubt about its meaning; None where it can.

    A market order says nothing of its time in force: it is immediate-or-cancel. A triggered order
    waits, so that without a limit price it cannot be. A trigger is a price, or of a trailing type a
    distance above zero; only of a trailing-stop-limit is the limit price a distance.
    """
    kind, trigger = request.order_type, request.trigger
    if kind.has_limit != (request.limit_price is not None):
        return f"a {kind} order {'needs a' if kind.has_limit else 'has no'} limit price"
    if kind.has_trigger != (trigger is not None):
        return f"a {kind} order {'needs a' if kind.has_trigger else 'has no'} trigger"
    if (request.limit_price_type is not PriceType.STATIC) and (
        kind is not OrderType.TRAILING_STOP_LIMIT
    ):
        return "only the limit price of a trailing-stop-limit order is a distance"
    if trigger is not None:
        if kind.trails == (trigger.price_type is PriceType.STATIC):
            return f"the trigger of a {kind} order is {'no ' if kind.trails else 'a '}fixed price"
        if not trigger.price > 0:
            return "a trigger is above zero"
    if request.post_only and kind is not OrderType.LIMIT:
        return "only a limit order is post-only"
    waits = kind.has_limit or kind.has_trigger
    if not waits and request.time_in_force is not TimeInForce.IOC:
        return "a market order is immediate-or-cancel"
    if kind.has_trigger and not kind.has_limit and request.time_in_force is TimeInForce.IOC:
        return f"a {kind} order waits for its trigger: it is not immediate-or-cancel"
    if (request.time_in_force is TimeInForce.GTD) != (request.expire_at is not None):
        return "an order expires if, and only if, it is good till date"
    return None


def decode_order(wire: bytes) -> OrderRequest:
    """Read `params` back, for the egress audit; raises ValueError for anything we do not send.

    What encodes to other bytes than these is refused too, so that the two are exact inverses.
    """
    try:
        params = _ORDER.decode(wire)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ValueError(f"not an order of ours: {error}") from None
    triggers = params.triggers
    request = OrderRequest(
        cl_ord_id=params.cl_ord_id,
        pair=params.symbol,
        side=params.side,
        order_type=params.order_type,
        qty=params.order_qty,
        limit_price=params.limit_price,
        limit_price_type=params.limit_price_type,
        trigger=None
        if triggers is None
        else Trigger(
            price=triggers.price, price_type=triggers.price_type, reference=triggers.reference
        ),
        time_in_force=params.time_in_force,
        post_only=params.post_only,
        expire_at=None if params.expire_time is None else parse_rfc3339(params.expire_time),
        deadline=parse_rfc3339(params.deadline),
        fee_preference=params.fee_preference,
        stp=params.stp_type,
    )
    if encode_order(request) != wire:
        raise ValueError("not an order of ours: it is not written as we write it")
    return request


def order_frame(wire: bytes, token: str, req_id: int) -> str:
    """The one frame of an order: its parameters as approved, with token and request id added."""
    params = wire.decode().removesuffix("}") + f',"token":{_text(token)}}}'
    return f'{{"method":"add_order","params":{params},"req_id":{req_id}}}'


def check_frame(wire: bytes, token: str, req_id: int) -> str:
    """As `order_frame`, but the exchange only checks it: no order is made (`validate`)."""
    return order_frame(wire.removesuffix(b"}") + b',"validate":true}', token, req_id)


def amend_order(token: str, req_id: int, change: AmendRequest) -> str:
    """Change a resting order in place (8.2); raises ValueError where nothing would be changed."""
    if change.qty is None and change.limit_price is None and change.trigger_price is None:
        raise ValueError("an amend changes the quantity, the limit price or the trigger")
    params: dict[str, object] = (
        {"order_id": change.order_id}
        if change.order_id is not None
        else {"cl_ord_id": change.cl_ord_id}
    )
    if change.qty is not None:
        params["order_qty"] = _number(change.qty)
    if change.limit_price is not None:
        params["limit_price"] = _number(change.limit_price)
        if change.limit_price_type is not PriceType.STATIC:
            params["limit_price_type"] = change.limit_price_type
    if change.trigger_price is not None:
        params["trigger_price"] = _number(change.trigger_price)
        params["trigger_price_type"] = change.trigger_price_type
    if change.post_only:
        params["post_only"] = True
    params["deadline"] = to_rfc3339(change.deadline, digits=3)
    return _request("amend_order", {**params, "token": token}, req_id)


def cancel_all_after(token: str, req_id: int, timeout_s: int) -> str:
    """Set the dead man's switch of the whole account (8.6); 0 disarms it.

    Raises ValueError for a time-out the exchange does not take.
    """
    if not 0 <= timeout_s <= MAX_SWITCH_S:
        raise ValueError(f"the dead man's switch takes 0 to {MAX_SWITCH_S} s, not {timeout_s}")
    return _request("cancel_all_orders_after", {"timeout": timeout_s, "token": token}, req_id)


def subscribe(
    channel: str,
    req_id: int,
    *,
    symbols: Sequence[str] = (),
    token: str | None = None,
    on: bool = True,
    options: Mapping[str, str | int | bool] | None = None,
) -> str:
    """Subscribe (or, with `on` false, unsubscribe) symbols of a channel."""
    params: dict[str, object] = {"channel": channel}
    if symbols:
        params["symbol"] = list(symbols)
    params.update(options or {})
    if token is not None:
        params["token"] = token
    return _request("subscribe" if on else "unsubscribe", params, req_id)


def cancel_order(
    token: str, req_id: int, *, order_id: str | None = None, cl_ord_id: str | None = None
) -> str:
    """Cancel one order, by one id: a refusal does not say which id it belongs to (8.4)."""
    params: dict[str, object] = (
        {"order_id": [order_id]} if order_id is not None else {"cl_ord_id": [cl_ord_id]}
    )
    return _request("cancel_order", {**params, "token": token}, req_id)


def cancel_all(token: str, req_id: int) -> str:
    """Cancel every order of the account (8.5)."""
    return _request("cancel_all", {"token": token}, req_id)


def ping(req_id: int) -> str:
    """An application ping: it must carry no params (2.1)."""
    return _ENCODER.encode({"method": "ping", "req_id": req_id}).decode()


def _request(method: str, params: dict[str, object], req_id: int) -> str:
    return _ENCODER.encode({"method": method, "params": params, "req_id": req_id}).decode()


def _text(value: str) -> str:
    return _ENCODER.encode(value).decode()


def _number(value: Decimal) -> msgspec.Raw:
    if not value.is_finite():
        raise ValueError(f"not a finite number: {value}")
    return msgspec.Raw(plain(value).encode())
