"""A start waits for clocks that agree, before it writes anything that would bind later lives."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import pytest
from virtual_time import VirtualLoop, run_virtually

from simple_trader.domain.errors import VenueUnreachable
from simple_trader.runtime.clocks import SystemClock
from simple_trader.runtime.time_check import agree_on_time, certain_skew_s

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


class World:
    """The exchange's time and a machine whose clock is `off` until it is set right."""

    def __init__(self, loop: VirtualLoop, off: timedelta) -> None:
        self.loop, self.off, self.asked, self.failures = loop, off, 0, 0

    def there(self) -> datetime:
        return AT + timedelta(seconds=self.loop.time())

    def clock(self) -> SystemClock:
        return SystemClock(lambda: self.there() + self.off, self.loop.time)

    async def server_time(self) -> datetime:
        self.asked += 1
        if self.failures > 0:
            self.failures -= 1
            raise VenueUnreachable("no answer")
        return self.there().replace(microsecond=0)

    def right(self) -> None:
        self.off = timedelta(0)


@pytest.mark.parametrize("off", [HOUR, -HOUR, timedelta(seconds=7), timedelta(seconds=-7)])
def test_p04_x34_a_start_waits_until_the_clock_is_set_right(
    off: timedelta, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)

    async def scene(loop: VirtualLoop) -> None:
        world = World(loop, off)
        clock = world.clock()
        loop.call_at(33.0, world.right)
        await agree_on_time(clock, world.server_time, None)
        assert 33.0 <= loop.time() <= 39.0
        assert clock.now() == world.there()

    run_virtually(scene)
    said = [record.message for record in caplog.records]
    assert len(said) == 1
    assert "this machine's clock is" in said[0]
    assert ("ahead of" if off > timedelta(0) else "behind") in said[0]


def test_p04_what_a_wrong_clock_wrote_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)

    async def scene(loop: VirtualLoop) -> None:
        world = World(loop, timedelta(0))
        await agree_on_time(world.clock(), world.server_time, AT + timedelta(seconds=65))
        assert 60.0 <= loop.time() <= 66.0

    run_virtually(scene)
    assert "2026-03-02 10:01:05 UTC, which is still to come" in caplog.records[0].message


def test_x34_a_clock_that_agrees_starts_at_once_and_an_outage_is_waited_for() -> None:
    async def scene(loop: VirtualLoop) -> None:
        world = World(loop, timedelta(seconds=2))
        await agree_on_time(world.clock(), world.server_time, AT)
        assert (loop.time(), world.asked) == (0.0, 1)
        world.failures = 2
        await asyncio.wait_for(agree_on_time(world.clock(), world.server_time, AT), 5.0)
        assert world.asked == 4

    run_virtually(scene)


@pytest.mark.parametrize(
    ("before_s", "there_s", "after_s", "skew_s"),
    [(0.2, 0, 0.4, 0), (0.99, 0, 1.5, 0), (3.5, 0, 3.6, 2.5), (0.0, 4, 0.5, -3.5), (-0.5, 0, 9, 0)],
)
def test_only_what_is_certain_of_a_clock_difference_counts(
    before_s: float, there_s: float, after_s: float, skew_s: float
) -> None:
    moments = [AT + timedelta(seconds=s) for s in (before_s, there_s, after_s)]
    assert certain_skew_s(*moments) == pytest.approx(skew_s)
