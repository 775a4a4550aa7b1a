"""The public session: instruments, tickers, trades, candles, verified books of planned pairs."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import assert_never

import msgspec

from simple_trader.adapters.kraken import parse, requests
from simple_trader.adapters.kraken.frame_counts import Bad, FrameCounts, Odd
from simple_trader.adapters.kraken.order_books import BookBroken, OrderBook, Throttle
from simple_trader.adapters.kraken.quote_watch import QuoteWatch
from simple_trader.adapters.kraken.session import ALL, ChannelFrame, Session, Timing
from simple_trader.adapters.kraken.symbols import Symbols
from simple_trader.adapters.kraken.trade_tape import TradeTape
from simple_trader.adapters.kraken.wire import (
    BalancesFrame,
    BookFrame,
    ExecutionsFrame,
    InstrumentFrame,
    OhlcFrame,
    TickerFrame,
    TradeFrame,
    read_pair,
    symbol_of,
)
from simple_trader.domain.events import (
    BookLost,
    BookSeen,
    CandleSeen,
    FeedUp,
    InstrumentSeen,
    QuoteSeen,
)
from simple_trader.domain.history import PublicTrade
from simple_trader.domain.instruments import PairRules, PairStatus
from simple_trader.domain.moments import seconds

_RESYNC_CAP_S = 30.0
_HEALTHY_S = 60.0
_REFUSED_S, _REFUSED_CAP_S = 60.0, 960.0  # until a refused subscription is asked for again
INTERVALS = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)  # of ohlc, in minutes (section 3.4)
OnTrades = Callable[[tuple[PublicTrade, ...]], None]


class PublicPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a public session shall deliver; candles come with the quotes, of each interval.

    `book_depth` is one of 10, 25, 100, 500, 1000, each of `candle_minutes` one of INTERVALS.
    """

    pairs: tuple[str, ...] = ()
    quotes: bool = True
    trades: bool = False
    books: bool = True
    book_depth: int = 25
    candle_minutes: tuple[int, ...] = (1,)


_NOTHING = PublicPlan(quotes=False, books=False, candle_minutes=())


class _Resync(msgspec.Struct):
    """How often a book was lost lately, and when it may be asked for again."""

    failures: int = 0
    due_at: float | None = None
    asked_at: float | None = None  # subscribed, snapshot not yet here
    whole_since: float = 0.0


class PublicSession(Session):
    """Feeds `QuoteSeen`, `CandleSeen`, `InstrumentSeen`, `BookSeen`, `BookLost` and FeedUp."""

    name = "public"

    def __init__(
        self,
        timing: Timing,
        now: float,
        *,
        plan: PublicPlan,
        symbols: Symbols,
        market_now: Callable[[], datetime],
        throttle: Throttle,
        tape: TradeTape | None = None,
        on_trades: OnTrades | None = None,
        counts: FrameCounts | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        """Ask for the whole plan at once; `market_now` stamps quotes as seen.

        New public trades go to `on_trades`; `tape` remembers them over connections.
        """
        super().__init__(timing, now, counts=counts, clock=clock)
        self.plan = _NOTHING
        self.books: dict[str, OrderBook] = {}
        self.up: set[str] = set()
        self._symbols = symbols
        self._market_now = market_now
        self._throttle = throttle
        self._tape = tape if tape is not None else TradeTape()
        self._on_trades = on_trades
        self._rules: dict[str, PairRules] = {}
        self._resync: dict[str, _Resync] = {}
        self._depths: dict[str, int] = {}
        self._unquoted = QuoteWatch(timing.snapshot_s)
        self._refusals: dict[tuple[str, str], tuple[int, float]] = {}  # how often, ask again at
        self._ask("instrument")
        self.change(plan, now)

    def change(self, plan: PublicPlan, now: float) -> None:
        """Subscribe and unsubscribe the difference between the old plan and `plan`."""
        self._now = now
        old, self.plan = self.plan, plan
        had_topics, wanted_topics = _topics(old), _topics(plan)
        for topic in [*wanted_topics, *(t for t in had_topics if t not in wanted_topics)]:
            self._change_topic(topic, had_topics.get(topic, set()), wanted_topics.get(topic, set()))
        had = {pair for pair in self.books if self.books[pair].depth == plan.book_depth}
        want = set(plan.pairs) if plan.books else set()
        for pair in sorted(set(self.books) - (want & had)):
            self._drop_book(pair)
        for pair in sorted(want - had):
            self._new_book(pair)
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
        if self.has_outgoing:
            self._unquoted.hold(now)
        super().tick(now)
        for pair, state in self._resync.items():
            if state.asked_at is not None and self.has_outgoing:
                state.asked_at = now  # it may not even be sent
            late = state.asked_at is not None and now - state.asked_at > self.timing.snapshot_s
            if late and state.due_at is None:
                self._lose_book(pair, "no snapshot came")
            if state.due_at is not None and now >= state.due_at:
                self._refetch(pair, state)
        if unquoted := self._unquoted.overdue(now, self._active):
            self._ask("ticker", unquoted, on=False)
            self._ask("ticker", unquoted)
        for key, (_, due_at) in self._refusals.items():
            if now >= due_at and key in self._refused and self._wants(*key):
                if key[0] == "book":
                    self._new_book(key[1])
                elif key[0] == "ticker":
                    self._unquoted.asked([key[1]], now)
                self._ask(key[0], [key[1]])

    def close(self, detail: str) -> list[BookLost]:
        """The books that were trusted and are lost with this connection."""
        return [
            BookLost(pair=pair, detail=detail) for pair, book in self.books.items() if book.trusted
        ]

    # -- subscriptions -------------------------------------------------------------------

    def _change_topic(self, topic: str, had: set[str], want: set[str]) -> None:
        if had - want:
            self._ask(topic, sorted(had - want), on=False)
        if want - had:
            self._ask(topic, sorted(want - had))
        if topic == "ticker":
            self._unquoted.done(had - want)
            self._unquoted.asked(sorted(want - had), self._now)

    def _subscribe_frame(
        self, channel: str, req_id: int, symbols: Sequence[str], *, on: bool
    ) -> str:
        """`channel` is a topic: of candles the interval stands behind the name, as in `ohlc:5`."""
        named = () if symbols == (ALL,) or list(symbols) == [ALL] else symbols
        channel, _, interval = channel.partition(":")
        options: dict[str, str | int | bool] = {}
        if channel == "ticker":
            options["event_trigger"] = "bbo"  # else bid and ask are those of the last trade
        elif channel == "ohlc":
            options["interval"] = int(interval)
        elif channel == "book":
            options["depth"] = self._depths.get(named[0], self.plan.book_depth)
        if on:
            options["snapshot"] = True
        return requests.subscribe(channel, req_id, symbols=named, on=on, options=options)

    def _wants(self, topic: str, symbol: str) -> bool:
        """Whether the plan still asks for it."""
        if topic == "book":
            return self.plan.books and symbol in self.plan.pairs
        return topic == "instrument" or symbol in _topics(self.plan).get(topic, ())

    def _on_refused(self, channel: str, symbol: str, error: str) -> None:
        """A refusal may be of the moment: it is asked again, ever more seldom."""
        times, _ = self._refusals.get((channel, symbol), (0, 0.0))
        wait_s = min(_REFUSED_CAP_S, _REFUSED_S * 2.0 ** min(times, 10))
        self._refusals[channel, symbol] = (times + 1, self._now + wait_s)
        if channel == "ticker":
            self._unquoted.done([symbol])
        if channel == "book" and symbol in self.books:
            # Nothing to resync: the exchange does not serve it now. The pair stays untrusted.
            del self.books[symbol]
            self._resync.pop(symbol, None)
            self._events.append(BookLost(pair=symbol, detail=f"refused: {error}"))

    # -- quotes, trades, candles, rules --------------------------------------------------

    def _on_channel(self, frame: ChannelFrame) -> None:
        match frame:
            case TickerFrame():
                self._on_ticker(frame)
            case TradeFrame():
                self._on_trade(frame)
            case OhlcFrame():
                self._on_ohlc(frame)
            case InstrumentFrame():
                self._on_instrument(frame)
            case ExecutionsFrame() | BalancesFrame():
                self._unasked(frame)
            case _:
                assert_never(frame)

    def _on_ticker(self, frame: TickerFrame) -> None:
        """All elements or, where one cannot be used, none."""
        if not self.plan.quotes:
            return
        quotes = []
        for data in frame.data:
            if data.symbol in self.plan.pairs:
                quote = parse.quote(data, self._seen_at())
                if quote is not None:
                    quotes.append(quote)
        self._unquoted.done(quote.pair for quote in quotes)
        for quote in quotes:
            if frame.type == "update":
                self._stamped(quote.venue_at)
            if "public" not in self.up:
                self.up.add("public")
                self._events.append(FeedUp(feed="public"))
            self._events.append(QuoteSeen(quote=quote))

    def _seen_at(self) -> datetime:
        """The market moment of what is read now: on a late connection so much earlier."""
        now, late_s = self._market_now(), self.lateness_s()
        return now - seconds(late_s) if late_s is not None and late_s > self.timing.late_s else now

    def _on_trade(self, frame: TradeFrame) -> None:
        if not self.plan.trades:
            return
        wanted = [data for data in frame.data if data.symbol in self.plan.pairs]
        trades = [parse.trade(data) for data in wanted]
        snapshot = frame.type == "snapshot"
        new, holes = self._tape.take(trades, snapshot=snapshot)
        for hole in holes:
            detail = f"{hole.pair}: trades {hole.first} to {hole.last} were not seen"
            self._odd(Odd.TRADE_HOLE, hole.pair, detail)
            self._warn("trade_hole", detail)
        if new and not snapshot:
            self._stamped(new[-1].at)
        if new and self._on_trades is not None:
            self._on_trades(new)

    def _on_ohlc(self, frame: OhlcFrame) -> None:
        if not self.plan.quotes:
            return
        candles = [
            parse.candle(data)
            for data in frame.data
            if data.symbol in self.plan.pairs and data.interval in self.plan.candle_minutes
        ]
        if frame.type == "update" and frame.timestamp is not None:
            self._stamped(parse.moment(frame.timestamp))
        self._events += [CandleSeen(candle=candle) for candle in candles]

    def _on_instrument(self, frame: InstrumentFrame) -> None:
        for raw in frame.data.pairs:
            self._on_pair(bytes(raw))
        if frame.type == "snapshot":
            for pair in sorted(set(self.plan.pairs) - self._rules.keys()):
                self._no_rules(pair, Odd.UNLISTED, "the exchange does not list it")

    def _on_pair(self, raw: bytes) -> None:
        try:
            data = read_pair(raw)
        except ValueError as error:
            self._no_rules(symbol_of(raw), Bad.WRONG_SHAPE, str(error))
            return
        try:
            rules = parse.pair_rules(data, self._symbols)
        except ValueError as error:
            self._no_rules(data.symbol, Bad.WRONG_VALUE, str(error))
            return
        if rules.status is PairStatus.UNKNOWN:
            self._odd(Odd.WORD, f"status of {rules.pair}", data.status)
        self._learn(rules)

    def _no_rules(self, pair: str, reason: Bad | Odd, why: str) -> None:
        """Metadata that is missing refuses the pair: what was known is no longer true (X27)."""
        self.counts.add(self.name, reason, f"instrument {pair}", why, self._now)
        known = self._rules.get(pair) or self._symbols.rules(pair)
        if known is not None:
            self._learn(msgspec.structs.replace(known, status=PairStatus.UNKNOWN))

    def _learn(self, rules: PairRules) -> None:
        if self._rules.get(rules.pair) == rules:
            return
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
                self._bad(error.reason, f"book {pair}", str(error))
                self._lose_book(pair, str(error))
                continue
            due, at = self._throttle.passes(pair, data.timestamp)
            if due:
                if at is None and data.timestamp is not None:
                    self._odd(Odd.STAMP, f"book {pair}", data.timestamp)
                elif frame.type == "update":
                    self._stamped(at)
                self._summarise(book, at)

    def _new_book(self, pair: str) -> None:
        self.books[pair] = OrderBook(pair, self.plan.book_depth)
        self._depths[pair] = self.plan.book_depth
        self._resync[pair] = _Resync(asked_at=self._now)

    def _summarise(self, book: OrderBook, at: datetime | None) -> None:
        summary = book.summary(at)
        if summary is None:
            self._events.append(BookLost(pair=book.pair, detail="a side is empty"))
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


def _topics(plan: PublicPlan) -> dict[str, set[str]]:
    """What the plan subscribes besides books: topic -> pairs."""
    pairs = set(plan.pairs)
    topics: dict[str, set[str]] = {}
    if plan.quotes:
        topics["ticker"] = pairs
        topics |= {f"ohlc:{minutes}": pairs for minutes in plan.candle_minutes}
    if plan.trades:
        topics["trade"] = pairs
    return topics
