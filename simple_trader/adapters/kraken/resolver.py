"""Looks at the exchange by REST: what became of orders, and what the account holds.

Trades are the authority: an order that reads `canceled` with nothing filled may still have them
(X09). A look that fails says so and proves nothing.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from simple_trader.adapters.kraken.rest_manager import KrakenRest
from simple_trader.domain.actions import AskOrders, AskReconcile
from simple_trader.domain.errors import VenueError
from simple_trader.domain.events import (
    BalancesSeen,
    Event,
    ExecutionReport,
    FeesSeen,
    LedgerSeen,
    OrderLooked,
    Reconciled,
)
from simple_trader.domain.fills import Fill
from simple_trader.domain.ids import is_ours
from simple_trader.domain.money import ZERO
from simple_trader.domain.records import VenueOrderRow

log = logging.getLogger(__name__)

_BEFORE = timedelta(minutes=2)
_RESTING = ("open", "pending")
_PAGES_WITHOUT_START = 10  # where nobody says how far back to look: the last 450 closed orders


class Resolver:
    """REST looks, as events."""

    def __init__(
        self,
        rest: KrakenRest,
        market_now: Callable[[], datetime],
        pairs: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        """`market_now` says when a look began, `pairs` whose fees a full look reads again."""
        self._pairs = pairs
        self._rest = rest
        self._market_now = market_now

    async def look(self, action: AskOrders, sent_at: Mapping[str, datetime]) -> Sequence[Event]:
        """Fills of these orders as ExecutionReports, then one OrderLooked for each.

        Open orders first, then closed ones and trades where they can say more: what is cheap and
        enough is not followed by what is dear (nine points of the REST counter in all).
        """
        looked_from = self._market_now()
        try:
            start = _start(action, sent_at)
            found = await self._find(action.cl_ord_ids, start)
            trades = await self._trades_of(action.cl_ord_ids, found, start)
        except VenueError as error:
            detail = str(error) or type(error).__name__
            return [
                _looked(cl_ord_id, None, (), looked_from, error=detail)
                for cl_ord_id in action.cl_ord_ids
            ]
        events: list[Event] = [self._report(fill, raw) for fill, raw in trades]
        # Without a start the lists were not read to their end: what is missing proves nothing.
        unread = "" if start is not None else "how far back to look is not known"
        for cl_ord_id in action.cl_ord_ids:
            row = found.get(cl_ord_id)
            why = unread if row is None else ""
            events.append(_looked(cl_ord_id, row, trades, looked_from, error=why))
        return events

    async def _find(
        self, cl_ord_ids: Sequence[str], start: datetime | None
    ) -> dict[str, VenueOrderRow]:
        """Open first, then closed: an order that closes meanwhile is seen in the second."""
        wanted = set(cl_ord_ids)
        found = _named(await self._rest.open_orders(), wanted)
        if found.keys() == wanted:
            return found
        if start is not None:
            closed = await self._rest.closed_orders(start - _BEFORE, urgent=True)
        else:
            closed = await self._rest.closed_orders(
                None, max_pages=_PAGES_WITHOUT_START, urgent=True
            )
        return found | _named(closed, wanted)

    async def _trades_of(
        self, cl_ord_ids: Sequence[str], found: dict[str, VenueOrderRow], start: datetime | None
    ) -> list[tuple[Fill, str]]:
        """Trades of these orders; one that stands in no list yet may have some: only without any
        there is no trace of it (I-05). An order that is over has those the list forgot (X09).
        """
        missing = set(cl_ord_ids) - found.keys()
        if not missing and all(_untouched(row) for row in found.values()):
            return []
        if not found and start is None:
            return []
        since = min([row.opened_at for row in found.values()] + ([start] if start else []))
        trades = await self._rest.trades_with_raw(since - _BEFORE, urgent=True)
        named = {fill.order_id for fill, _ in trades if fill.cl_ord_id in missing}
        if named:
            found |= _named(await self._rest.orders_by_id(sorted(named)), missing)
        order_ids = {row.order_id for row in found.values()}
        return [(fill, raw) for fill, raw in trades if fill.order_id in order_ids]

    async def reconcile(self, action: AskReconcile) -> Sequence[Event]:
        """Trades since, ledger since, balances and the fee tier as events, then Reconciled."""
        looked_from = self._market_now()
        try:
            orders = await self._rest.open_orders()
            trades = await self._rest.trades_with_raw(action.since)
            entries = await self._rest.ledgers(action.since)
            balances = await self._rest.balances()
        except VenueError as error:
            return [
                Reconciled(
                    open_cl_ord_ids=(),
                    foreign_open_orders=0,
                    looked_from=looked_from,
                    clean=False,
                    detail=str(error) or type(error).__name__,
                    question_id=action.question.question_id,
                )
            ]
        events: list[Event] = [self._report(fill, raw) for fill, raw in trades]
        events += [LedgerSeen(entry=entry) for entry in entries]
        totals = {asset: Decimal(total) for asset, total in balances.items()}
        events.append(BalancesSeen(balances=totals, source="rest"))
        events += await self._fees()
        ours = tuple(
            sorted(row.cl_ord_id for row in orders if row.cl_ord_id and is_ours(row.cl_ord_id))
        )
        events.append(
            Reconciled(
                open_cl_ord_ids=ours,
                foreign=tuple(row for row in orders if not is_ours(row.cl_ord_id)),
                foreign_open_orders=len(orders) - len(ours),
                looked_from=looked_from,
                clean=True,
                detail=f"{len(trades)} trades, {len(entries)} ledger entries",
                question_id=action.question.question_id,
            )
        )
        return events

    async def _fees(self) -> list[Event]:
        """The fee tier moves with the volume of 30 days (X26); a failed read leaves the old one."""
        pairs = self._pairs()
        try:
            rates = await self._rest.fees(pairs) if pairs else ()
        except VenueError as error:
            log.warning("The fee tier could not be read and stays as it was: %s", error)
            return []
        return [FeesSeen(fees=fees) for fees in rates if fees.pair in pairs]

    def _report(self, fill: Fill, raw: str) -> ExecutionReport:
        known = self._rest.known.get(fill.order_id)
        return ExecutionReport(
            exec_type="trade",
            order_status="partially_filled",  # a trade does not say whether it was the last
            order_id=fill.order_id,
            cl_ord_id=fill.cl_ord_id,
            pair=fill.pair,
            side=fill.side,
            order_qty=known.order_qty,
            limit_price=known.limit_price,
            cum_qty=None,
            fill=fill,
            reason="",
            venue_at=fill.venue_at,
            snapshot=False,
            source="rest",
            raw=raw,
        )


def _start(action: AskOrders, sent_at: Mapping[str, datetime]) -> datetime | None:
    """The earliest moment at which one of the orders may have reached the exchange."""
    starts = [sent_at.get(cl_ord_id) or action.since for cl_ord_id in action.cl_ord_ids]
    known = [start for start in starts if start is not None]
    return min(known) if known and len(known) == len(starts) else None


def _named(rows: Sequence[VenueOrderRow], wanted: set[str]) -> dict[str, VenueOrderRow]:
    return {row.cl_ord_id: row for row in rows if row.cl_ord_id in wanted and row.cl_ord_id}


def _untouched(row: VenueOrderRow) -> bool:
    """Whether it rests as it was made: then there are no trades to read."""
    return row.status in _RESTING and row.filled_qty == ZERO


def _looked(
    cl_ord_id: str,
    row: VenueOrderRow | None,
    trades: Sequence[tuple[Fill, str]],
    looked_from: datetime,
    *,
    error: str = "",
) -> OrderLooked:
    if row is None:
        return OrderLooked(
            cl_ord_id=cl_ord_id,
            order_id=None,
            status=None,
            filled_qty=None,
            looked_from=looked_from,
            error=error,
        )
    traded = sum((fill.qty for fill, _ in trades if fill.order_id == row.order_id), ZERO)
    return OrderLooked(
        cl_ord_id=cl_ord_id,
        order_id=row.order_id,
        status=row.status,
        filled_qty=max(row.filled_qty, traded),
        looked_from=looked_from,
        qty=row.qty,
        limit_price=row.limit_price,
    )
