"""Reads the journal back: its events in order, with the hash chain checked on the way."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import datetime

import asyncpg
import msgspec

from simple_trader.adapters.store.db_manager import LONG_PATIENCE, RawConnection, session
from simple_trader.adapters.store.journal import GENESIS, chain_over, events_of
from simple_trader.adapters.store.named_sql import named
from simple_trader.domain.errors import InvariantBroken

LAST = 2**63 - 1


class JournalEnd(msgspec.Struct, frozen=True, kw_only=True):
    """What a whole reading found: segments, events, the last number and the hash after it."""

    segments: int
    events: int
    last_seq: int
    chain: bytes


class JournalPart(msgspec.Struct, frozen=True, kw_only=True):
    """One segment, read and checked: its numbers, market times and its events as JSON."""

    first_seq: int
    last_seq: int
    at: datetime
    at_to: datetime
    epoch: int
    events: tuple[bytes, ...]
    hash: bytes


async def read_journal(dsn: str, *, after_seq: int = 0) -> AsyncIterator[JournalPart]:
    """Segments that hold events after `after_seq`, in order, each checked against the chain.

    Days that retention dropped are missing at the beginning only. Raises InvariantBroken when a
    segment is damaged, missing or out of line.
    """
    async with _session(dsn) as connection, connection.transaction(readonly=True):
        async for part in parts_of(connection, after_seq=after_seq):
            yield part


async def parts_of(
    connection: RawConnection, *, after_seq: int = 0, until_seq: int = LAST
) -> AsyncIterator[JournalPart]:
    """The same in the transaction of `connection`, up to the segment that holds `until_seq`."""
    before: JournalPart | None = None
    query = connection.cursor(named("journal_segments"), after_seq, until_seq, prefetch=20)
    async for row in query:
        part = _checked(row, before)
        before = part
        yield part


def _checked(row: asyncpg.Record, before: JournalPart | None) -> JournalPart:
    """One segment; raises InvariantBroken unless it is whole and follows `before`."""
    name = f"events {row['first_seq']} to {row['last_seq']} of engine_journal"
    try:
        events = tuple(events_of(row["payload"]))
    except InvariantBroken as error:
        raise InvariantBroken(f"{name}: {error}") from error
    if len(events) != row["events"] or len(events) != row["last_seq"] - row["first_seq"] + 1:
        raise InvariantBroken(f"{name}: {len(events)} of {row['events']} are there.")
    if chain_over(row["prev_hash"], events) != row["hash"]:
        raise InvariantBroken(f"{name} do not have the hash they were written with.")
    if before is not None and before.hash != row["prev_hash"]:
        raise InvariantBroken(f"{name} do not follow event {before.last_seq}.")
    if row["first_seq"] == 1 and row["prev_hash"] != GENESIS:
        raise InvariantBroken(f"{name} do not begin the chain.")
    return JournalPart(
        first_seq=row["first_seq"],
        last_seq=row["last_seq"],
        at=row["at"],
        at_to=row["at_to"],
        epoch=row["epoch"],
        events=events,
        hash=row["hash"],
    )


async def verify_journal(dsn: str, *, newest: int | None = None) -> JournalEnd:
    """Read and check all of it, or its `newest` events, plus the rest of their first segment.

    Raises InvariantBroken at the first thing that is wrong.
    """
    segments = events = last_seq = 0
    chain = b""
    after_seq = 0 if newest is None else await _end(dsn) - newest
    async for part in read_journal(dsn, after_seq=after_seq):
        segments += 1
        events += len(part.events)
        last_seq, chain = part.last_seq, part.hash
    return JournalEnd(segments=segments, events=events, last_seq=last_seq, chain=chain)


async def _end(dsn: str) -> int:
    async with _session(dsn) as connection:
        row = await connection.fetchrow(named("recover_journal_end"))
    return 0 if row is None else int(row["last_seq"])


def _session(dsn: str) -> AbstractAsyncContextManager[RawConnection]:
    return session(
        dsn,
        application="simple-trader journal",
        doing="the journal could not be read",
        settings=LONG_PATIENCE,
    )
