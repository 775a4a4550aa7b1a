"""Reads the journal back: its events in order, with the hash chain checked on the way."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import msgspec

from simple_trader.adapters.store.db_manager import LONG_PATIENCE, RawConnection, session
from simple_trader.adapters.store.journal import chain_over, events_of
from simple_trader.adapters.store.named_sql import named
from simple_trader.domain.errors import InvariantBroken


class JournalEnd(msgspec.Struct, frozen=True, kw_only=True):
    """What a whole reading found: segments, events, the last number and the hash after it."""

    segments: int
    events: int
    last_seq: int
    chain: bytes


class JournalPart(msgspec.Struct, frozen=True, kw_only=True):
    """One segment, read and checked: its numbers and its events as JSON."""

    first_seq: int
    last_seq: int
    events: tuple[bytes, ...]
    hash: bytes


async def read_journal(dsn: str, *, after_seq: int = 0) -> AsyncIterator[JournalPart]:
    """Segments that hold events after `after_seq`, in order, each checked against the chain.

    Days that retention dropped are missing at the beginning only. Raises InvariantBroken when a
    segment is damaged, missing or out of line.
    """
    before: JournalPart | None = None
    async with _session(dsn) as connection, connection.transaction(readonly=True):
        async for row in connection.cursor(named("journal_segments"), after_seq, prefetch=20):
            events = tuple(events_of(row["payload"]))
            part = JournalPart(
                first_seq=row["first_seq"],
                last_seq=row["last_seq"],
                events=events,
                hash=row["hash"],
            )
            name = f"events {part.first_seq} to {part.last_seq} of engine_journal"
            if len(events) != row["events"]:
                raise InvariantBroken(f"{name}: {len(events)} of {row['events']} are there.")
            if chain_over(row["prev_hash"], events) != part.hash:
                raise InvariantBroken(f"{name} do not have the hash they were written with.")
            if before is not None and before.hash != row["prev_hash"]:
                raise InvariantBroken(f"{name} do not follow event {before.last_seq}.")
            before = part
            yield part


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
