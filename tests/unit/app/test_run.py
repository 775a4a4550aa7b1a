"""SIGUSR1 around the life of a daemon: real signals to this very process."""

import asyncio
import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from simple_trader.app import early_halt
from simple_trader.app.run import Stop, _run_loop


@pytest.fixture(autouse=True)
def held() -> Iterator[None]:
    """The signal waits, as from the first line of the program on."""
    early_halt.hold()
    yield
    if early_halt.waits():
        signal.sigwait({signal.SIGUSR1})
    early_halt.let_come()


def press() -> None:
    # To this thread: a test worker has others, in which the signal is not held.
    signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)


def left(folder: Path) -> dict[str, str]:
    found = json.loads((folder / "halt.json").read_text())
    (folder / "halt.json").unlink()
    return found


def test_i_28_a_kill_switch_before_the_loop_runs_and_while_it_starts_is_left_for_the_daemon(
    tmp_path: Path,
) -> None:
    asked = {"actor": "signal", "reason": "SIGUSR1"}
    press()

    async def start(stop: Stop) -> int:
        await asyncio.sleep(0.01)
        assert left(tmp_path) == asked
        press()
        await asyncio.sleep(0.01)
        assert left(tmp_path) == asked
        return 7

    assert _run_loop(start, tmp_path) == 7, "the start goes on: it must come to cancel"
    press()
    assert early_halt.waits(), "after the loop's end it waits to be left as well"


def test_i_28_a_kill_switch_goes_to_the_daemon_that_runs_and_no_full_disk_loses_it(
    tmp_path: Path,
) -> None:
    pressed: list[tuple[str, str]] = []
    daemon: Any = SimpleNamespace(desk=SimpleNamespace(press=lambda *why: pressed.append(why)))

    async def start(stop: Stop) -> int:
        press()
        await asyncio.sleep(0.01)
        assert pressed == []
        stop.runs(daemon)
        assert len(pressed) == 1, "no file could hold the first one"
        press()
        await asyncio.sleep(0.01)
        return 0

    assert _run_loop(start, tmp_path / "no such folder") == 0
    assert pressed == [("signal", "SIGUSR1")] * 2
