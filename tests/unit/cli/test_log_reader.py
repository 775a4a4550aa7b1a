"""`logs` filters, reads rotated parts and follows across a rotation."""

import asyncio
import json
from pathlib import Path

import pytest

from simple_trader.cli.log_reader import Wanted, follow, last_lines
from simple_trader.telemetry.logs import MAIN_LOG


def line(message: str, level: str = "info", **fields: str) -> str:
    record = {"at": "2026-03-02T10:00:00.000Z", "level": level, "logger": "x", "message": message}
    return json.dumps({**record, **fields}) + "\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / f"{MAIN_LOG}.2").write_text(line("oldest"))
    (tmp_path / f"{MAIN_LOG}.1").write_text(line("older", "error", pair="BTC/USD", decision="d1"))
    (tmp_path / MAIN_LOG).write_text("torn li\n" + line("newest", "warning", pair="ETH/USD"))
    return tmp_path


def messages(folder: Path, wanted: Wanted) -> list[str]:
    return [text.split()[2] if text.count(" ") > 1 else text for text in last_lines(folder, wanted)]


def test_all_parts_are_read_oldest_first_and_a_torn_line_is_shown(folder: Path) -> None:
    assert messages(folder, Wanted()) == ["oldest", "older", "torn li", "newest"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(level="warning"), ["older", "newest"]),
        (Wanted(level="error"), ["older"]),
        (Wanted(pair="ETH/USD"), ["newest"]),
        (Wanted(decision="d1"), ["older"]),
        (Wanted(decision="d1", pair="ETH/USD"), []),
    ],
)
def test_only_what_is_wanted_is_shown(folder: Path, wanted: Wanted, found: list[str]) -> None:
    assert messages(folder, wanted) == found


async def test_following_goes_on_across_a_rotation(folder: Path) -> None:
    path = folder / MAIN_LOG
    shown: list[str] = []
    heard = asyncio.Event()

    def show(text: str) -> None:
        shown.append(text.split()[2])
        heard.set()

    async def until(message: str) -> None:
        while message not in shown:
            heard.clear()
            await heard.wait()

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        task = group.create_task(follow(folder, Wanted(), show))
        await asyncio.sleep(0)
        with path.open("a") as file:
            file.write(line("first")[:20])
            file.flush()
            file.write(line("first")[20:])
        await until("first")
        path.rename(folder / f"{MAIN_LOG}.9")
        path.write_text(line("second"))
        await until("second")
        task.cancel()
    assert shown == ["first", "second"]
