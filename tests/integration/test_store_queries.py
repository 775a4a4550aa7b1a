"""docs/SQL.md and the views, on a database that holds a whole story."""

import asyncio
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import asyncpg
import msgspec
import pytest
from mark_parts import marked
from store_parts import AT, decided
from store_story import batches, running, story

from simple_trader.adapters.store.market_history import MarketHistory
from simple_trader.adapters.store.market_lane import MarketLane
from simple_trader.adapters.store.recovery import Recovery
from simple_trader.domain.history import Span
from simple_trader.domain.quotes import Candle
from simple_trader.domain.records import BookMetricsRow, PriceRow

PAGE = Path(__file__).resolve().parents[2] / "docs" / "SQL.md"
QUERIES = re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
# What is right to be empty here: no order in doubt, no broken link, nobody who looks ahead.
EMPTY = ("WHERE state IN ('DISPATCHING'", "prev_hash <> expected", "FROM v_point_in_time")


@pytest.fixture
async def filled(database: str) -> str:
    """Seven cycles, every third refused, and the market of two minutes."""
    async with running(database) as (lane, ticks, recovered):
        for batch in batches(list(story(7, recovered.epoch))):
            lane.put(batch)
        await ticks.reach(batch.seq)
        await lane.close()
    store = Recovery(database, boot_seconds=1)
    await store.mirror(marked(), at=AT)
    await store.snapshot(1, AT, b"a state", "start")
    market = MarketLane(database)
    for second in range(120):
        ts = AT + timedelta(seconds=second)
        p = Decimal("132.4") + second % 7
        values = {"pair": "BTC/USD", "ts": ts, "bid": p - 1, "ask": p + 1}
        market.put(PriceRow(**values, last=p, volume=Decimal(9), vwap=p))
        market.put(
            BookMetricsRow(**values, spread_bps=15.0, imbalance=0.1, mid=p, vwap_mid=p, depth=10)
        )
    async with asyncio.TaskGroup() as group:
        task = group.create_task(market.run())
        await market.close()
        task.cancel()
    async with MarketHistory(database) as history:
        for minute in (0, 5):  # and four minutes of which nothing is known
            begin = AT + timedelta(minutes=minute)
            candle = Candle(
                pair="BTC/USD", interval_s=60, begin=begin, open=p, high=p, low=p, close=p,
                volume=Decimal(1), trades=2,
            )  # fmt: skip
            span = Span(begin, begin + timedelta(minutes=1))
            await history.save_candles("BTC/USD", 60, span, [candle], "ohlc")
    return database


async def test_every_query_of_the_page_runs_and_finds_something(filled: str) -> None:
    assert len(QUERIES) >= 18
    connection = await asyncpg.connect(filled)
    for query in QUERIES:
        rows = await connection.fetch(query)
        assert bool(rows) is not any(words in query for words in EMPTY), query
    await connection.close()


async def test_the_audit_view_joins_every_decision_to_what_came_of_it(filled: str) -> None:
    connection = await asyncpg.connect(filled)
    rows = await connection.fetch("SELECT * FROM v_decision_audit ORDER BY decided_at")
    await connection.close()
    assert [row["decision_id"] for row in rows] == [f"d{n}" for n in range(1, 8)]
    for number, row in enumerate(rows, 1):
        assert row["snapshot_id"] == f"s{number}"
        assert row["prompt"] == "What now?"
        assert row["reply"].startswith('{"action": "buy"}')
        if number % 3 == 0:
            assert (row["verdict"], row["reason"]) == ("refused", "no_funds")
            assert (row["cl_ord_id"], row["fills"], row["realised_pnl"]) == (None, 0, None)
        else:
            assert row["cl_ord_id"] == f"stx-{number}"
            assert row["order_state"] == "FILLED"
            assert row["exec_ids"] == [f"T{number}-buy"]
            assert row["avg_price"] == Decimal("132.4")
            assert row["fees"] == Decimal("0.00530")


async def test_a_decision_before_any_snapshot_is_null_there_and_in_the_audit_view(
    database: str,
) -> None:
    async with running(database) as (lane, ticks, _):
        row = msgspec.structs.replace(decided(1, "refused"), snapshot_id=None, call_id=None)
        for batch in batches([(row,)]):
            lane.put(batch)
        await ticks.reach(batch.seq)
    connection = await asyncpg.connect(database)
    assert await connection.fetchval("SELECT snapshot_id IS NULL FROM ai_decisions")
    (seen,) = await connection.fetch("SELECT * FROM v_decision_audit")
    await connection.close()
    assert (seen["decision_id"], seen["snapshot_id"], seen["mid"]) == ("d1", None, None)


async def test_profit_by_day_and_open_lots_are_sums_of_the_rows(filled: str) -> None:
    connection = await asyncpg.connect(filled)
    (day,) = await connection.fetch("SELECT * FROM v_pnl_daily")
    lots = await connection.fetch("SELECT * FROM v_open_lots ORDER BY opened_at")
    await connection.close()
    assert (day["day"], day["quote"], day["trades"]) == (AT.date(), "USD", 5)
    assert day["volume"] == 5 * Decimal("1.32400")
    assert day["fees"] == 5 * Decimal("0.00530")
    assert [lot["decision_id"] for lot in lots] == ["d1", "d2", "d4", "d5", "d7"]
    assert all(lot["left_cost"] == Decimal("1.32930") for lot in lots)
