"""Backfill: which history is missing, fetched from the exchange or read from Kraken's downloads.

Candles that the exchange still tells (the last 720) come as they are; older ones are made of its
trades, which go back to the first. What was fetched is marked as covered, so that a backfill goes
on where the last one ended.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from simple_trader.adapters.downloads.kraken_files import Download, read_candles, read_trades
from simple_trader.adapters.kraken.history import TradePage
from simple_trader.adapters.store.market_history import TRADES, MarketHistory
from simple_trader.core.market.candle_maker import CandleMaker
from simple_trader.core.market.coverage import missing
from simple_trader.domain.errors import MarketDataError
from simple_trader.domain.history import PublicTrade, Span
from simple_trader.domain.moments import EPOCH, floor_to, seconds
from simple_trader.domain.quotes import Candle


class HistorySource(Protocol):
    """The exchange's public history (adapters.kraken.history)."""

    async def candles(self, pair: str, interval_s: int) -> tuple[Candle, ...]:
        """All finished candles that it still tells, oldest first."""
        ...

    async def trades(self, pair: str, since_ns: int) -> TradePage:
        """Trades after a moment."""
        ...


class Progress(Protocol):
    """Someone who watches: a bar on a terminal, or nobody."""

    def begin(self, what: str, total: float) -> None:
        """A piece of work of `total` units begins."""
        ...

    def advance(self, units: float) -> None:
        """Some of them are done."""
        ...


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one pair and interval (`TRADES` for trades) after the work."""

    pair: str
    interval_s: int
    wanted: Span
    rows: int
    holes: tuple[Span, ...]


class Backfill:
    """One run; raises StoreError, VenueError and MarketDataError."""

    def __init__(self, history: MarketHistory, progress: Progress) -> None:
        """Write to `history`."""
        self._history = history
        self._progress = progress

    async def report(self, pair: str, interval_s: int, wanted: Span, rows: int = 0) -> Report:
        """What of `wanted` is missing now."""
        span = _on_grid(wanted, interval_s)
        known = await self._history.covered(pair, interval_s)
        holes = missing(span, known)
        return Report(pair=pair, interval_s=interval_s, wanted=span, rows=rows, holes=holes)

    async def fetch(
        self, source: HistorySource, pair: str, interval_s: int, wanted: Span, *, trades: bool
    ) -> list[Report]:
        """Fill the holes of `wanted`; with `trades` the trades themselves are kept as well."""
        span = _on_grid(wanted, interval_s)
        trade_rows = candle_rows = 0
        if trades:
            for hole in (await self.report(pair, TRADES, wanted)).holes:
                made = await self._walk(source, pair, interval_s, hole, keep=True)
                trade_rows, candle_rows = trade_rows + made[0], candle_rows + made[1]
        if (await self.report(pair, interval_s, span)).holes:
            candle_rows += await self._told(source, pair, interval_s, span)
        for hole in (await self.report(pair, interval_s, span)).holes:
            candle_rows += (await self._walk(source, pair, interval_s, hole, keep=False))[1]
        reports = [await self.report(pair, interval_s, span, candle_rows)]
        if trades:
            reports.append(await self.report(pair, TRADES, wanted, trade_rows))
        return reports

    async def _told(self, source: HistorySource, pair: str, interval_s: int, span: Span) -> int:
        """Save the candles that the exchange still tells, where they are missing."""
        candles = await source.candles(pair, interval_s)
        if not candles:
            return 0
        told = Span(candles[0].begin, candles[-1].begin + seconds(interval_s))
        rows = 0
        for hole in (await self.report(pair, interval_s, span)).holes:
            part = Span(max(hole.begin, told.begin), min(hole.end, told.end))
            if part.empty:
                continue
            chosen = [c for c in candles if part.begin <= c.begin < part.end and c.trades]
            rows += await self._history.save_candles(pair, interval_s, part, chosen, "ohlc")
        return rows

    async def _walk(
        self, source: HistorySource, pair: str, interval_s: int, hole: Span, *, keep: bool
    ) -> tuple[int, int]:
        """Page through the trades of a hole; gives the rows of trades and of candles saved.

        Each page is saved up to its last whole interval (with `keep`, up to its last moment): an
        interrupted run goes on from there.
        """
        self._progress.begin(f"{pair} trades since {hole.begin:%Y-%m-%d %H:%M}", hole.seconds)
        tape, maker = _Tape(hole), _Making(interval_s, _on_grid(hole, interval_s))
        since_ns = _nanoseconds(hole.begin) - 1
        trade_rows = candle_rows = 0
        at = hole.begin
        while True:
            page = await source.trades(pair, since_ns)
            since_ns = page.next_ns
            last = not page.more or page.trades[-1].at >= hole.end
            whole, span = tape.take(page.trades, last=last)
            if keep and not span.empty:
                trade_rows += await self._history.save_trades(pair, span, whole, "trades")
            candles, made = maker.take(whole, span.end)
            if not made.empty:
                candle_rows += await self._history.save_candles(
                    pair, interval_s, made, candles, "trades"
                )
            self._progress.advance((span.end - at).total_seconds())
            at = span.end
            if last:
                return trade_rows, candle_rows

    async def load(self, download: Download, pair: str) -> Report:
        """Import one table of a file: all of it, or nothing when a line cannot be read."""
        self._progress.begin(f"{download.name} as {pair}", 2.0 * download.size)
        interval_s = (download.minutes or 0) * 60
        span = self._span_of(download, pair)
        if interval_s:
            rows = await self._history.save_candles(
                pair, interval_s, span, self._candles(download, pair), "file"
            )
        else:
            trades = read_trades(download, pair, self._progress.advance)
            rows = await self._history.save_trades(pair, span, trades, "file")
        return await self.report(pair, interval_s, span, rows)

    def _span_of(self, download: Download, pair: str) -> Span:
        """Read a table through once: whether all of it is good, and what time it spans."""
        begin = end = None
        if download.minutes is not None:
            for candle in read_candles(download, pair, self._progress.advance):
                begin, end = begin or candle.begin, candle.begin
            length = timedelta(minutes=download.minutes)
        else:
            for trade in read_trades(download, pair, self._progress.advance):
                begin, end = begin or trade.at, trade.at
            length = timedelta(microseconds=1)
        if begin is None or end is None:
            raise MarketDataError(f"{download.name} is empty: there is nothing to import.")
        return Span(begin, end + length)

    def _candles(self, download: Download, pair: str) -> Iterator[Candle]:
        """The candles with a trade: the others are told by the coverage."""
        for candle in read_candles(download, pair, self._progress.advance):
            if candle.trades:
                yield candle


class _Tape:
    """Cuts pages of trades at moments at which no further trade can come."""

    def __init__(self, hole: Span) -> None:
        self._end = hole.end
        self._at = hole.begin
        self._held: list[PublicTrade] = []

    def take(self, page: Sequence[PublicTrade], *, last: bool) -> tuple[list[PublicTrade], Span]:
        """The trades that are whole now and their span; those of the page's last moment wait."""
        self._held.extend(trade for trade in page if self._at <= trade.at < self._end)
        end = self._end if last or not page else min(self._end, page[-1].at)
        whole = [trade for trade in self._held if trade.at < end]
        self._held = self._held[len(whole) :]
        span, self._at = Span(self._at, end), end
        return whole, span


class _Making:
    """Makes candles of whole trades, for the intervals that lie in `grid`."""

    def __init__(self, interval_s: int, grid: Span) -> None:
        self._maker = CandleMaker(interval_s)
        self._interval_s = interval_s
        self._grid = grid
        self._at = grid.begin

    def take(
        self, trades: Iterable[PublicTrade], known_until: datetime
    ) -> tuple[list[Candle], Span]:
        """The candles finished by then, and their span."""
        end = min(floor_to(known_until, self._interval_s), self._grid.end)
        candles: list[Candle] = []
        for trade in trades:
            if not self._grid.begin <= trade.at < self._grid.end:
                continue
            done = self._maker.take(trade)
            if done is not None:
                candles.append(done)
        if self._maker.begin is not None and self._maker.begin < end:
            # Its interval is over, though no later trade has said so.
            last = self._maker.finish()
            if last is not None:
                candles.append(last)
        span, self._at = Span(self._at, max(end, self._at)), max(end, self._at)
        return candles, span


def _on_grid(span: Span, interval_s: int) -> Span:
    """The whole intervals in a span; trades have no grid."""
    if interval_s == TRADES:
        return span
    begin = floor_to(span.begin, interval_s)
    if begin < span.begin:
        begin += seconds(interval_s)
    return Span(begin, max(begin, floor_to(span.end, interval_s)))


def _nanoseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000
