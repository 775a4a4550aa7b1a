"""The market lane, daily partitions and retention on a real PostgreSQL."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import asyncpg
import pytest
from store_parts import AT
from store_story import batches, running, story

from simple_trader.adapters.store import db_manager
from simple_trader.adapters.store.embedded_postgres import EmbeddedPostgres
from simple_trader.adapters.store.lane_connection import EnsureServer, server_is_elsewhere
from simple_trader.adapters.store.market_lane import MarketLane, MarketLimits
from simple_trader.adapters.store.retention import cleanup
from simple_trader.domain.records import BookMetricsRow, MarketRecord, PriceRow


def price(ts: datetime, pair: str = "BTC/USD", last: str = "132.40") -> PriceRow:
    return PriceRow(
        pair=pair,
        ts=ts,
        last=Decimal(last),
        bid=Decimal("132.3"),
        ask=Decimal("132.5"),
        volume=Decimal("1234.56789012"),
        vwap=Decimal("131.9"),
    )


def book(ts: datetime) -> BookMetricsRow:
    return BookMetricsRow(
        pair="BTC/USD",
        ts=ts,
        bid=Decimal("132.3"),
        ask=Decimal("132.5"),
        spread_bps=15.1,
        imbalance=-0.25,
        mid=Decimal("132.4"),
        vwap_mid=Decimal("132.41"),
        depth=10,
    )


@asynccontextmanager
async def market(
    dsn: str,
    limits: MarketLimits | None = None,
    ensure_server: EnsureServer = server_is_elsewhere,
) -> AsyncIterator[MarketLane]:
    lane = MarketLane(dsn, ensure_server=ensure_server, limits=limits)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(lane.run())
        yield lane
        await lane.close()
        task.cancel()


async def fetch(dsn: str, query: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetch(query)
    finally:
        await connection.close()


async def fill_days(dsn: str, days: int) -> None:
    rows: list[MarketRecord] = []
    for day in range(days):
        rows += [price(AT + timedelta(days=day)), book(AT + timedelta(days=day))]
    async with market(dsn) as lane:
        for row in rows:
            lane.put(row)


async def test_rows_arrive_with_the_digits_of_the_wire(database: str) -> None:
    async with market(database, MarketLimits(linger_s=0.01)) as lane:
        for number in range(12_000):
            lane.put(price(AT + timedelta(seconds=number), pair="BTC/USD"))
        lane.put(price(AT, pair="ODD\t\\N\n/USD", last="0.00000012"))
        lane.put(book(AT))
        assert not lane.idle
        async with asyncio.timeout(30):
            while not lane.idle:
                await asyncio.sleep(0.01)
        assert (lane.written, lane.dropped) == (12_002, 0)
    (row,) = await fetch(database, "SELECT * FROM price_history WHERE pair <> 'BTC/USD'")
    assert dict(row) == {
        "pair": "ODD\t\\N\n/USD",
        "ts": AT,
        "last": 1.2e-7,
        "bid": 132.3,
        "ask": 132.5,
        "volume": 1234.56789012,
        "vwap": 131.9,
    }
    (counted,) = await fetch(database, "SELECT count(*), count(DISTINCT ts) FROM price_history")
    assert tuple(counted) == (12_001, 12_000)
    (metrics,) = await fetch(
        database, "SELECT spread_bps, imbalance, depth FROM order_book_metrics"
    )
    assert tuple(metrics) == (15.1, -0.25, 10)


async def test_the_oldest_rows_go_when_there_is_no_room_and_are_counted(database: str) -> None:
    lane = MarketLane(database, limits=MarketLimits(rows=100))
    for number in range(150):
        lane.put(price(AT + timedelta(seconds=number)))
    assert lane.dropped == 50
    async with asyncio.TaskGroup() as group:
        task = group.create_task(lane.run())
        await lane.close()
        task.cancel()
    (row,) = await fetch(database, "SELECT count(*), min(ts) FROM price_history")
    assert tuple(row) == (100, AT + timedelta(seconds=50))


async def test_rows_survive_a_restart_of_the_server(state_dir: Path) -> None:
    async with EmbeddedPostgres(state_dir, test_mode=True) as server:
        await db_manager.upgrade(server.dsn)
        limits = MarketLimits(linger_s=0.01)
        async with market(server.dsn, limits, server.ensure_running) as lane:
            for number in range(3000):
                lane.put(price(AT + timedelta(seconds=number)))
                if number == 1500:
                    while not lane.written:
                        await asyncio.sleep(0.005)
                    pid = next((state_dir / "postgres").glob("*/data/postmaster.pid"))
                    os.kill(int(pid.read_text().split()[0]), signal.SIGKILL)
            async with asyncio.timeout(30):
                while not lane.idle:
                    await asyncio.sleep(0.01)
            assert lane.written + lane.dropped == 3000
            assert lane.written >= 1499
        (row,) = await fetch(server.dsn, "SELECT count(*), count(DISTINCT ts) FROM price_history")
        assert row[0] == row[1], "no row twice"


async def test_a_changed_column_does_not_stop_the_lane(database: str) -> None:
    async with market(database, MarketLimits(linger_s=0.01)) as lane:
        for step in range(2):
            lane.put(price(AT + timedelta(days=step)))
            async with asyncio.timeout(20):
                while not lane.idle:
                    await asyncio.sleep(0.01)
            await fetch(database, "ALTER TABLE price_history ALTER COLUMN last TYPE numeric")
        assert (lane.written, lane.dropped) == (2, 0)


async def test_a_replay_of_2013_is_not_dropped_on_arrival(database: str) -> None:
    await fill_days(database, 5)
    kept = {"price_history": 30, "order_book_metrics": 30, "engine_journal": 30}
    assert await cleanup(database, kept, dry_run=False) == []
    (row,) = await fetch(database, "SELECT count(*) FROM price_history")
    assert row[0] == 5


async def test_days_are_dropped_counted_from_the_newest_row(database: str) -> None:
    await fill_days(database, 6)
    kept = {"price_history": 2, "order_book_metrics": 4}
    would = await cleanup(database, kept, dry_run=True)
    (row,) = await fetch(database, "SELECT count(*) FROM price_history")
    assert row[0] == 6
    assert await cleanup(database, kept, dry_run=False) == would
    assert would == [
        "price_history_p20131006",
        "price_history_p20131007",
        "price_history_p20131008",
        "order_book_metrics_p20131006",
    ]
    (row,) = await fetch(database, "SELECT count(*), min(ts) FROM price_history")
    assert tuple(row) == (3, AT + timedelta(days=3))
    assert await cleanup(database, kept, dry_run=False) == []
    await fill_days(database, 1)  # an old day may come back: its partition is made again


async def test_books_of_account_are_never_dropped(database: str) -> None:
    async with running(database) as (lane, ticks, recovered):
        for batch in batches(list(story(3, recovered.epoch))):
            lane.put(batch)
        await ticks.reach(batch.seq)
    tables = ("trades", "pending_trades", "holding_lots", "kraken_ledgers", "ai_decisions")
    before = [(await fetch(database, f"SELECT count(*) FROM {name}"))[0][0] for name in tables]
    await cleanup(database, dict.fromkeys(tables, 0), dry_run=False)
    after = [(await fetch(database, f"SELECT count(*) FROM {name}"))[0][0] for name in tables]
    assert before == after
    assert all(before)
    with pytest.raises(asyncpg.RaiseError, match="never deleted"):
        await fetch(database, "SELECT drop_day_partition('trades', '2013-10-06')")


async def test_making_a_partition_twice_and_at_once_is_harmless(database: str) -> None:
    ensure = "SELECT ensure_day_partition('price_history', '2013-10-06')"
    found = await asyncio.gather(*(fetch(database, ensure) for _ in range(6)))
    assert sorted(row[0] for (row,) in found) == [False] * 5 + [True]
