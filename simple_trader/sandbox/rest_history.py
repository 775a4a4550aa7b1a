"""Private REST that reads orders, fills and ledger, in pages of 50 (protocol section 11.5)."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from simple_trader.sandbox.rest_rows import amend_row, entry_row, order_row, trade_row
from simple_trader.sandbox.rest_shared import (
    PAGE,
    ApiError,
    Call,
    Fields,
    exact,
    flag,
    invalid,
    whole,
    words_of,
)
from simple_trader.sandbox.sources import to_us
from simple_trader.simulator.instruments import find_asset
from simple_trader.simulator.orders import Order
from simple_trader.simulator.venue import UNKNOWN_ORDER

MOST_TRADES = MOST_LEDGERS = 20
_Row = TypeVar("_Row")
_TRADE_TYPES = ("all", "any position", "closed position", "closing position", "no position")


def open_orders(call: Call) -> Any:
    """Give open orders, by `cl_ord_id` or `userref` when named."""
    return {"open": _order_rows(call, _matching(call.view.open, call.fields))}


def closed_orders(call: Call) -> Any:
    """Give closed orders, newest first, 50 a page."""
    fields, view = call.fields, call.view
    by_open = fields.get("closetime") == "open"
    opened = {order.order_id: order.opened_at for order in view.orders.values()}
    closed = [
        order
        for order in _matching(view.orders.values(), fields)
        if order.closed_at is not None
        and _within(order.opened_at if by_open else order.closed_at, fields, opened)
    ]
    # Reversed after sorting: what closed at one moment is told newest first, too.
    closed.sort(key=lambda order: order.closed_at or order.opened_at)
    closed.reverse()
    return _counted("closed", _order_rows(call, _page(closed, fields)), len(closed), fields)


def query_orders(call: Call) -> Any:
    """Give up to 50 orders by id."""
    orders = call.view.orders
    wanted = _ids(call.fields, "txid", PAGE)
    if any(order_id not in orders for order_id in wanted):
        raise ApiError("EOrder:Invalid order")
    return _order_rows(call, [orders[order_id] for order_id in wanted])


def order_amends(call: Call) -> Any:
    """Give the states an order went through; empty when it was never changed."""
    order_id = call.fields.get("order_id", "")
    order = call.view.orders.get(order_id)
    if order is None:
        raise ApiError(UNKNOWN_ORDER)
    pair = call.floor.venue.pairs[order.symbol]
    rows = [amend_row(row, pair) for row in call.floor.reader.amends_of(order_id)]
    return {"amends": rows, "count": len(rows)}


def trades_history(call: Call) -> Any:
    """Give fills, newest first, 50 a page; without margin all are of the type `no position`."""
    fields, view = call.fields, call.view
    kind = fields.get("type") or "all"
    if kind not in _TRADE_TYPES:
        raise invalid("type")
    stamps = {trade.exec_id: trade.at for trade in view.trades}
    trades = [
        trade
        for trade in reversed(view.trades)
        if kind in ("all", "no position") and _within(trade.at, fields, stamps)
    ]
    pairs, ledgers = call.floor.venue.pairs, flag(fields, "ledgers")
    rows = {
        trade.exec_id: trade_row(trade, pairs[trade.symbol], ledgers=ledgers)
        for trade in _page(trades, fields)
    }
    return _counted("trades", rows, len(trades), fields)


def query_trades(call: Call) -> Any:
    """Give up to 20 fills by id."""
    wanted = _ids(call.fields, "txid", MOST_TRADES)
    known = {trade.exec_id: trade for trade in call.view.trades if trade.exec_id in wanted}
    if len(known) != len(set(wanted)):
        raise ApiError("EQuery:Unknown trade")
    pairs, ledgers = call.floor.venue.pairs, flag(call.fields, "ledgers")
    return {
        exec_id: trade_row(known[exec_id], pairs[known[exec_id].symbol], ledgers=ledgers)
        for exec_id in wanted
    }


def ledgers(call: Call) -> Any:
    """Give ledger entries, newest first, 50 a page."""
    fields = call.fields
    names: set[str] = set()
    for name in words_of(fields, "asset"):
        if name.lower() == "all":
            continue
        asset = find_asset(name)
        if asset is None:
            raise ApiError("EQuery:Unknown asset")
        names.add(asset.name)
    kind = fields.get("type") or "all"
    ledger = call.view.ledger
    stamps = {entry.ledger_id: entry.at for entry in ledger}
    entries = [
        entry
        for entry in reversed(ledger)
        if (not names or entry.asset in names)
        and kind in ("all", entry.kind)
        and _within(entry.at, fields, stamps)
    ]
    rows = {entry.ledger_id: entry_row(entry) for entry in _page(entries, fields)}
    return _counted("ledger", rows, len(entries), fields)


def query_ledgers(call: Call) -> Any:
    """Give up to 20 ledger entries by id."""
    wanted = _ids(call.fields, "id", MOST_LEDGERS)
    known = {entry.ledger_id: entry for entry in call.view.ledger if entry.ledger_id in wanted}
    if len(known) != len(set(wanted)):
        raise ApiError("EQuery:Unknown ledger")
    return {ledger_id: entry_row(known[ledger_id]) for ledger_id in wanted}


def _order_rows(call: Call, orders: Iterable[Order]) -> dict[str, Any]:
    pairs, trades = call.floor.venue.pairs, flag(call.fields, "trades")
    return {
        order.order_id: order_row(order, pairs[order.symbol], trades=trades) for order in orders
    }


def _counted(name: str, rows: dict[str, Any], count: int, fields: Fields) -> dict[str, Any]:
    return {name: rows} if flag(fields, "without_count") else {name: rows, "count": count}


def _within(moment: datetime, fields: Fields, stamps: Mapping[str, datetime]) -> bool:
    """Say whether a moment lies after `start` and not after `end`: seconds, or ids of rows."""
    start, end = (_edge(fields, name, stamps) for name in ("start", "end"))
    at = Decimal(to_us(moment)).scaleb(-6)
    return (start is None or at > start) and (end is None or at <= end)


def _edge(fields: Fields, name: str, stamps: Mapping[str, datetime]) -> Decimal | None:
    known = stamps.get(fields.get(name, ""))
    return exact(fields, name) if known is None else Decimal(to_us(known)).scaleb(-6)


def _matching(orders: Iterable[Order], fields: Fields) -> list[Order]:
    client_id, userref = fields.get("cl_ord_id"), fields.get("userref")
    return [
        order
        for order in orders
        if (not client_id or order.cl_ord_id == client_id)
        and (not userref or str(order.userref) == userref)
    ]


def _page(rows: list[_Row], fields: Fields) -> list[_Row]:
    offset = whole(fields, "ofs", 0)
    if offset < 0:
        raise invalid("ofs")
    return rows[offset : offset + PAGE]


def _ids(fields: Fields, name: str, most: int) -> list[str]:
    wanted = words_of(fields, name)
    if not wanted or len(wanted) > most:
        raise invalid(name)
    return wanted
