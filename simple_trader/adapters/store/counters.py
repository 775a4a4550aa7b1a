"""Rate counters over restarts: an exchange goes on counting while the daemon is away."""

from datetime import datetime

from simple_trader.adapters.store.db_manager import FAILED, connect
from simple_trader.adapters.store.statements import UPSERT_RATE_COUNTER
from simple_trader.domain.errors import StoreError

_READ = (
    "SELECT value, extract(epoch FROM clock_timestamp() - recorded_at)::float8 AS age_s "
    "FROM rate_counters WHERE name = $1"
)


async def read_counter(dsn: str, name: str) -> tuple[float, float] | None:
    """Value of a counter as it was written, and how many real seconds ago; None if it never was."""
    connection = await connect(dsn, application="simple-trader counters")
    try:
        row = await connection.fetchrow(_READ, name)
    finally:
        await connection.close()
    return None if row is None else (row["value"], row["age_s"])


async def write_counter(dsn: str, name: str, value: float, at: datetime) -> None:
    """Put a counter down; raises StoreError."""
    connection = await connect(dsn, application="simple-trader counters")
    try:
        values = {"name": name, "value": value, "at": at}
        await connection.execute(UPSERT_RATE_COUNTER.sql, *UPSERT_RATE_COUNTER.arguments(values))
    except FAILED as error:
        raise StoreError(f"the counter {name} could not be written: {error}.") from error
    finally:
        await connection.close()
