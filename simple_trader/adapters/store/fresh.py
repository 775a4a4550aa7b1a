"""A fresh start: the old world is moved aside, never deleted."""

import asyncpg

from simple_trader.adapters.store.db_manager import connect
from simple_trader.domain.errors import StoreSetupError


async def set_aside(dsn: str, stamp: str) -> str | None:
    """Rename schema `public` to `world_<stamp>` and make an empty one; None if there was no world.

    The old rows stay queryable there. Raises StoreSetupError when the user does not own the schema.
    """
    name = "world_" + stamp
    connection = await connect(dsn, application="simple-trader fresh")
    try:
        if await connection.fetchval("SELECT to_regclass('public.world')") is None:
            return None
        rename = await connection.fetchval(
            "SELECT format('ALTER SCHEMA public RENAME TO %I', $1::text)", name
        )
        async with connection.transaction():
            await connection.execute(rename)
            await connection.execute("CREATE SCHEMA public")
    except asyncpg.InsufficientPrivilegeError:
        raise StoreSetupError(
            "--fresh cannot move the old world aside: the database user does not own schema "
            "public; name an empty database in POSTGRES_DSN instead."
        ) from None
    finally:
        await connection.close()
    return name
