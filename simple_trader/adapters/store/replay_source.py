"""What a replay reads: the journal's ends, states of the engine, where a decision stands."""

import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import msgspec

from simple_trader.adapters.store.db_manager import LONG_PATIENCE, RawConnection, session
from simple_trader.adapters.store.journal_reader import JournalPart, parts_of
from simple_trader.adapters.store.named_sql import named
from simple_trader.adapters.store.replayed_rows import ReplayedRows
from simple_trader.domain.errors import InvariantBroken


class JournalEnds(msgspec.Struct, frozen=True, kw_only=True):
    """The journal that is there; `committed_seq` is the last event that was ever committed."""

    first_seq: int
    last_seq: int
    first_at: datetime
    last_at: datetime
    committed_seq: int


class StateAt(msgspec.Struct, frozen=True, kw_only=True):
    """A kept state of the engine: the last event it holds, and why and when it was taken."""

    id: int
    seq: int
    why: str
    at: datetime


class Moments(msgspec.Struct, frozen=True, kw_only=True):
    """Where a decision stands: its cycle, from what was shown to what was decided."""

    cycles: frozenset[str]
    since: datetime
    until: datetime


class ReplaySource:
    """All reads of one replay, on one snapshot of the database: a daemon may go on writing."""

    def __init__(self, connection: RawConnection) -> None:
        """`connection` is inside a transaction that is repeatable."""
        self.connection = connection

    async def has_journal(self) -> bool:
        """Whether there is a world under the name that was asked for."""
        found = await self.connection.fetchval("SELECT to_regclass('engine_journal') IS NOT NULL")
        return bool(found)

    async def worlds_aside(self) -> tuple[str, ...]:
        """Names of the worlds that `--fresh` has moved aside."""
        rows = await self.connection.fetch(named("replay_worlds"))
        return tuple(row["name"] for row in rows)

    async def ends(self) -> JournalEnds | None:
        """The ends of the journal; None when it is empty. Raises InvariantBroken if cut off."""
        row = await self.connection.fetchrow(named("replay_journal"))
        if row is None or row["first_seq"] is None:
            return None
        found = msgspec.convert(dict(row), JournalEnds)
        if found.last_seq != found.committed_seq:
            raise InvariantBroken(
                f"the journal ends at event {found.last_seq}, but event {found.committed_seq} "
                "was committed: rows of engine_journal are missing, restore a backup."
            )
        return found

    async def events_at(self, since: datetime, until: datetime) -> tuple[int, int] | None:
        """First and last event of the segments that reach into these market times, both ends
        included; None where there are none.
        """
        row = await self.connection.fetchrow(named("replay_segments_at"), since, until)
        if row is None or row["first_seq"] is None:
            return None
        return int(row["first_seq"]), int(row["last_seq"])

    async def moments_of(self, name: str) -> Moments | None:
        """Market times of a decision, cycle, call or order; None where there is no such id."""
        row = await self.connection.fetchrow(named("replay_decision"), name)
        if row is None or row["since"] is None:
            return None
        cycles = frozenset(row["cycles"] or ())
        return Moments(cycles=cycles, since=row["since"], until=row["until"])

    async def states(self, since_seq: int, until_seq: int) -> list[StateAt]:
        """Kept states whose last event is in [since_seq, until_seq], in order."""
        rows = await self.connection.fetch(named("replay_snapshots"), since_seq, until_seq)
        return [msgspec.convert(dict(row), StateAt) for row in rows]

    async def state(self, kept: StateAt) -> bytes:
        """The bytes of a kept state; raises InvariantBroken when they are damaged."""
        packed = await self.connection.fetchval(
            "SELECT state FROM engine_snapshots WHERE id = $1", kept.id
        )
        try:
            return zlib.decompress(packed)
        except zlib.error as error:
            raise InvariantBroken(
                f"row {kept.id} of engine_snapshots ({kept.why}, event {kept.seq}) cannot be "
                f"read: {error}."
            ) from error

    async def texts(self, config_hash: str) -> dict[str, str]:
        """Templates and tool schemas of a version, by name; empty for a version nobody kept.

        Raises InvariantBroken when they are damaged.
        """
        found = await self.connection.fetchval(
            "SELECT texts FROM config_versions WHERE config_hash = $1", config_hash
        )
        try:
            return {} if found is None else msgspec.json.decode(found, type=dict[str, str])
        except msgspec.MsgspecError as error:
            raise InvariantBroken(
                f"texts of {config_hash} in config_versions cannot be read: {error}"
            ) from error

    def parts(self, after_seq: int, until_seq: int) -> AsyncIterator[JournalPart]:
        """Segments from after one event to another, each checked against the hash chain."""
        return parts_of(self.connection, after_seq=after_seq, until_seq=until_seq)

    def rows(self, *, since: datetime, from_beginning: bool) -> ReplayedRows:
        """A comparison of rows that begins after market time `since`."""
        return ReplayedRows(self.connection, since=since, from_beginning=from_beginning)


@asynccontextmanager
async def replay_source(dsn: str, world: str = "") -> AsyncIterator[ReplaySource]:
    """The reads of one replay, of the world in use or of one that was moved aside; raises
    StoreError when the database fails.
    """
    async with (
        session(
            dsn,
            application="simple-trader replay",
            doing="the journal could not be replayed",
            settings={**LONG_PATIENCE, "search_path": world or "public"},
        ) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield ReplaySource(connection)
