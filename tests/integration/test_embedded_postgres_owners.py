"""Whose the embedded PostgreSQL is: shared, adopted after a kill, served for root and others."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from database_parts import value_of
from embedded_parts import AS_ROOT, ROOT, major_folder, postmaster_pid, running, servers_of
from programs import need

from simple_trader.adapters.store import embedded_postgres
from simple_trader.adapters.store.embedded_postgres import EmbeddedPostgres
from simple_trader.domain.errors import StoreSetupError

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


async def test_a_server_that_is_killed_while_a_second_user_joins_it_is_started_again(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    join, killed = embedded_postgres._make_database, []

    async def join_late(dsn: str) -> None:
        if not killed:
            killed.append(postmaster_pid(state_dir))
            os.kill(killed[0], signal.SIGKILL)
            await asyncio.to_thread(os.waitid, os.P_PID, killed[0], os.WEXITED | os.WNOWAIT)
            owner._reap()  # as its lanes make it do, which lose their connections too
        await join(dsn)

    owner, guest = EmbeddedPostgres(state_dir), EmbeddedPostgres(state_dir)
    await owner.start()
    monkeypatch.setattr(embedded_postgres, "_make_database", join_late)
    try:
        await guest.start()
        assert postmaster_pid(state_dir) not in killed
        assert await value_of(guest.dsn, "SELECT 1") == 1
    finally:
        await guest.stop()
        await owner.stop()


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


@pytest.mark.skipif(not AS_ROOT, reason="only root steps down to another account")
async def test_root_serves_data_whose_account_has_no_name_any_more(state_dir: Path) -> None:
    async with running(state_dir):
        folder = major_folder(state_dir)
    for path in (folder / "run", folder / "data", *(folder / "data").rglob("*")):
        os.chown(path, 54321, 54321)
    async with running(state_dir) as server:
        assert await value_of(server.dsn, "SELECT 1") == 1
        assert Path(f"/proc/{postmaster_pid(state_dir)}").stat().st_uid == 54321


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
