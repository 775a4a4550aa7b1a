"""The exchange as a pure state machine: `apply(command, at)` and market steps give reports."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import assert_never

from simple_trader.simulator import amending, operating, placing
from simple_trader.simulator.accounts import holds
from simple_trader.simulator.amending import UNKNOWN_ORDER
from simple_trader.simulator.engine import Engine
from simple_trader.simulator.fill_model import Print, maker_fills
from simple_trader.simulator.ground import VenueState, new_state
from simple_trader.simulator.limits import TIER_LIMITS
from simple_trader.simulator.matching import BookState, Depth
from simple_trader.simulator.orders import (
    MAIN,
    REASON_EXPIRED,
    Amend,
    Cancel,
    CancelAll,
    CancelBatch,
    Command,
    Edit,
    Order,
    Place,
    PlaceBatch,
    SetPair,
    SetSystem,
    SetVolume,
    SystemStatus,
    Trade,
    Transfer,
)
from simple_trader.simulator.placing import NO_FUNDS
from simple_trader.simulator.reports import Report
from simple_trader.simulator.triggering import run_triggers

__all__ = ["NO_FUNDS", "UNKNOWN_ORDER", "Venue", "VenueState", "new_state"]


class Venue(Engine):
    """One exchange with its accounts; every method is synchronous and deterministic.

    Orders of different accounts trade with each other and with the other traders of the book, in
    price-time order; orders of one account never do (self-trade prevention).
    """

    # --- questions ----------------------------------------------------------------------------

    @property
    def system(self) -> SystemStatus:
        """The status of the whole exchange."""
        return self.state.system

    def orders_of(self, account: str = MAIN) -> list[Order]:
        """Give all orders of an account, open and closed, in their order of age."""
        return [order for order in self.state.orders.values() if order.account == account]

    def trades_of(self, account: str = MAIN) -> list[Trade]:
        """Give the fills of an account, oldest first."""
        return [trade for trade in self.state.trades if trade.account == account]

    def held(self, account: str = MAIN) -> dict[str, Decimal]:
        """Give what the open orders of an account reserve, by asset."""
        return holds(self.open_of(account), self.pairs)

    def max_rate_count(self, account: str) -> int:
        """Give the trading counter's threshold for an account."""
        return TIER_LIMITS[self.state.accounts[account].tier].threshold

    def next_due(self) -> datetime | None:
        """Give the moment at which the next order starts or ends by itself."""
        moments = [order.expire_at for order in self.open.values() if order.expire_at]
        moments += [order.effective_at for order in self.open.values() if order.effective_at]
        return min(moments, default=None)

    # --- the market ---------------------------------------------------------------------------

    def on_market(
        self, symbol: str, at: datetime, bid: int, ask: int, prints: Sequence[Print]
    ) -> list[Report]:
        """Take one market step of a pair (quotes in ticks) and fill what it reaches.

        While a status keeps the pair from trading its book stands still: ask `stands_still` before
        the step's trades are shown to anyone.
        """
        depth = self.depths.get(symbol)
        if depth is None:
            state = BookState(bid=bid, ask=ask)
            self.state.books[symbol] = state
            depth = self.depth_of(symbol, state)
        if symbol in self.still:
            return []
        depth.move(bid, ask)
        bids, asks = self.books[symbol].own
        if bids or asks or self.waiting.get(symbol):
            return self.on_prints(symbol, at, prints)
        # Nobody is here: by far the most steps of a simulation.
        if prints:
            self.state.last[symbol] = prints[-1].tick
        return []

    def use_book(self, symbol: str, depth: Depth) -> None:
        """Follow a book from outside: `depth` gives the other traders' levels from now on.

        Whoever hands it in calls `on_prints` with the feed's trades and, with none, after every
        change of the book, so that crossed orders fill.
        """
        self.use_depth(symbol, depth)

    def on_prints(self, symbol: str, at: datetime, prints: Sequence[Print]) -> list[Report]:
        """Match resting and waiting orders against the tape and the book as it now stands."""
        if prints:
            self.state.last[symbol] = prints[-1].tick
        reports: list[Report] = []
        if not self.trades_now(symbol):
            return reports
        fills = maker_fills(self.books[symbol], prints)
        if fills:
            self.fill_makers(fills, at, reports)
        if self.waiting.get(symbol):
            run_triggers(self, symbol, [trade.tick for trade in prints], at, reports)
        if self.spawning:
            placing.spawn(self, at, reports)
        return reports

    def trust(self, symbol: str, trusted: bool) -> None:
        """Say whether a book from outside can be believed; while not, nothing of it fills.

        Orders rest on, orders that would trade at once are refused with EService:Unavailable.
        """
        if trusted:
            self.untrusted.discard(symbol)
        else:
            self.untrusted.add(symbol)

    def run_due(self, at: datetime) -> list[Report]:
        """Start and end the orders whose time has come."""
        reports: list[Report] = []
        for order in list(self.open.values()):
            if order.order_id not in self.open:
                continue
            if order.expire_at is not None and order.expire_at <= at:
                self.close(order, "expired", REASON_EXPIRED, at, reports)
            elif order.effective_at is not None and order.effective_at <= at:
                placing.start(self, order, at, reports)
        placing.spawn(self, at, reports)
        return reports

    # --- commands -----------------------------------------------------------------------------

    def apply(self, command: Command, at: datetime) -> list[Report]:
        """Carry out one command at one market moment and report what came of it.

        The first report answers the command; `BatchReports` and `Replaced` say what follows them.
        """
        reports = self._carry_out(command, at)
        if self.spawning:
            placing.spawn(self, at, reports)
        return reports

    def _carry_out(self, command: Command, at: datetime) -> list[Report]:
        match command:
            case Place():
                return placing.place(self, command, at)
            case PlaceBatch():
                return placing.place_batch(self, command, at)
            case Amend():
                return amending.amend(self, command, at)
            case Edit():
                return amending.edit(self, command, at)
            case Cancel():
                return amending.cancel(self, command, at)
            case CancelBatch():
                return amending.cancel_batch(self, command, at)
            case CancelAll():
                return amending.cancel_all(self, command, at)
            case Transfer():
                return operating.transfer(self, command, at)
            case SetSystem():
                return operating.set_system(self, command)
            case SetPair():
                return operating.set_pair(self, command, at)
            case SetVolume():
                return operating.set_volume(self, command)
            case _:
                assert_never(command)
