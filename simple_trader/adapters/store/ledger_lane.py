"""The ledger lane: one queue, one transaction at a time, and no outcome left unknown."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

import msgspec

from simple_trader.adapters.store.journal import make_segment
from simple_trader.adapters.store.lane_connection import (
    CommitUnknown,
    ConnectionLost,
    LedgerConnection,
    StoreBusy,
)
from simple_trader.domain.errors import InvariantBroken, StoreSetupError
from simple_trader.domain.records import LlmCallRow, ModelRow
from simple_trader.ports import Batch

_log = logging.getLogger("simple_trader.store")
_NO_TIME_S = 1e-6  # below that a wait is rounding, which would spin on a clock that stands still
_ROW_BYTES = 200  # a rough row: bounds memory, not money


class LaneLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes and spans (transport seconds) of the lane; the defaults are the plan's.

    A stepped clock waits for every commit, so it sets `linger_s` to 0.
    """

    batches: int = 256
    bytes: int = 1 << 20
    linger_s: float = 0.2
    full_batches: int = 10_000
    full_bytes: int = 64 << 20
    heartbeat_s: float = 1.0
    close_within_s: float = 10.0
    first_pause_s: float = 0.02
    last_pause_s: float = 2.0


class _Waiting(msgspec.Struct, frozen=True):
    batch: Batch
    put_at: float
    size: int


class LedgerLane:
    """ports.Lane over a LedgerConnection: FIFO, everything or nothing, exactly once."""

    def __init__(
        self,
        connection: LedgerConnection,
        *,
        epoch: int,
        last_seq: int,
        chain: bytes,
        on_commit: Callable[[int], None],
        monotonic: Callable[[], float],
        limits: LaneLimits | None = None,
    ) -> None:
        """Continue the journal after `last_seq` whose hash is `chain`, as daemon `epoch`.

        `connection` is already connected (its lock was taken before recovery). `on_commit` gets
        the last committed number; `monotonic` gives transport seconds.
        """
        self._connection = connection
        self._epoch = epoch
        self._committed_seq = last_seq
        self._put_seq = last_seq
        self._chain = chain
        self._on_commit = on_commit
        self._monotonic = monotonic
        self._limits = limits or LaneLimits()
        self._queue: deque[_Waiting] = deque()
        self._bytes = 0
        self._urgent = 0
        self._hurry = False
        self._wake = asyncio.Event()
        self._closed = asyncio.Event()
        self._closing = False
        self._ended = False

    def put(self, batch: Batch) -> None:
        """Queue a batch; never blocks, never drops. Numbers must grow."""
        if batch.seq <= self._put_seq:
            raise InvariantBroken(
                f"event {batch.seq} was put after event {self._put_seq}: the journal would lie."
            )
        self._put_seq = batch.seq
        size = _size_of(batch)
        self._queue.append(_Waiting(batch, self._monotonic(), size))
        self._bytes += size
        self._urgent += batch.urgent
        if batch.urgent or len(self._queue) == 1 or self._is_load():
            self._wake.set()

    @property
    def queued(self) -> int:
        """Batches that are not committed yet."""
        return len(self._queue)

    @property
    def idle(self) -> bool:
        """Whether everything put is committed."""
        return not self._queue

    @property
    def full(self) -> bool:
        """Whether the private socket should not be read for now."""
        limits = self._limits
        return len(self._queue) >= limits.full_batches or self._bytes >= limits.full_bytes

    @property
    def alive(self) -> bool:
        """Whether lock and epoch were held at the last look; false stops sending."""
        return self._connection.connected and not self._ended

    @property
    def oldest_age_s(self) -> float:
        """Transport seconds since the oldest uncommitted batch was put; 0 when idle."""
        return self._monotonic() - self._queue[0].put_at if self._queue else 0.0

    @property
    def last_seq(self) -> int:
        """The last committed event."""
        return self._committed_seq

    @property
    def chain(self) -> bytes:
        """The journal's hash after it."""
        return self._chain

    def flush(self) -> None:
        """Commit what is queued without waiting for more."""
        self._hurry = True
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled; raises LockHeld or InvariantBroken, which must end the daemon."""
        try:
            while not self._ended:
                if not self._connection.connected:
                    await self._reconnect()
                wait_s = self._linger_left_s()
                if self._queue and wait_s <= 0:
                    await self._commit()
                elif self._queue:
                    await self._rest(wait_s)
                elif self._closing:
                    self._ended = True
                elif not await self._rest(self._limits.heartbeat_s):
                    await self._look()
            await self._connection.close()
            self._closed.set()
            await asyncio.Event().wait()  # the supervisor cancels us when all is closed
        finally:
            self._ended = True
            self._connection.abort()

    async def close(self) -> None:
        """Commit what is queued, within `close_within_s`, and release the lock."""
        self._closing = True
        self._wake.set()
        if self._ended:
            return
        try:
            async with asyncio.timeout(self._limits.close_within_s):
                await self._closed.wait()
        except TimeoutError:
            _log.error("%d events were not committed at the end", len(self._queue))

    # -- inside ------------------------------------------------------------------------

    def _is_load(self) -> bool:
        """Whether a transaction's worth is queued."""
        return len(self._queue) >= self._limits.batches or self._bytes >= self._limits.bytes

    def _linger_left_s(self) -> float:
        """How long the queue may still wait for company."""
        if self._urgent or self._hurry or self._closing or self._is_load():
            return 0.0
        left_s = self._limits.linger_s - self.oldest_age_s
        return left_s if left_s > _NO_TIME_S else 0.0

    async def _rest(self, span_s: float) -> bool:
        """Wait to be woken, at most `span_s`; whether it was."""
        self._wake.clear()
        try:
            async with asyncio.timeout(span_s):
                await self._wake.wait()
        except TimeoutError:
            return False
        return True

    async def _look(self) -> None:
        """An idle look at lock and epoch."""
        try:
            await self._connection.check(self._epoch)
        except ConnectionLost as lost:
            _log.warning("the ledger session is lost: %s", lost)

    def _take(self) -> list[Batch]:
        """The oldest batches that fit into one transaction (one, however big); they stay queued."""
        taken: list[Batch] = []
        size = 0
        for waiting in self._queue:
            size += waiting.size
            if taken and (len(taken) >= self._limits.batches or size > self._limits.bytes):
                break
            taken.append(waiting.batch)
        return taken

    async def _commit(self) -> None:
        """Write one transaction, over any number of lost connections, exactly once."""
        batches = self._take()
        segment = make_segment(batches, prev_seq=self._committed_seq, chain=self._chain)
        pause_s = self._limits.first_pause_s
        lost_before = False
        while True:
            try:
                await self._connection.write(self._epoch, segment, batches)
                break
            except CommitUnknown as unknown:
                _log.warning("%s: asking for its fate", unknown)
                if await self._was_committed(unknown.xid, segment.last_seq):
                    break
            except ConnectionLost as lost:
                _log.warning("the ledger session is lost, nothing of it was committed: %s", lost)
                await self._reconnect()
                if lost_before:  # a server that lets us in and not write is not asked without end
                    await asyncio.sleep(pause_s)
                    pause_s = min(pause_s * 2, self._limits.last_pause_s)
                lost_before = True
            except StoreBusy as busy:
                _log.warning("the database undid a transaction, it is written again: %s", busy)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, self._limits.last_pause_s)
        self._committed_seq, self._chain = segment.last_seq, segment.hash
        for _ in batches:
            waiting = self._queue.popleft()
            self._bytes -= waiting.size
            self._urgent -= waiting.batch.urgent
        self._hurry = self._hurry and bool(self._queue)
        self._on_commit(segment.last_seq)

    async def _was_committed(self, xid: str, seq: int) -> bool:
        """The fate of a transaction whose COMMIT got no answer.

        The old backend is ended before the lock is taken, so the fate is fixed. The journal has the
        last word: after a crash the server may give the number of a lost transaction to another
        one, and then `pg_xact_status` would call ours committed.
        """
        pause_s = self._limits.first_pause_s
        while True:
            try:
                if not self._connection.connected:
                    await self._reconnect()
                status = await self._connection.xact_status(xid)
                if status == "in progress":
                    await asyncio.sleep(pause_s)
                    pause_s = min(pause_s * 2, self._limits.last_pause_s)
                    if pause_s < self._limits.last_pause_s:
                        continue
                written = await self._connection.has_seq(seq)
            except ConnectionLost:
                continue
            _log.warning("transaction %s: %s, event %d written: %s", xid, status, seq, written)
            return written

    async def _reconnect(self) -> None:
        """Connect again, however long it takes; another holder of the lock ends us."""
        pause_s = self._limits.first_pause_s
        while True:
            try:
                await self._connection.connect(self._epoch)
            except (ConnectionLost, StoreSetupError) as error:
                _log.warning("the ledger cannot connect, trying again: %s", error)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, self._limits.last_pause_s)
            else:
                _log.info("the ledger session is open again")
                return


def _size_of(batch: Batch) -> int:
    """About how many bytes a batch holds in memory."""
    size = len(batch.event) + _ROW_BYTES * len(batch.records)
    for record in batch.records:
        if isinstance(record, LlmCallRow):
            size += len(record.prompt) + len(record.reply)
        elif isinstance(record, ModelRow):
            size += len(record.blob)
    return size
