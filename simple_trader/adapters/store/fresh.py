"""A fresh start: the old world is moved aside, never deleted."""

import asyncpg

from simple_trader.adapters.store.db_manager import (
    LOCK_SPACE,
    WRITER_LOCK,
    RawConnection,
    session,
)
from simple_trader.adapters.store.statements import LOCK_HOLDER, TRY_LOCK
from simple_trader.domain.errors import LockHeld, StoreSetupError


async def set_aside(dsn: str, stamp: str) -> str | None:
    """Rename schema `public` to `world_<stamp>` and make an empty one; None if there was no world.

    The old rows stay queryable there. Raises LockHeld while a daemon trades on the database, and
    StoreSetupError when the user does not own the schema.
    """
    name = "world_" + stamp
    doing = "the old world could not be moved aside"
    async with session(dsn, application="simple-trader fresh", doing=doing) as connection:
        if await connection.fetchval("SELECT to_regclass('public.world')") is None:
            return None
        await require_no_daemon(connection)
        try:
            async with connection.transaction():
                await connection.execute(await rename_schema(connection, "public", name))
                await connection.execute("CREATE SCHEMA public")
        except asyncpg.InsufficientPrivilegeError:
            raise StoreSetupError(
                "--fresh cannot move the old world aside: the database user does not own schema "
                "public; name an empty database in POSTGRES_DSN instead."
            ) from None
    return name


async def require_no_daemon(connection: RawConnection) -> None:
    """Take the writer's lock for the life of this session, or raise LockHeld."""
    if await connection.fetchval(TRY_LOCK, LOCK_SPACE, WRITER_LOCK):
        return
    holder = await connection.fetchrow(LOCK_HOLDER, LOCK_SPACE, WRITER_LOCK)
    who = "" if holder is None else f" (its database session is {holder['pid']})"
    raise LockHeld(f"a daemon trades on this database{who}: stop it first.")


async def rename_schema(connection: RawConnection, old: str, new: str) -> str:
    """The statement that renames a schema, its names quoted by the server."""
    sentence: str = await connection.fetchval(
        "SELECT format('ALTER SCHEMA %I RENAME TO %I', $1::text, $2::text)", old, new
    )
    return sentence
