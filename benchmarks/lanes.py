"""What it costs to write down: a ledger commit, and market rows by COPY, on a new embedded server.

    .venv/bin/python benchmarks/lanes.py

The server runs as it does for the daemon, fsync included: the figures are those of the disk below
the temporary directory (TMPDIR).
"""

import asyncio
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMITS, MARKET_ROWS = 300, 50_000
BEGIN = datetime(2026, 1, 5, tzinfo=UTC)


async def ledger(dsn: str) -> list[float]:
    """Milliseconds from `put` of an urgent batch of one row to its commit, one after the other."""
    from simple_trader.adapters.store.lane_connection import AsyncpgLedgerConnection
    from simple_trader.adapters.store.ledger_lane import LedgerLane
    from simple_trader.adapters.store.recovery import Recovery
    from simple_trader.domain.records import AuditRow
    from simple_trader.ports import Batch

    connection = AsyncpgLedgerConnection(dsn)
    await connection.connect(None)
    found = await Recovery(dsn, boot_seconds=1).recover()
    committed = asyncio.Event()
    lane = LedgerLane(
        connection,
        epoch=found.epoch,
        last_seq=found.last_seq,
        chain=found.chain,
        on_commit=lambda last_seq: committed.set(),
        monotonic=time.monotonic,
    )
    spans = []
    running = asyncio.create_task(lane.run())
    for number in range(1, COMMITS + 1):
        row = AuditRow(
            at=BEGIN,
            actor="benchmark",
            origin="cli",
            action="note",
            object="lane",
            before="",
            after=str(number),
            result="done",
        )
        committed.clear()
        began = time.perf_counter()
        lane.put(Batch(found.last_seq + number, BEGIN, b"{}", (row,), urgent=True))
        await committed.wait()
        spans.append((time.perf_counter() - began) * 1000)
    await lane.close()
    running.cancel()
    return spans


async def market(dsn: str) -> float:
    """Rows a second."""
    from simple_trader.adapters.store.market_lane import MarketLane
    from simple_trader.domain.records import PriceRow

    price = Decimal("60000.1")
    rows = [
        PriceRow(
            pair="BTC/USD",
            ts=BEGIN + timedelta(milliseconds=number),
            last=price,
            bid=price,
            ask=price,
            volume=Decimal("1234.56789012"),
            vwap=price,
        )
        for number in range(MARKET_ROWS)
    ]
    lane = MarketLane(dsn)
    running = asyncio.create_task(lane.run())
    began = time.perf_counter()
    for row in rows:
        lane.put(row)
    await lane.close()
    span = time.perf_counter() - began
    running.cancel()
    assert lane.written == MARKET_ROWS, f"{lane.dropped} rows were dropped"
    return MARKET_ROWS / span


async def measure(state_dir: Path) -> None:
    from simple_trader.adapters.store.db_manager import upgrade
    from simple_trader.adapters.store.embedded_postgres import EmbeddedPostgres

    async with EmbeddedPostgres(state_dir) as server:
        await upgrade(server.dsn)
        spans = sorted(await ledger(server.dsn))
        print(
            f"ledger: {COMMITS} commits one by one, median {statistics.median(spans):.1f} ms, "
            f"99th percentile {spans[int(COMMITS * 0.99)]:.1f} ms, worst {spans[-1]:.1f} ms"
        )
        print(f"market: {await market(server.dsn):,.0f} rows a second by COPY")


def main() -> int:
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory(prefix="st-") as folder:
        state_dir = Path(folder)
        state_dir.chmod(0o711)  # as root, the database server is somebody else
        asyncio.run(measure(state_dir))
    return 0


if __name__ == "__main__":
    sys.exit(main())
