"""Market time moves in drained steps, fires timers in order, and keeps below its ceiling."""

import asyncio
from datetime import timedelta

import pytest
from runtime_parts import T0

from simple_trader.domain.errors import VenueUnreachable
from simple_trader.domain.events import TimerFired
from simple_trader.ports import Advanced
from simple_trader.runtime import stepper as module
from simple_trader.runtime.clocks import SteppedClock
from simple_trader.runtime.inbox import Inbox
from simple_trader.runtime.stepper import Stepper, StepStuck


class ScriptedMarket:
    """A sandbox with an event every `every`; each step writes one frame on connection 1."""

    def __init__(self, every: timedelta, end) -> None:
        self.every, self.end = every, end
        self.steps: list = []
        self.frames = 0
        self.gone = 0

    def _answer(self, at) -> Advanced:
        following = T0 + self.every * ((at - T0) // self.every + 1)
        ended = at >= self.end
        return Advanced(
            at=at, written={1: self.frames}, next_at=None if ended else following, ended=ended
        )

    async def hello(self) -> Advanced:
        return self._answer(T0)

    async def advance(self, to) -> Advanced:
        if self.gone:
            self.gone -= 1
            raise VenueUnreachable("restarting")
        self.steps.append((to - T0).total_seconds())
        self.frames += 1
        return self._answer(to)


class Body:
    """Feeds, brain and dispatcher in one, as far as the stepper sees them."""

    def __init__(self, market, timers=(), handles=True) -> None:
        self.market, self.due = market, list(timers)
        self.waiting_for: tuple[str, ...] = ()
        self.advice_in_flight = 0
        self.between_steps = asyncio.Lock()
        self.fired: list = []
        self.inbox = Inbox()
        self.handles = handles

    def handled(self):
        return {1: self.market.frames if self.handles else 0}

    def next_due(self):
        return self.due[0] if self.due else None

    async def consume(self) -> None:
        while True:
            event = await self.inbox.get()
            assert isinstance(event, TimerFired)
            self.fired.append((event.name, (event.due - T0).total_seconds()))
            self.due.pop(0)
            self.inbox.done()


async def run(market, body, *, speed=float("inf"), feeds_up=lambda: True) -> Stepper:
    made = Stepper(
        clock=SteppedClock(T0),
        driver=market,
        feeds=body,
        feeds_up=feeds_up,
        inbox=body.inbox,
        dispatcher=body,
        brain=body,
        speed=speed,
        end=None,
    )
    stepping = asyncio.ensure_future(made.run())
    consuming = asyncio.ensure_future(body.consume())
    try:
        async with asyncio.timeout(10):
            while not made.ended and not stepping.done():
                await asyncio.sleep(0.001)
        if stepping.done():
            stepping.result()
    finally:
        stepping.cancel()
        consuming.cancel()
    return made


async def test_steps_stop_at_every_market_event_and_every_second() -> None:
    market = ScriptedMarket(timedelta(milliseconds=700), T0 + timedelta(seconds=3))
    await run(market, Body(market), speed=1000.0)
    assert market.steps == pytest.approx([0.7, 1.4, 2.1, 2.8, 3.5])


async def test_timers_fire_at_their_moment_in_order() -> None:
    market = ScriptedMarket(timedelta(seconds=10), T0 + timedelta(seconds=30))
    timers = [(T0 + timedelta(seconds=s), name) for s, name in [(4, "a"), (4, "b"), (25, "c")]]
    body = Body(market, timers)
    await run(market, body)
    assert body.fired == [("a", 4.0), ("b", 4.0), ("c", 25.0)]
    assert 4.0 in market.steps
    assert 25.0 in market.steps


async def test_speed_is_a_ceiling() -> None:
    market = ScriptedMarket(timedelta(seconds=1), T0 + timedelta(seconds=4))
    made = await run(market, Body(market), speed=20.0)
    assert 15.0 < made.reached_speed <= 20.0


async def test_an_answer_from_outside_is_told_between_two_steps_only() -> None:
    market = ScriptedMarket(timedelta(seconds=1), T0 + timedelta(seconds=40))
    body = Body(market)
    steps_when_told: list[int] = []
    inside: list[bool] = []
    advance = market.advance

    async def slow_advance(to):
        inside.append(True)
        await asyncio.sleep(0.001)
        answer = await advance(to)
        inside.pop()
        return answer

    market.advance = slow_advance

    async def answer() -> None:
        while len(steps_when_told) < 5:
            await asyncio.sleep(0.003)
            async with body.between_steps:
                assert not inside, "told in the middle of a step"
                steps_when_told.append(len(market.steps))

    answering = asyncio.ensure_future(answer())
    await run(market, body)
    await answering
    assert len(set(steps_when_told)) > 1


async def test_market_time_stands_still_while_the_sandbox_is_gone() -> None:
    market = ScriptedMarket(timedelta(seconds=1), T0 + timedelta(seconds=2))
    market.gone = 1
    made = await run(market, Body(market))
    assert made.ended
    assert market.steps == [1.0, 2.0]


async def test_a_step_that_does_not_drain_stops_the_run_and_names_what_it_waits_for(
    monkeypatch,
) -> None:
    monkeypatch.setattr(module, "DRAIN_LIMIT_S", 0.05)
    market = ScriptedMarket(timedelta(seconds=1), T0 + timedelta(seconds=2))
    with pytest.raises(StepStuck, match="frames"):
        await run(market, Body(market, handles=False))


async def test_feeds_that_never_come_up_stop_the_run_and_two_lost_snapshots_do_not(
    monkeypatch,
) -> None:
    assert module.FEEDS_LIMIT_S >= 4 * module.DRAIN_LIMIT_S
    monkeypatch.setattr(module, "DRAIN_LIMIT_S", 0.01)
    monkeypatch.setattr(module, "FEEDS_LIMIT_S", 0.2)
    market = ScriptedMarket(timedelta(seconds=1), T0 + timedelta(seconds=2))
    looks = iter(range(1000))
    made = await run(market, Body(market), feeds_up=lambda: next(looks) > 4)
    assert made.ended
    market = ScriptedMarket(timedelta(seconds=1), T0 + timedelta(seconds=2))
    with pytest.raises(StepStuck, match="feeds"):
        await run(market, Body(market), feeds_up=lambda: False)
