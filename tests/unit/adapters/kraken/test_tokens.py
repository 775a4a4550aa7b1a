"""Tokens: one flight for all who wait, a new one for each connection, errors for everyone."""

import asyncio

import pytest

from simple_trader.adapters.kraken.tokens import TokenSource
from simple_trader.domain.errors import VenueUnreachable


async def test_those_who_ask_at_once_share_one_flight() -> None:
    calls: list[asyncio.Future[str]] = []

    async def fetch() -> str:
        calls.append(asyncio.get_running_loop().create_future())
        return await calls[-1]

    source = TokenSource(fetch)
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(source.fresh()) for _ in range(3)]
        while not calls:
            await asyncio.sleep(0)
        calls[0].set_result("one")
    assert [task.result() for task in asked] == ["one"] * 3
    assert len(calls) == 1


async def test_the_next_connection_gets_a_new_token() -> None:
    made = iter("ab")

    async def fetch() -> str:
        return next(made)

    source = TokenSource(fetch)
    assert [await source.fresh(), await source.fresh()] == ["a", "b"]


async def test_an_error_reaches_everyone_who_waits_and_is_not_kept() -> None:
    gate = asyncio.Event()
    answers: list[str] = []

    async def fetch() -> str:
        await gate.wait()
        if not answers:
            raise VenueUnreachable("no answer")
        return answers[0]

    source = TokenSource(fetch)

    async def ask() -> str:
        try:
            return await source.fresh()
        except VenueUnreachable as error:
            return str(error)

    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(ask()) for _ in range(2)]
        await asyncio.sleep(0)
        gate.set()
    assert [task.result() for task in asked] == ["no answer"] * 2
    answers.append("fresh")
    assert await source.fresh() == "fresh"


async def test_who_waits_flies_itself_when_the_first_is_cancelled() -> None:
    hanging = asyncio.Event()
    calls = 0

    async def fetch() -> str:
        nonlocal calls
        calls += 1
        if calls == 1:
            await hanging.wait()
        return "second"

    source = TokenSource(fetch)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(source.fresh())
        await asyncio.sleep(0)
        second = group.create_task(source.fresh())
        await asyncio.sleep(0)
        first.cancel()
    assert second.result() == "second"


async def test_a_token_fetched_alone_may_fail_alone() -> None:
    async def fetch() -> str:
        raise VenueUnreachable("no answer")

    with pytest.raises(VenueUnreachable):
        await TokenSource(fetch).fresh()
