"""Turns: a cancel passes every read, also one that is under way."""

import asyncio

import pytest

from simple_trader.adapters.kraken.turns import Turns
from simple_trader.ports import HttpFailed


class Line:
    """Requests that are noted when they begin; a slow one lasts until it is let go."""

    def __init__(self) -> None:
        self.turns, self.began = Turns(), []
        self.let_go = asyncio.Event()

    async def ask(self, name: str, *, first: bool = False, slow: bool = False) -> str:
        async with self.turns.turn(first=first):
            self.began.append(name)
            if slow:
                await self.let_go.wait()
        return name


async def test_x18_i_28_a_cancel_ends_the_slow_read_before_it_and_passes_those_that_wait() -> None:
    line = Line()
    async with asyncio.TaskGroup() as group:
        slow = group.create_task(_failed(line.ask("slow read", slow=True)))
        await asyncio.sleep(0)
        reads = [group.create_task(line.ask(f"read {n}")) for n in range(3)]
        await asyncio.sleep(0)
        cancels = [group.create_task(line.ask(f"cancel {n}", first=True)) for n in range(2)]
    assert "gave way" in slow.result()
    assert line.began[:3] == ["slow read", "cancel 0", "cancel 1"]
    assert sorted(line.began[3:]) == ["read 0", "read 1", "read 2"]
    assert len([one.result() for one in (*reads, *cancels)]) == 5


async def test_a_cancel_under_way_is_not_ended_by_the_next_one() -> None:
    line = Line()
    async with asyncio.TaskGroup() as group:
        one = group.create_task(line.ask("cancel 0", first=True, slow=True))
        await asyncio.sleep(0)
        two = group.create_task(line.ask("cancel 1", first=True))
        await asyncio.sleep(0)
        assert line.began == ["cancel 0"]
        line.let_go.set()
    assert (one.result(), two.result()) == ("cancel 0", "cancel 1")


async def test_a_wait_that_is_cancelled_leaves_the_line_usable() -> None:
    line = Line()
    async with asyncio.TaskGroup() as group:
        slow = group.create_task(line.ask("cancel 0", first=True, slow=True))
        await asyncio.sleep(0)
        lost = group.create_task(line.ask("cancel 1", first=True))
        await asyncio.sleep(0)
        lost.cancel()
        line.let_go.set()
        await slow
        assert await line.ask("read") == "read"
    assert line.began == ["cancel 0", "read"]


async def _failed(asked) -> str:
    with pytest.raises(HttpFailed) as failed:
        await asked
    return str(failed.value)
