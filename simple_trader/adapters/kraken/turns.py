"""Turns: one private request at a time, as nonces must arrive in order, and cancels before reads.

A cancel waits for no read: those that wait let it pass, and one under way is given up, for a read
can be repeated (X18, I-28).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from simple_trader.ports import HttpFailed


class Turns:
    """Who may ask next."""

    def __init__(self) -> None:
        """Nobody asks."""
        self._lock = asyncio.Lock()
        self._first_waiting = 0
        self._calm = asyncio.Event()
        self._calm.set()
        self._reading: asyncio.Timeout | None = None

    @asynccontextmanager
    async def turn(self, *, first: bool) -> AsyncIterator[None]:
        """Wait for a turn and keep it for the block; raises HttpFailed in a block that gives way.

        `first` goes before all that do not.
        """
        if first:
            await self._pass_all()
            try:
                yield
            finally:
                self._lock.release()
            return
        await self._wait()
        try:
            async with asyncio.timeout(None) as self._reading:
                yield
        except TimeoutError:
            raise HttpFailed("it gave way to a cancel") from None
        finally:
            self._reading = None
            self._lock.release()

    async def _pass_all(self) -> None:
        self._first_waiting += 1
        self._calm.clear()
        if self._reading is not None and not self._reading.expired():
            self._reading.reschedule(asyncio.get_running_loop().time())
        try:
            await self._lock.acquire()
        finally:
            self._first_waiting -= 1
            if not self._first_waiting:
                self._calm.set()

    async def _wait(self) -> None:
        while True:
            await self._calm.wait()
            await self._lock.acquire()
            if self._calm.is_set():
                return
            self._lock.release()
