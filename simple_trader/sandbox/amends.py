"""How orders were changed, for OrderAmends: the original, the user's amends, restatements."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from simple_trader.simulator.orders import Order
from simple_trader.simulator.reports import Amended, Closed, Opened, Report, Restated


class AmendRow(msgspec.Struct, frozen=True, array_like=True):
    """One state of an order; `kind` as Kraken names it."""

    amend_id: str
    kind: Literal["original", "user", "restated"]
    at: datetime
    qty: Decimal
    remaining: Decimal
    limit_price: Decimal | None
    trigger_price: Decimal | None
    display_qty: Decimal | None
    post_only: bool
    reason: str


class AmendBook(msgspec.Struct):
    """The states of every order that was ever changed, and the first state of each open one."""

    log: dict[str, list[AmendRow]] = msgspec.field(default_factory=dict)
    originals: dict[str, AmendRow] = msgspec.field(default_factory=dict)

    def note(self, reports: Iterable[Report]) -> None:
        """Keep what reports change."""
        for report in reports:
            if isinstance(report, Opened):
                order = report.order
                self.originals[order.order_id] = _row(order, order.order_id, "original", "")
            elif isinstance(report, Amended):
                row = _row(report.order, report.amend_id, "user", "User requested")
                self._rows(report.order).append(row)
            elif isinstance(report, Restated):
                order = report.order
                row = _row(order, order.order_id, "restated", report.reason)
                self._rows(order).append(row)
            elif isinstance(report, Closed):
                self.originals.pop(report.order.order_id, None)

    def _rows(self, order: Order) -> list[AmendRow]:
        rows = self.log.setdefault(order.order_id, [])
        if not rows and order.order_id in self.originals:
            rows.append(self.originals[order.order_id])
        return rows


def _row(
    order: Order, amend_id: str, kind: Literal["original", "user", "restated"], reason: str
) -> AmendRow:
    at = order.opened_at if kind == "original" else order.amended_at or order.opened_at
    return AmendRow(
        amend_id,
        kind,
        at,
        order.qty,
        order.open_qty,
        order.limit_price,
        None if order.trigger is None else order.trigger.actual_price,
        order.display_qty,
        order.post_only,
        reason,
    )
