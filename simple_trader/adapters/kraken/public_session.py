"""The public session: instruments, tickers, candles and verified books of the planned pairs."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from simple_trader.adapters.kraken import parse, requests
from simple_trader.adapters.kraken.order_books import BookBroken, OrderBook, Throttle
from simple_trader.adapters.kraken.session import ALL, Session, Timing
from simple_trader.adapters.kraken.symbols import Symbols
from simple_trader.adapters.kraken.wire import (
    BookFrame,
    InstrumentFrame,
    OhlcFrame,
    TickerFrame,
)
from simple_trader.domain.events import (
    BookLost,
    BookSeen,
    CandleSeen,
    FeedUp,
    InstrumentSeen,
    QuoteSeen,
)
from simple_trader.domain.instruments import PairRules

log = logging.getLogger(__name__)

_RESYNC_CAP_S = 30.0
_HEALTHY_S = 60.0


class PublicPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a public session shall deliver; `book_depth` is one of 10, 25, 100, 500, 1000."""

    pairs: tuple[str, ...] = ()
    quotes: bool = True
    books: bool = True
    book_depth: int = 25
    candle_minutes: int = 1


class _Resync(msgspec.Struct):
    """How often a book was lost lately, and when it may be asked for again."""

    failures: int = 0
    due_at: float | None = None
    asked_at: float | None = None  # subscribed, snapshot not yet here
    whole_since: float = 0.0


class PublicSession(Session):
    """Feeds `QuoteSeen`, `CandleSeen`, `InstrumentSeen`, `BookSeen`, `BookLost` and FeedUp."""

    def __init__(
        self,
        timing: Timing,
        now: float,
        *,
        plan: PublicPlan,
        symbols: Symbols,
        market_now: Callable[[], datetime],
        throttle: Throttle,
    ) -> None:
        """Ask for the whole plan at once; `market_now` stamps quotes as seen."""
        super().__init__(timing, now)
        self.plan = PublicPlan(quotes=False, books=False, candle_minutes=plan.candle_minutes)
        self.books: dict[str, OrderBook] = {}
        self.up: set[str] = set()
        self._symbols = symbols
        self._market_now = market_now
        self._throttle = throttle
        self._rules: dict[str, PairRules] = {}
        self._resync: dict[str, _Resync] = {}
        self._depths: dict[str, int] = {}
        self._ask("instrument")
        self.change(plan, now)

    def change(self, plan: PublicPlan, now: float) -> None:
        """Subscribe and unsubscribe the difference between the old plan and `plan`."""
        self._now = now
        old, self.plan = self.plan, plan
        for channel in ("ticker", "ohlc"):
            had = set(old.pairs) if old.quotes else set()
            want = set(plan.pairs) if plan.quotes else set()
            self._change_channel(channel, had, want)
        had = {pair for pair in self.books if self.books[pair].depth == plan.book_depth}
        want = set(plan.pairs) if plan.books else set()
        for pair in sorted(set(self.books) - (want & had)):
            self._drop_book(pair)
        for pair in sorted(want - had):
            self.books[pair] = OrderBook(pair, plan.book_depth)
            self._depths[pair] = plan.book_depth
            self._resync[pair] = _Resync(asked_at=now)
        self._ask("book", sorted(want - had))
        for pair in sorted(set(plan.pairs) - set(old.pairs)):
            if pair in self._rules:
                self._events.append(InstrumentSeen(rules=self._rules[pair]))
        if not plan.quotes:
            self.up.discard("public")
        if not plan.books:
            self.up.discard("book")

    def tick(self, now: float) -> None:
        """As the base, and ask again for books that were lost or never came."""
        super().tick(now)
        for pair, state in self._resync.items():
            late = state.asked_at is not None and now - state.asked_at > self.timing.snapshot_s
            if late and state.due_at is None:
                self._lose_book(pair, "no snapshot came")
            if state.due_at is not None and now >= state.due_at:
                self._refetch(pair, state)

    def close(self, detail: str) -> list[BookLost]:
        """The books that were trusted and are lost with this connection."""
        return [
            BookLost(pair=pair, detail=detail) for pair, book in self.books.items() if book.trusted
        ]

    # -- subscriptions -------------------------------------------------------------------

    def _change_channel(self, channel: str, had: set[str], want: set[str]) -> None:
        if had - want:
            self._ask(channel, sorted(had - want), on=False)
        if want - had:
            self._ask(channel, sorted(want - had))

    def _subscribe_frame(
        self, channel: str, req_id: int, symbols: Sequence[str], *, on: bool
    ) -> str:
        named = () if symbols == (ALL,) or list(symbols) == [ALL] else symbols
        options: dict[str, str | int | bool] = {}
        if channel == "ticker":
            options["event_trigger"] = "bbo"
        elif channel == "ohlc":
            options["interval"] = self.plan.candle_minutes
        elif channel == "book":
            options["depth"] = self._depths.get(named[0], self.plan.book_depth)
        if on:
            options["snapshot"] = True
        return requests.subscribe(channel, req_id, symbols=named, on=on, options=options)

    def _on_refused(self, channel: str, symbol: str, error: str) -> None:
        if channel == "book" and symbol in self.books:
            # Nothing to resync: the exchange does not serve it. The pair stays untrusted.
            del self.books[symbol]
            self._resync.pop(symbol, None)
            self._events.append(BookLost(pair=symbol, detail=f"refused: {error}"))

    # -- quotes and candles --------------------------------------------------------------

    def _on_ticker(self, frame: TickerFrame) -> None:
        for data in frame.data:
            if data.symbol not in self.plan.pairs or not self.plan.quotes:
                continue
            quote = parse.quote(data, self._market_now())
            if quote is not None:
                if "public" not in self.up:
                    self.up.add("public")
                    self._events.append(FeedUp(feed="public"))
                self._events.append(QuoteSeen(quote=quote))

    def _on_ohlc(self, frame: OhlcFrame) -> None:
        for data in frame.data:
            if data.symbol in self.plan.pairs and data.interval == self.plan.candle_minutes:
                self._events.append(CandleSeen(candle=parse.candle(data)))

    def _on_instrument(self, frame: InstrumentFrame) -> None:
        for data in frame.data.pairs:
            try:
                rules = parse.pair_rules(data, self._symbols)
            except ValueError as error:
                log.warning("Rules of %s cannot be used: %s", data.symbol, error)
                continue
            if self._rules.get(rules.pair) == rules:
                continue
            self._rules[rules.pair] = rules
            if rules.pair in self.plan.pairs:
                self._events.append(InstrumentSeen(rules=rules))

    # -- books ---------------------------------------------------------------------------

    def _on_book(self, frame: BookFrame) -> None:
        for data in frame.data:
            pair = data.symbol
            book = self.books.get(pair)
            if book is None:
                continue
            try:
                if frame.type == "snapshot":
                    book.snapshot(data)
                    self._whole(pair)
                elif not book.update(data):
                    continue
            except BookBroken as error:
                self._lose_book(pair, str(error))
                continue
            due, at = self._throttle.passes(pair, data.timestamp)
            if due:
                self._summarise(book, at)

    def _summarise(self, book: OrderBook, at: datetime | None) -> None:
        summary = book.summary(at)
        if summary is None:
            self._events.append(BookLost(pair=book.pair, detail="empty side or crossed"))
            return
        if "book" not in self.up:
            self.up.add("book")
            self._events.append(FeedUp(feed="book"))
        self._events.append(BookSeen(book=summary))

    def _whole(self, pair: str) -> None:
        state = self._resync[pair]
        state.asked_at = state.due_at = None
        state.whole_since = self._now
        self._throttle.reset(pair)

    def _lose_book(self, pair: str, detail: str) -> None:
        """Untrusted at once; asked for again at once the first time, then ever more slowly."""
        state = self._resync[pair]
        self.books[pair].lose()
        log.warning("Book of %s is lost: %s", pair, detail)
        self._events.append(BookLost(pair=pair, detail=detail))
        if state.whole_since and self._now - state.whole_since > _HEALTHY_S:
            state.failures = 0
        state.failures += 1
        state.asked_at = None
        delay = 0.0 if state.failures == 1 else min(_RESYNC_CAP_S, 2.0 ** (state.failures - 2))
        state.due_at = self._now + delay
        if delay == 0.0:
            self._refetch(pair, state)

    def _refetch(self, pair: str, state: _Resync) -> None:
        """Only this pair; what still comes of the old subscription is dropped until a snapshot."""
        state.due_at = None
        state.asked_at = self._now
        self._ask("book", [pair], on=False)
        self._ask("book", [pair])

    def _drop_book(self, pair: str) -> None:
        self._ask("book", [pair], on=False)
        del self.books[pair]
        self._resync.pop(pair, None)
        self._events.append(BookLost(pair=pair, detail="no longer subscribed"))
