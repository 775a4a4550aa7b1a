"""The order requests of a session: add, amend, edit, cancel, cancel all, dead man's switch."""

import re
from typing import Any

from simple_trader.sandbox import order_words, wire
from simple_trader.sandbox.accounts_file import KeySpec
from simple_trader.sandbox.floor import Counter, Floor, Handler
from simple_trader.sandbox.requests import METHOD_FIELDS, Request, check_fields
from simple_trader.simulator.checks import BAD
from simple_trader.simulator.orders import Cancel, CancelAll, Order
from simple_trader.simulator.reports import (
    Amended,
    Checked,
    Closed,
    Opened,
    Refused,
    Replaced,
    Report,
)
from simple_trader.simulator.venue import UNKNOWN_ORDER

FROZEN = "EService:Unavailable"
INTERNAL = "EGeneral:Internal error"
MAX_SWITCH_S = 86_400
PLACING = ("modify-trades",)
CLOSING = ("modify-trades", "close-trades")
_USERREF = re.compile(r"-?[0-9]{1,10}")


def handlers(session: Counter) -> dict[str, Handler]:
    """Give the handlers of a session's order requests, by method."""
    desk = OrderDesk(session)
    return {
        "add_order": desk.add,
        "amend_order": desk.amend,
        "edit_order": desk.edit,
        "cancel_order": desk.cancel,
        "cancel_all": desk.cancel_all,
        "cancel_all_orders_after": desk.cancel_all_after,
    }


class Desk:
    """What all order requests share: the checks before them, and response and events after."""

    def __init__(self, session: Counter) -> None:
        self._session = session
        self._floor = session.floor

    def _check(self, method: str, params: dict[str, Any], permissions: tuple[str, ...]) -> KeySpec:
        check_fields(params, METHOD_FIELDS[method], method)
        spec = self._session.need_token(params, *permissions)
        if self._floor.frozen:
            raise Request(FROZEN)
        return spec

    def _tell(
        self,
        method: str,
        req_id: int | None,
        result: object | None,
        reports: list[Report],
        **more: Any,
    ) -> None:
        # Response and events travel independently: either may arrive first (section 2.3).
        early = self._floor.events_first()
        if early:
            self._floor.publish(reports)
        self._session.answer(method, req_id, result, **more)
        if not early:
            self._floor.publish(reports)

    def _refuse(self, method: str, req_id: int | None, error: str, reports: list[Report]) -> None:
        self._tell(method, req_id, None, reports, error=error, success=False)


class OrderDesk(Desk):
    """One request, one order (or one id, or all)."""

    def add(self, params: dict[str, Any], req_id: int | None) -> None:
        """Place an order."""
        spec = self._check("add_order", params, PLACING)
        if "symbol" not in params:
            raise Request(f"{BAD}:symbol")
        reports = self._floor.execute(order_words.place_of(params, params["symbol"], spec.account))
        error, order = outcome(reports)
        if order is None:
            self._refuse("add_order", req_id, error, reports)
            return
        result: dict[str, Any] = {"order_id": order.order_id, **order_words.client_id(order)}
        self._tell("add_order", req_id, result, reports)

    def amend(self, params: dict[str, Any], req_id: int | None) -> None:
        """Change an order in place."""
        spec = self._check("amend_order", params, PLACING)
        named = [name for name in ("order_id", "cl_ord_id") if name in params]
        if len(named) != 1:
            raise Request(f"{BAD}:order_id or cl_ord_id")
        order = find_open(self._floor, spec.account, named[0], params[named[0]])
        if order is None:
            raise Request(UNKNOWN_ORDER)
        reports = self._floor.execute(order_words.amend_of(params, order))
        amended = next((r for r in reports if isinstance(r, Amended)), None)
        if amended is None:
            error, _ = outcome(reports)
            self._refuse("amend_order", req_id, error, reports)
            return
        result = {"amend_id": amended.amend_id, named[0]: params[named[0]]}
        self._tell("amend_order", req_id, result, reports)

    def edit(self, params: dict[str, Any], req_id: int | None) -> None:
        """Cancel an order and put another in its place."""
        spec = self._check("edit_order", params, PLACING)
        reports = self._floor.execute(order_words.edit_of(params, spec.account))
        error, order = outcome(reports)
        if order is None:
            self._refuse("edit_order", req_id, error, reports)
            return
        result = {"order_id": order.order_id, "original_order_id": params["order_id"]}
        self._tell("edit_order", req_id, result, reports)

    def cancel(self, params: dict[str, Any], req_id: int | None) -> None:
        """Cancel orders by any of their names; each gets a response of its own."""
        spec = self._check("cancel_order", params, CLOSING)
        wanted: list[tuple[str, Any]] = [
            (name, value)
            for name in ("order_id", "cl_ord_id", "order_userref")
            for value in params.get(name, [])
        ]
        if not wanted:
            raise Request(f"{BAD}:order_id")
        for name, value in wanted:
            orders = named_orders(self._floor, spec.account, name, value)
            if not orders:
                self._session.fail("cancel_order", req_id, UNKNOWN_ORDER)
            for order in orders:
                reports = self._floor.execute(Cancel(order.order_id, spec.account))
                error = refusal(reports)
                if error is not None:
                    self._refuse("cancel_order", req_id, error, reports)
                else:
                    self._tell("cancel_order", req_id, {name: value}, reports)

    def cancel_all(self, params: dict[str, Any], req_id: int | None) -> None:
        """Cancel every open order of the account."""
        spec = self._check("cancel_all", params, CLOSING)
        reports = self._floor.execute(CancelAll(account=spec.account))
        error = refusal(reports)
        if error is not None:
            self._refuse("cancel_all", req_id, error, reports)
        else:
            self._tell("cancel_all", req_id, {"count": closed_count(reports)}, reports)

    def cancel_all_after(self, params: dict[str, Any], req_id: int | None) -> None:
        """Arm or disarm the account's dead man's switch."""
        spec = self._check("cancel_all_orders_after", params, CLOSING)
        timeout = params.get("timeout")
        if not isinstance(timeout, int) or not 0 <= timeout < MAX_SWITCH_S:
            raise Request(f"{BAD}:timeout")
        result = arm_switch(self._floor, spec.account, timeout)
        self._session.answer("cancel_all_orders_after", req_id, result)


def arm_switch(floor: Floor, account: str, timeout_s: int) -> dict[str, Any]:
    """Arm or (0) disarm a switch and give Kraken's answer, with its camel case."""
    now, trigger = floor.arm_switch(account, timeout_s)
    off = wire.seconds_text(now) if floor.rules.disarmed == "now" else "0"
    return {
        "currentTime": wire.seconds_text(now),
        "triggerTime": wire.seconds_text(trigger) if timeout_s else off,
    }


def outcome(reports: list[Report]) -> tuple[str, Order | None]:
    """Give the order that a new order's or edit's reports begin with, or the error."""
    first = reports[0] if reports else None
    if isinstance(first, Opened | Checked | Replaced):
        return "", first.order
    return (first.error if isinstance(first, Refused) else INTERNAL), None


def refusal(reports: list[Report]) -> str | None:
    """Give the error of a command that was refused."""
    first = reports[0] if reports else None
    return first.error if isinstance(first, Refused) else None


def closed_count(reports: list[Report]) -> int:
    """Count the orders that the reports closed."""
    return sum(1 for report in reports if isinstance(report, Closed))


def find_open(floor: Floor, account: str, name: str, value: str) -> Order | None:
    """Find an account's open order by `order_id` or `cl_ord_id`."""
    if name == "cl_ord_id":
        return floor.venue.find_open(account, value)
    order = floor.venue.open.get(value)
    return order if order is not None and order.account == account else None


def userref_orders(floor: Floor, account: str, text: str) -> list[Order]:
    """Find an account's open orders by a userref written as text; none when it is no userref."""
    if not _USERREF.fullmatch(text):
        return []
    return named_orders(floor, account, "order_userref", int(text))


def named_orders(floor: Floor, account: str, name: str, value: Any) -> list[Order]:
    """Find an account's open orders by any name; a userref may stand for several."""
    if name == "order_userref":
        # 0 stands for none given: it names no order, least of all every order without one.
        return [o for o in floor.venue.open_of(account) if o.userref and o.userref == value]
    found = find_open(floor, account, name, value)
    return [] if found is None else [found]
