"""The exchange's side of virtual time: it goes on also while the daemon stands still.

The daemon lives in the loop's tasks; exchange and network live in this agenda alone. So it can be
stopped (SIGSTOP) while the world goes on: `stand_still` runs the agenda and no task.
"""

import asyncio
import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

from virtual_time import VirtualLoop

from simple_trader.runtime.clocks import SystemClock

Call = Callable[[], None]


class Agenda:
    """Calls at moments of the loop's time; those of one moment keep the order of their asking."""

    def __init__(self, loop: VirtualLoop) -> None:
        """Nothing is due."""
        self._loop = loop
        self._due: list[tuple[float, int, Call]] = []
        self._ties = count()
        self._timer: asyncio.TimerHandle | None = None
        self._running = False

    @property
    def now(self) -> float:
        """Seconds since the start."""
        return self._loop.time()

    def at(self, moment: float, call: Call) -> None:
        """Call then, or at once when that moment is past."""
        heapq.heappush(self._due, (moment, next(self._ties), call))
        if not self._running:
            self._set_timer()

    def _set_timer(self) -> None:
        if not self._due:
            return
        first = self._due[0][0]
        if self._timer is not None:
            if self._timer.when() <= first and not self._timer.cancelled():
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(first, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._run(self._loop.time())
        self._set_timer()

    def _run(self, until: float) -> None:
        self._running = True
        try:
            while self._due and self._due[0][0] <= until:
                moment, _, call = heapq.heappop(self._due)
                if moment > self._loop.time():
                    self._loop.jump_to(moment)
                call()
        finally:
            self._running = False

    def stand_still(self, seconds: float) -> None:
        """Let the world go on for so long while no task of the loop runs."""
        until = self._loop.time() + seconds
        self._run(until)
        self._loop.jump_to(until)
        self._set_timer()


class TrueClock:
    """The exchange's clock, which nobody moves."""

    def __init__(self, loop: VirtualLoop, start: datetime) -> None:
        """Time begins at `start`."""
        self._loop, self._start = loop, start

    def now(self) -> datetime:
        """Give the moment."""
        return self._start + timedelta(microseconds=round(self._loop.time() * 1_000_000))


class Machine:
    """The daemon's machine: its wall clock can be set (P04), its steady one cannot."""

    def __init__(self, loop: VirtualLoop, truth: TrueClock) -> None:
        """The clock is right at first."""
        self._loop, self._truth = loop, truth
        self.off = timedelta(0)

    def wall(self) -> datetime:
        """What the machine shows."""
        return self._truth.now() + self.off

    def clock(self) -> "DaemonClock":
        """The clock of a process that starts now."""
        return DaemonClock(self.wall, self._loop.time)


class DaemonClock(SystemClock):
    """The product's own clock over this machine."""

    def monotonic(self) -> float:
        """Transport time is the loop's."""
        return self._steady()
