"""Kraken as the daemon sees it: live feeds and the order path (`ports.Venue`, `ports.Feeds`).

One public and one private connection. What the feeds shall carry is a FeedPlan, changed at run time
by `apply`; pairs that still have orders or lots stay in it (C04), which is the runtime's business.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from simple_trader.adapters.kraken import requests
from simple_trader.adapters.kraken.connection import Backoff, Budget
from simple_trader.adapters.kraken.errors import ErrorKind, KrakenRefused
from simple_trader.adapters.kraken.feed import Feed, Room
from simple_trader.adapters.kraken.frame_counts import FrameCounts
from simple_trader.adapters.kraken.lateness import Skew
from simple_trader.adapters.kraken.order_books import DEPTHS, Throttle
from simple_trader.adapters.kraken.order_desk import Checked, OrderDesk, Placed
from simple_trader.adapters.kraken.private_session import PrivateSession
from simple_trader.adapters.kraken.public_session import (
    INTERVALS,
    OnTrades,
    PublicPlan,
    PublicSession,
)
from simple_trader.adapters.kraken.resolver import Resolver
from simple_trader.adapters.kraken.rest_manager import KrakenRest
from simple_trader.adapters.kraken.session import Timing
from simple_trader.adapters.kraken.tokens import TokenSource
from simple_trader.adapters.kraken.trade_tape import TradeTape
from simple_trader.adapters.kraken.trading_counter import TradingCounter
from simple_trader.domain.actions import AskOrders, AskReconcile, CancelOrder
from simple_trader.domain.errors import VenueError
from simple_trader.domain.events import CancelRejected, Event, FeedDown, VenueStatusSeen
from simple_trader.domain.instruments import VenueStatus
from simple_trader.domain.orders import AmendRequest, OrderRequest
from simple_trader.domain.venue_replies import AmendOutcome, SwitchOutcome
from simple_trader.ports import Clock, Dice, Emit, FeedClock, FeedPlan, OpenWire

log = logging.getLogger(__name__)

_OFF = FeedPlan(pairs=(), public=False, private=False, book=False, book_depth=10)
_BY_CONFIG = "switched off in the configuration"


class KrakenVenue:
    """The exchange: everything it needs is handed in, its tasks run inside `run`."""

    def __init__(
        self,
        *,
        public_url: str,
        private_url: str,
        rest: KrakenRest,
        clock: Clock,
        dice: Dice,
        open_wire: OpenWire,
        emit: Emit,
        room: Room,
        candle_minutes: Sequence[int] = (1,),
        book_summary_s: float = 1.0,
        timing: Timing | None = None,
        timed: bool = True,
        on_trades: OnTrades | None = None,
    ) -> None:
        """`room` is awaited before each next private frame is read; `emit` must not block.

        `candle_minutes` are the ohlc intervals, `book_summary_s` the least venue time between two
        summaries of one book. `timed` says that market time is a clock: only then stamps of the
        exchange are compared with it. New public trades go to `on_trades`. Raises ValueError for
        an interval that Kraken does not have.
        """
        if not set(candle_minutes) <= set(INTERVALS):
            raise ValueError(f"candles are of {INTERVALS} minutes, not of {candle_minutes}")
        self._rest, self._clock, self._emit = rest, clock, emit
        self._plan, self._applied, self._away = _OFF, False, False
        self._candle_minutes = tuple(candle_minutes)
        self._on_trades, self._tape, self._frame_counts = on_trades, TradeTape(), FrameCounts()
        self._timed, self._skew, self._throttle_s = timed, Skew(), book_summary_s
        self._stamps_clock, self._timing = clock.now if timed else None, timing or Timing()
        self._down, self._status_unknown = set[str](), asyncio.Event()
        self._tokens, budget = TokenSource(rest.token), Budget()
        self._desk = OrderDesk(
            feed=lambda: self._private,
            rest=rest,
            market_now=clock.now,
            timing=self._timing,
            emit=emit,
            venue_ahead_s=lambda: self._skew.told_s,
        )
        self._public: Feed[PublicSession] = Feed(
            name="public",
            url=public_url,
            open_wire=open_wire,
            backoff=Backoff.for_url(public_url, dice, budget),
            timing=self._timing,
            emit=self._hear,
            counts=self._frame_counts,
            prepare=self._prepare_public,
            ended=self._public_ended,
            wake=self._wake_public,
        )
        self._private: Feed[PrivateSession] = Feed(
            name="private",
            url=private_url,
            open_wire=open_wire,
            backoff=Backoff.for_url(private_url, dice, budget),
            timing=self._timing,
            emit=self._hear,
            counts=self._frame_counts,
            prepare=self._prepare_private,
            ended=self._private_ended,
            wake=lambda _session, _now: None,
            after=self._desk.take_replies,
            room=room,
            hopeless=_hopeless,
        )
        self._resolver = Resolver(rest, clock.now, lambda: self._plan.pairs)

    # -- feeds ---------------------------------------------------------------------------

    def apply(self, plan: FeedPlan) -> None:
        """Start, stop or change feeds to match `plan`; raises ValueError for an unknown depth."""
        if plan.book_depth not in DEPTHS:
            raise ValueError(f"the book depth must be one of {DEPTHS}, not {plan.book_depth}")
        old, self._plan = self._plan, plan
        for name, was, now in (
            ("public", old.public, plan.public),
            ("private", old.private, plan.private),
            ("book", old.book, plan.book),
        ):
            if not now and (was or not self._applied):
                self._emit(FeedDown(feed=name, detail=_BY_CONFIG, disabled=True))
            if now and not was:
                self._down.discard(name)
        self._applied = True
        self._kick_feeds()

    async def stay_away(self, detail: str) -> None:
        """Close both connections and ask by REST until the exchange is back (X23).

        Back: online again after it was not, or still online when the wait for its maintenance is
        over.
        """
        if self._away:
            return
        self._away = True
        log.warning("Leaving Kraken until its maintenance is over: %s", detail)
        self._kick_feeds()
        try:
            await self._maintenance_is_over()
        finally:
            self._away = False
            self._kick_feeds()

    async def _maintenance_is_over(self) -> None:
        waited_s, was_off = 0.0, False
        while True:
            await asyncio.sleep(self._timing.status_again_s)
            waited_s += self._timing.status_again_s
            try:
                status = await self._rest.system_status()
            except VenueError as error:
                log.info("the state of the exchange could not be read: %s", error)
                was_off = True
                continue
            if status is not VenueStatus.ONLINE:
                was_off = True
                self._hear(VenueStatusSeen(status=status))
            elif was_off or waited_s >= self._timing.away_s:
                return

    def _kick_feeds(self) -> None:
        plan, here = self._plan, not self._away
        self._public.kick(wanted=here and (plan.public or plan.book))
        self._private.kick(wanted=here and plan.private)

    def handled(self) -> Mapping[int, int]:
        """Frames handled of each live connection, by the id of its status frame."""
        counts: dict[int, int] = {}
        for feed in (self._public, self._private):
            session = feed.session
            if session is not None and session.connection_id is not None:
                counts[session.connection_id] = feed.frames
        return counts

    def counts(self) -> Mapping[str, int]:
        """`feed.reason` -> frames that could not be used, or only in part, since the start."""
        return self._frame_counts.counts()

    def clocks(self) -> Mapping[str, FeedClock]:
        """Lateness and clock offset of each live connection."""
        return {
            feed.name: FeedClock(
                lateness_s=session.lateness_s(), clock_offset_s=session.lateness.clock_offset_s
            )
            for feed in (self._public, self._private)
            if (session := feed.session) is not None
        }

    async def run(self) -> None:
        """Connect and reconnect until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._public.run(), name="kraken public")
            group.create_task(self._private.run(), name="kraken private")
            group.create_task(self._ask_status(), name="kraken status")

    def _hear(self, event: Event) -> None:
        if isinstance(event, VenueStatusSeen):
            if event.status is VenueStatus.UNKNOWN:
                self._status_unknown.set()
            else:
                self._status_unknown.clear()
        self._emit(event)

    async def _ask_status(self) -> None:
        """After a word of the status channel that is not known REST is asked: no frame may follow.

        What the channel says meanwhile counts more: only while its last word is unknown.
        """
        while True:
            await self._status_unknown.wait()
            await asyncio.sleep(self._timing.status_again_s)
            try:
                status = await self._rest.system_status()
            except VenueError as error:
                log.info("the state of the exchange could not be read: %s", error)
                continue
            if status is not VenueStatus.UNKNOWN and self._status_unknown.is_set():
                self._hear(VenueStatusSeen(status=status))

    # -- orders --------------------------------------------------------------------------

    def encode_order(self, request: OrderRequest) -> bytes:
        """See requests.encode_order."""
        return requests.encode_order(request)

    def decode_order(self, wire: bytes) -> OrderRequest:
        """See requests.decode_order."""
        return requests.decode_order(wire)

    @property
    def can_place(self) -> bool:
        """Whether the private connection would take an order now."""
        return self._desk.can_place

    @property
    def counter(self) -> TradingCounter:
        """The model of the engine's order counters."""
        return self._desk.counter

    def no_room(self, request: OrderRequest, *, new_risk: bool) -> str | None:
        """Why the trading counter of the pair has no room for this order now, or None (PT6)."""
        return self._desk.counter.objection(request.pair, self._clock.now(), new_risk=new_risk)

    async def place(self, request: OrderRequest, wire: bytes) -> Placed:
        """Send once and wait for the reply until deadline + margin."""
        return await self._desk.place(request, wire)

    async def cancel(self, action: CancelOrder) -> CancelRejected | None:
        """Cancel one order; never raises: see OrderDesk."""
        return await self._desk.cancel(action)

    async def cancel_all(self) -> int:
        """Cancel everything; raises VenueError where neither way answered."""
        return await self._desk.cancel_all()

    async def check(self, request: OrderRequest, wire: bytes) -> Checked:
        """Let the exchange check an order without making it (`validate`)."""
        return await self._desk.check(request, wire)

    async def amend(self, change: AmendRequest) -> AmendOutcome:
        """Change a resting order in place: see OrderDesk."""
        return await self._desk.amend(change)

    async def arm_switch(self, timeout_s: int) -> SwitchOutcome:
        """Set the dead man's switch of the account: see OrderDesk."""
        return await self._desk.arm_switch(timeout_s)

    async def look(self, action: AskOrders) -> Sequence[Event]:
        """What became of these orders."""
        return await self._resolver.look(action, self._desk.sent_at)

    def recycle(self, detail: str) -> None:
        """End the private connection; the feed opens it anew, with snapshots of everything."""
        if self._private.session is not None:
            self._private.session.recycle(detail)
            self._private.kick(wanted=self._private.wanted)

    async def reconcile(self, action: AskReconcile) -> Sequence[Event]:
        """What the account holds and did since."""
        return await self._resolver.reconcile(action)

    # -- sessions ------------------------------------------------------------------------

    def _public_plan(self) -> PublicPlan:
        return PublicPlan(
            pairs=self._plan.pairs,
            quotes=self._plan.public,
            trades=self._plan.public and self._plan.trades,
            books=self._plan.book,
            book_depth=self._plan.book_depth,
            candle_minutes=self._candle_minutes,
        )

    async def _prepare_public(self) -> Callable[[float], PublicSession]:
        if not self._rest.symbols.loaded:
            await self._rest.pairs()  # instruments need the REST names beside the v2 names
        return lambda now: PublicSession(
            self._timing,
            now,
            plan=self._public_plan(),
            symbols=self._rest.symbols,
            market_now=self._clock.now,
            throttle=Throttle(self._throttle_s),
            tape=self._tape,
            on_trades=self._on_trades,
            counts=self._frame_counts,
            clock=self._stamps_clock,
        )

    async def _prepare_private(self) -> Callable[[float], PrivateSession]:
        if not self._rest.symbols.loaded:
            await self._rest.pairs()
        token = await self._tokens.fresh()
        return lambda now: PrivateSession(
            self._timing,
            now,
            token=token,
            known=self._rest.known,
            symbols=self._rest.symbols,
            counts=self._frame_counts,
            clock=self._clock.now,
            stepped=not self._timed,
            skew=self._skew,
        )

    def _wake_public(self, session: PublicSession, now: float) -> None:
        plan = self._public_plan()
        if plan != session.plan:
            session.change(plan, now)
        self._down -= session.up

    def _public_ended(self, session: PublicSession | None, detail: str) -> list[Event]:
        up = session.up if session is not None else set()
        lost: list[Event] = [*session.close(detail)] if session is not None else []
        wanted = {"public": self._plan.public, "book": self._plan.book}
        return lost + self._say_down([name for name, on in wanted.items() if on], up, detail)

    def _private_ended(self, session: PrivateSession | None, detail: str) -> list[Event]:
        self._desk.connection_lost(detail)
        up = {"private"} if session is not None and session.up else set()
        return self._say_down(["private"] if self._plan.private else [], up, detail)

    def _say_down(self, names: list[str], up: set[str], detail: str) -> list[Event]:
        """Say it when a feed goes down, and once when it never came up; not at every attempt."""
        said: list[Event] = []
        for name in names:
            if name in up or name not in self._down:
                said.append(FeedDown(feed=name, detail=detail))
            self._down.add(name)
        return said


def _hopeless(session: PrivateSession | None, error: VenueError | None) -> bool:
    """Whether the exchange said that our key may not do this: trying again would lock it (X20)."""
    if session is not None:
        return session.fatal
    return isinstance(error, KrakenRefused) and error.kind is ErrorKind.FATAL
