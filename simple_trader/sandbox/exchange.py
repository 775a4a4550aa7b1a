"""The whole exchange without sockets: venue, market, sessions and REST, moved by `advance`."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, assert_never

import msgspec

from simple_trader.sandbox import feeds
from simple_trader.sandbox.amends import AmendBook
from simple_trader.sandbox.executions import Words
from simple_trader.sandbox.front import Front, Surface
from simple_trader.sandbox.hall import Hall
from simple_trader.sandbox.journal import (
    Advanced,
    Bent,
    Did,
    Journal,
    Printed,
    Rebased,
    Record,
    Relayed,
)
from simple_trader.sandbox.market import MarketState, PairMarket, Timeline
from simple_trader.sandbox.moment import Best
from simple_trader.sandbox.names import worth
from simple_trader.sandbox.overlay import OverlayState
from simple_trader.sandbox.session import Session
from simple_trader.sandbox.settings import SandboxError
from simple_trader.sandbox.sources import MarketSource, Tick, bent_tick, to_moment, to_us
from simple_trader.sandbox.spreads import SpreadRow
from simple_trader.simulator.dice import stream_key
from simple_trader.simulator.fill_model import Print
from simple_trader.simulator.instruments import Instrument
from simple_trader.simulator.matching import PairBook
from simple_trader.simulator.orders import MAIN, REASON_SWITCH, ZERO, CancelAll, Command
from simple_trader.simulator.reports import PairChanged, Report, symbol_of
from simple_trader.simulator.venue import Venue, VenueState

CHECKPOINT_STEPS = 20_000


class ExchangeState(msgspec.Struct):
    """Everything a checkpoint holds."""

    at: int
    venue: VenueState
    markets: dict[str, MarketState]
    source: bytes
    timeline: Timeline
    bends: dict[str, Bent] = {}
    overlays: dict[str, OverlayState] = {}
    amends: AmendBook = msgspec.field(default_factory=AmendBook)


class Exchange:
    """Accounts, one market, many connections; synchronous and deterministic.

    `wall` gives real time: it dates tokens, REST counters, lockouts and the dead man's switches,
    nothing else. Market time is what `advance` last reached.
    """

    def __init__(
        self,
        source: MarketSource,
        state: ExchangeState,
        wall: Callable[[], datetime],
        *,
        pairs: dict[str, Instrument],
        journal: Journal | None = None,
        frozen: bool = False,
        surface: Surface | None = None,
    ) -> None:
        surface = surface or Surface()
        self.frozen = frozen
        self.venue = Venue(state.venue, source.pairs, surface.venue_rules)
        self.pairs = {symbol: self.venue.pairs[symbol] for symbol in pairs}
        self.rules = surface.rules
        self.words = Words(self.venue.pairs, self._usd, lambda: self.now, surface.rules)
        self.world = source.world
        self.told: dict[str, Best] = {}
        self.troubles: list[str] = []
        self._source = source
        self._timeline = state.timeline
        self._bends = dict(state.bends)
        self._at = state.at
        self._wall = wall
        self._journal = journal
        self._mixed_replies = surface.mixed_replies
        self._markets = {
            symbol: PairMarket(pair, state.markets.get(symbol))
            for symbol, pair in source.pairs.items()
        }
        self._steps = 0
        seed = state.venue.seed
        self._connection_key = stream_key(seed, "connection", to_us(wall()))
        self._hall = Hall(self, self._connection_key)
        self.reader = Front(self, surface, wall, seed, state.amends)
        self.keys = self.reader.keys

    def _usd(self, asset: str) -> Decimal:
        return worth(self, asset) or ZERO

    # --- time ---------------------------------------------------------------------------------

    def now_us(self) -> int:
        """Give market time in microseconds."""
        return self._at

    @property
    def now(self) -> datetime:
        """Market time."""
        return to_moment(self._at)

    @property
    def system(self) -> str:
        """The status of the whole exchange; a frozen one is in maintenance."""
        return "maintenance" if self.frozen else self.venue.system

    @property
    def next_at(self) -> datetime | None:
        """The moment of the next market event or expiry; None when there is none."""
        due = self._due()
        return None if due is None else to_moment(due)

    @property
    def ended(self) -> bool:
        """Whether the market source has come to its end."""
        return self._source.next_at() is None

    def _due(self) -> int | None:
        step, expiry = self._next_step(), self._next_expiry()
        if step is None or expiry is None:
            return step if expiry is None else expiry
        return min(step, expiry)

    def _next_step(self) -> int | None:
        at = self._source.next_at()
        return None if at is None else self._timeline.market_time(at)

    def _next_expiry(self) -> int | None:
        expiry = self.venue.next_due()
        return None if expiry is None else to_us(expiry)

    def advance(self, to: datetime) -> None:
        """Do everything up to a market moment, in order; raises ValueError for a past one."""
        target = to_us(to)
        if target < self._at:
            raise ValueError(f"market time is {self.now.isoformat()} and never goes back")
        if self.frozen:
            raise SandboxError("this sandbox is frozen: its market does not move.")
        due = self._due()
        if target == self._at and (due is None or due > target):
            return
        self._write(Advanced(target))
        self._run(target)
        self._checkpoint_if_due()

    def follow(self, to: datetime) -> None:
        """Go to a moment like `advance`, but write only when something happens (stand-alone)."""
        if self.frozen:
            return
        target = max(self._at, to_us(to))
        due = self._due()
        if due is not None and due <= target:
            self._write(Advanced(target))
            self._run(target)
            self._checkpoint_if_due()
        self._at = target

    def rebase(self, to: datetime, speed: float) -> None:
        """Let the source go on at a new market moment and speed, after a pause (stand-alone)."""
        source = self._source.next_at()
        if source is None or self.frozen:
            return
        record = Rebased(source, max(self._at, to_us(to)), speed)
        self._write(record)
        self._again(record)

    def _run(self, target: int) -> None:
        while True:
            due = self._due()
            if due is None or due > target:
                break
            self._at = max(self._at, due)
            expiry = self._next_expiry()
            if expiry is not None and expiry <= due:
                self.publish(self._noted(self.venue.run_due(to_moment(due))))
            step = self._next_step()
            if step is not None and step <= due:
                for tick in self._source.step():
                    self._take(tick)
        self._at = target

    def _take(self, tick: Tick) -> None:
        self._steps += 1
        if tick.symbol in self.venue.books and self.venue.stands_still(tick.symbol):
            # Nobody trades while the engine is down, the other traders neither.
            return
        if self._bends:
            tick = self._bent(tick)
        moved = self._markets[tick.symbol].take(tick, self._at)
        self.reader.spreads.note(tick.symbol, SpreadRow(self._at, tick.bid, tick.ask))
        reports = self.venue.on_market(
            tick.symbol, to_moment(self._at), tick.bid, tick.ask, tick.prints
        )
        for report in self._noted(reports):
            self._hall.tell_report(report)
        self._hall.tell_market(tick.symbol, moved.trades)

    def _bent(self, tick: Tick) -> Tick:
        bend = self._bends.get(tick.symbol)
        if bend is None:
            return tick
        if self._at >= bend.until:
            del self._bends[tick.symbol]
            return tick
        return bent_tick(tick, bend.millionths)

    # --- commands -----------------------------------------------------------------------------

    def bend(self, symbol: str, millionths: int, lasts_us: int) -> None:
        """Move a pair's prices to a part of the source's for a while, journaled (a fault)."""
        record = Bent(self._at, symbol, millionths, self._at + lasts_us)
        self._write(record)
        self._again(record)

    def print_privately(self, symbol: str, prints: list[Print]) -> None:
        """Let prints that no tape shows pass the own orders of a pair, journaled (a fault)."""
        record = Printed(self._at, symbol, prints)
        self._write(record)
        self._again(record)

    def execute(self, command: Command) -> list[Report]:
        """Journal a command, then carry it out; `publish` tells the sessions."""
        self._write(Did(self._at, command))
        reports = self._noted(self.venue.apply(command, self.now))
        self._steps += 1
        return reports

    def _noted(self, reports: list[Report]) -> list[Report]:
        self.reader.note(self._at, reports)
        for report in reports:
            if isinstance(report, PairChanged) and report.symbol in self._markets:
                pair = self.venue.pairs[report.symbol]
                self._markets[report.symbol].pair = pair
                if report.symbol in self.pairs:
                    self.pairs[report.symbol] = pair
        return reports

    def publish(self, reports: list[Report]) -> None:
        """Tell all sessions of reports and of what they changed in the books."""
        touched: dict[str, None] = {}
        for report in reports:
            self._hall.tell_report(report)
            symbol = symbol_of(report)
            if symbol is not None:
                touched[symbol] = None
        for symbol in touched:
            self._hall.tell_market(symbol, [])

    def events_first(self) -> bool:
        """Draw whether events overtake the response; never unless replies are mixed."""
        if not self._mixed_replies:
            return False
        state = self.venue.state
        return stream_key(state.seed, "reply", len(state.orders), len(self.venue.open)) & 1 == 1

    def arm_switch(self, account: str, timeout_s: int) -> tuple[datetime, datetime]:
        """Arm an account's dead man's switch for real seconds; 0 disarms it."""
        self.reader.switches.arm(account, timeout_s)
        return self.now, self.now + timedelta(seconds=timeout_s)

    def _write(self, record: Record) -> None:
        if self._journal is not None:
            self._journal.append(record)

    def _again(self, record: Record) -> None:
        match record:
            case Advanced(to=to):
                self._run(to)
            case Did(at=at, command=command):
                self._at = max(self._at, at)
                self._noted(self.venue.apply(command, self.now))
            case Printed(at=at, symbol=symbol, prints=prints):
                self._at = max(self._at, at)
                market = self._markets[symbol]
                reports = self.venue.on_market(symbol, self.now, market.bid, market.ask, prints)
                self.publish(self._noted(reports))
            case Bent(at=at, symbol=symbol):
                self._at = max(self._at, at)
                self._bends[symbol] = record
            case Rebased(source=source, market=market, speed=speed):
                self._timeline = Timeline(source, market, speed)
            case Relayed():
                raise SandboxError("this state belongs to a relay: start it with --relay.")
            case _:
                assert_never(record)

    def recover(self, records: list[Record]) -> None:
        """Carry out again what the journal holds behind the checkpoint."""
        for record in records:
            self._again(record)

    def save(self) -> bytes:
        """Give the whole state as bytes."""
        return msgspec.msgpack.encode(
            ExchangeState(
                self._at,
                self.venue.state,
                {symbol: market.save() for symbol, market in self._markets.items()},
                self._source.save(),
                self._timeline,
                self._bends,
                amends=self.reader.amends,
            )
        )

    def checkpoint(self) -> None:
        """Put the state down now."""
        if self._journal is not None and not self.frozen:
            self._journal.checkpoint(self.save())
        self._steps = 0

    def _checkpoint_if_due(self) -> None:
        if self._steps < CHECKPOINT_STEPS:
            return
        try:
            self.checkpoint()
        except SandboxError as error:
            # The journal holds everything still: say so, go on, try again later.
            self.troubles.append(f"no checkpoint was made: {error}")
            self._steps = 0

    def close(self) -> None:
        """Put the state down and let go of the state directory."""
        if self._journal is not None:
            self.checkpoint()
            self._journal.close()
            self._journal = None
        self.reader.close()

    # --- connections --------------------------------------------------------------------------

    def open_session(self, private: bool) -> Session:
        """Open a connection to `/auth/v2` (private) or `/v2`."""
        return self._hall.open(private=private)

    def close_session(self, session: Session) -> None:
        """Forget a connection."""
        self._hall.close(session)

    @property
    def sessions(self) -> list[Session]:
        """The open connections, oldest first."""
        return self._hall.sessions

    def announce(self, **notice: Any) -> None:
        """Push the status to all with fields more, as for `upcoming_maintenance` or `emergency`."""
        self._hall.announce(**notice)

    def beat(self, now: float) -> None:
        """Do what real time asks for: heartbeats and dead man's switches; `now` in seconds."""
        self._hall.beat(now)
        self.reader.tidy_up()
        if not self.frozen:
            for account in self.reader.switches.fired():
                self.publish(self.execute(CancelAll(REASON_SWITCH, account)))

    def rest(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, peer: str = ""
    ) -> tuple[int, bytes]:
        """Answer one REST request of an address; `path` may carry a query string."""
        return self.reader.rest(method, path, headers, body, peer)

    def set_rest_lag(self, seconds: float) -> None:
        """Let private REST tell the state of some market seconds ago from now on; 0 ends it."""
        self.reader.set_rest_lag(seconds)

    def truth(self, account: str = MAIN) -> dict[str, Any]:
        """Give what really happened to an account, numbers as strings.

        Raises KeyError for an unknown account.
        """
        return self.reader.truth(account)

    # --- the public side ----------------------------------------------------------------------

    def market(self, symbol: str) -> PairMarket:
        """Give the public side of a pair."""
        return self._markets[symbol]

    def book(self, symbol: str) -> PairBook:
        """Give the book of a pair."""
        return self.venue.books[symbol]

    def feed(self, symbol: str, depth: int) -> feeds.BookFeed:
        """Give the shared book feed of a pair and depth."""
        return self._hall.feed(symbol, depth)
