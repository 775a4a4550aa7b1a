"""An asyncio loop whose time is virtual: when nothing is ready it jumps to the next timer.

Nothing outside the loop may be awaited on it (real sockets would never become ready in virtual
time); a blocking call simply takes no virtual time. So a run is a function of its seed.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

SPINS_MAX = 100_000


class DeadlockError(RuntimeError):
    """Virtual time cannot go on: nothing will ever happen, or something never stops happening."""


class _JumpingSelector(selectors.SelectSelector):
    """Never waits: hands the time it was asked to wait to the loop."""

    def __init__(self) -> None:
        super().__init__()
        self.jump: Callable[[float], None] = lambda seconds: None
        self._spins = 0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise DeadlockError("every task waits and no timer is set")
        self._spins += 1
        if timeout > 0:
            self._spins = 0
            self.jump(timeout)
        elif self._spins > SPINS_MAX:
            raise DeadlockError("a task spins: it never waits for time to pass")
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time starts at 0 and moves by jumps only."""

    def __init__(self) -> None:
        self._seconds = 0.0
        selector = _JumpingSelector()
        super().__init__(selector)
        selector.jump = self._jump

    def time(self) -> float:
        return self._seconds

    def _jump(self, seconds: float) -> None:
        self._seconds += seconds

    def jump_to(self, moment: float) -> None:
        """Time goes on to a moment while no task runs; never back."""
        self._seconds = max(self._seconds, moment)


class VirtualClock:
    """Market, wall and transport time of a virtual loop, all one."""

    def __init__(self, loop: asyncio.AbstractEventLoop, start: datetime) -> None:
        self._loop, self._start = loop, start

    def now(self) -> datetime:
        micros = round(self._loop.time() * 1_000_000)
        return self._start + timedelta(microseconds=micros)

    def wall(self) -> datetime:
        return self.now()

    def monotonic(self) -> float:
        return self._loop.time()


START = datetime(2026, 3, 2, tzinfo=UTC)


def run_virtually(make: Callable[[VirtualLoop], Coroutine[Any, Any, Any]]) -> Any:
    """Run one coroutine to its end on a fresh virtual loop."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(make(loop))
    finally:
        pending = asyncio.all_tasks(loop)
        for task in pending:
            task.cancel()
        if pending:
            loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        asyncio.set_event_loop(None)
        loop.close()
