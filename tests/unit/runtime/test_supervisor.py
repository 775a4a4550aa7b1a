"""No task dies silently: a critical one ends the daemon, another is started again."""

import asyncio

import pytest

from simple_trader.runtime import supervisor as module
from simple_trader.runtime.supervisor import CriticalTaskEnded, RootTask, Supervisor


async def forever() -> None:
    await asyncio.Event().wait()


async def test_p11_i_51_a_critical_task_that_ends_by_itself_takes_the_daemon_down() -> None:
    async def ends() -> None:
        await asyncio.sleep(0)

    with pytest.raises(CriticalTaskEnded, match="'lane'"):
        await Supervisor().run([RootTask("x", forever), RootTask("lane", ends)], asyncio.Event())


async def test_p11_i_51_the_error_of_a_critical_task_is_the_error_of_the_daemon() -> None:
    async def fails() -> None:
        raise ConnectionError("lost")

    with pytest.raises(ConnectionError, match="lost"):
        await Supervisor().run([RootTask("lane", fails)], asyncio.Event())


async def test_p11_i_51_a_task_that_is_not_critical_is_started_again(monkeypatch) -> None:
    monkeypatch.setattr(module, "RESTART_FIRST_S", 0.0)
    starts: list[int] = []
    stop = asyncio.Event()

    async def fails_twice() -> None:
        starts.append(1)
        if len(starts) < 3:
            raise OSError("again")
        stop.set()
        await forever()

    await Supervisor().run([RootTask("view", fails_twice, critical=False)], stop)
    assert len(starts) == 3


async def test_p11_i_51_an_errand_that_fails_takes_the_daemon_down() -> None:
    made = Supervisor()

    async def fails() -> None:
        raise ValueError("a bug")

    async def spawner() -> None:
        made.spawn("errand", fails())
        await forever()

    with pytest.raises(ValueError, match="a bug"):
        await made.run([RootTask("spawner", spawner)], asyncio.Event())


async def test_stop_cancels_all_tasks() -> None:
    stop = asyncio.Event()
    ended: list[str] = []

    async def root() -> None:
        try:
            stop.set()
            await forever()
        finally:
            ended.append("root")

    await Supervisor().run([RootTask("root", root)], stop)
    assert ended == ["root"]


async def test_p06_a_task_that_gets_no_memory_takes_the_daemon_down() -> None:
    """The nearest to a leak that meets its limit: the allocation fails, systemd starts it again."""

    async def grows() -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        await Supervisor().run([RootTask("engine loop", grows)], asyncio.Event())
