"""A rate counter has one row, which shows its last value and when that was."""

from datetime import UTC, datetime

from simple_trader.adapters.store.counters import write_counter
from simple_trader.adapters.store.db_manager import connect

AT = datetime(2026, 3, 2, tzinfo=UTC)


async def test_a_counter_has_one_row_with_its_last_value(database: str) -> None:
    await write_counter(database, "kraken rest", 3.0, AT)
    await write_counter(database, "kraken rest", 12.5, AT)
    connection = await connect(database, application="test")
    try:
        rows = await connection.fetch("SELECT name, value, at FROM rate_counters")
    finally:
        await connection.close()
    assert [tuple(row) for row in rows] == [("kraken rest", 12.5, AT)]
