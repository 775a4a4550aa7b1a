"""The daemon: wires the brain to its lanes, gate and feeds, and stops in timed stages."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from simple_trader.core.risk.dead_man import fired, wants_switch
from simple_trader.domain.events import (
    Event,
    ExecutionReport,
    FeedDown,
    FeedUp,
    LoopGapSeen,
    LoopLagSeen,
    OperatorHalt,
    OperatorResume,
    Started,
    Stopping,
)
from simple_trader.domain.views import StatusView
from simple_trader.ports import (
    Advisor,
    Clock,
    Feeds,
    Lane,
    Learner,
    MarketDriver,
    MarketRows,
    Venue,
)
from simple_trader.runtime.clocks import SteppedClock
from simple_trader.runtime.control import OperatorDesk
from simple_trader.runtime.deadman import DeadMan
from simple_trader.runtime.dispatcher import Dispatcher
from simple_trader.runtime.engine_loop import Brain, EngineLoop
from simple_trader.runtime.gate import HALT, Gate, LoopGap
from simple_trader.runtime.inbox import Inbox
from simple_trader.runtime.lease import Lease, Vitals
from simple_trader.runtime.snapshots import SnapshotKeeper
from simple_trader.runtime.stepper import Stepper
from simple_trader.runtime.supervisor import RootTask, Supervisor
from simple_trader.runtime.timers import Timers
from simple_trader.runtime.watch import LagMeter, LoopWatch, StoreWatch

log = logging.getLogger(__name__)

STOP_INTENTS_S = 3.0  # a stop waits this long for sends in flight and questions, then goes on
READY_LOOK_S = 0.02


class CommitBell:
    """Rings when the lane committed; the lane is built before the dispatcher that listens."""

    def __init__(self) -> None:
        """Nobody listens yet."""
        self.answer: Callable[[int], None] = lambda last_seq: None

    def ring(self, last_seq: int) -> None:
        """Batches up to `last_seq` are durable."""
        self.answer(last_seq)


@dataclass(frozen=True)
class Parts:
    """Everything the daemon is made of; `app` builds real ones, the simulation virtual ones."""

    brain: Brain
    clock: Clock
    inbox: Inbox
    bell: CommitBell
    lane: Lane
    market: MarketRows
    venue: Venue
    feeds: Feeds
    advisor: Advisor
    learner: Learner
    driver: MarketDriver | None  # the sandbox's control line; None where market time is real
    speed: float
    control_folder: Path
    last_seq: int
    last_at: datetime | None
    may_place: Callable[[], bool]
    on_event: Callable[[Event], None] = lambda event: None
    on_beat: Callable[[], None] = lambda: None
    dead_man_switch: bool = True
    market_end: datetime | None = None
    keeper: SnapshotKeeper | None = None


class Daemon:
    """One run from the first event to the last commit."""

    def __init__(self, parts: Parts) -> None:
        """Wire the parts."""
        self.parts = parts
        self.stop_asked = asyncio.Event()
        self.ready = asyncio.Event()
        self._stopped = asyncio.Event()
        self._feeds_up: dict[str, bool] = {}
        self.supervisor = Supervisor()
        self.desk = OperatorDesk(parts.control_folder, parts.inbox.put)
        self._gap = LoopGap(parts.clock)
        self._gaps = self._gaps_told = 0  # pauses of the process, and those the brain has read of
        self._meter = LagMeter()
        self.lease = Lease(self._vitals)
        self.deadman = DeadMan(
            venue=parts.venue,
            clock=parts.clock,
            wanted=lambda: parts.brain.wants_switch,
            held=lambda: self.lease.held,
        )
        self.gate = Gate(
            venue=parts.venue,
            lane=parts.lane,
            clock=parts.clock,
            emit=parts.inbox.put,
            halted=lambda: self.desk.kill_switch,
            standing=lambda: parts.brain.trading_state,
            venue_refuses=parts.brain.venue_refuses,
            may_place=parts.may_place,
            loop_gap=self._gap,
            lease_lost=lambda: self.lease.lost,
            venue_ahead_s=lambda: parts.brain.venue_ahead_s,
        )
        self.dispatcher = Dispatcher(
            supervisor=self.supervisor,
            gate=self.gate,
            venue=parts.venue,
            advisor=parts.advisor,
            learner=parts.learner,
            clock=parts.clock,
            emit=parts.inbox.put,
            pause=asyncio.sleep,
        )
        parts.bell.answer = self._on_commit
        self._roots_of_others: list[RootTask] = []
        self.loop = EngineLoop(
            brain=parts.brain,
            inbox=parts.inbox,
            lane=parts.lane,
            market=parts.market,
            dispatcher=self.dispatcher,
            clock=parts.clock,
            last_seq=parts.last_seq,
            last_at=parts.last_at,
            after=self._after,
            before=self._before,
        )
        self.stepper = self._make_stepper()

    def _make_stepper(self) -> Stepper | None:
        parts = self.parts
        if parts.driver is None or not isinstance(parts.clock, SteppedClock):
            return None
        return Stepper(
            clock=parts.clock,
            driver=parts.driver,
            feeds=parts.feeds,
            feeds_up=self._all_feeds_up,
            inbox=parts.inbox,
            dispatcher=self.dispatcher,
            brain=parts.brain,
            speed=parts.speed,
            end=parts.market_end,
        )

    def _all_feeds_up(self) -> bool:
        """Whether every feed that was ever wanted and is not switched off delivers."""
        return bool(self._feeds_up) and all(self._feeds_up.values())

    def _before(self, at: datetime) -> None:
        """Keep the state that a new day begins with."""
        if self.parts.keeper is not None and self.has_started and self.loop.last_at is not None:
            self.parts.keeper.before(self.loop.seq, self.loop.last_at, at)

    def _after(self, event: Event) -> None:
        """Follow the feeds and tell whoever listens."""
        if isinstance(event, FeedUp):
            self._feeds_up[event.feed] = True
        elif isinstance(event, FeedDown) and event.disabled:
            self._feeds_up.pop(event.feed, None)
        elif isinstance(event, FeedDown):
            self._feeds_up[event.feed] = False
        elif isinstance(event, OperatorHalt):
            self.desk.processed(self.loop.seq)
        elif isinstance(event, OperatorResume) and self.parts.brain.trading_state != HALT:
            self.desk.lifted()
        elif isinstance(event, LoopGapSeen):
            self._gaps_told += 1
        elif isinstance(event, ExecutionReport) and fired(event):
            self.deadman.has_fired()
        if self.gate.paused and self._gaps_told == self._gaps and self.parts.brain.reconciled:
            self.gate.go_on()  # the brain knows of every pause, and reconciled since
        if self.parts.keeper is not None and self.loop.last_at is not None:
            self.parts.keeper.after(self.loop.seq, self.loop.last_at, event)
        self.parts.on_event(event)

    def _vitals(self) -> Vitals:
        """The parts of the health lease now."""
        parts = self.parts
        return Vitals(
            lane_alive=parts.lane.alive,
            lane_age_s=parts.lane.oldest_age_s,
            private_up=parts.venue.can_place,
            reconciled=parts.brain.reconciled,
            skew_s=parts.brain.venue_ahead_s,
            # A stepped market waits for a slow machine: there lag is no danger.
            lag_p99_s=self._meter.p99_s if parts.driver is None else 0.0,
            gap_s=self._gap.seconds,
        )

    def _on_commit(self, last_seq: int) -> None:
        self.dispatcher.on_commit(last_seq)
        self.desk.committed(last_seq)
        keeper = self.parts.keeper
        if keeper is not None and keeper.due(last_seq):
            self.supervisor.spawn("snapshot", keeper.write(last_seq))

    def add_root(self, root: RootTask) -> None:
        """One more task for the life of the daemon; before `run`."""
        self._roots_of_others.append(root)

    def view(self) -> StatusView:
        """What people are shown."""
        return self.parts.brain.view(self.parts.clock.now())

    @property
    def has_started(self) -> bool:
        """Whether the brain has processed its first event."""
        return self.loop.seq > self.parts.last_seq

    def expect_feeds(self, names: tuple[str, ...]) -> None:
        """These feeds must be up before market time moves."""
        for name in names:
            self._feeds_up.setdefault(name, False)

    async def run(self, started: Started) -> None:
        """Run until asked to stop or a critical task fails."""
        if wants_switch(started.orders):
            self.deadman.take_over()
        self.parts.inbox.put(started)
        await self.supervisor.run(self._roots(), self._stopped)

    def _roots(self) -> list[RootTask]:
        parts = self.parts
        roots = [
            RootTask("engine loop", self.loop.run),
            RootTask("ledger lane", parts.lane.run),
            RootTask("market lane", parts.market.run, critical=False),  # prices, no money
            RootTask("feeds", parts.feeds.run),
            RootTask("operator desk", self.desk.run),
            RootTask(
                "loop watch",
                LoopWatch(
                    self._gap,
                    on_gap=self._on_gap,
                    on_beat=parts.on_beat,
                    on_lag=self._on_lag,
                    meter=self._meter,
                ).run,
            ),
            RootTask(
                "store watch",
                StoreWatch(parts.lane, parts.inbox.put, closing=self.stop_asked.is_set).run,
            ),
            RootTask("stop", self._stop_when_asked),
            RootTask("ready", self._announce_ready),
        ]
        if parts.dead_man_switch:
            roots.append(RootTask("dead man's switch", self.deadman.run))
        if self.stepper is not None:
            roots.append(RootTask("stepper", self.stepper.run))
            roots.append(RootTask("end of market", self._stop_at_end(self.stepper)))
        else:
            timers = Timers(
                brain=parts.brain,
                inbox=parts.inbox,
                clock=parts.clock,
                held=lambda: parts.lane.full,
            )
            roots.append(RootTask("timers", timers.run))
        return [*roots, *self._roots_of_others]

    def _on_gap(self, gap_s: float) -> None:
        """After a pause of the process what is queued falls, and nothing leaves before the account
        is reconciled anew (I-27).
        """
        self._gaps += 1
        self.gate.pause()
        self.parts.inbox.put(LoopGapSeen(gap_s=round(gap_s, 1)))

    def _on_lag(self, news: LoopLagSeen) -> None:
        """Tell the brain, where a slow machine is a danger: a stepped market waits for it."""
        if self.parts.driver is None:
            self.parts.inbox.put(news)

    def _stop_at_end(self, stepper: Stepper) -> Callable[[], Awaitable[None]]:
        async def wait() -> None:
            while not stepper.ended:
                await asyncio.sleep(0.05)
            log.info("the market time asked for is over")
            self.stop_asked.set()
            await asyncio.Event().wait()

        return wait

    async def _announce_ready(self) -> None:
        """Ready: reconciled, and every feed that is wanted delivers."""
        while not (self.parts.brain.reconciled and self._all_feeds_up()):
            await asyncio.sleep(READY_LOOK_S)
        self.ready.set()
        await asyncio.Event().wait()

    async def _stop_when_asked(self) -> None:
        """No new intents, then let sends and answers come home, then commit everything."""
        await self.stop_asked.wait()
        if self.stepper is not None:
            reached, ceiling = self.stepper.reached_speed, self.parts.speed
            asked = "max" if ceiling == float("inf") else f"{ceiling:g}"
            log.info("reached %.1f times real time (speed asked: %s)", reached, asked)
        self.parts.inbox.put(Stopping(reason="asked to stop"))
        try:
            async with asyncio.timeout(STOP_INTENTS_S):
                # Never released: the market stands, for what it showed now the journal would miss.
                await self.dispatcher.between_steps.acquire()
                while not self.parts.inbox.idle or self.dispatcher.waiting_for:
                    await asyncio.sleep(0.01)
        except TimeoutError:
            waiting = ", ".join(self.dispatcher.waiting_for) or "events"
            log.warning("stopping without waiting any longer for %s", waiting)
        await self.parts.lane.close()
        await self.parts.market.close()
        self._stopped.set()
        await asyncio.Event().wait()
