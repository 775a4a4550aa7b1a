"""The dead man's switch: armed while wanted and healthy, refreshed in time, then disarmed."""

from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from runtime_parts import HandClock

from simple_trader.domain.venue_replies import SwitchArmed, SwitchRejected, SwitchUnknown
from simple_trader.runtime.deadman import LOOK_EVERY_S, REFRESH_S, TIMEOUT_S, DeadMan


@dataclass
class Exchange:
    """The exchange's side of the switch, by the same clock: what it does decides the tests."""

    clock: HandClock
    fires_at: float | None = None
    fired: int = 0
    calls: list = field(default_factory=list)
    answer: object = None

    async def arm_switch(self, timeout_s: int) -> object:
        self.calls.append((self.clock.real, timeout_s))
        if self.answer is not None:
            return self.answer
        self.fires_at = self.clock.real + timeout_s if timeout_s else None
        return SwitchArmed(current_at=None, trigger_at=None)

    def pass_time(self) -> None:
        if self.fires_at is not None and self.clock.real >= self.fires_at:
            self.fired, self.fires_at = self.fired + 1, None


class Desk:
    """A switch with a brain and a lease that are set by hand."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.exchange = Exchange(self.clock)
        self.wanted, self.held = False, True
        self.switch = DeadMan(
            venue=self.exchange,
            clock=self.clock,
            wanted=lambda: self.wanted,
            held=lambda: self.held,
        )

    async def live(self, seconds: float) -> list[bool]:
        """Look as the daemon does; whether the exchange's switch stood armed after each look."""
        seen = []
        for _ in range(int(seconds / LOOK_EVERY_S)):
            self.exchange.pass_time()
            await self.switch.look()
            seen.append(self.exchange.fires_at is not None)
            self.clock.real += LOOK_EVERY_S
        return seen


async def test_i_29_armed_exactly_while_wanted_with_at_most_sixty_seconds_left() -> None:
    desk = Desk()
    assert not any(await desk.live(30))
    assert desk.exchange.calls == []  # an account of which nothing rests is left alone
    desk.wanted = True
    assert all(await desk.live(300))
    assert {timeout for _, timeout in desk.exchange.calls} == {TIMEOUT_S}
    moments = [at for at, _ in desk.exchange.calls]
    gaps = {later - sooner for sooner, later in pairwise(moments)}
    assert all(15 <= gap <= 30 for gap in gaps), gaps
    desk.wanted = False
    assert not any(await desk.live(120))
    assert [timeout for _, timeout in desk.exchange.calls[-2:]] == [TIMEOUT_S, 0]
    assert desk.exchange.fired == 0


async def test_i_29_n06_without_the_lease_no_refresh_is_sent_and_it_lapses() -> None:
    desk = Desk()
    desk.wanted = True
    await desk.live(1)
    desk.held = False
    sent = len(desk.exchange.calls)
    await desk.live(70)
    assert len(desk.exchange.calls) == sent
    assert desk.exchange.fired == 1


async def test_i_29_a_lease_that_comes_back_in_time_keeps_it_from_firing() -> None:
    desk = Desk()
    desk.wanted = True
    await desk.live(1)
    desk.held = False
    await desk.live(50)
    desk.held = True
    assert all(await desk.live(60))
    assert desk.exchange.fired == 0


async def test_i_29_what_no_longer_rests_is_disarmed_even_without_the_lease() -> None:
    desk = Desk()
    desk.wanted = True
    await desk.live(1)
    desk.wanted = desk.held = False  # a protective order rests now: firing would take it too
    await desk.live(1)
    assert desk.exchange.calls[-1][1] == 0
    assert desk.exchange.fires_at is None


async def test_x30_a_switch_that_fired_is_armed_again_at_once_where_it_is_wanted() -> None:
    desk = Desk()
    desk.wanted = True
    await desk.live(5)
    desk.exchange.fires_at = None  # it fired for a reason of the exchange's own
    desk.switch.has_fired()
    assert all(await desk.live(1))


@pytest.mark.parametrize(
    "answer", [SwitchUnknown(detail="no answer"), SwitchRejected(error="EService:Busy")]
)
async def test_a_call_that_failed_is_repeated_and_what_may_be_armed_is_disarmed(
    answer: object,
) -> None:
    desk = Desk()
    desk.wanted, desk.exchange.answer = True, answer
    await desk.live(11)
    assert [timeout for _, timeout in desk.exchange.calls] == [TIMEOUT_S] * 3
    desk.wanted, desk.exchange.answer = False, None
    await desk.live(6)
    assert desk.exchange.calls[-1][1] == 0


async def test_a_restart_takes_over_what_the_last_run_may_have_armed() -> None:
    desk = Desk()
    desk.exchange.fires_at = desk.clock.real + 30
    desk.switch.take_over()
    await desk.live(1)
    assert desk.exchange.fires_at is None


def test_it_is_refreshed_early_enough_to_miss_one_refresh() -> None:
    assert 15 <= REFRESH_S <= 30
    assert 2 * REFRESH_S < TIMEOUT_S
