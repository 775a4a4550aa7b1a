"""Rate counters as rows, for people who ask what is left of a budget."""

from datetime import datetime

from simple_trader.adapters.store.db_manager import FAILED, connect
from simple_trader.adapters.store.statements import UPSERT_RATE_COUNTER
from simple_trader.domain.errors import StoreError


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
