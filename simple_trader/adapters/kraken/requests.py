"""Builds what is asked of WS v2: pure functions, no token in anything but the finished frame.

Source: protocol sections 2, 3, 6, 7 and 8. Decimals are JSON numbers written with their own digits,
never with an exponent; `decode_order` reads back exactly what `encode_order` wrote.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from simple_trader.domain.moments import parse_rfc3339, to_rfc3339
from simple_trader.domain.money import plain
from simple_trader.domain.orders import OrderRequest, OrderType, Side, TimeInForce

_ENCODER = msgspec.json.Encoder()
MAX_REQ_ID = 2**31 - 1


class _OrderParams(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`params` of add_order as we send them (section 8.1)."""

    order_type: OrderType
    side: Side
    symbol: str
    order_qty: Decimal
    limit_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.IOC
    post_only: bool = False
    expire_time: str | None = None
    deadline: str
    cl_ord_id: str
    # The fee's currency and the self-trade rule are always said: their defaults are disputed.
    fee_preference: Literal["quote"]
    stp_type: Literal["cancel_newest"]


_ORDER = msgspec.json.Decoder(_OrderParams)


def encode_order(request: OrderRequest) -> bytes:
    """The `params` of an order without token: a pure function of the request.

    Raises ValueError for what the wire cannot say: a limit order without price, a market order
    that is not immediate-or-cancel (the wire says nothing of its time in force), or an expiry
    without `gtd`. Times are cut to the wire's grid (deadline: milliseconds, expiry: seconds), so a
    request with a finer time does not decode to itself and is stopped by the egress audit.
    """
    is_limit = request.order_type is OrderType.LIMIT
    if is_limit != (request.limit_price is not None):
        raise ValueError("a limit order has a price, a market order has none")
    if not is_limit and (request.time_in_force is not TimeInForce.IOC or request.post_only):
        raise ValueError("a market order is immediate-or-cancel and never post-only")
    if (request.time_in_force is TimeInForce.GTD) != (request.expire_at is not None):
        raise ValueError("an order expires if, and only if, it is good till date")
    params: dict[str, object] = {
        "order_type": request.order_type,
        "side": request.side,
        "symbol": request.pair,
        "order_qty": _number(request.qty),
    }
    if request.limit_price is not None:
        params["limit_price"] = _number(request.limit_price)
        params["time_in_force"] = request.time_in_force
    if request.post_only:
        params["post_only"] = True
    if request.expire_at is not None:
        params["expire_time"] = to_rfc3339(request.expire_at, digits=0)
    params["deadline"] = to_rfc3339(request.deadline, digits=3)
    params["cl_ord_id"] = request.cl_ord_id
    params["fee_preference"] = "quote"
    params["stp_type"] = "cancel_newest"
    return _ENCODER.encode(params)


def decode_order(wire: bytes) -> OrderRequest:
    """Read `params` back, for the egress audit; raises ValueError for anything we do not send.

    What encodes to other bytes than these is refused too, so that the two are exact inverses.
    """
    try:
        params = _ORDER.decode(wire)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise ValueError(f"not an order of ours: {error}") from None
    request = OrderRequest(
        cl_ord_id=params.cl_ord_id,
        pair=params.symbol,
        side=params.side,
        order_type=params.order_type,
        qty=params.order_qty,
        limit_price=params.limit_price,
        time_in_force=params.time_in_force,
        post_only=params.post_only,
        expire_at=None if params.expire_time is None else parse_rfc3339(params.expire_time),
        deadline=parse_rfc3339(params.deadline),
    )
    if encode_order(request) != wire:
        raise ValueError("not an order of ours: it is not written as we write it")
    return request


def order_frame(wire: bytes, token: str, req_id: int) -> str:
    """The one frame of an order: its parameters as approved, with token and request id added."""
    params = wire.decode().removesuffix("}") + f',"token":{_text(token)}}}'
    return f'{{"method":"add_order","params":{params},"req_id":{req_id}}}'


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
