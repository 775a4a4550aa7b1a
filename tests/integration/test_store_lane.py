"""The ledger lane on a real PostgreSQL: everything once, whatever is killed."""

import asyncio
import os
import signal
from hashlib import sha256
from pathlib import Path
from typing import get_args

import asyncpg
import pytest
from blocking_connection import BlockingLedgerConnection, BlockingLoop
from commit_proxy import CommitProxy
from mark_parts import marked
from store_parts import ROOM, booked, order
from store_story import batches, running, story
from waiting import until

from simple_trader.adapters.store import db_manager
from simple_trader.adapters.store.embedded_postgres import EmbeddedPostgres
from simple_trader.adapters.store.journal import GENESIS
from simple_trader.adapters.store.journal_reader import read_journal, verify_journal
from simple_trader.adapters.store.lane_connection import AsyncpgLedgerConnection
from simple_trader.adapters.store.ledger_lane import LaneLimits, LedgerLane
from simple_trader.adapters.store.recovery import Recovery
from simple_trader.adapters.store.rows import KNOWN_RECORDS
from simple_trader.domain.errors import InvariantBroken, LockHeld
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.records import IntentRow, LedgerRecord, OrderStateRow

_KILL_BACKEND = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE application_name = 'simple-trader ledger' AND datname = current_database()"
)


async def count(dsn: str, table: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval(f"SELECT count(*) FROM {table}"))
    finally:
        await connection.close()


async def seqs(dsn: str) -> list[int]:
    found: list[int] = []
    async for part in read_journal(dsn):
        found += range(part.first_seq, part.last_seq + 1)
        assert part.last_seq - part.first_seq + 1 == len(part.events)
    return found


def expected_chain(last_seq: int) -> bytes:
    link = GENESIS
    for seq in range(1, last_seq + 1):
        link = sha256(link + b'{"seq":%d}' % seq).digest()
    return link


def test_every_kind_of_record_has_its_rows_and_is_in_the_story() -> None:
    assert set(get_args(LedgerRecord)) == KNOWN_RECORDS
    told = {type(record) for part in story(3, 1) for record in part}
    assert told | {type(record) for record in marked()} == KNOWN_RECORDS


async def test_a_thousand_batches_of_every_kind_are_there_once_and_chained(database: str) -> None:
    async with running(database) as (lane, ticks, recovered):
        parts = batches([tuple(marked()), *story(290, recovered.epoch)])[:1000]
        assert len(parts) == 1000
        for batch in parts:
            lane.put(batch)
        assert not lane.idle
        await ticks.reach(1000)
        assert lane.idle
        assert lane.chain == expected_chain(1000)
        assert ticks.seqs == sorted(ticks.seqs)
        assert len(ticks.seqs) < 20, "batches are put together"
        await lane.close()
    end = await verify_journal(database)
    assert (end.events, end.last_seq, end.chain) == (1000, 1000, expected_chain(1000))
    fills = sum(any(type(r).__name__ == "TradeRow" for r in b.records) for b in parts)
    assert await count(database, "trades") == fills
    assert await count(database, "executions") == fills
    assert await count(database, "kraken_balance_history") == fills
    assert await count(database, "kraken_trades") == fills
    assert await count(database, "pending_trades WHERE state = 'FILLED'") == fills


async def test_a_reply_with_bytes_that_text_cannot_hold_is_kept(database: str) -> None:
    async with running(database) as (lane, ticks, recovered):
        for batch in batches(list(story(1, recovered.epoch))):
            lane.put(batch)
        await ticks.reach(batch.seq)
    connection = await asyncpg.connect(database)
    reply = await connection.fetchval("SELECT reply FROM llm_calls")
    await connection.close()
    assert reply == '{"action": "buy"}\u2400 \\ud800 €'


async def test_d01_the_postmaster_is_killed_and_every_batch_is_there_once(state_dir: Path) -> None:
    async with EmbeddedPostgres(state_dir) as server:
        await db_manager.upgrade(server.dsn)
        session = AsyncpgLedgerConnection(server.dsn, ensure_server=server.ensure_running)
        limits = LaneLimits(batches=5)
        async with running(server.dsn, connection=session, limits=limits) as running_lane:
            lane, ticks, recovered = running_lane
            parts = batches(list(story(120, recovered.epoch)))
            for number, batch in enumerate(parts):
                lane.put(batch)
                if number in (120, 300):
                    await ticks.reach(number - 100)
                    pid_file = next((state_dir / "postgres").glob("*/data/postmaster.pid"))
                    os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
            async with asyncio.timeout(60):
                await ticks.reach(len(parts))
            await lane.close()
        assert await seqs(server.dsn) == list(range(1, len(parts) + 1))
        assert (await verify_journal(server.dsn)).chain == expected_chain(len(parts))
        fills = sum(any(type(r).__name__ == "TradeRow" for r in b.records) for b in parts)
        assert await count(server.dsn, "trades") == fills
        assert await count(server.dsn, "executions") == fills
        assert await count(server.dsn, "kraken_balance_history") == fills


@pytest.mark.parametrize(("fate", "was_there"), [("lost", False), ("unanswered", True)])
async def test_d01_a_commit_without_an_answer_is_resolved_and_written_once(
    database: str, state_dir: Path, fate: str, was_there: bool
) -> None:
    state_dir.mkdir(parents=True)
    async with CommitProxy(database, state_dir) as proxy:
        session = AsyncpgLedgerConnection(proxy.dsn)
        async with running(database, connection=session) as (lane, ticks, recovered):
            parts = batches(list(story(4, recovered.epoch)))
            lane.put(parts[0])
            await ticks.reach(1)
            before = proxy.commits
            proxy.fate = fate
            for batch in parts[1:]:
                lane.put(batch)
            async with asyncio.timeout(30):
                await ticks.reach(len(parts))
            assert proxy.fate is None, "the fault was met"
            # A commit that was done is not done again; one that was lost is.
            assert proxy.commits - before == (1 if was_there else 2)
            await lane.close()
    assert await seqs(database) == list(range(1, len(parts) + 1))
    assert await count(database, "kraken_balance_history") == 3  # the third of four is refused


async def test_d09_a_terminated_session_is_opened_again_and_not_alive_meanwhile(
    database: str,
) -> None:
    gate = asyncio.Event()
    gate.set()

    async def server_is_back() -> None:
        await gate.wait()

    session = AsyncpgLedgerConnection(database, ensure_server=server_is_back)
    async with running(database, connection=session) as (lane, ticks, recovered):
        parts = batches(list(story(3, recovered.epoch)))
        for batch in parts[:4]:
            lane.put(batch)
        await ticks.reach(4)
        assert lane.alive
        gate.clear()
        connection = await asyncpg.connect(database)
        assert await connection.fetchval(_KILL_BACKEND)
        await connection.close()
        await until(lambda: not lane.alive)
        for batch in parts[4:]:
            lane.put(batch)
        assert not lane.idle
        gate.set()
        await ticks.reach(len(parts))
        assert lane.alive
        await lane.close()
        assert not lane.alive
    assert await seqs(database) == list(range(1, len(parts) + 1))


async def test_i26_the_lock_lets_one_daemon_write(database: str) -> None:
    first = AsyncpgLedgerConnection(database)
    await first.connect(None)
    second = AsyncpgLedgerConnection(database, lock_wait_s=0.1)
    with pytest.raises(LockHeld, match="another daemon already trades"):
        await second.connect(None)
    await first.close()
    await second.connect(None)
    assert second.connected
    second.abort()


async def test_i26_a_daemon_that_was_taken_over_cannot_write(database: str) -> None:
    async def story_of_two() -> None:
        async with running(database) as (lane, ticks, recovered):
            parts = batches(list(story(2, recovered.epoch)))
            lane.put(parts[0])
            await ticks.reach(1)
            # Someone took a new epoch although the lock was ours: the fence must hold alone.
            await Recovery(database, boot_seconds=5).recover()
            lane.put(parts[1])
            await until(lambda: not lane.alive)

    with pytest.raises(ExceptionGroup) as ended:
        await story_of_two()
    assert ended.group_contains(LockHeld, match="took over")
    assert await seqs(database) == [1]


OVERFILLED = order(1, OrderState.OPEN, filled_qty=order(1).request.qty * 2)


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (OrderStateRow(order=order(9, OrderState.OPEN)), "found no row"),
        (IntentRow(order=order(1), epoch=1, cap_asset=ROOM, cap_total=ROOM), "refused a row"),
        (OrderStateRow(order=OVERFILLED), "at_most"),
    ],
)
async def test_a_row_that_breaks_the_books_ends_the_lane_and_leaves_nothing(
    database: str, record: LedgerRecord, words: str
) -> None:
    async def write_both() -> None:
        async with running(database) as (lane, ticks, _recovered):
            good = IntentRow(order=order(1), epoch=1, cap_asset=ROOM, cap_total=ROOM)
            first, second = batches([(good,), (*booked(7)[:2], record)])
            lane.put(first)
            await ticks.reach(1)
            lane.put(second)
            await until(lambda: not lane.alive)

    with pytest.raises(ExceptionGroup) as ended:
        await write_both()
    assert ended.group_contains(InvariantBroken, match=words)
    assert await seqs(database) == [1]
    assert await count(database, "trades") == 0


async def test_what_is_not_urgent_waits_for_company_and_a_close_commits_it(database: str) -> None:
    limits = LaneLimits(linger_s=60.0)
    async with running(database, limits=limits) as (lane, ticks, recovered):
        parts = batches(list(story(2, recovered.epoch)), urgent=False)
        for batch in parts:
            lane.put(batch)
        assert ticks.seqs == []
        await lane.close()
        assert ticks.seqs == [len(parts)]
        assert lane.idle
    assert await seqs(database) == list(range(1, len(parts) + 1))


async def test_d07_a_lane_cancelled_again_and_again_leaves_no_session(database: str) -> None:
    done = 0
    for _ in range(8):
        async with running(database) as (lane, _ticks, recovered):
            done = recovered.last_seq
            first = done // 3 + 1
            for batch in batches(list(story(30, recovered.epoch, first=1000 + first)), done):
                lane.put(batch)
            await until(lambda last=done, one=lane: one.last_seq > last)
    look = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'simple-trader%' "
    connection = await asyncpg.connect(database)
    async with asyncio.timeout(10):
        while await connection.fetchval(look + "AND datname = current_database()"):
            await asyncio.sleep(0.01)
    await connection.close()
    end = await verify_journal(database)
    assert end.events == end.last_seq


async def test_a_blocking_connection_writes_the_same_chain(database: str) -> None:
    loop = BlockingLoop()
    try:
        session = BlockingLedgerConnection(lambda: AsyncpgLedgerConnection(database), loop)
        await session.connect(None)
        recovered = loop.call(Recovery(database, boot_seconds=1).recover())
        lane = LedgerLane(
            session,
            epoch=recovered.epoch,
            last_seq=0,
            chain=recovered.chain,
            on_commit=lambda seq: None,
            monotonic=asyncio.get_running_loop().time,
        )
        for batch in batches(list(story(5, recovered.epoch))):
            lane.put(batch)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(lane.run())
            await lane.close()
            task.cancel()
        assert lane.chain == expected_chain(lane.last_seq)
    finally:
        loop.stop()
    assert (await verify_journal(database)).chain == lane.chain


async def test_a_changed_journal_is_found(database: str) -> None:
    async with running(database, limits=LaneLimits(batches=2)) as (lane, ticks, recovered):
        for batch in batches(list(story(3, recovered.epoch))):
            lane.put(batch)
        await ticks.reach(batch.seq)
    connection = await asyncpg.connect(database)
    await connection.execute("DELETE FROM engine_journal WHERE first_seq = 3")
    with pytest.raises(InvariantBroken, match="do not follow"):
        await verify_journal(database)
    await connection.execute(
        "UPDATE engine_journal SET payload = overlay(payload placing 'x' from 9)"
    )
    with pytest.raises(InvariantBroken):
        await verify_journal(database)
    await connection.close()
