"""Processes are told apart, and the last holder alive is the last one."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from simple_trader.adapters.store.postgres_owner import (
    Holders,
    process_command,
    process_mark,
    start_lock,
)
from simple_trader.domain.errors import StoreSetupError


def test_a_process_that_ended_and_was_not_collected_is_not_running() -> None:
    command = ["sh", "-c", "echo up; read x"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n", "it is sh now, and no longer our own copy"
        assert process_mark(child.pid) is not None
        assert "read x" in process_command(child.pid)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert process_mark(child.pid) is None
    assert process_command(child.pid) == ""


def test_the_mark_of_a_process_stays_and_differs_from_a_later_one() -> None:
    assert process_mark(os.getpid()) == process_mark(os.getpid())
    assert process_mark(os.getpid()) != process_mark(1)


def test_the_last_holder_alive_is_told_so(tmp_path: Path) -> None:
    holders = Holders(tmp_path / "owners")
    holders.add(1)
    holders.add(2)
    assert holders.remove(1) is False
    assert holders.remove(2) is True


def test_holders_that_are_gone_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "owners"
    reused = {"pid": os.getpid(), "mark": "an earlier process", "token": 1}
    ended = {"pid": 2**22 + 1, "mark": "1", "token": 1}
    path.write_text(json.dumps([reused, ended]))
    holders = Holders(path)
    holders.add(7)
    assert [entry["token"] for entry in json.loads(path.read_text())] == [7]
    assert holders.remove(7) is True


def test_a_file_cut_short_names_nobody(tmp_path: Path) -> None:
    path = tmp_path / "owners"
    path.write_text('[{"pid": 1')
    assert Holders(path).remove(1) is True


async def test_the_lock_is_held_by_one_and_the_next_is_told_who_is_in_the_way(
    tmp_path: Path,
) -> None:
    lock = tmp_path / "lock"
    async with start_lock(lock, 1):
        with pytest.raises(StoreSetupError, match="another process has been starting"):
            async with start_lock(lock, 0):
                pytest.fail("two hold the lock")
    async with start_lock(lock, 0):
        pass
