"""The batch requests of a session: batch_add and batch_cancel (protocol sections 8.7 and 8.8)."""

from typing import Any

from simple_trader.sandbox import order_words
from simple_trader.sandbox.floor import Counter, Floor, Handler
from simple_trader.sandbox.order_desk import (
    CLOSING,
    PLACING,
    Desk,
    closed_count,
    named_orders,
    userref_orders,
)
from simple_trader.sandbox.requests import ORDER_FIELDS, Request, check_fields
from simple_trader.simulator.checks import BAD
from simple_trader.simulator.orders import CancelBatch, Order, PlaceBatch
from simple_trader.simulator.reports import BatchReports, Checked, Opened, Refused

LEAST_ORDERS, MOST_ORDERS = 2, 15
LEAST_IDS, MOST_IDS = 2, 50


def handlers(session: Counter) -> dict[str, Handler]:
    """Give the handlers of a session's batch requests, by method."""
    desk = BatchDesk(session)
    return {"batch_add": desk.add, "batch_cancel": desk.cancel}


class BatchDesk(Desk):
    """Several orders of one pair, or several ids, in one request."""

    def add(self, params: dict[str, Any], req_id: int | None) -> None:
        """Place 2 to 15 orders of one pair; the result is a list in their order."""
        spec = self._check("batch_add", params, PLACING)
        orders = params.get("orders", [])
        if "symbol" not in params:
            raise Request(f"{BAD}:symbol")
        if not LEAST_ORDERS <= len(orders) <= MOST_ORDERS:
            raise Request(f"{BAD}:orders")
        places = []
        for fields in orders:
            check_fields(fields, ORDER_FIELDS, "batch_add")
            places.append(order_words.place_of(fields, params["symbol"], spec.account, "batch_add"))
        reports = self._floor.execute(
            PlaceBatch(
                symbol=params["symbol"],
                orders=tuple(places),
                account=spec.account,
                deadline=order_words.moment(params, "deadline"),
                validate=params.get("validate", False),
            )
        )
        first = reports[0]
        if isinstance(first, BatchReports):
            result = [self._element(part[0]) for part in first.parts]
            self._tell("batch_add", req_id, result, reports)
        else:
            error = first.error if isinstance(first, Refused) else "EGeneral:Internal error"
            self._refuse("batch_add", req_id, error, reports)

    def _element(self, report: object) -> dict[str, Any] | None:
        if isinstance(report, Opened | Checked):
            order = report.order
            return {"order_id": order.order_id, **order_words.client_id(order)}
        if self._floor.rules.batch_refused == "null":
            return None
        error = report.error if isinstance(report, Refused) else "EGeneral:Internal error"
        return {"error": error}

    def cancel(self, params: dict[str, Any], req_id: int | None) -> None:
        """Cancel 2 to 50 orders by venue id, userref (as text) or client id."""
        spec = self._check("batch_cancel", params, CLOSING)
        ids = [("order_id", text) for text in params.get("orders", [])]
        ids += [("cl_ord_id", text) for text in params.get("cl_ord_id", [])]
        if not LEAST_IDS <= len(ids) <= MOST_IDS:
            raise Request(f"{BAD}:orders")
        chosen = batch_ids(self._floor, spec.account, ids)
        reports = self._floor.execute(CancelBatch(tuple(chosen), spec.account))
        if isinstance(reports[0] if reports else None, Refused):
            first = reports[0]
            error = first.error if isinstance(first, Refused) else ""
            self._refuse("batch_cancel", req_id, error, reports)
            return
        count = closed_count(reports)
        if self._floor.rules.batch_cancel_count == "top":
            more = {"orders_cancelled": count, "success": True}
            self._tell("batch_cancel", req_id, None, reports, **more)
        else:
            self._tell("batch_cancel", req_id, {"count": count}, reports)


def batch_ids(floor: Floor, account: str, ids: list[tuple[str, str]]) -> list[str]:
    """Give the venue ids that the names of a batch stand for, each once.

    An unknown venue id stays in: the exchange counts it as not cancelled.
    """
    chosen: dict[str, None] = {}
    for name, text in ids:
        orders: list[Order] = named_orders(floor, account, name, text)
        if not orders and name == "order_id":
            orders = userref_orders(floor, account, text)
        for order in orders:
            chosen[order.order_id] = None
        if not orders:
            chosen[text] = None
    return list(chosen)
