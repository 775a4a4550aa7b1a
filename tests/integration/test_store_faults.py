"""Faults D01 to D09 on the order path: no commit, no order; nothing acknowledged is ever lost.

Every test runs lane, dispatcher, gate and store watch against a real PostgreSQL. With
SIMPLE_TRADER_FULL=1 the counts are those of a campaign.
"""

import asyncio
import inspect
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
import pytest
from commit_proxy import CommitProxy
from conftest import reachable_temporary_folder, run_apart
from order_path import order_path
from store_parts import booked
from waiting import until

from simple_trader.adapters.store import db_manager, lane_connection
from simple_trader.adapters.store.db_manager import READER_PATIENCE, session
from simple_trader.adapters.store.dsn import with_database
from simple_trader.adapters.store.embedded_postgres import EmbeddedPostgres
from simple_trader.adapters.store.facts import read_facts
from simple_trader.adapters.store.journal_reader import verify_journal
from simple_trader.adapters.store.lane_connection import AsyncpgLedgerConnection
from simple_trader.adapters.store.ledger_lane import LaneLimits
from simple_trader.domain.errors import StoreError, StoreSetupError
from simple_trader.domain.reasons import Reason

FULL = bool(os.environ.get("SIMPLE_TRADER_FULL"))
KILLS = 60 if FULL else 4
_FAIL = """
CREATE SEQUENCE fails;
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('fails') <= TG_ARGV[0]::int THEN
        RAISE EXCEPTION 'made by the test' USING ERRCODE = TG_ARGV[1];
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER fail BEFORE INSERT ON pending_trades
FOR EACH ROW EXECUTE FUNCTION fail({times}, '{code}');
"""


@asynccontextmanager
async def person(dsn: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Somebody else at the database."""
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def rows(dsn: str, query: str) -> list[str]:
    async with person(dsn) as connection:
        return [row[0] for row in await connection.fetch(query)]


@pytest.fixture(scope="module")
def own_server() -> Iterator[EmbeddedPostgres]:
    """A server of this file alone, fsync on as for the daemon: it is killed."""
    folder = reachable_temporary_folder()
    server = EmbeddedPostgres(folder / "state")
    run_apart(server.start)
    yield server
    run_apart(server.stop)


@pytest.fixture
async def own_database(own_server: EmbeddedPostgres) -> str:
    """A migrated database on it."""
    name = "fault_" + os.urandom(4).hex()
    async with person(with_database(own_server.dsn, "postgres")) as connection:
        await connection.execute(f'CREATE DATABASE "{name}"')
    dsn = with_database(own_server.dsn, name)
    await db_manager.upgrade(dsn)
    return dsn


def postmaster(server: EmbeddedPostgres) -> int:
    """Its process: the data directory stands beside the folder of the socket its DSN names."""
    run = Path(unquote(parse_qs(urlsplit(server.dsn).query)["host"][0]))
    return int((run.parent / "data" / "postmaster.pid").read_text().split()[0])


async def hit(server: EmbeddedPostgres, dsn: str, victim: str) -> None:
    """SIGKILL of the postmaster (D01), of the lane's backend, or an immediate shutdown (D04)."""
    if victim == "backend":
        async with person(dsn) as connection:
            pid = await connection.fetchval(
                "SELECT pid FROM pg_stat_activity WHERE application_name = 'simple-trader ledger' "
                "AND datname = current_database()"
            )
        os.kill(pid, signal.SIGKILL)
    else:
        number = signal.SIGKILL if victim == "postmaster" else signal.SIGQUIT
        os.kill(postmaster(server), number)


@pytest.mark.parametrize("victim", ["postmaster", "backend", "immediate"])
async def test_d01_d04_i_01_no_acknowledged_event_is_lost_whatever_is_killed_during_commits(
    own_server: EmbeddedPostgres, own_database: str, victim: str
) -> None:
    """D04 as an ordinary user can make it: an fsync error ends the server with a PANIC, which is
    what `pg_ctl stop -m immediate` (SIGQUIT) does: no checkpoint, recovery from the log.
    """
    connection = AsyncpgLedgerConnection(own_database, ensure_server=own_server.ensure_running)
    lost: list[int] = []
    async with order_path(
        own_database, connection=connection, limits=LaneLimits(batches=3)
    ) as path:
        names: list[str] = []
        for kill in range(KILLS if FULL else 1 + (victim == "postmaster")):
            begin = path.acked
            names += [path.offer() for _ in range(30 + kill % 7)]
            await until(lambda begin=begin: path.acked > begin + 3)
            acked = path.acked
            await hit(own_server, own_database, victim)
            await until(lambda: path.lane.idle, 60)
            there = await rows(own_database, "SELECT max(last_seq) FROM engine_journal")
            lost += [acked] if there[0] < acked else []
        sent = [await path.settled(name, 30) for name in names]
        assert await path.goes_on(), "by itself"
    assert lost == []
    assert path.venue.unwritten == [], "no order without its row (I-01)"
    assert len(path.venue.sends) == len(set(path.venue.sends)), "none twice (I-02)"
    assert any(sent)
    written = await rows(own_database, "SELECT cl_ord_id FROM pending_trades")
    assert sorted(written) == sorted([*names, path.venue.sends[-1]]), "each intent once"
    end = await verify_journal(own_database)
    assert end.events == end.last_seq == path.acked


async def test_d02_while_the_server_is_down_nothing_is_sent_and_cancels_work(
    own_server: EmbeddedPostgres, own_database: str
) -> None:
    """A fast restart that takes its time: no order, cancels at once, fills wait, then on."""
    back = asyncio.Event()
    back.set()

    async def failover() -> None:
        await back.wait()
        await own_server.ensure_running()

    connection = AsyncpgLedgerConnection(own_database, ensure_server=failover)
    limits = LaneLimits(full_batches=40)
    async with order_path(own_database, connection=connection, limits=limits) as path:
        assert await path.settled(path.offer())
        path.put()
        await until(lambda: path.lane.idle)
        back.clear()
        os.kill(postmaster(own_server), signal.SIGINT)
        await until(lambda: not path.lane.alive)
        await until(lambda: path.health and path.health[-1].reason is Reason.STORE_DOWN, 5)
        late = path.offer()
        path.cancel_everything()
        await until(lambda: path.venue.cancels == 1, 1)
        for _ in range(38):
            path.put(urgent=False)
        assert not path.lane.full
        fill = path.put(*booked_rows(7))
        assert path.lane.full, "bounded: now the private socket is not read any more"
        await asyncio.sleep(0.3)
        assert path.venue.sends == path.venue.sends[:1]
        await asyncio.sleep(2.0)  # an approval lives for two seconds
        back.set()
        await until(lambda: path.acked >= fill, 30)
        assert not await path.settled(late), "what waited too long is not sent later"
        assert path.refusal_of(late) in {Reason.REDUCE_ONLY, Reason.APPROVAL_EXPIRED}
        assert await path.goes_on()
    assert path.venue.unwritten == []
    assert len(path.venue.sends) == 2
    assert await rows(own_database, "SELECT exec_id FROM executions") == ["T7-buy"]


def booked_rows(number: int) -> tuple[object, ...]:
    """The inbox row and trade of a fill (its order's row is somebody else's business here)."""
    return booked(number)[:2]


@pytest.mark.parametrize("how", ["disk full", "read only"])
async def test_d03_a_server_that_cannot_write_closes_the_order_path_until_it_can(
    database: str, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A full disk cannot be made as an ordinary user: a trigger answers with the server's own error
    (SQLSTATE 53100) instead, and a second run has the database take no writes at all.
    """
    async with order_path(database) as path, person(database) as other:
        assert await path.settled(path.offer())
        await until(lambda: path.lane.idle)
        name = await other.fetchval("SELECT current_database()")
        if how == "disk full":
            await other.execute(_FAIL.format(times=10**9, code="53100"))
        else:
            await other.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
            await other.execute(_END_LANE)
        refused = path.offer()
        await until(lambda: path.health and not path.health[-1].ok)
        assert path.health[-1].reason in {Reason.STORE_SLOW, Reason.STORE_DOWN}
        path.cancel_everything()
        await until(lambda: path.venue.cancels == 1, 1)
        await asyncio.sleep(1.5)
        assert path.venue.sends[1:] == []
        tries = [one for one in caplog.records if "written again" in one.getMessage()]
        tries += [
            one for one in caplog.records if "nothing of it was committed" in one.getMessage()
        ]
        assert 1 <= len(tries) <= 12, "it is tried again, ever more slowly, and nothing ends"
        await other.execute("SET default_transaction_read_only = off")
        if how == "disk full":
            await other.execute("DROP TRIGGER fail ON pending_trades")
        else:
            await other.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
        assert not await path.settled(refused)
        assert await path.goes_on()
    assert path.venue.unwritten == []


_END_LANE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE application_name = 'simple-trader ledger' AND datname = current_database()"
)


async def test_d05_a_lock_on_the_orders_stops_orders_and_the_pages_give_way_first(
    database: str,
) -> None:
    """Held for longer than the lane's own lock time-out of 5 s."""
    loop = asyncio.get_running_loop()
    async with order_path(database) as path, person(database) as other:
        assert await path.settled(path.offer())
        await until(lambda: path.lane.idle)
        transaction = other.transaction()
        await transaction.start()
        await other.execute("LOCK TABLE pending_trades IN ACCESS EXCLUSIVE MODE")
        began = loop.time()
        held_up = path.offer()
        with pytest.raises(StoreError, match="lock timeout"):
            await read_facts(database)
        assert loop.time() - began < 3.0, "whoever only looks gives up after a second"
        await until(lambda: path.health and path.health[-1].reason is Reason.STORE_SLOW, 3)
        path.cancel_everything()
        await until(lambda: path.venue.cancels == 1, 1)
        await until(lambda: path.health[-1].reason is Reason.STORE_DOWN, 8)
        await asyncio.sleep(max(0.0, 5.6 - (loop.time() - began)))
        assert path.lane.alive, "the lane has given the lock up and comes again"
        assert path.venue.sends[1:] == []
        await transaction.rollback()
        assert not await path.settled(held_up)
        assert await path.goes_on()
        await read_facts(database)


@pytest.mark.parametrize("code", ["40001", "40P01"])
async def test_d08_a_transaction_undone_by_the_server_is_written_again_and_its_order_sent_once(
    database: str, code: str
) -> None:
    """Serialization failure and deadlock: five times undone, the sixth time written, one send."""
    async with order_path(database) as path, person(database) as other:
        await other.execute(_FAIL.format(times=5, code=code))
        began = asyncio.get_running_loop().time()
        name = path.offer()
        await until(lambda: path.lane.idle)
        took_s = asyncio.get_running_loop().time() - began
        assert await path.settled(name)
        assert await other.fetchval("SELECT last_value FROM fails") == 6, "five failures, one write"
        assert took_s >= 0.02 + 0.04 + 0.08 + 0.16 + 0.32, "each try waits longer"
        assert path.venue.sends == [name]
        assert await other.fetchval("SELECT count(*) FROM pending_trades") == 1
        assert await other.fetchval("SELECT count(*) FROM engine_journal") == 1


class Dawdling(AsyncpgLedgerConnection):
    """Sits in its open transaction longer than the server suffers, once."""

    dawdles = 1

    async def _fill_transaction(self, session, epoch, segment, batches):
        xid = await super()._fill_transaction(session, epoch, segment, batches)
        if self.dawdles:
            self.dawdles -= 1
            await session.execute("SET idle_in_transaction_session_timeout = '50ms'")
            await asyncio.sleep(0.3)
        return xid


async def test_d09_a_session_killed_while_idle_in_its_transaction_leaves_nothing_half_done(
    database: str,
) -> None:
    connection = Dawdling(database)
    async with order_path(database, connection=connection) as path:
        name = path.offer()
        await until(lambda: path.lane.idle)
        assert connection.dawdles == 0
        await path.settled(name)
        assert await path.goes_on()
    assert path.venue.unwritten == []
    assert len(await rows(database, "SELECT cl_ord_id FROM pending_trades")) == 2
    assert await rows(database, "SELECT last_seq FROM engine_journal ORDER BY 1") == [1, 2]


async def test_d02_n02_a_server_that_says_nothing_more_counts_as_gone(
    database: str, state_dir: Path
) -> None:
    """A network that swallows: without an own patience the lane would wait for ever."""
    state_dir.mkdir(parents=True)
    async with CommitProxy(database, state_dir) as proxy:
        connection = AsyncpgLedgerConnection(proxy.dsn, answer_within_s=0.5)
        async with order_path(database, connection=connection) as path:
            assert await path.settled(path.offer())
            proxy.fate = "mute"
            name = path.offer()
            await until(lambda: path.lane.idle, 10)
            # The outage may have been told by now: then new risk waits until it settled.
            assert await path.settled(name) or path.refusal_of(name) is Reason.REDUCE_ONLY
            assert proxy.fate is None
            assert path.lane.alive
    assert len(await rows(database, "SELECT cl_ord_id FROM pending_trades")) == 2
    assert path.venue.unwritten == []


async def test_d02_an_old_session_of_ours_that_does_not_end_is_an_outage_and_no_other_daemon(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = lane_connection.sql.END_OLD_BACKEND.replace("5000", "100")
    monkeypatch.setattr(lane_connection.sql, "END_OLD_BACKEND", quick)
    connection = AsyncpgLedgerConnection(database, lock_wait_s=0.2)
    await connection.connect(None)
    (pid,) = await rows(database, "SELECT pid FROM pg_locks WHERE locktype = 'advisory'")
    os.kill(pid, signal.SIGSTOP)  # as a process that hangs on a dead disk
    try:
        with pytest.raises(StoreSetupError, match="our old session"):
            await connection.connect(None)
    finally:
        os.kill(pid, signal.SIGCONT)
    async with asyncio.timeout(10):
        while not connection.connected:
            with suppress(StoreSetupError):
                await connection.connect(None)
    await connection.close()


def test_every_patience_is_bounded_and_readers_have_less() -> None:
    for name, value in db_manager.PATIENCE.items():
        assert 0 < int(READER_PATIENCE[name]) <= int(value) <= int(db_manager.LONG_PATIENCE[name])
    assert READER_PATIENCE["default_transaction_read_only"] == "on"


async def test_d05_every_kind_of_session_has_an_end_to_its_patience(database: str) -> None:
    """All of them come from one place: the static half is test_sessions_are_opened_in_one_place."""
    lane = AsyncpgLedgerConnection(database)
    await lane.connect(None)
    engine = db_manager.open_reader(database)
    async with (
        session(database, application="x", doing="looked") as plain,
        engine.connect() as reading,
    ):
        raw = (await reading.get_raw_connection()).driver_connection
        for one in (lane._open_session(), plain, raw):
            for name in db_manager.PATIENCE:
                assert await one.fetchval(f"SHOW {name}") != "0", name
    await engine.dispose()
    await lane.close()


def test_d05_sessions_are_opened_in_one_place() -> None:
    folder = Path(inspect.getfile(db_manager)).parent
    opened = {
        path.name for path in folder.glob("*.py") if "asyncpg.connect(" in path.read_text("utf-8")
    }
    # The others ask a server for its version or its databases, before there is one of ours.
    assert opened == {"db_manager.py", "embedded_postgres.py", "postgres_backup.py"}
