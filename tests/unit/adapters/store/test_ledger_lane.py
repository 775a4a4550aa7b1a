"""The lane's queue and its resolving of outcomes, over a connection that does as it is told."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from simple_trader.adapters.store.journal import GENESIS, Segment, chain_over, events_of
from simple_trader.adapters.store.lane_connection import (
    CommitUnknown,
    ConnectionLost,
    StoreBusy,
)
from simple_trader.adapters.store.ledger_lane import LaneLimits, LedgerLane
from simple_trader.domain.errors import InvariantBroken, LockHeld, StoreSetupError
from simple_trader.ports import Batch

AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def batch(seq: int, *, urgent: bool = True, size: int = 10) -> Batch:
    return Batch(seq=seq, at=AT, event=b"x" * size, records=(), urgent=urgent)


class Scripted:
    """A LedgerConnection: each write takes the next of `script`; None commits."""

    def __init__(self, *script: Exception | None, status: str | None = "committed") -> None:
        self.script = list(script)
        self.status = status
        self.connected = True
        self.connects: list[Exception | None] = []
        self.segments: list[Segment] = []
        self.writes = 0
        self.commit_anyway = False

    async def connect(self, epoch: int | None) -> None:
        trouble = self.connects.pop(0) if self.connects else None
        if trouble is not None:
            raise trouble
        self.connected = True

    async def write(self, epoch: int, segment: Segment, batches: Sequence[Batch]) -> None:
        self.writes += 1
        trouble = self.script.pop(0) if self.script else None
        if trouble is None or self.commit_anyway:
            self.segments.append(segment)
        if trouble is not None:
            self.connected = isinstance(trouble, StoreBusy)
            raise trouble

    async def check(self, epoch: int) -> None:
        return

    async def xact_status(self, xid: str) -> str | None:
        return self.status

    async def has_seq(self, seq: int) -> bool:
        return any(segment.last_seq >= seq for segment in self.segments)

    async def close(self) -> None:
        self.connected = False

    def abort(self) -> None:
        self.connected = False


@asynccontextmanager
async def lane_over(
    connection: Scripted, limits: LaneLimits | None = None
) -> AsyncIterator[tuple[LedgerLane, list[int]]]:
    told: list[int] = []
    lane = LedgerLane(
        connection,
        epoch=1,
        last_seq=0,
        chain=GENESIS,
        on_commit=told.append,
        monotonic=asyncio.get_running_loop().time,
        limits=limits or LaneLimits(first_pause_s=0.001, last_pause_s=0.002),
    )
    async with asyncio.TaskGroup() as group:
        task = group.create_task(lane.run())
        yield lane, told
        task.cancel()


async def written(connection: Scripted, *seqs: int) -> list[int]:
    async with lane_over(connection) as (lane, told):
        for seq in seqs:
            lane.put(batch(seq))
        await lane.close()
    assert told[-1] == seqs[-1]
    return [s for part in connection.segments for s in range(part.first_seq, part.last_seq + 1)]


async def test_a_lost_session_is_opened_again_and_the_same_batches_written() -> None:
    connection = Scripted(ConnectionLost(), ConnectionLost())
    connection.connects = [StoreSetupError("no server"), StoreSetupError("no server"), None]
    assert await written(connection, 1, 2, 3) == [1, 2, 3]


async def test_a_passing_trouble_is_waited_out() -> None:
    connection = Scripted(StoreBusy("disk full"), StoreBusy("disk full"))
    assert await written(connection, 1, 2) == [1, 2]
    assert connection.writes == 3


async def test_an_unknown_commit_that_was_done_is_not_done_again() -> None:
    connection = Scripted(CommitUnknown("7"))
    connection.commit_anyway = True
    assert await written(connection, 1, 2) == [1, 2]
    assert connection.writes == 1


async def test_an_unknown_commit_that_was_lost_is_written_again() -> None:
    connection = Scripted(CommitUnknown("7"), status="aborted")
    assert await written(connection, 1, 2) == [1, 2]
    assert connection.writes == 2


@pytest.mark.parametrize("status", ["committed", None, "in progress"])
async def test_the_journal_has_the_last_word_over_the_servers_status(status: str | None) -> None:
    """After a crash the number of a lost transaction may belong to another one."""
    connection = Scripted(CommitUnknown("7"), status=status)
    assert await written(connection, 1) == [1]
    assert connection.writes == 2


async def test_another_holder_of_the_lock_ends_the_lane() -> None:
    connection = Scripted(ConnectionLost())
    connection.connects = [LockHeld()]
    seen: list[object] = []

    async def put_one() -> None:
        async with lane_over(connection) as (lane, told):
            seen.extend((lane, told))
            lane.put(batch(1))
            async with asyncio.timeout(5):
                await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as ended:
        await put_one()
    assert ended.group_contains(LockHeld)
    lane, told = seen
    assert told == []
    assert isinstance(lane, LedgerLane)
    assert not lane.alive


async def test_a_transaction_takes_what_fits_and_keeps_the_order() -> None:
    connection = Scripted()
    limits = LaneLimits(batches=4, bytes=1000)
    async with lane_over(connection, limits) as (lane, told):
        sizes = [10, 10, 10, 10, 10, 600, 600, 5000, 10]
        for seq, size in enumerate(sizes, 1):
            lane.put(batch(seq, size=size))
        await lane.close()
    spans = [(part.first_seq, part.last_seq) for part in connection.segments]
    assert spans == [(1, 4), (5, 6), (7, 7), (8, 8), (9, 9)]
    assert told == [4, 6, 7, 8, 9]
    link = GENESIS
    for part in connection.segments:
        assert part.prev_hash == link
        link = chain_over(link, list(events_of(part.payload)))
        assert part.hash == link


async def test_the_queue_says_when_it_is_full_and_how_old_it_is() -> None:
    now = [100.0]
    lane = LedgerLane(
        Scripted(),
        epoch=1,
        last_seq=5,
        chain=GENESIS,
        on_commit=lambda seq: None,
        monotonic=lambda: now[0],
        limits=LaneLimits(full_batches=3, full_bytes=1000),
    )
    assert (lane.idle, lane.full, lane.oldest_age_s) == (True, False, 0.0)
    lane.put(batch(6))
    now[0] += 2.5
    assert (lane.idle, lane.full, lane.oldest_age_s) == (False, False, 2.5)
    lane.put(batch(7, size=1000))
    assert lane.full
    with pytest.raises(InvariantBroken, match="put after"):
        lane.put(batch(7))


async def test_flush_commits_what_would_wait() -> None:
    async with lane_over(Scripted(), LaneLimits(linger_s=3600)) as (lane, told):
        lane.put(batch(1, urgent=False))
        lane.put(batch(2, urgent=False))
        await asyncio.sleep(0)
        assert not told
        lane.flush()
        async with asyncio.timeout(5):
            while not lane.idle:
                await asyncio.sleep(0)
        assert told == [2]
