"""Retention: drops whole days of high-volume tables, counted from the newest moment of each table.

Never from the wall clock: a replay of 2013 must not be dropped on arrival. Orders, trades, lots,
ledgers, decisions and the audit log are never deleted; the database refuses it by itself.
"""

from collections.abc import Mapping
from datetime import timedelta

from simple_trader.adapters.store.db_manager import FAILED, connect
from simple_trader.domain.errors import StoreError

_MOMENT_OF = {"price_history": "ts", "order_book_metrics": "ts", "engine_journal": "at"}


async def cleanup(dsn: str, days: Mapping[str, int], *, dry_run: bool) -> list[str]:
    """Drop partitions that end `days[table]` days or more before the table's newest moment.

    Gives the names of the dropped partitions (with `dry_run`: of those that would be dropped),
    oldest first. Raises StoreError.
    """
    connection = await connect(dsn, application="simple-trader retention")
    gone: list[str] = []
    try:
        for table, column in _MOMENT_OF.items():
            newest = await connection.fetchval("SELECT newest_moment($1, $2)", table, column)
            if newest is None or table not in days:
                continue
            oldest_kept = (newest - timedelta(days=days[table])).date()
            for part in await connection.fetch("SELECT part, day FROM day_partitions($1)", table):
                if part["day"] >= oldest_kept:
                    break
                if not dry_run:
                    await connection.execute(
                        "SELECT drop_day_partition($1, $2)", table, part["day"]
                    )
                gone.append(part["part"])
    except FAILED as error:
        raise StoreError(f"old partitions could not be dropped: {error}.") from error
    finally:
        await connection.close()
    return gone
