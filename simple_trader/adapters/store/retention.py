"""Retention: drops whole days of high-volume tables, counted from the newest moment of each table.

Never from the wall clock: a replay of 2013 must not be dropped on arrival. Orders, trades, lots,
ledgers, decisions and the audit log are never deleted; the database refuses it by itself.
"""

import asyncio
from collections.abc import Mapping
from datetime import date, timedelta

import asyncpg

from simple_trader.adapters.store.db_manager import RawConnection, session
from simple_trader.adapters.store.named_sql import named

# A drop asks for a lock that stops the lane while it waits, so it waits 100 ms at most (in the
# function itself) and tries again, each time behind a pause: a dump may hold the table for long.
_TRIES, _PAUSE_S = 20, 0.5
_MOMENT_OF = {"price_history": "ts", "order_book_metrics": "ts", "engine_journal": "at"}


async def cleanup(dsn: str, days: Mapping[str, int], *, dry_run: bool) -> list[str]:
    """Drop partitions that end `days[table]` days or more before the table's newest moment.

    Gives the names of the dropped partitions (with `dry_run`: of those that would be dropped),
    oldest first. States of the engine that no event follows any more go too. Raises StoreError.
    """
    gone: list[str] = []
    async with session(
        dsn,
        application="simple-trader retention",
        doing="old partitions could not be dropped",
    ) as connection:
        for table, column in _MOMENT_OF.items():
            newest = await connection.fetchval("SELECT newest_moment($1, $2)", table, column)
            if newest is None or table not in days:
                continue
            oldest_kept = (newest - timedelta(days=days[table])).date()
            for part in await connection.fetch("SELECT part, day FROM day_partitions($1)", table):
                if part["day"] >= oldest_kept:
                    break
                if not dry_run:
                    await _drop(connection, table, part["day"])
                gone.append(part["part"])
        if not dry_run:
            await connection.execute(named("retention_states"))
    return gone


async def _drop(connection: RawConnection, table: str, day: date) -> None:
    for left in reversed(range(_TRIES)):
        try:
            await connection.execute("SELECT drop_day_partition($1, $2)", table, day)
        except asyncpg.LockNotAvailableError:
            if not left:
                raise
            await asyncio.sleep(_PAUSE_S)
        else:
            return
