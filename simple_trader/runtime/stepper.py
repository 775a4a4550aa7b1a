"""The stepper: moves market time of `sim` in steps, each drained before the next (ADR 0002).

Speed is a ceiling: a slow machine makes a simulation slower, never different.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from simple_trader.domain.errors import TraderError, VenueError
from simple_trader.domain.events import TimerFired
from simple_trader.domain.moments import EPOCH
from simple_trader.ports import Advanced, Feeds, MarketDriver
from simple_trader.runtime.clocks import SteppedClock
from simple_trader.runtime.dispatcher import Dispatcher
from simple_trader.runtime.engine_loop import Brain
from simple_trader.runtime.inbox import Inbox

log = logging.getLogger(__name__)

STEP_MAX = timedelta(seconds=1)
DRAIN_LIMIT_S = 30.0
# A snapshot that is lost once more after an outage is noticed after 15 s, each time (N05, S05).
FEEDS_LIMIT_S = 120.0
POLL_S = 0.0005
POLLS_BEFORE_SLEEP = 50
_NOTHING_WRITTEN = Advanced(at=EPOCH, written={}, next_at=None, ended=False)


class StepStuck(TraderError):
    """A step of market time did not drain."""

    exit_code = 10


class Stepper:
    """Advances sandbox and clock together, fires the timers, keeps the pace."""

    def __init__(
        self,
        *,
        clock: SteppedClock,
        driver: MarketDriver,
        feeds: Feeds,
        feeds_up: Callable[[], bool],
        inbox: Inbox,
        dispatcher: Dispatcher,
        brain: Brain,
        speed: float,
        end: datetime | None,
    ) -> None:
        """`speed` is the ceiling (inf for max); `end` is a market moment at which to stop."""
        self._clock, self._driver, self._feeds, self._feeds_up = clock, driver, feeds, feeds_up
        self._inbox, self._dispatcher, self._brain = inbox, dispatcher, brain
        self.speed, self._end = speed, end
        self._market_from = clock.now()
        self._real_from = clock.monotonic()
        self._next_market: datetime | None = None
        self.ended = False

    @property
    def reached_speed(self) -> float:
        """Market seconds per real second since the run began."""
        real = self._clock.monotonic() - self._real_from
        return (self._clock.now() - self._market_from).total_seconds() / real if real > 0 else 0.0

    async def run(self) -> None:
        """Step until the market or the run ends; cancellation stops it between steps."""
        self._next_market = (await self._reach(self._driver.hello)).next_at
        await self._wait_for_feeds()
        self._market_from, self._real_from = self._clock.now(), self._clock.monotonic()
        self._restart_pace()
        while not self.ended:
            await self._wait_for_feeds()
            async with self._dispatcher.between_steps:
                target, was_last = await self._step()
            await self._pace(target)
            self.ended = was_last
        await asyncio.Event().wait()

    async def _step(self) -> tuple[datetime, bool]:
        await self._drain(_NOTHING_WRITTEN)  # answers that came between the steps, and their orders
        target = self._target()
        self._clock.move_to(target)
        advanced = await self._reach(lambda: self._driver.advance(target))
        self._next_market = advanced.next_at
        await self._drain(advanced)
        await self._fire_due(target)
        out_of_market = advanced.ended and advanced.next_at is None
        return target, out_of_market or (self._end is not None and target >= self._end)

    def _target(self) -> datetime:
        now = self._clock.now()
        choices = [now + STEP_MAX]
        if self.speed == float("inf") and self._next_market is not None:
            choices = [max(self._next_market, now + STEP_MAX)]
        due = self._brain.next_due()
        if due is not None:
            choices.append(max(due[0], now))
        if self._next_market is not None and self._next_market > now:
            choices.append(self._next_market)
        return min(choices)

    async def _reach(self, call: Callable[[], Awaitable[Advanced]]) -> Advanced:
        """Call the sandbox; while it is gone, market time stands still and we wait for it."""
        told = False
        while True:
            try:
                return await call()
            except VenueError as error:
                if not told:
                    log.warning("market time stands still: %s", error)
                told = True
                await asyncio.sleep(0.2)
                self._restart_pace()

    async def _wait_for_feeds(self) -> None:
        waited_s = 0.0
        while not self._feeds_up():
            if waited_s >= FEEDS_LIMIT_S:
                raise StepStuck(f"The feeds of the sandbox did not come up in {FEEDS_LIMIT_S:g} s.")
            await asyncio.sleep(0.02)
            waited_s += 0.02
        if waited_s:
            self._restart_pace()

    async def _drain(self, advanced: Advanced) -> None:
        """Wait until the frames of this step are handled and nothing of ours is in flight."""
        began = self._clock.monotonic()
        polls = 0
        while waiting := self._waiting_for(advanced):
            if self._clock.monotonic() - began > DRAIN_LIMIT_S:
                names = ", ".join(waiting)
                raise StepStuck(
                    f"A step of market time did not drain within 30 s; waiting for {names}."
                )
            polls += 1
            await asyncio.sleep(0 if polls < POLLS_BEFORE_SLEEP else POLL_S)

    def _waiting_for(self, advanced: Advanced) -> tuple[str, ...]:
        handled = self._feeds.handled()
        late = any(count < advanced.written.get(conn, 0) for conn, count in handled.items())
        waiting: tuple[str, ...] = ("frames",) if late else ()
        if not self._inbox.idle:
            waiting += ("inbox",)
        return waiting + self._dispatcher.waiting_for

    async def _fire_due(self, target: datetime) -> None:
        """Fire the timers that are due, in order, draining after each."""
        while (due := self._brain.next_due()) is not None and due[0] <= target:
            self._inbox.put(TimerFired(name=due[1], due=due[0]))
            await self._drain(_NOTHING_WRITTEN)

    def _restart_pace(self) -> None:
        self._pace_market = self._clock.now()
        self._pace_real = self._clock.monotonic()

    async def _pace(self, target: datetime) -> None:
        """Sleep so that market time runs at most `speed` times real time."""
        speed = min(self.speed, 1.0) if self._dispatcher.advice_in_flight else self.speed
        if speed == float("inf"):
            await asyncio.sleep(0)
            self._restart_pace()
            return
        ahead_s = (target - self._pace_market).total_seconds() / speed
        ahead_s -= self._clock.monotonic() - self._pace_real
        if ahead_s > 0:
            await self._sleep_unless_answered(ahead_s, slowed=speed != self.speed)
        if ahead_s < -1.0 or speed != self.speed:
            self._restart_pace()  # a slow stretch is not made up for by a burst

    async def _sleep_unless_answered(self, seconds: float, *, slowed: bool) -> None:
        """Sleep; a sleep at real rate ends when the outside call it waits for ends."""
        until = self._clock.monotonic() + seconds
        while (left := until - self._clock.monotonic()) > 0:
            if slowed and not self._dispatcher.advice_in_flight:
                return
            await asyncio.sleep(min(left, 0.005) if slowed else left)
