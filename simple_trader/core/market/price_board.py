"""The price board: latest quote, book summary, finished candles and indicators of each pair.

Only finished candles count: a candle is final when a later one of its pair begins, or when it is
over at the moment of a decision (protocol section 3.4: there is no close marker). It never changes
afterwards, so features that were decided on cannot change in retrospect (fault M05). After
a long gap the window and the indicators begin anew: a mean over six silent hours is none (M01).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from simple_trader.core.market.book_means import BookMeans
from simple_trader.core.market.indicators.panel import Indicators
from simple_trader.core.market.reference import Mids, median_of
from simple_trader.domain.money import ZERO
from simple_trader.domain.quotes import BookSummary, Candle, Quote

GAP_LIMIT_CANDLES = 30
GAP_LIMIT_S = 6 * 3600
CLOSES_WITHIN = timedelta(minutes=5)
LOSSES_WITHIN = timedelta(minutes=10)
LOSSES_MAX = 5  # checksum failures within that span: the pair is not trusted for as long (X13)
DEFAULT_WINDOW = 720  # candles Kraken's OHLC endpoint gives at once (protocol section 5)


def end_of(candle: Candle) -> datetime:
    """The moment at which a candle is over."""
    return candle.begin + timedelta(seconds=candle.interval_s)


def breaks_series(interval_s: int, gap_s: float) -> bool:
    """Whether silence of `gap_s` seconds after a candle is too long to be bridged.

    Missing minutes are usual (Kraken sends no candle without a trade) and are bridged; six hours
    or more than 30 candles are not.
    """
    return gap_s >= GAP_LIMIT_S or gap_s > GAP_LIMIT_CANDLES * interval_s


class PairBoard(msgspec.Struct, kw_only=True):
    """What the market of one pair looks like; `candles` holds finished ones, oldest first.

    `book_at` is when the book was seen by our clock: the exchange's may run ahead of it.
    """

    pair: str
    quote: Quote | None = None
    book: BookSummary | None = None
    book_at: datetime | None = None
    book_means: BookMeans = msgspec.field(default_factory=BookMeans)
    book_trusted: bool = False
    candles: list[Candle] = []
    running: Candle | None = None
    indicators: Indicators = msgspec.field(default_factory=Indicators)
    mids: Mids = msgspec.field(default_factory=Mids)
    losses: list[datetime] = []
    mistrusted_until: datetime | None = None

    def reference(self, at: datetime) -> Decimal | None:
        """The slow reference price at `at` (PT1); None while too little is known.

        The median over time of the last minute's middles; where less than half a minute was seen,
        that of the closes of candles that ended within the last five minutes.
        """
        known = self.mids.median(at)
        if known is not None:
            return known
        return median_of([c.close for c in self.candles if at - CLOSES_WITHIN < end_of(c) <= at])

    def on_checksum_failed(self, at: datetime) -> bool:
        """Note a checksum that did not fit; True when the pair becomes mistrusted by it (X13)."""
        self.losses = [*(seen for seen in self.losses if seen > at - LOSSES_WITHIN), at]
        if len(self.losses) < LOSSES_MAX:
            return False
        before, self.mistrusted_until = self.mistrusted_until, at + LOSSES_WITHIN
        return before is None or before <= at

    def is_mistrusted(self, at: datetime) -> bool:
        """Whether its book failed too often of late."""
        return self.mistrusted_until is not None and at < self.mistrusted_until

    def on_candle(self, candle: Candle, window: int) -> Candle | None:
        """Take a running or finished candle; returns the one that became final by it.

        Candles not after the newest finished one, or before the running one, are late or
        duplicates and change nothing. Another interval starts a new series.
        """
        newest = self.running or (self.candles[-1] if self.candles else None)
        if newest is not None and newest.interval_s != candle.interval_s:
            self._begin_anew()
        if self.candles and candle.begin <= self.candles[-1].begin:
            return None
        running = self.running
        if running is not None and candle.begin < running.begin:
            return None
        self.running = candle
        if running is None or candle.begin == running.begin:
            return None
        self._finish(running, window)
        return running

    def finish_until(self, at: datetime, window: int) -> None:
        """Take the running candle as final if it is over at `at`; more of it is then late."""
        if self.running is not None and end_of(self.running) <= at:
            self._finish(self.running, window)
            self.running = None

    def warm(self, candle: Candle, window: int) -> None:
        """Take a candle that is known to be finished (history)."""
        newest = self.candles[-1] if self.candles else None
        if newest is not None and newest.interval_s != candle.interval_s:
            self._begin_anew()
            newest = None
        if newest is not None and candle.begin <= newest.begin:
            return
        if self.running is not None and candle.begin >= self.running.begin:
            return  # the live stream is already there and knows better
        self._finish(candle, window)

    def _finish(self, candle: Candle, window: int) -> None:
        """Append a final candle and update the indicators, once."""
        if self.candles:
            gap_s = (candle.begin - end_of(self.candles[-1])).total_seconds()
            if breaks_series(candle.interval_s, gap_s):
                self.candles.clear()
                self.indicators = Indicators()
        self.candles.append(candle)
        if len(self.candles) > window:
            del self.candles[: len(self.candles) - window]
        self.indicators.update(
            high=float(candle.high),
            low=float(candle.low),
            close=float(candle.close),
            volume=float(candle.volume),
        )

    def _begin_anew(self) -> None:
        """Forget the series: window, running candle and indicators."""
        self.candles.clear()
        self.running = None
        self.indicators = Indicators()


class PriceBoard(msgspec.Struct, kw_only=True):
    """The boards of all pairs; `window` is how many finished candles each keeps."""

    boards: dict[str, PairBoard] = {}
    window: int = DEFAULT_WINDOW

    def board(self, pair: str) -> PairBoard:
        """The board of `pair`, made at the first question."""
        found = self.boards.get(pair)
        if found is None:
            found = self.boards[pair] = PairBoard(pair=pair)
        return found

    def quote(self, pair: str) -> Quote | None:
        """The latest quote of `pair`; asking makes no board."""
        found = self.boards.get(pair)
        return None if found is None else found.quote

    def reference(self, pair: str, at: datetime) -> Decimal | None:
        """The slow reference price of `pair`; asking makes no board."""
        found = self.boards.get(pair)
        return None if found is None else found.reference(at)

    def on_quote(self, quote: Quote) -> None:
        """Keep the latest quote, and its middle for the reference if it has one."""
        board = self.board(quote.pair)
        board.quote = quote
        if ZERO < quote.bid < quote.ask:
            board.mids.see(quote.seen_at, quote.mid)

    def on_book(self, book: BookSummary, at: datetime) -> None:
        """Keep the latest summary of a verified book, seen at `at`: the book is trusted again."""
        board = self.board(book.pair)
        board.book = book
        board.book_at = at
        board.book_means.see(at, book.imbalance, book.spread_bps)
        board.book_trusted = True

    def on_book_lost(self, pair: str) -> None:
        """The book cannot be believed until its next summary; the old one is forgotten."""
        board = self.board(pair)
        board.book = board.book_at = None
        board.book_means = BookMeans()
        board.book_trusted = False

    def on_candle(self, candle: Candle) -> Candle | None:
        """Take a candle; returns the one that became final because this later one began."""
        return self.board(candle.pair).on_candle(candle, self.window)

    def finish_until(self, at: datetime) -> None:
        """Finish every candle that is over at `at`, before a decision is made on them."""
        for board in self.boards.values():
            board.finish_until(at, self.window)

    def warm(self, candles: Iterable[Candle]) -> None:
        """Take finished candles of any pairs, each pair's oldest first; known ones are ignored."""
        for candle in candles:
            self.board(candle.pair).warm(candle, self.window)
