"""The ledger lane's one session: lock, fence and transactions, with what a loss leaves unknown."""

import asyncio
import logging
import select
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime
from operator import attrgetter
from typing import Protocol

import asyncpg

from simple_trader.adapters.store import statements as sql
from simple_trader.adapters.store.db_manager import (
    CONNECTION_LOST,
    FAILED,
    LOCK_SPACE,
    WRITER_LOCK,
    RawConnection,
    connect,
)
from simple_trader.adapters.store.journal import Segment
from simple_trader.adapters.store.pooler import (
    POOLER_SENTENCE,
    PREPARED_LOST,
    STRANGE,
    refuse_pooler,
)
from simple_trader.adapters.store.rows import runs_of
from simple_trader.domain.errors import InvariantBroken, LockHeld, StoreSetupError
from simple_trader.ports import Batch

_log = logging.getLogger("simple_trader.store")
_APPLICATION = "simple-trader ledger"
_ANSWER_WITHIN_S = 30.0
_STEP_S = 0.05
# asyncpg has no public word for it.
_TRANSPORT: Callable[[RawConnection], asyncio.BaseTransport] = attrgetter("_transport")
_CLOSED = getattr(select, "POLLRDHUP", 0)  # where it is missing, POLLHUP alone is told: later

# The transaction was undone by a passing trouble: the same rows may be written again.
_PASSING: tuple[type[Exception], ...] = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
)
# A plan made stale by DDL needs a new session too: codecs are cached per session. And one that may
# only read was begun while the server took no writes: it would never learn that this is over.
_SESSION_GONE: tuple[type[Exception], ...] = (
    *CONNECTION_LOST,
    asyncpg.exceptions.InvalidCachedStatementError,
    asyncpg.ReadOnlySQLTransactionError,
)


class ConnectionLost(Exception):
    """The session is gone and the transaction with it: COMMIT had not been sent."""


class CommitUnknown(Exception):
    """COMMIT was sent and no answer came: `xid` says which transaction to ask about."""

    def __init__(self, xid: str) -> None:
        """Keep the id of the transaction."""
        super().__init__(f"the outcome of transaction {xid} is unknown")
        self.xid = xid


class StoreBusy(Exception):
    """The transaction was undone by a passing trouble (disk full, time-out, deadlock)."""


class LedgerConnection(Protocol):
    """What the lane needs of a database: small, so that simulation can stand behind it."""

    @property
    def connected(self) -> bool:
        """Whether session and lock were held at the last look."""
        ...

    async def connect(self, epoch: int | None) -> None:
        """Open the session, end an own old one, take the lock, check the epoch (None: any).

        Raises StoreSetupError when the server is not there, LockHeld when another daemon is.
        """
        ...

    async def write(self, epoch: int, segment: Segment, batches: Sequence[Batch]) -> None:
        """Write and commit everything or nothing.

        Raises ConnectionLost, CommitUnknown, StoreBusy, LockHeld or InvariantBroken.
        """
        ...

    async def check(self, epoch: int) -> None:
        """Look whether session and epoch are still ours; raises ConnectionLost or LockHeld."""
        ...

    async def xact_status(self, xid: str) -> str | None:
        """`committed`, `aborted`, `in progress`, or None where the server cannot tell."""
        ...

    async def has_seq(self, seq: int) -> bool:
        """Whether the journal holds event `seq`."""
        ...

    async def close(self) -> None:
        """Release the lock and end the session; never raises."""
        ...

    def abort(self) -> None:
        """Drop the session at once."""
        ...


EnsureServer = Callable[[], Awaitable[None]]


async def server_is_elsewhere() -> None:
    """The `ensure_server` of a database that others run: nothing to start."""


class AsyncpgLedgerConnection:
    """LedgerConnection over one raw asyncpg session; the advisory lock lives on it."""

    def __init__(
        self,
        dsn: str,
        *,
        ensure_server: EnsureServer = server_is_elsewhere,
        lock_wait_s: float = 5.0,
        answer_within_s: float = _ANSWER_WITHIN_S,
    ) -> None:
        """`ensure_server` starts an embedded server again; `lock_wait_s` outlives a dying backend.

        A server that says nothing for `answer_within_s` counts as gone. The connection is opened
        by `connect`.
        """
        self._answer_within_s = answer_within_s
        self._dsn = dsn
        self._ensure_server = ensure_server
        self._lock_wait_s = lock_wait_s
        self._session: RawConnection | None = None
        self._self: tuple[int, datetime] | None = None
        self._days: set[date] = set()

    @property
    def connected(self) -> bool:
        """Whether session and lock are held, as far as anything that reached this machine says.

        The event loop may not have read yet that the session ended: between two awaits another
        daemon could take the lock, so the socket itself is asked (I-26).
        """
        session = self._session
        return session is not None and not session.is_closed() and not _hung_up(session)

    async def connect(self, epoch: int | None) -> None:
        """Open the session and take the lock; see LedgerConnection.connect."""
        self.abort()
        await self._ensure_server()
        session = await connect(self._dsn, application=_APPLICATION)
        kept = False
        try:
            async with asyncio.timeout(self._answer_within_s + self._lock_wait_s):
                row = await session.fetchrow(sql.WHO_AM_I)
                if row is None or row["pid"] != session.get_server_pid():
                    await refuse_pooler(self._dsn)
                await self._end_old_backend(session)
                await self._take_lock(session)
                await self._check_epoch(session, epoch)
            kept = True
        except STRANGE as error:
            raise StoreSetupError(POOLER_SENTENCE.format(why=PREPARED_LOST)) from error
        except FAILED as error:
            why = str(error) or type(error).__name__
            raise StoreSetupError(f"the database went away while connecting: {why}.") from error
        finally:
            if not kept:
                session.terminate()
        self._self = None if row is None else (row["pid"], row["backend_start"])
        self._days.clear()
        self._session = session

    async def _end_old_backend(self, session: RawConnection) -> None:
        """End the backend of our lost session, so that its transaction has a fate."""
        if self._self is not None:
            await session.fetch(sql.END_OLD_BACKEND, *self._self)

    async def _take_lock(self, session: RawConnection) -> None:
        """Take the writer's lock; raises LockHeld when another daemon's session keeps it.

        Our own old session may live on where its process stands still: that is an outage of the
        database, which ends no daemon.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._lock_wait_s
        while not await session.fetchval(sql.TRY_LOCK, LOCK_SPACE, WRITER_LOCK):
            if loop.time() >= deadline:
                holder = await session.fetchrow(sql.LOCK_HOLDER, LOCK_SPACE, WRITER_LOCK)
                if holder is not None and self._self is not None and holder["pid"] == self._self[0]:
                    raise StoreSetupError(
                        f"the database has not ended our old session {holder['pid']} yet."
                    )
                who = "" if holder is None else f" (its database session is {holder['pid']})"
                raise LockHeld(
                    f"another daemon already trades on this database{who}: stop it first, "
                    "or name another --state-dir."
                )
            await asyncio.sleep(_STEP_S)

    async def _check_epoch(self, session: RawConnection, epoch: int | None) -> None:
        if epoch is None:
            return
        row = await session.fetchrow(sql.READ_EPOCH)
        if row is None or row["epoch"] != epoch:
            raise LockHeld(
                f"another daemon took over this database (epoch {row and row['epoch']} after "
                f"{epoch}): this one stops."
            )

    async def write(self, epoch: int, segment: Segment, batches: Sequence[Batch]) -> None:
        """One transaction: fence, rows, journal segment, COMMIT."""
        session = self._open_session()
        try:
            # The server ends a statement by itself; this ends the wait for a server that is mute.
            async with asyncio.timeout(self._answer_within_s + _STEP_S):
                xid = await self._fill_transaction(session, epoch, segment, batches)
        except _SESSION_GONE as error:
            self.abort()
            raise ConnectionLost(str(error) or type(error).__name__) from error
        except _PASSING as error:
            await self._undo(session)
            raise StoreBusy(str(error)) from error
        except asyncpg.PostgresError as error:
            await self._undo(session)
            raise InvariantBroken(
                f"the database refused a row of events {segment.first_seq} to "
                f"{segment.last_seq}: {error}."
            ) from error
        try:
            async with asyncio.timeout(self._answer_within_s):
                done = await session.execute("COMMIT")
        except FAILED as error:
            self.abort()
            raise CommitUnknown(xid) from error
        if done != "COMMIT":
            raise StoreBusy(f"the database answered {done} to COMMIT")

    async def _fill_transaction(
        self, session: RawConnection, epoch: int, segment: Segment, batches: Sequence[Batch]
    ) -> str:
        """Everything before COMMIT; returns the id of the transaction."""
        await self._ensure_day(session, segment.at)
        await session.execute("BEGIN")
        xid: str | None = await session.fetchval(
            sql.FENCE, epoch, segment.prev_seq, segment.last_seq
        )
        if xid is None:
            await session.execute("ROLLBACK")
            await self._check_epoch(session, epoch)
            raise InvariantBroken(
                f"the journal does not end at event {segment.prev_seq}: someone else wrote to it."
            )
        for statement, rows in runs_of((batch.at, batch.records) for batch in batches):
            if statement.one_row:
                hit = await session.fetchmany(statement.sql, rows)
                if len(hit) != len(rows):
                    await session.execute("ROLLBACK")
                    raise InvariantBroken(
                        f"{len(rows) - len(hit)} of {len(rows)} changes found no row in "
                        f"{statement.table} (events {segment.first_seq} to {segment.last_seq})."
                    )
            else:
                await session.executemany(statement.sql, rows)
        await session.execute(
            sql.INSERT_SEGMENT,
            segment.last_seq,
            segment.first_seq,
            segment.at,
            segment.at_to,
            segment.events,
            epoch,
            segment.payload,
            segment.prev_hash,
            segment.hash,
        )
        return xid

    async def _ensure_day(self, session: RawConnection, at: datetime) -> None:
        """Make the journal's partition of the day, outside the transaction; cached."""
        day = at.astimezone(UTC).date()
        if day not in self._days:
            await session.execute(sql.ENSURE_PARTITION, "engine_journal", day)
            self._days.add(day)

    async def _undo(self, session: RawConnection) -> None:
        try:
            async with asyncio.timeout(self._answer_within_s):
                await session.execute("ROLLBACK")
        except FAILED:
            self.abort()  # the next write finds the session gone and connects again

    async def check(self, epoch: int) -> None:
        """Look at the epoch row; a silent or dead server is a lost connection."""
        session = self._open_session()
        try:
            async with asyncio.timeout(self._answer_within_s):
                await self._check_epoch(session, epoch)
        except FAILED as error:
            self.abort()
            raise ConnectionLost(str(error) or type(error).__name__) from error

    async def xact_status(self, xid: str) -> str | None:
        """The server's word on a transaction; None where it knows nothing of it."""
        session = self._open_session()
        try:
            async with asyncio.timeout(self._answer_within_s):
                status: str | None = await session.fetchval(sql.XACT_STATUS, xid)
        except CONNECTION_LOST as error:
            self.abort()
            raise ConnectionLost(str(error) or type(error).__name__) from error
        except asyncpg.PostgresError as error:
            # "in the future": the crash took the number with it.
            _log.info("transaction %s is not known after the restart: %s", xid, error)
            return None
        return status

    async def has_seq(self, seq: int) -> bool:
        """Whether a segment of the journal reaches event `seq`."""
        session = self._open_session()
        try:
            async with asyncio.timeout(self._answer_within_s):
                return bool(await session.fetchval(sql.HAS_SEQ, seq))
        except FAILED as error:
            self.abort()
            raise ConnectionLost(str(error) or type(error).__name__) from error

    async def close(self) -> None:
        """Release the lock and end the session."""
        session, self._session = self._session, None
        if session is None or session.is_closed():
            return
        try:
            async with asyncio.timeout(5.0):
                await session.execute(sql.UNLOCK, LOCK_SPACE, WRITER_LOCK)
                await session.close()
        except FAILED as error:
            _log.info("the ledger session ended roughly: %s", error)
            session.terminate()

    def abort(self) -> None:
        """Drop the session at once; the server releases the lock."""
        session, self._session = self._session, None
        if session is not None:
            session.terminate()

    def _open_session(self) -> RawConnection:
        if self._session is None or self._session.is_closed():
            self._session = None
            raise ConnectionLost("the ledger session is not open")
        return self._session


def _hung_up(session: RawConnection) -> bool:
    """Whether the server has closed its end, read or not; one system call, no await."""
    socket = _TRANSPORT(session).get_extra_info("socket")
    if socket is None or socket.fileno() < 0:
        return True
    look = select.poll()
    look.register(socket.fileno(), _CLOSED)
    return bool(look.poll(0))
