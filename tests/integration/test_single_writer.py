"""Two daemons on one database: at most one ever sends, whatever becomes of the lock's session.

Two order paths (lane, dispatcher, gate) with a real PostgreSQL; the lock is lost as people lose
it: the server ends the session.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest
from order_path import OrderPath, order_path
from waiting import until

from simple_trader.adapters.store.lane_connection import AsyncpgLedgerConnection
from simple_trader.domain.errors import LockHeld
from simple_trader.domain.reasons import Reason

END_WRITERS = (
    "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity "
    "WHERE application_name = 'simple-trader ledger' AND datname = current_database()"
)


async def end_writers(dsn: str) -> int:
    """End the session that holds the lock; how many there were."""
    person = await asyncpg.connect(dsn)
    try:
        return int(await person.fetchval(END_WRITERS))
    finally:
        await person.close()


async def written_orders(dsn: str) -> set[str]:
    """The names of all orders in the books."""
    person = await asyncpg.connect(dsn)
    try:
        return {row[0] for row in await person.fetch("SELECT cl_ord_id FROM pending_trades")}
    finally:
        await person.close()


async def test_i_26_p10_d02_a_second_daemon_takes_the_lock_and_the_first_never_sends_again(
    database: str,
) -> None:
    way_back = asyncio.Event()
    way_back.set()

    async def server_is_there() -> None:
        await way_back.wait()

    connection = AsyncpgLedgerConnection(database, ensure_server=server_is_there, lock_wait_s=0.2)
    seen: list[int] = []  # how many the first had sent, at each moment that matters
    paths: list[OrderPath] = []
    early: list[str] = []

    async def story() -> None:
        async with order_path(database, connection=connection) as first:
            with pytest.raises(LockHeld):
                await AsyncpgLedgerConnection(database, lock_wait_s=0.1).connect(None)
            early.extend(first.offer() for _ in range(40))
            await until(lambda: len(first.venue.sends) >= 5)
            way_back.clear()  # the second is quicker
            assert await end_writers(database) == 1
            seen.append(len(first.venue.sends))
            async with order_path(database) as second:
                late = [first.offer() for _ in range(20)]
                assert all([await second.settled(second.offer()) for _ in range(20)])
                seen.append(len(first.venue.sends))
                assert not set(late) & set(first.venue.sends)
                assert second.epoch == first.epoch + 1
                paths.extend((first, second))
                way_back.set()
                await asyncio.sleep(10)  # the first finds the lock taken, which ends it and this

    with pytest.raises(ExceptionGroup) as ended:
        await story()
    first, second = paths
    assert ended.group_contains(LockHeld)
    assert [*seen, len(first.venue.sends)] == [seen[0]] * 3
    assert seen[0] >= 5
    assert first.venue.unwritten == second.venue.unwritten == []
    written = await written_orders(database)
    assert set(first.venue.sends) <= written <= {*early, *second.venue.sends}


@pytest.mark.parametrize("committed", [1, 3])
async def test_i_26_p10_the_first_stops_before_its_next_await_with_its_loop_none_the_wiser(
    database: str, committed: int
) -> None:
    """The orders are committed; before the loop comes to sending them it stands still, the session
    ends and somebody else takes the lock.
    """
    async with order_path(database) as path:
        assert await path.settled(path.offer())
        await until(lambda: path.lane.idle)
        other = AsyncpgLedgerConnection(database)
        taken: list[bool] = []

        async def takeover() -> None:
            assert await end_writers(database) == 1
            await other.connect(None)
            taken.append(other.connected)
            other.abort()

        committed_as_usual = path.committed

        def frozen(last_seq: int) -> None:
            if not taken:
                with ThreadPoolExecutor(1) as pool:
                    pool.submit(asyncio.run, takeover()).result(10)
            committed_as_usual(last_seq)

        path.lane._on_commit = frozen
        names = [path.offer() for _ in range(committed)]
        await until(lambda: all(path.refusal_of(n) or n in path.venue.sends for n in names))
        assert taken == [True]
        assert [path.refusal_of(name) for name in names] == [Reason.LOCK_LOST] * committed
        assert path.venue.sends[1:] == []
        await until(lambda: path.lane.alive)  # the lock was free again: it goes on, and
        name = path.offer()  # where the outage was told already, new risk waits until it settled
        assert await path.settled(name) or path.refusal_of(name) is Reason.REDUCE_ONLY
