"""What REST shows of an account: its state now, or that of some seconds ago."""

from collections import deque
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from simple_trader.simulator.accounts import holds
from simple_trader.simulator.instruments import Instrument
from simple_trader.simulator.orders import LIVE, Entry, Order, Trade
from simple_trader.simulator.reports import (
    BatchReports,
    Checked,
    PairChanged,
    Posted,
    Refused,
    Replaced,
    Report,
    SystemChanged,
    Traded,
)
from simple_trader.simulator.venue import Venue


class View(msgspec.Struct):
    """An account's orders (oldest first), fills, ledger and balances, all by Kraken's ids."""

    orders: dict[str, Order]
    trades: list[Trade]
    ledger: list[Entry]
    balances: dict[str, Decimal]

    @property
    def open(self) -> list[Order]:
        """The open orders, oldest first."""
        return [order for order in self.orders.values() if order.status in LIVE]

    def held(self, pairs: dict[str, Instrument]) -> dict[str, Decimal]:
        """Give what the open orders reserve, by asset."""
        return holds(self.open, pairs)


def live_view(venue: Venue, account: str) -> View:
    """Give an account as it stands now."""
    owner = venue.state.accounts[account]
    return View(
        {order.order_id: order for order in venue.orders_of(account)},
        venue.trades_of(account),
        owner.ledger,
        owner.balances,
    )


class LateViews:
    """Accounts as they stood `lag_us` ago: reports are kept back for that long."""

    def __init__(self, venue: Venue, lag_us: int) -> None:
        self.lag_us = lag_us
        self._waiting: deque[tuple[int, Report]] = deque()
        self._views = {name: _copy(live_view(venue, name)) for name in venue.state.accounts}

    def note(self, at: int, reports: Iterable[Report]) -> None:
        """Keep what has just happened for later."""
        for report in reports:
            if not isinstance(report, Refused):
                self._waiting.append((at, report))

    def view(self, account: str, now: int) -> View:
        """Give an account as it stood."""
        while self._waiting and self._waiting[0][0] + self.lag_us <= now:
            self._take(self._waiting.popleft()[1])
        return self._views[account]

    def _take(self, report: Report) -> None:
        if isinstance(report, Posted):
            self._book(report.account, report.entries)
            return
        if isinstance(report, Traded):
            self._views[report.order.account].trades.append(report.trade)
            self._book(report.order.account, report.entries)
        if not isinstance(
            report,
            Refused | Checked | Replaced | SystemChanged | PairChanged | BatchReports,
        ):
            view = self._views[report.order.account]
            view.orders[report.order.order_id] = report.order

    def _book(self, account: str, entries: Iterable[Entry]) -> None:
        view = self._views[account]
        for entry in entries:
            view.ledger.append(entry)
            view.balances[entry.asset] = entry.balance


def _copy(view: View) -> View:
    orders = {name: msgspec.structs.replace(order) for name, order in view.orders.items()}
    return View(orders, list(view.trades), list(view.ledger), dict(view.balances))
