"""Rate counters as rows, for people who ask what is left of a budget."""

from datetime import datetime

from simple_trader.adapters.store.db_manager import session
from simple_trader.adapters.store.statements import UPSERT_RATE_COUNTER


async def write_counter(dsn: str, name: str, value: float, at: datetime) -> None:
    """Put a counter down; raises StoreError."""
    doing = f"the counter {name} could not be written"
    async with session(dsn, application="simple-trader counters", doing=doing) as connection:
        values = {"name": name, "value": value, "at": at}
        await connection.execute(UPSERT_RATE_COUNTER.sql, *UPSERT_RATE_COUNTER.arguments(values))
