"""Virtual time jumps from timer to timer and says when nothing can ever happen again."""

import asyncio
import time

import pytest
from virtual_time import START, DeadlockError, VirtualClock, run_virtually


def test_an_hour_of_timers_takes_no_time_and_keeps_their_order() -> None:
    woken: list[str] = []

    async def sleeper(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        woken.append(name)

    async def hour(loop):
        clock = VirtualClock(loop, START)
        async with asyncio.TaskGroup() as group:
            for name, seconds in [("late", 3600.0), ("early", 1.0), ("middle", 60.0)]:
                group.create_task(sleeper(name, seconds))
        return (clock.now() - START).total_seconds()

    began = time.perf_counter()
    assert run_virtually(hour) == 3600.0
    assert woken == ["early", "middle", "late"]
    assert time.perf_counter() - began < 1.0


def test_a_deadlock_is_an_error_and_not_a_hang() -> None:
    async def stuck(loop):
        await asyncio.Event().wait()

    with pytest.raises(DeadlockError):
        run_virtually(stuck)
