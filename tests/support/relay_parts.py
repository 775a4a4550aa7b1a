"""A paper account in this process, with an upstream whose books and trades a test dictates."""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from sandbox_parts import Wall

from simple_trader.sandbox.exchange import ExchangeState
from simple_trader.sandbox.journal import VERSION, Journal, Meta
from simple_trader.sandbox.market import Timeline
from simple_trader.sandbox.relay.exchange import RelayExchange
from simple_trader.sandbox.relay.live_book import LiveBook
from simple_trader.sandbox.relay.metadata import Metadata, keep_metadata
from simple_trader.sandbox.relay.news import BookLost, BookMoved, LastPrice, Printed, PrintSeen
from simple_trader.sandbox.relay.source import RelaySource
from simple_trader.sandbox.sources import to_us
from simple_trader.simulator.accounts import AccountSpec
from simple_trader.simulator.instruments import ASSETS, INSTRUMENT_BY_SYMBOL
from simple_trader.simulator.orders import CancelAll, Place
from simple_trader.simulator.reports import Refused, Report, Traded
from simple_trader.simulator.venue import new_state

BTC = "BTC/USD"
LOT = Decimal("0.00000001")
UNIT = 1_000_000  # lots: 0.01 BTC, worth more than the smallest order
Levels = Iterable[tuple[int, int]]


class Paper:
    """Prices in ticks (1000 is 100.0 USD), quantities in units of 0.01 BTC."""

    def __init__(self, state: Path | None = None, *, capital: int = 10_000) -> None:
        self.wall = Wall()
        self.books: dict[str, LiveBook] = {}
        at = to_us(self.wall())
        world = "paper account of a test"
        spec = AccountSpec(opening={"USD": Decimal(capital), "BTC": Decimal(1)})
        source = RelaySource(world, dict(INSTRUMENT_BY_SYMBOL), at)
        opened = ExchangeState(at, new_state(1, (spec,)), {}, b"", Timeline(at, at, 1.0))
        journal = None if state is None else Journal(state, frozen=False)
        self.there = RelayExchange(source, opened, self.wall, latency_ms=(30, 250), journal=journal)
        self.there.live = self.books.get
        if state is not None and journal is not None:
            pairs = tuple(INSTRUMENT_BY_SYMBOL.values())
            keep_metadata(state, Metadata(tuple(ASSETS), pairs))
            meta = Meta(
                version=VERSION, world=world, stepped=False, seed=1, replay=None, replay_pair="",
                history_bars=0, start=at, relay="http://127.0.0.1:1",
            )  # fmt: skip
            journal.create(meta, self.there.save())

    # --- the upstream -------------------------------------------------------------------------

    def book(self, bids: Levels, asks: Levels, symbol: str = BTC) -> list[Traded]:
        """The upstream's whole book is this now; gives the fills that came of it."""
        shown = LiveBook(100)
        shown.sides = (
            {tick: units * UNIT for tick, units in bids},
            {tick: units * UNIT for tick, units in asks},
        )
        self.books[symbol] = shown
        return self._fills(lambda: self.there.hear(BookMoved(symbol)))

    def lose(self, symbol: str = BTC) -> None:
        """The book cannot be trusted any more."""
        self.books.pop(symbol, None)
        self.there.hear(BookLost(symbol, "its checksum is wrong"))

    def prints(self, *trades: tuple[int, int, str], symbol: str = BTC) -> list[Traded]:
        """Public trades as (tick, units, taker's side); gives the own fills."""
        seen = tuple(
            PrintSeen(number, tick, units * UNIT, side == "buy", False)
            for number, (tick, units, side) in enumerate(trades, start=1)
        )
        return self._fills(lambda: self.there.hear(Printed(symbol, seen)))

    def last(self, tick: int, symbol: str = BTC) -> None:
        """A snapshot of trades told the newest price."""
        self.there.hear(LastPrice(symbol, tick))

    def _fills(self, act: Any) -> list[Traded]:
        before = len(self.there.venue.state.trades)
        act()
        orders = self.there.venue.state.orders
        return [
            Traded(orders[trade.order_id], trade, ())
            for trade in self.there.venue.state.trades[before:]
        ]

    # --- own orders ---------------------------------------------------------------------------

    def order(self, side: str, units: int, tick: int | None = None, **more: Any) -> list[Report]:
        """Place a market order, or a limit order at a tick."""
        values: dict[str, Any] = {
            "symbol": BTC, "side": side, "qty": LOT * UNIT * units, "order_type": "market", **more,
        }  # fmt: skip
        if tick is not None:
            values["order_type"] = more.get("order_type", "limit")
            values["limit_price"] = Decimal(tick).scaleb(-1)
        reports = self.there.execute(Place(**values))
        self.there.publish(reports)
        return reports

    def cancel_all(self) -> None:
        """Take all own orders away."""
        self.there.publish(self.there.execute(CancelAll()))

    def open_units(self) -> list[int]:
        """What is still to fill of each open order."""
        return [int(order.open_qty / LOT) // UNIT for order in self.there.venue.open.values()]


def fills(reports: Iterable[Report]) -> list[tuple[int, int]]:
    """Fills among reports as (tick, units)."""
    return [
        (int(r.trade.price * 10), int(r.trade.qty / LOT) // UNIT)
        for r in reports
        if isinstance(r, Traded)
    ]


def refusal(reports: Iterable[Report]) -> str | None:
    """The words of a refusal."""
    return next((r.error for r in reports if isinstance(r, Refused)), None)
