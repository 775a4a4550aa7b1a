"""Private REST answers as they were some time ago (X08): built from the exchange's own ledger."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

import msgspec

from simple_trader.simulator.orders import Entry, Order, Trade

Result = dict[str, Any]


class Past(Protocol):
    """What is needed of the exchange to look back."""

    def order(self, order_id: str) -> Order | None:
        """Give an order."""

    def trade(self, exec_id: str) -> Trade | None:
        """Give a fill."""

    def rest_asset(self, asset: str) -> str:
        """Give REST's name of an asset."""

    def entries_after(self, cut: datetime) -> list[Entry]:
        """Give the ledger entries later than a moment."""

    def rows_closed_after(self, cut: datetime) -> Result:
        """Give REST's rows of the orders of the main account that closed later than a moment."""


def past_answer(endpoint: str, result: Result, cut: datetime, past: Past) -> Result | None:
    """Give the result as of `cut`, or None where the endpoint has no past or nothing differs."""
    match endpoint:
        case "OpenOrders":
            # What has closed since was open then: no list may lack it.
            since = past.rows_closed_after(cut)
            rows = _orders({**result.get("open", {}), **since}, cut, past)
            return None if rows is None else {**result, "open": rows}
        case "QueryOrders":
            return _orders(result, cut, past)
        case "ClosedOrders":
            closed = result.get("closed", {})
            kept = {i: row for i, row in closed.items() if _closed_before(i, cut, past)}
            return _counted(result, "closed", closed, kept)
        case "TradesHistory":
            trades = result.get("trades", {})
            kept = {i: row for i, row in trades.items() if _traded_before(i, cut, past)}
            return _counted(result, "trades", trades, kept)
        case "Balance" | "BalanceEx":
            return _balances(result, cut, past)
        case _:
            return None


def _counted(result: Result, name: str, before: Result, kept: Result) -> Result | None:
    gone = len(before) - len(kept)
    if not gone:
        return None
    changed = {**result, name: kept}
    if "count" in result:
        changed["count"] = max(0, int(_text(result["count"])) - gone)
    return changed


def _text(value: Any) -> str:
    return bytes(value).decode() if isinstance(value, msgspec.Raw) else str(value)


def _closed_before(order_id: str, cut: datetime, past: Past) -> bool:
    order = past.order(order_id)
    return order is None or (order.closed_at is not None and order.closed_at <= cut)


def _traded_before(exec_id: str, cut: datetime, past: Past) -> bool:
    trade = past.trade(exec_id)
    return trade is None or trade.at <= cut


def _orders(rows: Result, cut: datetime, past: Past) -> Result | None:
    """Take back what happened to the orders since; one that is younger is not there yet."""
    changed: Result = {}
    same = True
    for order_id, row in rows.items():
        order = past.order(order_id)
        if order is None:
            changed[order_id] = row
            continue
        if order.opened_at > cut:
            same = False
            continue
        late = [t for t in map(past.trade, order.trades) if t is not None and t.at > cut]
        reopened = order.closed_at is not None and order.closed_at > cut
        if not late and not reopened:
            changed[order_id] = row
            continue
        same = False
        changed[order_id] = _taken_back(row, late, reopened=reopened)
    return None if same else changed


def _taken_back(row: Result, late: list[Trade], *, reopened: bool) -> Result:
    old = dict(row)
    for name, amounts in (
        ("vol_exec", [t.qty for t in late]),
        ("cost", [t.cost for t in late]),
        ("fee", [t.fee for t in late]),
    ):
        before = Decimal(str(row[name]))
        old[name] = f"{before - sum(amounts, Decimal(0)):.{_places(str(row[name]))}f}"
    executed = Decimal(old["vol_exec"])
    price = Decimal(old["cost"]) / executed if executed else Decimal(0)
    old["price"] = f"{price:.{_places(str(row['price']))}f}"
    if reopened:
        old["status"] = "open"
        old.pop("closetm", None)
        old["reason"] = None
    gone = {trade.exec_id for trade in late}
    if isinstance(row.get("trades"), list):
        old["trades"] = [exec_id for exec_id in row["trades"] if exec_id not in gone]
    return old


def _places(text: str) -> int:
    return len(text.partition(".")[2])


def _balances(result: Result, cut: datetime, past: Past) -> Result | None:
    late = past.entries_after(cut)
    if not late:
        return None
    changed = {name: dict(row) if isinstance(row, dict) else row for name, row in result.items()}
    for entry in late:
        name = past.rest_asset(entry.asset)
        if name not in changed:
            continue
        row = changed[name]
        text = str(row["balance"] if isinstance(row, dict) else row)
        before = f"{Decimal(text) - entry.amount + entry.fee:.{_places(text)}f}"
        if isinstance(row, dict):
            row["balance"] = before
        else:
            changed[name] = before
    return changed
