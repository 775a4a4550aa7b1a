"""What one market moment of one pair has to say, each message made at most once for all."""

from collections.abc import Callable
from typing import Protocol

from simple_trader.sandbox import feeds
from simple_trader.sandbox.floor import Floor
from simple_trader.sandbox.market import TapeTrade
from simple_trader.simulator.liquidity import ASK, BID

Best = tuple[tuple[int, int] | None, tuple[int, int] | None]


class Told(Floor, Protocol):
    """The exchange as a moment needs it; `told` holds the best prices that were last published."""

    told: dict[str, Best]


class PairMoment:
    """The messages of one moment of one pair, each made at most once (protocol `Moment`)."""

    def __init__(self, floor: Told, symbol: str, at: int, trades: list[TapeTrade]) -> None:
        self.symbol = symbol
        self._floor = floor
        self._at = at
        self._entries = trades
        self._made: dict[tuple[str, int], str | None] = {}
        book = floor.book(symbol)
        self._best: Best = (book.best(BID), book.best(ASK))

    def _once(self, kind: str, number: int, make: Callable[[], str | None]) -> str | None:
        key = (kind, number)
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def trades(self) -> str | None:
        """Give the trade message, or None without trades."""
        if not self._entries:
            return None
        pair = self._floor.pairs[self.symbol]
        return self._once("trade", 0, lambda: feeds.trades(pair, self._entries, "update"))

    def ticker(self, trigger: str) -> str | None:
        """Give the ticker message; `bbo` also tells of moved best prices or sizes.

        Its stamp is that of the tape: where an order of ours moved the quotes, `last` is still the
        price of the last tick, which in a replay may lie in another bar than this moment.
        """
        moved = self._best != self._floor.told.get(self.symbol)
        if not self._entries and (trigger == "trades" or not moved):
            return None
        market, book = self._floor.market(self.symbol), self._floor.book(self.symbol)
        return self._once("ticker", 0, lambda: feeds.ticker(market, book, "update"))

    def ohlc(self, interval: int) -> str | None:
        """Give the running candle, or None without trades."""
        if not self._entries:
            return None
        market = self._floor.market(self.symbol)
        return self._once("ohlc", interval, lambda: feeds.ohlc_update(market, interval, self._at))

    def book(self, depth: int) -> str | None:
        """Give the change of the book, or None without one."""
        feed = self._floor.feed(self.symbol, depth)
        return self._once("book", depth, lambda: feed.update(self._at))

    def told(self) -> Best:
        """Give the best prices of this moment."""
        return self._best
