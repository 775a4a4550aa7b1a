"""A rate counter goes on over a restart, with the time that passed meanwhile."""

from datetime import UTC, datetime

from simple_trader.adapters.store.counters import read_counter, write_counter

AT = datetime(2026, 3, 2, tzinfo=UTC)


async def test_a_counter_reads_back_with_its_age(database: str) -> None:
    assert await read_counter(database, "kraken rest") is None
    await write_counter(database, "kraken rest", 3.0, AT)
    await write_counter(database, "kraken rest", 12.5, AT)
    found = await read_counter(database, "kraken rest")
    assert found is not None
    value, age_s = found
    assert value == 12.5
    assert 0.0 <= age_s < 30.0, "the age is real time, not market time"
