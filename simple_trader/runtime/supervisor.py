"""The supervisor: named root tasks; none dies silently, a critical one takes the daemon down."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from simple_trader.domain.errors import TraderError

log = logging.getLogger(__name__)

RESTART_FIRST_S = 1.0
RESTART_MAX_S = 30.0


@dataclass(frozen=True)
class RootTask:
    """One task that lives as long as the daemon; a critical one ends the daemon when it ends."""

    name: str
    run: Callable[[], Awaitable[None]]
    critical: bool = True


class CriticalTaskEnded(TraderError):
    """A critical task ended by itself; the daemon stops so that systemd starts it anew."""


class Supervisor:
    """Owns every task of the daemon: roots by name, short errands in a counted set."""

    def __init__(self) -> None:
        """Start without tasks."""
        self._errands: set[asyncio.Task[None]] = set()
        self._failure: asyncio.Future[None] | None = None

    def spawn(self, name: str, errand: Coroutine[Any, Any, None]) -> None:
        """Run a short errand; if it raises, the daemon comes down with that error."""
        task = asyncio.create_task(errand, name=name)
        self._errands.add(task)
        task.add_done_callback(self._errand_ended)

    def _errand_ended(self, task: asyncio.Task[None]) -> None:
        self._errands.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and self._failure is not None and not self._failure.done():
            self._failure.set_exception(error)

    async def run(self, roots: list[RootTask], stop: asyncio.Event) -> None:
        """Run until `stop` is set; raises the first error of a critical task or errand."""
        self._failure = asyncio.get_running_loop().create_future()
        tasks = [asyncio.create_task(self._guard(root), name=root.name) for root in roots]
        stopping = asyncio.create_task(stop.wait(), name="stop")
        try:
            waited: list[asyncio.Future[None]] = [*tasks, self._failure]
            everything: list[asyncio.Future[Any]] = [*waited, stopping]
            await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
            for future in waited:
                if future.done():
                    future.result()
        finally:
            await self._end([*tasks, stopping])

    async def _guard(self, root: RootTask) -> None:
        delay_s = RESTART_FIRST_S
        while True:
            try:
                await root.run()
            except asyncio.CancelledError:
                raise
            except Exception as error:  # tidy: allow broad-except, the supervisor judges all errors
                if root.critical:
                    raise
                log.exception("task %s failed: %s; restarting", root.name, error)
            else:
                if root.critical:
                    raise CriticalTaskEnded(f"The task {root.name!r} ended by itself.")
                log.warning("task %s ended by itself; restarting", root.name)
            await asyncio.sleep(delay_s)
            delay_s = min(RESTART_MAX_S, delay_s * 2)

    async def _end(self, tasks: list[asyncio.Task[Any]]) -> None:
        for task in [*tasks, *self._errands]:
            task.cancel()
        await asyncio.gather(*tasks, *self._errands, return_exceptions=True)
        if self._failure is not None and not self._failure.done():
            self._failure.cancel()
