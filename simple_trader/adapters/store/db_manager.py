"""The database as a whole: connections with readable errors, schema upgrade, the world it holds."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg
import msgspec

from simple_trader.adapters.store.dsn import describe_dsn, normalise_dsn
from simple_trader.adapters.store.schema_check import PARTS, refuse_gaps
from simple_trader.assets import asset_path
from simple_trader.domain.errors import (
    SchemaError,
    StoreError,
    StoreSetupError,
    WorldMismatch,
)

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection
    from sqlalchemy.ext.asyncio import AsyncEngine

RawConnection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

OLDEST_MAJOR = 15
LOCK_SPACE = 21332  # "ST": the first half of our advisory locks
WRITER_LOCK = 1
SCHEMA_LOCK = 2
READ_TIMEOUT_S = 15.0
_CLOSE_WITHIN_S = 2.0

# How long the server lets a session work on one statement, wait for one lock, and sit in an open
# transaction (milliseconds; faults D05, D09). No session of ours is without an end to each.
PATIENCE: Mapping[str, str] = {
    "statement_timeout": "30000",
    "lock_timeout": "5000",
    "idle_in_transaction_session_timeout": "60000",
}
# What people look at gives way first: it stands behind a lock for a second, then says so.
READER_PATIENCE: Mapping[str, str] = {
    "statement_timeout": str(int(READ_TIMEOUT_S * 1000)),
    "lock_timeout": "1000",
    "idle_in_transaction_session_timeout": "30000",
    "default_transaction_read_only": "on",
}
# Work that is rightly long and in nobody's way: schema, backfills, a walk over the journal.
LONG_PATIENCE: Mapping[str, str] = {
    "statement_timeout": "600000",
    "lock_timeout": "600000",
    "idle_in_transaction_session_timeout": "600000",
}

# A server killed under asyncpg answers in many ways; all of them mean "connection lost".
CONNECTION_LOST: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.DatabaseDroppedError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TooManyConnectionsError,
)

# No answer that can be used: the connection is gone, or the server refused.
FAILED: tuple[type[Exception], ...] = (*CONNECTION_LOST, asyncpg.PostgresError)
_UNREACHABLE: tuple[type[Exception], ...] = (*FAILED, ValueError)


class World(msgspec.Struct, frozen=True, kw_only=True):
    """What a database is about: mode, identity of account or replay, and the same for people."""

    mode: str
    identity: str
    detail: str
    at: datetime


async def connect(
    dsn: str,
    *,
    application: str = "simple-trader",
    settings: Mapping[str, str] | None = None,
    timeout_s: float = 10.0,
) -> RawConnection:
    """Open a connection; raises StoreSetupError with one sentence that names the fix.

    What is committed is on disk, whatever the server's default, and PATIENCE bounds what the
    session may wait for; `settings` may say otherwise.
    """
    place = describe_dsn(dsn)
    server_settings = {
        "application_name": application,
        "timezone": "UTC",
        "synchronous_commit": "on",
        **PATIENCE,
        **(settings or {}),
    }
    try:
        connection = await asyncpg.connect(
            normalise_dsn(dsn), timeout=timeout_s, server_settings=server_settings
        )
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError):
        raise StoreSetupError(
            f"the database at {place} refused the user or the password: correct POSTGRES_DSN."
        ) from None
    except asyncpg.InvalidCatalogNameError:
        raise StoreSetupError(
            f"there is no database at {place}: create it with createdb, or correct POSTGRES_DSN."
        ) from None
    except asyncpg.ProtocolViolationError as error:
        raise StoreSetupError(
            f"what answers at {place} takes no settings for a session ({error}): it is a "
            "connection pooler, let POSTGRES_DSN name PostgreSQL itself."
        ) from error
    except asyncpg.TooManyConnectionsError as error:
        raise StoreSetupError(f"the database at {place} takes no more connections.") from error
    except _UNREACHABLE as error:
        why = str(error) or type(error).__name__
        raise StoreSetupError(
            f"the database at {place} cannot be reached ({why}): start it, or correct POSTGRES_DSN."
        ) from error
    version = connection.get_server_version()
    if version.major < OLDEST_MAJOR:
        await connection.close()
        raise StoreSetupError(
            f"the database at {place} is PostgreSQL {version.major}: "
            f"{OLDEST_MAJOR} or newer is needed."
        )
    return connection


@asynccontextmanager
async def session(
    dsn: str, *, application: str, doing: str, settings: Mapping[str, str] | None = None
) -> AsyncIterator[RawConnection]:
    """A connection for one piece of work, closed whatever becomes of it (D07).

    A failure of the database is a StoreError that begins with `doing`.
    """
    connection = await connect(dsn, application=application, settings=settings)
    try:
        yield connection
    except FAILED as error:
        why = str(error) or type(error).__name__
        raise StoreError(f"{doing}: {why}.") from error
    finally:
        await end(connection)


async def end(connection: RawConnection) -> None:
    """Say goodbye for at most two seconds, else hang up; a cancelled caller leaves nothing open."""
    try:
        async with asyncio.timeout(_CLOSE_WITHIN_S):
            await connection.close()
    except FAILED:
        pass  # it is gone, which is all that was wanted
    finally:
        if not connection.is_closed():
            connection.terminate()


def open_reader(dsn: str, *, timeout_s: float = READ_TIMEOUT_S) -> "AsyncEngine":
    """The pool for reading (web, reports): at most four sessions, statements limited in time.

    The lanes have sessions of their own: who empties this pool waits here, and only here (D06).
    The caller disposes of it.
    """
    from sqlalchemy.ext.asyncio import create_async_engine

    settings = {**READER_PATIENCE, "statement_timeout": str(int(timeout_s * 1000))}

    async def open_one() -> RawConnection:
        return await connect(dsn, application="simple-trader reader", settings=settings)

    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=open_one,
        pool_size=2,
        max_overflow=2,
        pool_timeout=timeout_s,
        pool_pre_ping=True,
    )


async def upgrade(dsn: str) -> str:
    """Bring the schema to this version, one process at a time; returns the revision.

    Raises SchemaError when the schema is newer than the code or not what it says it is,
    StoreSetupError when there is no connection, StoreError when the database refuses.
    """
    if await schema_revision(dsn) == _newest_by_name():
        await check_schema(dsn)  # without Alembic: a start after a kill must be quick
        return _newest_by_name()
    from sqlalchemy import NullPool, text
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.ext.asyncio import create_async_engine

    refused: tuple[type[Exception], ...] = (SQLAlchemyError, *FAILED)

    async def open_one() -> RawConnection:
        return await connect(dsn, application="simple-trader schema", settings=LONG_PATIENCE)

    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=open_one, poolclass=NullPool
    )
    try:
        async with engine.connect() as connection:
            lock = text("SELECT pg_advisory_lock(:space, :name)")
            await connection.execute(lock, {"space": LOCK_SPACE, "name": SCHEMA_LOCK})
            await connection.commit()
            revision = await connection.run_sync(_migrate)
            refuse_gaps({tuple(row) for row in await connection.execute(text(PARTS))})
            await connection.commit()
            return revision
    except refused as error:
        why = str(error).partition("\n")[0]
        raise StoreError(f"the schema could not be brought up ({why}).") from error
    finally:
        await engine.dispose()


async def schema_revision(dsn: str) -> str | None:
    """The revision of the schema in the database; None where there is none yet."""
    doing = "the schema could not be looked at"
    async with session(dsn, application="simple-trader look", doing=doing) as connection:
        if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
            return None
        found: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
        return found


async def check_schema(dsn: str) -> None:
    """Raise SchemaError unless the schema is exactly the one of this version (for readers)."""
    found = await schema_revision(dsn)
    newest = _newest_by_name()
    if found is None:
        raise SchemaError(
            "the database has no tables of Simple Trader yet: run `simple-trader db upgrade`."
        )
    if found != newest:
        _refuse_newer(found)
        raise SchemaError(
            f"the database schema is version {found}, this program needs {newest}: "
            "run `simple-trader db upgrade`."
        )
    doing = "the schema could not be looked at"
    async with session(dsn, application="simple-trader look", doing=doing) as connection:
        refuse_gaps({tuple(row) for row in await connection.fetch(PARTS)})


def newest_revision() -> str:
    """The revision this code brings."""
    return str(_scripts().get_current_head())


def _newest_by_name() -> str:
    """The same by the names of the files, `<revision>_<what>.py`: Alembic takes half a second."""
    versions = (asset_path("migrations") / "versions").glob("*_*.py")
    return max(path.name.partition("_")[0] for path in versions)


def _scripts() -> Any:
    script = import_module("alembic.script")
    return script.ScriptDirectory(str(asset_path("migrations")))


def _refuse_newer(found: str) -> None:
    known = {one.revision for one in _scripts().walk_revisions()}
    if found not in known:
        raise SchemaError(
            f"the database schema is version {found}, newer than this program knows "
            f"({newest_revision()}): install the newer Simple Trader, or name another --state-dir."
        )


def _migrate(connection: "Connection") -> str:
    """Run Alembic on an open connection."""
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext

    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None:
        _refuse_newer(found)
    newest = newest_revision()
    if found == newest:
        return newest
    config = Config()
    config.set_main_option("script_location", str(asset_path("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return newest


async def read_world(dsn: str) -> World | None:
    """The world this database holds; None while it holds none."""
    doing = "the world could not be read"
    async with session(dsn, application="simple-trader look", doing=doing) as connection:
        row = await connection.fetchrow("SELECT mode, identity, detail, at FROM world")
        return None if row is None else World(**dict(row))


async def check_world(dsn: str, *, mode: str, identity: str, detail: str, at: datetime) -> World:
    """Make the database this world's, or refuse when it is another's.

    `identity` is the fingerprint of the account (live, paper) or seed and replay hash (sim);
    `detail` says the same for people; `at` is the market time at the first start. Raises
    WorldMismatch.
    """
    doing = "the world could not be settled"
    async with session(dsn, application="simple-trader world", doing=doing) as connection:
        await connection.execute(
            "INSERT INTO world (mode, identity, detail, at) VALUES ($1, $2, $3, $4) "
            "ON CONFLICT DO NOTHING",
            mode,
            identity,
            detail,
            at,
        )
        row = await connection.fetchrow("SELECT mode, identity, detail, at FROM world")
    if row is None:
        raise StoreError("table world has no row although one was just written.")
    found = World(**dict(row))
    if (found.mode, found.identity) == (mode, identity):
        return found
    remedy = (
        "name another --state-dir"
        if mode == "live"
        else ("name another --state-dir, or start with --fresh")
    )
    raise WorldMismatch(
        f"this database holds another world ({found.mode}, {found.detail}) than the one asked for "
        f"({mode}, {detail}): {remedy}."
    )
