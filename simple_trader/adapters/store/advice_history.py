"""What a start must know of the advice before it: what it cost lately, and who really answered."""

from simple_trader.adapters.store.db_manager import READER_PATIENCE, session
from simple_trader.adapters.store.named_sql import named
from simple_trader.ports.minds import AdviceHistory, Spent

_DOING = "what advice has cost could not be read from the database"


async def read_advice_history(dsn: str) -> AdviceHistory:
    """Read it from calls and decisions; the schema must be there. Raises StoreError."""
    async with session(
        dsn, application="simple-trader advice", doing=_DOING, settings=READER_PATIENCE
    ) as connection:
        spent = await connection.fetch(named("advice_spent"))
        cut_off = await connection.fetch(named("advice_cut_off"))
        answered = await connection.fetch(named("advice_named"))
    return AdviceHistory(
        spent=tuple(
            Spent(age_s=max(row["age_s"], 0.0), tokens=row["tokens"], usd=row["usd"])
            for row in spent
        ),
        cut_off=tuple(max(row["age_s"], 0.0) for row in cut_off),
        named={(row["provider"], row["asked"]): row["model"] for row in answered},
    )
