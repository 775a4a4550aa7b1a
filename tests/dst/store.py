"""Real Postgres under virtual time: each call blocks the loop; how it ends is drawn by the seed."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from simple_trader.adapters.store.journal import Segment
from simple_trader.adapters.store.lane_connection import (
    AsyncpgLedgerConnection,
    CommitUnknown,
    ConnectionLost,
    StoreBusy,
)
from simple_trader.adapters.store.market_lane import MarketLane, MarketLimits
from simple_trader.adapters.store.recovery import Recovery
from simple_trader.domain.errors import LockHeld, StoreError, StoreSetupError
from simple_trader.domain.records import LedgerRecord, MarketRecord
from simple_trader.domain.recovered import Recovered
from simple_trader.ports import Batch

_T = TypeVar("_T")


class NestedLoop:
    """A second event loop in the same thread, in real time: each call runs it until it is done.

    To the virtual loop a call takes no time at all; no other thread takes part, so nothing depends
    on how the machine switches between threads.
    """

    def __init__(self) -> None:
        """Make the loop."""
        self._loop = asyncio.SelectorEventLoop()

    def call(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run `work` to its end while the running loop stands still."""
        outer = asyncio._get_running_loop()
        task = None if outer is None else asyncio.current_task(outer)
        if outer is not None and task is not None:
            asyncio.tasks._leave_task(outer, task)
        asyncio._set_running_loop(None)
        try:
            return self._loop.run_until_complete(work)
        finally:
            asyncio._set_running_loop(outer)
            if outer is not None and task is not None:
                asyncio.tasks._enter_task(outer, task)

    def stop(self) -> None:
        """End it and what still runs in it."""
        pending = asyncio.all_tasks(self._loop)
        for task in pending:
            task.cancel()
        if pending:
            self.call(_gathered(pending))
        self._loop.close()


async def _gathered(tasks: set[asyncio.Task[Any]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)


FATES = ("lost", "unknown_landed", "unknown_not_landed", "busy", "slow")
KILLS = ("kill_before_commit", "kill_in_commit", "kill_after_commit")


@dataclass
class Fate:
    """What becomes of one transaction: of the next that holds `of` (intent, execution, any)."""

    kind: str
    of: str = "any"
    seconds: float = 0.0
    tell: Callable[[], None] = lambda: None


@dataclass
class Postgres:
    """How the database fares in this world; outlives the daemon's lives."""

    dice: random.Random
    now: Callable[[], float]
    loop: NestedLoop
    dsn: str
    fates: list[Fate] = field(default_factory=list)
    down_until: float = 0.0
    usual_s: float = 0.002
    met: Counter[str] = field(default_factory=Counter)
    kill: Callable[[str], None] = lambda where: None
    live: "FatedConnection | None" = None

    @property
    def is_down(self) -> bool:
        """Whether nobody answers."""
        return self.now() < self.down_until

    def go_down(self, seconds: float) -> None:
        """Die now and come back later."""
        self.down_until = max(self.down_until, self.now() + seconds)
        if self.live is not None:
            self.live.drop()

    def latency(self) -> float:
        """One way of one request: mostly short, now and then long."""
        usual = self.dice.uniform(0.1, 1.0) * self.usual_s
        return usual * 20 if self.dice.random() < 0.01 else usual

    def fate_of(self, batches: Sequence[Batch]) -> Fate | None:
        """Give what is to happen to this transaction, once."""
        for fate in self.fates:
            if fate.of == "any" or any(_holds(batch, fate.of) for batch in batches):
                self.fates.remove(fate)
                fate.tell()
                self.met[fate.kind] += 1
                return fate
        return None


def _holds(batch: Batch, what: str) -> bool:
    if what == "intent":
        return any(type(record).__name__ == "IntentRow" for record in batch.records)
    return b'"ExecutionReport"' in batch.event


class _Real(AsyncpgLedgerConnection):
    """The daemon's own connection, whose commits can be left undone."""

    last_xid = ""
    stop_before_commit = False

    async def _fill_transaction(
        self, session: Any, epoch: int, segment: Segment, batches: Sequence[Batch]
    ) -> str:
        self.last_xid = await super()._fill_transaction(session, epoch, segment, batches)
        if self.stop_before_commit:
            raise _Stopped
        return self.last_xid


class _Stopped(Exception):
    """The transaction is full and COMMIT was not sent."""


class FatedConnection:
    """LedgerConnection: the real one, blocking, with latency and the fates of the world."""

    def __init__(self, server: Postgres) -> None:
        """Speak to the server of the world."""
        self._server = server
        self._inner = _Real(server.dsn, lock_wait_s=10.0)
        self.dead = False

    @property
    def connected(self) -> bool:
        """Whether session and lock were held at the last look."""
        return self._inner.connected and not self.dead

    async def _way(self) -> None:
        """One way to the server; it may be down, and we may be dead."""
        await asyncio.sleep(self._server.latency())
        await self._gone()

    async def _gone(self) -> None:
        if self.dead:
            await asyncio.Event().wait()
        if self._server.is_down:
            self.drop()
            raise ConnectionLost("the server is down")

    async def connect(self, epoch: int | None) -> None:
        """See LedgerConnection.connect."""
        await asyncio.sleep(self._server.latency())
        if self.dead:
            await asyncio.Event().wait()
        if self._server.is_down:
            raise StoreSetupError("the server is down.")
        self._server.loop.call(self._inner.connect(epoch))
        self._server.live = self

    async def write(self, epoch: int, segment: Segment, batches: Sequence[Batch]) -> None:
        """See LedgerConnection.write; what becomes of it is drawn."""
        fate = self._server.fate_of(batches)
        await self._way()
        kind = "" if fate is None else fate.kind
        if fate is not None and kind == "slow":
            await asyncio.sleep(fate.seconds)
            await self._gone()
        if kind == "busy":
            raise StoreBusy("deadlock detected")
        if kind == "kill_before_commit":
            await self._die(kind)
        if kind in ("lost", "unknown_not_landed", "kill_in_commit"):
            await self._undone(kind, epoch, segment, batches)
        self._server.loop.call(self._inner.write(epoch, segment, batches))
        if kind == "kill_after_commit":
            await self._die(kind)
        if kind == "unknown_landed":
            self.drop()
            raise CommitUnknown(self._inner.last_xid)
        await asyncio.sleep(self._server.latency())

    async def _undone(
        self, kind: str, epoch: int, segment: Segment, batches: Sequence[Batch]
    ) -> None:
        self._inner.stop_before_commit = True
        try:
            self._server.loop.call(self._inner.write(epoch, segment, batches))
        except _Stopped:
            pass  # as wanted: all rows are sent, COMMIT is not
        finally:
            self._inner.stop_before_commit = False
        if kind == "kill_in_commit":
            await self._die(kind)
        self.drop()
        if kind == "lost":
            raise ConnectionLost("the session went away before COMMIT")
        raise CommitUnknown(self._inner.last_xid)

    async def _die(self, where: str) -> None:
        self._server.kill(where)
        await asyncio.Event().wait()

    async def check(self, epoch: int) -> None:
        """See LedgerConnection.check."""
        await self._way()
        self._server.loop.call(self._inner.check(epoch))

    async def xact_status(self, xid: str) -> str | None:
        """See LedgerConnection.xact_status."""
        await self._way()
        return self._server.loop.call(self._inner.xact_status(xid))

    async def has_seq(self, seq: int) -> bool:
        """See LedgerConnection.has_seq."""
        await self._way()
        return self._server.loop.call(self._inner.has_seq(seq))

    async def close(self) -> None:
        """See LedgerConnection.close."""
        if not self.dead:
            self._server.loop.call(self._inner.close())

    def abort(self) -> None:
        """See LedgerConnection.abort."""
        self.drop()

    def drop(self) -> None:
        """End the session as the network does: at once and without a word."""

        async def now() -> None:
            self._inner.abort()

        if self._inner.connected:
            self._server.loop.call(now())


class FatedBoot:
    """ports.Boot, blocking."""

    def __init__(self, server: Postgres, boot_seconds: int) -> None:
        """The real recovery of a start at `boot_seconds`."""
        self._server = server
        self._real = Recovery(server.dsn, boot_seconds=boot_seconds)

    async def _up(self, error: type[Exception]) -> None:
        await asyncio.sleep(self._server.latency())
        if self._server.is_down:
            raise error("the server is down.")

    async def recover(self) -> Recovered:
        """See ports.Boot."""
        await self._up(StoreSetupError)
        return self._server.loop.call(self._real.recover())

    async def mirror(self, records: Sequence[LedgerRecord], *, at: datetime) -> None:
        """See ports.Boot."""
        await self._up(StoreSetupError)
        self._server.loop.call(self._real.mirror(records, at=at))

    async def snapshot(self, seq: int, at: datetime, state: bytes, why: str) -> None:
        """See ports.Boot."""
        await self._up(StoreError)
        self._server.loop.call(self._real.snapshot(seq, at, state, why))


class MarketShelf:
    """ports.MarketRows: the real market lane, fed in handfuls, written while the loop stands."""

    HANDFUL = 4000

    def __init__(self, server: Postgres) -> None:
        """Nothing is opened before the first handful."""
        self._server = server
        self._kept: list[MarketRecord] = []
        self.dropped = 0

    def put(self, record: MarketRecord) -> None:
        """See ports.MarketRows."""
        self._kept.append(record)
        if len(self._kept) >= self.HANDFUL:
            self._write()

    def _write(self) -> None:
        rows, self._kept = self._kept, []
        if self._server.is_down:
            self.dropped += len(rows)
            return

        async def all_of_them() -> None:
            lane = MarketLane(self._server.dsn, limits=MarketLimits(linger_s=0.0))
            running = asyncio.get_running_loop().create_task(lane.run())
            for row in rows:
                lane.put(row)
            await lane.close()
            running.cancel()
            await _gathered({running})

        self._server.loop.call(all_of_them())

    @property
    def idle(self) -> bool:
        """See ports.MarketRows."""
        return not self._kept

    async def run(self) -> None:
        """See ports.MarketRows."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """See ports.MarketRows."""
        self._write()


async def refused_lock(dsn: str) -> bool:
    """Try what a second daemon does at its start; whether it was refused (P10)."""
    second = AsyncpgLedgerConnection(dsn, lock_wait_s=0.0)
    try:
        await second.connect(None)
    except LockHeld:
        return True
    finally:
        second.abort()
    return False
