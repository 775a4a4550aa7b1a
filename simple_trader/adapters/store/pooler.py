"""Finds a connection pooler between us and PostgreSQL, and whether it changes sessions under us.

The writer's lock, prepared statements and time-outs live on one session of the server. A pooler in
transaction mode hands each transaction to whichever session is free: the lock then stays behind on
a session that somebody else uses next, and two daemons could hold it (I-26).
"""

import asyncio
from contextlib import AsyncExitStack

import asyncpg

from simple_trader.adapters.store.db_manager import (
    LOCK_SPACE,
    RawConnection,
    connect,
    end,
)
from simple_trader.domain.errors import StoreError, StoreSetupError

POOLER_SENTENCE = (
    "a connection pooler in transaction mode stands before the database ({why}), and the writer's "
    "lock does not hold through it: let POSTGRES_DSN name PostgreSQL itself, or a pool in session "
    "mode."
)
PREPARED_LOST = "a prepared statement was lost"
_PROBE_WITHIN_S = 20.0
_PROBE_LOCK = 1_000_000  # plus the process of the session: two probes never want the same lock
_SESSIONS = 3
_ROUNDS = 4
_PID = "SELECT pg_backend_pid()"
_HOLDS = (
    "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted "
    "AND pid = pg_backend_pid() AND classid = $1::int AND objid = $2::int)"
)
# A statement that was prepared on another session is not known on this one, or known twice.
STRANGE: tuple[type[Exception], ...] = (
    asyncpg.InvalidSQLStatementNameError,
    asyncpg.DuplicatePreparedStatementError,
)


async def pooler_trouble(dsn: str) -> str | None:
    """Why sessions do not stay ours at `dsn`, in a few words; None where they do.

    A few sessions run transactions in turns, so that a pool has reason to exchange them. Raises
    StoreError when the database does not answer.
    """
    try:
        async with asyncio.timeout(_PROBE_WITHIN_S), AsyncExitStack() as stack:
            sessions = []
            for _ in range(_SESSIONS):
                one = await connect(dsn, application="simple-trader probe")
                stack.push_async_callback(end, one)
                sessions.append(one)
            return await _probe(sessions)
    except STRANGE:
        return PREPARED_LOST
    except TimeoutError as error:
        raise StoreError("the database did not answer to the probe for a pooler.") from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise StoreError(f"the probe for a pooler failed: {error}.") from error


async def refuse_pooler(dsn: str) -> None:
    """Raise StoreSetupError, in one sentence with the remedy, where sessions do not stay ours."""
    why = await pooler_trouble(dsn)
    if why is not None:
        raise StoreSetupError(POOLER_SENTENCE.format(why=why))


async def _probe(sessions: list[RawConnection]) -> str | None:
    first, *others = sessions
    prepared = await first.prepare("SELECT pg_backend_pid(), $1::int")
    home = await first.fetchval(_PID)
    name = _PROBE_LOCK + home
    if not await first.fetchval("SELECT pg_try_advisory_lock($1, $2)", LOCK_SPACE, name):
        return "a lock outlived its connection"
    moved = False
    for turn in range(_ROUNDS):
        # Whoever is in a transaction keeps its session: the next one must get another.
        blocker = others[turn % len(others)]
        transaction = blocker.transaction()
        await transaction.start()
        await blocker.fetchval(_PID)
        moved = moved or await first.fetchval(_PID) != home
        moved = moved or await prepared.fetchval(turn) != home
        lost = not await first.fetchval(_HOLDS, LOCK_SPACE, name)
        await transaction.rollback()
        if lost and not moved:
            return "a session lock was lost"
    if moved:
        return "one connection of ours was served by several sessions"
    await first.execute("SELECT pg_advisory_unlock($1, $2)", LOCK_SPACE, name)
    return None
