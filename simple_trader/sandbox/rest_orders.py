"""The private REST endpoints that change orders (protocol section 11.5)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from simple_trader.sandbox import wire
from simple_trader.sandbox.order_desk import FROZEN, MAX_SWITCH_S, closed_count
from simple_trader.sandbox.rest_private import describe
from simple_trader.sandbox.rest_shared import (
    ApiError,
    Fields,
    RestFloor,
    exact,
    flag,
    invalid,
    one_pair,
    whole,
)
from simple_trader.simulator.orders import MAIN, Cancel, CancelAll, Place
from simple_trader.simulator.reports import Checked, Opened, Refused
from simple_trader.simulator.venue import UNKNOWN_ORDER

_UNSUPPORTED = ("price2", "displayvol", "close[ordertype]", "trigger")
_FLAGS = ("post", "fcib", "fciq", "nompp", "viqc")


def _refuse_frozen(floor: RestFloor) -> None:
    if floor.frozen:
        raise ApiError(FROZEN)


def add_order(floor: RestFloor, fields: Fields) -> Any:
    """Place an order."""
    _refuse_frozen(floor)
    place = _place(floor, fields)
    reports = floor.execute(place)
    first = reports[0]
    if isinstance(first, Refused):
        raise ApiError(first.error)
    if not isinstance(first, Opened | Checked):
        raise ApiError("EGeneral:Internal error")
    pair = floor.pairs[place.symbol]
    answer: dict[str, Any] = {"descr": {"order": describe(first.order, pair)}}
    if isinstance(first, Opened):
        answer["txid"] = [first.order.order_id]
        if first.order.cl_ord_id is not None:
            answer["cl_ord_id"] = first.order.cl_ord_id
    floor.publish(reports)
    return answer


def _place(floor: RestFloor, fields: Fields) -> Place:
    for name in _UNSUPPORTED:
        if fields.get(name, "") not in ("", "0"):
            raise invalid(name)
    side, order_type = fields.get("type"), fields.get("ordertype")
    if side not in ("buy", "sell"):
        raise invalid("type")
    if order_type not in ("limit", "market"):
        raise invalid("ordertype")
    flags = [word for word in fields.get("oflags", "").split(",") if word]
    unknown = [word for word in flags if word not in _FLAGS]
    if unknown or fields.get("leverage", "none") not in ("none", "") or flag(fields, "reduce_only"):
        raise invalid("oflags" if unknown else "leverage")
    force = fields.get("timeinforce", "GTC").lower()
    if force not in ("gtc", "ioc", "gtd"):
        raise invalid("timeinforce")
    _, pair = one_pair(floor, fields)
    volume = exact(fields, "volume")
    in_quote = "viqc" in flags
    userref = whole(fields, "userref", 0)
    if not -(2**31) <= userref < 2**31:
        raise invalid("userref")
    return Place(
        symbol=pair.symbol,
        side="buy" if side == "buy" else "sell",
        order_type="limit" if order_type == "limit" else "market",
        qty=None if in_quote else volume,
        cash_qty=volume if in_quote else None,
        limit_price=exact(fields, "price") if order_type == "limit" else None,
        time_in_force="ioc" if force == "ioc" else "gtd" if force == "gtd" else "gtc",
        expire_at=_moment(floor, fields, "expiretm") if force == "gtd" else None,
        deadline=_deadline(fields),
        post_only="post" in flags,
        fee_in_base="fcib" in flags,
        cl_ord_id=fields.get("cl_ord_id") or None,
        userref=userref,
        validate=flag(fields, "validate"),
    )


def _moment(floor: RestFloor, fields: Fields, name: str) -> datetime | None:
    text = fields.get(name, "")
    if not text or text == "0":
        return None
    relative = text.startswith("+")
    try:
        seconds = int(Decimal(text))
        if relative:
            return floor.now + timedelta(seconds=seconds)
        return datetime.fromtimestamp(seconds, UTC)
    except (ArithmeticError, ValueError, OSError):
        raise invalid(name) from None


def _deadline(fields: Fields) -> datetime | None:
    text = fields.get("deadline")
    if not text:
        return None
    moment = wire.read_moment(text)
    if moment is None:
        raise invalid("deadline")
    return moment


def cancel_order(floor: RestFloor, fields: Fields) -> Any:
    """Cancel by venue id, by userref, or by client id."""
    _refuse_frozen(floor)
    name = fields.get("txid") or fields.get("cl_ord_id")
    if not name:
        raise invalid("txid")
    venue = floor.venue
    if fields.get("txid"):
        wanted = [order for order in (venue.open.get(name),) if order is not None]
        if not wanted and name.lstrip("-").isdigit():
            wanted = [order for order in venue.open.values() if str(order.userref) == name]
    else:
        wanted = [order for order in (venue.find_open(MAIN, name),) if order is not None]
    if not wanted:
        raise ApiError(UNKNOWN_ORDER)
    for order in wanted:
        floor.publish(floor.execute(Cancel(order.order_id)))
    return {"count": len(wanted)}


def cancel_all(floor: RestFloor, fields: Fields) -> Any:
    """Cancel every open order."""
    _refuse_frozen(floor)
    reports = floor.execute(CancelAll())
    floor.publish(reports)
    return {"count": closed_count(reports)}


def cancel_all_after(floor: RestFloor, fields: Fields) -> Any:
    """Arm or disarm the dead man's switch."""
    _refuse_frozen(floor)
    timeout = whole(fields, "timeout", -1)
    if not 0 <= timeout < MAX_SWITCH_S:
        raise invalid("timeout")
    now, trigger = floor.arm_switch(timeout)
    return {
        "currentTime": wire.seconds_text(now),
        "triggerTime": wire.seconds_text(trigger) if timeout else "0",
    }
