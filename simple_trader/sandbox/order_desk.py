"""The order requests of a session: add, amend, cancel, cancel all, dead man's switch."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from simple_trader.sandbox import wire
from simple_trader.sandbox.floor import Counter, Handler
from simple_trader.sandbox.requests import METHOD_FIELDS, Request, check_fields
from simple_trader.simulator.checks import BAD
from simple_trader.simulator.orders import MAIN, Amend, Cancel, CancelAll, Order, Place
from simple_trader.simulator.reports import Amended, Checked, Closed, Opened, Refused, Report
from simple_trader.simulator.venue import UNKNOWN_ORDER

FROZEN = "EService:Unavailable"
MAX_SWITCH_S = 86_400
_UNSUPPORTED = ("triggers", "conditional", "display_qty", "effective_time", "limit_price_type")
_ORDER_TYPES = ("limit", "market")
_FORCES = ("gtc", "gtd", "ioc")


def handlers(session: Counter) -> dict[str, Handler]:
    """Give the handlers of a session's order requests, by method."""
    desk = _Desk(session)
    return {
        "add_order": desk.add,
        "amend_order": desk.amend,
        "cancel_order": desk.cancel,
        "cancel_all": desk.cancel_all,
        "cancel_all_orders_after": desk.cancel_all_after,
    }


class _Desk:
    def __init__(self, session: Counter) -> None:
        self._session = session
        self._floor = session.floor

    def _check(self, method: str, params: dict[str, Any]) -> None:
        check_fields(params, METHOD_FIELDS[method], method)
        self._session.need_token(params)
        if self._floor.frozen:
            raise Request(FROZEN)

    def add(self, params: dict[str, Any], req_id: int | None) -> None:
        self._check("add_order", params)
        reports = self._floor.execute(place_of(params))
        first = reports[0]
        if isinstance(first, Refused):
            raise Request(first.error)
        order = first.order if isinstance(first, Opened | Checked) else None
        if order is None:
            raise Request("EGeneral:Internal error")
        result: dict[str, Any] = {"order_id": order.order_id, **_client_id(order)}
        self._tell("add_order", req_id, result, reports)

    def amend(self, params: dict[str, Any], req_id: int | None) -> None:
        self._check("amend_order", params)
        named = [name for name in ("order_id", "cl_ord_id") if name in params]
        if len(named) != 1:
            raise Request(f"{BAD}:order_id or cl_ord_id")
        order = self._find(named[0], params[named[0]])
        if order is None:
            raise Request(UNKNOWN_ORDER)
        reports = self._floor.execute(
            Amend(
                order_id=order.order_id,
                qty=_number(params, "order_qty"),
                limit_price=_number(params, "limit_price"),
                post_only=params.get("post_only", False),
                deadline=_moment(params, "deadline"),
            )
        )
        first = reports[0]
        if isinstance(first, Refused):
            raise Request(first.error)
        amend_id = first.amend_id if isinstance(first, Amended) else ""
        result = {"amend_id": amend_id, named[0]: params[named[0]]}
        self._tell("amend_order", req_id, result, reports)

    def cancel(self, params: dict[str, Any], req_id: int | None) -> None:
        self._check("cancel_order", params)
        wanted: list[tuple[str, Any]] = [
            (name, value)
            for name in ("order_id", "cl_ord_id", "order_userref")
            for value in params.get(name, [])
        ]
        if not wanted:
            raise Request(f"{BAD}:order_id")
        for name, value in wanted:
            if name == "order_userref":
                orders = [o for o in self._floor.venue.open.values() if o.userref == value]
            else:
                found = self._find(name, value)
                orders = [found] if found is not None else []
            if not orders:
                self._session.fail("cancel_order", req_id, UNKNOWN_ORDER)
            for order in orders:
                reports = self._floor.execute(Cancel(order.order_id))
                self._tell("cancel_order", req_id, {name: value}, reports)

    def cancel_all(self, params: dict[str, Any], req_id: int | None) -> None:
        self._check("cancel_all", params)
        reports = self._floor.execute(CancelAll())
        self._tell("cancel_all", req_id, {"count": closed_count(reports)}, reports)

    def cancel_all_after(self, params: dict[str, Any], req_id: int | None) -> None:
        self._check("cancel_all_orders_after", params)
        timeout = params.get("timeout")
        if not isinstance(timeout, int) or not 0 <= timeout < MAX_SWITCH_S:
            raise Request(f"{BAD}:timeout")
        now, trigger = self._floor.arm_switch(timeout)
        result = {"currentTime": wire.seconds_text(now), "triggerTime": "0"}
        if timeout:
            result["triggerTime"] = wire.seconds_text(trigger)
        self._session.answer("cancel_all_orders_after", req_id, result)

    def _tell(
        self, method: str, req_id: int | None, result: dict[str, Any], reports: list[Report]
    ) -> None:
        # Response and events travel independently: either may arrive first (section 2.3).
        if self._floor.events_first():
            self._floor.publish(reports)
            self._session.answer(method, req_id, result)
        else:
            self._session.answer(method, req_id, result)
            self._floor.publish(reports)

    def _find(self, name: str, value: str) -> Order | None:
        if name == "order_id":
            return self._floor.venue.open.get(value)
        return self._floor.venue.find_open(MAIN, value)


def closed_count(reports: list[Report]) -> int:
    """Count the orders that the reports closed."""
    return sum(1 for report in reports if isinstance(report, Closed))


def place_of(params: dict[str, Any]) -> Place:
    """Turn the checked fields of add_order into a command; raises Request on wrong words."""
    for name in _UNSUPPORTED:
        if name in params:
            raise Request(f"{BAD}:{name}")
    for name in ("order_type", "side", "symbol"):
        if name not in params:
            raise Request(f"{BAD}:{name}")
    side, order_type = params["side"], params["order_type"]
    force = params.get("time_in_force", "gtc")
    if side not in ("buy", "sell"):
        raise Request(f"{BAD}:side")
    if order_type not in _ORDER_TYPES:
        raise Request(f"{BAD}:ordertype")
    if force not in _FORCES:
        raise Request(f"{BAD}:time_in_force")
    if params.get("margin") or params.get("reduce_only"):
        raise Request(f"{BAD}:margin")
    if params.get("fee_preference", "quote") not in ("quote", "base"):
        raise Request(f"{BAD}:fee_preference")
    if not -(2**31) <= params.get("order_userref", 0) < 2**31:
        raise Request(f"{BAD}:order_userref")
    return Place(
        symbol=params["symbol"],
        side=side,
        order_type=order_type,
        qty=_number(params, "order_qty"),
        cash_qty=_number(params, "cash_order_qty"),
        limit_price=_number(params, "limit_price"),
        time_in_force=force,
        expire_at=_moment(params, "expire_time"),
        deadline=_moment(params, "deadline"),
        post_only=params.get("post_only", False),
        fee_in_base=params.get("fee_preference") == "base",
        cl_ord_id=params.get("cl_ord_id"),
        userref=params.get("order_userref", 0),
        validate=params.get("validate", False),
    )


def _number(params: dict[str, Any], name: str) -> Decimal | None:
    value = params.get(name)
    return None if value is None else Decimal(value)


def _moment(params: dict[str, Any], name: str) -> datetime | None:
    text = params.get(name)
    if text is None:
        return None
    moment = wire.read_moment(text)
    if moment is None:
        raise Request(f"{BAD}:{name}")
    return moment


def _client_id(order: Order) -> dict[str, Any]:
    if order.cl_ord_id is not None:
        return {"cl_ord_id": order.cl_ord_id}
    return {"order_userref": order.userref} if order.userref else {}
