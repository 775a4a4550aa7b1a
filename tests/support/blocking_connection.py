"""A ledger connection that blocks its caller: real Postgres under a virtual-time event loop."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from simple_trader.adapters.store.journal import Segment
from simple_trader.adapters.store.lane_connection import LedgerConnection
from simple_trader.ports import Batch

_T = TypeVar("_T")


class BlockingLoop:
    """A thread with an event loop of its own, in real time; each call blocks until it is done.

    For deterministic simulation only: to virtual time, whatever runs here takes no time at all.
    """

    def __init__(self) -> None:
        """Start the thread."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="blocking-store", daemon=True
        )
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run `work` there and wait for it here."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def stop(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class BlockingLedgerConnection:
    """LedgerConnection whose every method blocks until the real one in the other loop is done."""

    def __init__(self, make: Callable[[], LedgerConnection], loop: BlockingLoop) -> None:
        """`make` builds the real connection; `loop` is where it lives."""
        self._loop = loop
        self._inner = make()

    @property
    def connected(self) -> bool:
        """Whether session and lock were held at the last look."""
        return self._inner.connected

    async def connect(self, epoch: int | None) -> None:
        """See LedgerConnection.connect."""
        self._loop.call(self._inner.connect(epoch))

    async def write(self, epoch: int, segment: Segment, batches: Sequence[Batch]) -> None:
        """See LedgerConnection.write."""
        self._loop.call(self._inner.write(epoch, segment, batches))

    async def check(self, epoch: int) -> None:
        """See LedgerConnection.check."""
        self._loop.call(self._inner.check(epoch))

    async def xact_status(self, xid: str) -> str | None:
        """See LedgerConnection.xact_status."""
        return self._loop.call(self._inner.xact_status(xid))

    async def has_seq(self, seq: int) -> bool:
        """See LedgerConnection.has_seq."""
        return self._loop.call(self._inner.has_seq(seq))

    async def close(self) -> None:
        """See LedgerConnection.close."""
        self._loop.call(self._inner.close())

    def abort(self) -> None:
        """See LedgerConnection.abort."""

        async def drop() -> None:
            self._inner.abort()

        self._loop.call(drop())
