"""Rows a second into price_history: our market lane beside the ways asyncpg and SQLAlchemy offer.

Run: make bench ARGS=rows. One embedded server, fsync on, the real table (a partition, an index),
the same quotes as the brain gives them (Decimals and aware moments), batches of 5,000, a commit
for each; in turn, round by round. A peer's rows are made from the records inside its time, as
ours are.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import asyncpg
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import create_async_engine

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from simple_trader.adapters.store.db_manager import upgrade
from simple_trader.adapters.store.embedded_postgres import EmbeddedPostgres
from simple_trader.adapters.store.market_lane import MarketLane
from simple_trader.adapters.store.tables import PRICE_HISTORY
from simple_trader.domain.records import PriceRow

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
BATCH = 5_000
COLUMNS = ("pair", "ts", "last", "bid", "ask", "volume", "vwap")
Way = Callable[[str, list[PriceRow]], Awaitable[None]]


def quotes(count: int) -> list[PriceRow]:
    """Quotes of three pairs, ten milliseconds apart."""
    return [
        PriceRow(
            pair=("BTC/USD", "ETH/USD", "SOL/USD")[number % 3],
            ts=BEGIN + timedelta(milliseconds=10 * number),
            last=Decimal(600_001 + number % 977).scaleb(-1),
            bid=Decimal(600_000 + number % 977).scaleb(-1),
            ask=Decimal(600_002 + number % 977).scaleb(-1),
            volume=Decimal("4216.61829370"),
            vwap=Decimal("60012.3"),
        )
        for number in range(count)
    ]


def _batches(rows: list[PriceRow]) -> list[list[PriceRow]]:
    return [rows[at : at + BATCH] for at in range(0, len(rows), BATCH)]


def _floats(row: PriceRow) -> tuple[object, ...]:
    return (
        row.pair, row.ts, float(row.last), float(row.bid), float(row.ask), float(row.volume),
        float(row.vwap),
    )  # fmt: skip


async def ours(dsn: str, rows: list[PriceRow]) -> None:
    """The daemon's market lane."""
    lane = MarketLane(dsn)
    running = asyncio.create_task(lane.run())
    for row in rows:
        lane.put(row)
    await lane.close()
    running.cancel()
    assert lane.written == len(rows), f"{lane.dropped} rows were dropped"


async def copy_records(dsn: str, rows: list[PriceRow]) -> None:
    """asyncpg, binary COPY of doubles."""
    connection = await asyncpg.connect(dsn)
    for batch in _batches(rows):
        await connection.copy_records_to_table(
            "price_history", records=map(_floats, batch), columns=COLUMNS
        )
    await connection.close()


async def executemany(dsn: str, rows: list[PriceRow]) -> None:
    """asyncpg, one prepared INSERT."""
    connection = await asyncpg.connect(dsn)
    for batch in _batches(rows):
        await connection.executemany(
            "INSERT INTO price_history VALUES ($1, $2, $3, $4, $5, $6, $7)", map(_floats, batch)
        )
    await connection.close()


async def sqlalchemy_core(dsn: str, rows: list[PriceRow]) -> None:
    """SQLAlchemy 2, async core insert."""
    engine = create_async_engine(dsn.replace("postgresql://", "postgresql+asyncpg://", 1))
    for batch in _batches(rows):
        values = [dict(zip(COLUMNS, _floats(row), strict=True)) for row in batch]
        async with engine.begin() as connection:
            await connection.execute(insert(PRICE_HISTORY), values)
    await engine.dispose()


WAYS: dict[str, tuple[Way, int]] = {  # a share of the rows for the slow ones
    "ours, market lane": (ours, 1),
    "asyncpg COPY of records": (copy_records, 1),
    "asyncpg executemany": (executemany, 4),
    "SQLAlchemy core insert": (sqlalchemy_core, 8),
}


async def measure(state_dir: Path, count: int, rounds: int) -> dict[str, list[float]]:
    """Rows a second of each way and round."""
    rows = quotes(count)
    rates: dict[str, list[float]] = {name: [] for name in WAYS}
    async with EmbeddedPostgres(state_dir) as server:
        await upgrade(server.dsn)
        control = await asyncpg.connect(server.dsn)
        for number in range(rounds + 1):  # the first round warms up and makes the partition
            for name, (way, share) in WAYS.items():
                part = rows[: count // share]
                began = time.perf_counter()
                await way(server.dsn, part)
                span = time.perf_counter() - began
                if number:
                    rates[name].append(len(part) / span)
                held = await control.fetchval("SELECT count(*) FROM price_history")
                assert held == len(part), f"{name} wrote {held} of {len(part)} rows"
                await control.execute("TRUNCATE price_history")
        await control.close()
    return rates


def main() -> int:
    """Print rates and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="st-") as folder:
        state_dir = Path(folder)
        state_dir.chmod(0o711)  # as root, the database server is somebody else
        rates = asyncio.run(measure(state_dir, chosen.rows, chosen.rounds))
    own = rates["ours, market lane"]
    print(f"{chosen.rows} rows, {chosen.rounds} rounds in turn")
    for name, found in rates.items():
        ratios = [mine / other for mine, other in zip(own, found, strict=True)]
        print(
            f"  {name:26} {max(found):9,.0f} rows/s (worst {min(found):,.0f})"
            f"  ours is {statistics.median(ratios):.2f} x ({min(ratios):.2f} to {max(ratios):.2f})"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
