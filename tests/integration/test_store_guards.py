"""Faults D06, D07, D10, D11, D13, D14: pools, cancelled tasks, schemas, spoilt rows, stamps, bulk.

With SIMPLE_TRADER_FULL=1 the counts are those of a campaign.
"""

import asyncio
import os
import random
import statistics
import time
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from database_parts import execute
from order_path import OrderPath, order_path
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from store_parts import AT, PAIR, RISK, moment, order
from store_story import batches, running, story
from waiting import until

from simple_trader.adapters.store import db_manager
from simple_trader.adapters.store.db_manager import READER_PATIENCE, session
from simple_trader.adapters.store.journal_reader import verify_journal
from simple_trader.adapters.store.ledger_lane import LaneLimits
from simple_trader.adapters.store.market_lane import MarketLane, MarketLimits
from simple_trader.adapters.store.recovery import Recovery
from simple_trader.adapters.store.retention import cleanup
from simple_trader.domain.errors import InvariantBroken, SchemaError
from simple_trader.domain.orders import OrderState
from simple_trader.domain.records import IntentRow, OrderStateRow, PriceRow, RiskRow

FULL = bool(os.environ.get("SIMPLE_TRADER_FULL"))
CANCELS = 10_000 if FULL else 200
DAYS, ROWS_A_DAY = (60, 50_000) if FULL else (20, 2_000)
_SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"


async def latencies_ms(path: OrderPath, count: int) -> list[float]:
    """From the approval of an order to its send, one order after the other."""
    spans = []
    for _ in range(count):
        began = time.perf_counter()
        name = path.offer()
        while name not in path.venue.sends:
            await asyncio.sleep(0)
        spans.append((time.perf_counter() - began) * 1000)
    return spans


def unharmed(before: list[float], after: list[float]) -> bool:
    """Half the orders are as fast as before: three times and 5 ms are the machine's own noise."""
    return statistics.median(after) < 3 * statistics.median(before) + 5


async def test_d06_an_empty_reading_pool_does_not_touch_the_order_path(database: str) -> None:
    engine = db_manager.open_reader(database, timeout_s=3)
    asleep = asyncio.Event()

    async def page() -> str:
        try:
            async with engine.connect() as connection:
                asleep.set()
                await connection.execute(text("SELECT pg_sleep(60)"))
        except PoolTimeout:
            return "no session was free"
        except SQLAlchemyError as error:
            return str(error)
        return "slept"

    async with order_path(database) as path, asyncio.TaskGroup() as group:
        before = await latencies_ms(path, 30)
        pages = [group.create_task(page()) for _ in range(25)]
        await asleep.wait()
        after = await latencies_ms(path, 30)
        assert not all(one.done() for one in pages)
        await asyncio.gather(*pages)
        assert await path.goes_on()
    said = [one.result() for one in pages]
    assert "no session was free" in said, "the pool has an end, and it is told"
    assert any("statement timeout" in one for one in said)
    assert "slept" not in said
    assert unharmed(before, after), (before, after)
    await engine.dispose()


async def _in_a_session(dsn: str) -> None:
    async with (
        session(dsn, application="simple-trader test", doing="worked") as connection,
        connection.transaction(),
    ):
        await connection.execute("SELECT pg_sleep(0.01)")


async def _in_a_pool(engine: object) -> None:
    async with engine.connect() as connection:
        await connection.execute(text("SELECT pg_sleep(0.01)"))


async def test_d07_tasks_cancelled_anywhere_leave_the_number_of_sessions_as_it_was(
    database: str,
) -> None:
    """While connecting, in a transaction, while closing: asyncpg #464, SQLAlchemy #6652, #12077."""
    dice = random.Random(7)
    engine = db_manager.open_reader(database)
    watcher = await asyncpg.connect(database)
    most = 0
    async with order_path(database) as path:
        await _in_a_pool(engine)
        for number in range(CANCELS):
            work = _in_a_session(database) if number % 4 else _in_a_pool(engine)
            task = asyncio.create_task(work)
            await asyncio.sleep(dice.uniform(0, 0.02))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            if number % 50 == 0:
                most = max(most, await watcher.fetchval(_SESSIONS))
                assert await path.goes_on()
        # The watcher, the lane, the pool of at most four, and one that is just going.
        assert most <= 1 + 1 + 4 + 3, most
        await engine.dispose()
        async with asyncio.timeout(10):
            while await watcher.fetchval(_SESSIONS) > 2:
                await asyncio.sleep(0.02)
        assert path.venue.unwritten == []
    await watcher.close()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE alembic_version SET version_num = '9999'", "newer than this program knows"),
        ("DROP TABLE risk_states CASCADE", "table risk_states is missing"),
        ("ALTER TABLE trades DROP COLUMN realised_pnl CASCADE", "trades has no column"),
        ("DROP INDEX uq_executions_exec_id", "executions has lost its guard uq_executions_exec_id"),
        ("ALTER TABLE pending_trades DROP CONSTRAINT ck_pending_trades_qty_positive", "its guard"),
        ("ALTER TABLE pending_trades DISABLE TRIGGER pending_trades_guard", "is switched off"),
    ],
)
async def test_d10_d11_a_schema_that_is_not_ours_is_refused_in_one_sentence(
    database: str, change: str, words: str
) -> None:
    await execute(database, change)
    for look in (db_manager.upgrade, db_manager.check_schema):
        with pytest.raises(SchemaError, match=words) as refusal:
            await look(database)
        assert "\n" not in str(refusal.value)
        assert refusal.value.exit_code == 3


async def test_d10_a_schema_that_is_missing_is_made_by_a_start_and_named_to_a_reader(
    empty_database: str,
) -> None:
    with pytest.raises(SchemaError, match="run `simple-trader db upgrade`"):
        await db_manager.check_schema(empty_database)
    await db_manager.upgrade(empty_database)
    await db_manager.check_schema(empty_database)


SPOILT = (
    ("UPDATE pending_trades SET qty = -1", "never change|positive"),
    ("UPDATE pending_trades SET filled_qty = -1", "taken back|not_negative"),
    ("UPDATE pending_trades SET filled_qty = 'NaN'", "at_most|not_negative|filled"),
    ("UPDATE pending_trades SET state = 'MAYBE'", "cannot become|known"),
    ("UPDATE pending_trades SET side = 'both'", "never change|known"),
    ("UPDATE pending_trades SET params_hash = repeat('0', 64)", "never change"),
    ("UPDATE trades SET qty = -1", "positive"),
    ("UPDATE trades SET price = 'Infinity'", "positive"),
    ("UPDATE trades SET side = 'both'", "known"),
    ("UPDATE holding_lots SET left_qty = -1", "not_negative"),
    ("UPDATE holding_lots SET left_qty = qty + 1", "at_most"),
    ("UPDATE risk_states SET state = 'FINE'", "known"),
    ("INSERT INTO executions SELECT * FROM executions", "executions"),
    ("DELETE FROM pending_trades", "append-only"),
    ("UPDATE audit_log SET actor = 'nobody'", "append-only"),
)


async def test_d11_what_makes_no_sense_is_refused_by_the_database_itself(database: str) -> None:
    async with running(database) as (lane, ticks, recovered):
        for batch in batches(list(story(2, recovered.epoch))):
            lane.put(batch)
        await ticks.reach(batch.seq)
    connection = await asyncpg.connect(database)
    for statement, words in SPOILT:
        with pytest.raises(asyncpg.PostgresError, match=words):
            await connection.execute(statement)
    await connection.close()
    await Recovery(database, boot_seconds=1).recover()


_OFF = "ALTER TABLE pending_trades DISABLE TRIGGER USER"
_ON = "ALTER TABLE pending_trades ENABLE TRIGGER USER"


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE pending_trades SET params_hash = repeat('0', 64)", "stx-1 .*approved with"),
        ("UPDATE pending_trades SET qty = qty * 10", "stx-1 .*approved with"),
        ("UPDATE pending_trades SET limit_price = 1", "stx-1 .*approved with"),
        ("UPDATE pending_trades SET reason = 'because'", "no valid Order"),
        ("UPDATE risk_states SET halt_reason = 'because'", "no valid RiskMemory"),
        ("UPDATE risk_states SET candle_guard = '[1]'", "no valid RiskMemory"),
    ],
)
async def test_d11_a_row_changed_around_the_guards_stops_the_start(
    database: str, statement: str, words: str
) -> None:
    """Whoever switches the triggers off and on again is found by the hash, or by the value."""
    async with running(database) as (lane, ticks, _recovered):
        room = order(1).request.qty * 10**9
        intent = IntentRow(order=order(1), epoch=1, cap_asset=room, cap_total=room)
        risk = RiskRow(state="RUN", reasons=(), memory=RISK, equity=None, at=AT)
        for batch in batches([(intent,), (OrderStateRow(order=order(1, OrderState.SENT)), risk)]):
            lane.put(batch)
        await ticks.reach(2)
    await execute(database, _OFF, statement, _ON)
    with pytest.raises(InvariantBroken, match=words) as refusal:
        await Recovery(database, boot_seconds=1).recover()
    assert "\n" not in str(refusal.value)


async def test_d13_no_order_hangs_on_the_clock_of_the_database(database: str) -> None:
    """The clock of the host cannot be set as an ordinary user: instead every stamp it made is set
    to another moment, years apart and in no order, and nothing that is read back changes.
    """
    async with running(database) as (lane, ticks, recovered):
        for batch in batches(list(story(6, recovered.epoch))):
            lane.put(batch)
        await ticks.reach(batch.seq)
    before = await Recovery(database, boot_seconds=1).recover()
    end = await verify_journal(database)
    connection = await asyncpg.connect(database)
    stamped = await connection.fetch(
        "SELECT c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        "WHERE a.attname = 'recorded_at' AND c.relkind IN ('r', 'p') AND NOT c.relispartition "
        "AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'audit_log'"
    )
    assert len(stamped) > 15
    for row in stamped:
        await connection.execute(
            f"UPDATE {row['relname']} SET recorded_at = "
            "'2001-01-01Z'::timestamptz + (abs(hashtext(ctid::text)) % 20000) * interval '1 day'"
        )
    await connection.close()
    after = await Recovery(database, boot_seconds=1).recover()
    assert after.epoch == before.epoch + 1
    for name in before.__struct_fields__:
        if name != "epoch":
            assert getattr(after, name) == getattr(before, name), name
    assert await verify_journal(database) == end


def test_d13_no_statement_orders_or_chooses_by_the_stamp() -> None:
    folder = Path(db_manager.__file__).parent
    of_real_hours = ("schema_doc.py", "advice_spent.sql", "advice_cut_off.sql")
    texts = {p: p.read_text("utf-8") for p in [*folder.glob("*.py"), *folder.glob("sql/*.sql")]}
    assert len(texts) > 40
    for path, words in texts.items():
        for line in words.splitlines():
            # Budgets are of real hours: what was spent is told by the stamp, and orders nothing.
            if "recorded_at" in line and path.name not in of_real_hours:
                assert "now()" in line, f"{path.name}: {line.strip()}"


async def test_d14_days_are_dropped_and_the_order_path_is_as_fast_as_before(database: str) -> None:
    """100 GB cannot be had here: many days of rows, dropped while orders go through, and each
    order as fast as on an empty database. A reader that holds the table delays the drop, and the
    lane never waits behind it.
    """
    async with order_path(database) as path:
        before = await latencies_ms(path, 40)
        connection = await asyncpg.connect(database)
        day = moment(0).replace(hour=0, minute=0)
        for number in range(DAYS):
            begin = day + timedelta(days=number)
            await connection.execute(
                "SELECT ensure_day_partition('price_history', $1)", begin.date()
            )
            await connection.execute(
                "INSERT INTO price_history (pair, ts, last, bid, ask, volume, vwap) "
                "SELECT 'BTC/USD', $1::timestamptz + n * interval '0.2 s', 1, 1, 1, 1, 1 "
                "FROM generate_series(1, $2::int) AS n",
                begin,
                ROWS_A_DAY,
            )
        full = await latencies_ms(path, 40)
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("SELECT count(*) FROM price_history")
        async with asyncio.TaskGroup() as group:
            dropping = group.create_task(cleanup(database, {"price_history": 3}, dry_run=False))
            during = await latencies_ms(path, 60)
            assert not dropping.done(), "it waits behind the reader, in short tries"
            await transaction.rollback()
        gone = dropping.result()
        after = await latencies_ms(path, 40)
        assert len(gone) == DAYS - 4
        left = await connection.fetchval("SELECT count(*) FROM price_history")
        assert left == 4 * ROWS_A_DAY
        await connection.close()
    for name, spans in (("full", full), ("during", during), ("after", after)):
        assert unharmed(before, spans), (name, before, spans)
    assert path.venue.unwritten == []


async def test_d14_the_market_lane_drops_its_oldest_rows_and_never_the_ledgers(
    database: str,
) -> None:
    """The bulk is bounded in memory too, and counted."""
    lane = MarketLane(database, limits=MarketLimits(rows=10))
    for number in range(25):
        price = order(1).request.limit_price
        assert price is not None
        lane.put(
            PriceRow(
                pair=PAIR.pair, ts=moment(number), last=price, bid=price, ask=price, volume=price,
                vwap=price,
            )
        )  # fmt: skip
    assert lane.dropped == 15
    async with asyncio.TaskGroup() as group:
        task = group.create_task(lane.run())
        await lane.close()
        task.cancel()
    async with session(
        database, application="x", doing="looked", settings=READER_PATIENCE
    ) as connection:
        assert await connection.fetchval("SELECT count(*) FROM price_history") == 10
        oldest = await connection.fetchval("SELECT min(ts) FROM price_history")
        assert oldest == moment(15)


async def test_i_47_a_lane_is_full_by_batches_or_by_bytes(database: str) -> None:
    limits = LaneLimits(linger_s=60.0, full_batches=5, full_bytes=1000)
    async with order_path(database, limits=limits) as path:
        for _ in range(4):
            path.put(urgent=False)
        assert not path.lane.full
        path.put(urgent=False)
        assert path.lane.full
        path.lane.flush()
        await until(lambda: path.lane.idle)
        assert not path.lane.full
    defaults = LaneLimits()
    assert (defaults.full_batches, defaults.full_bytes) == (10_000, 64 * 1024 * 1024)
