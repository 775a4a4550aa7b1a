"""Lateness: a backlog and a wrong clock are told apart, and each is told once."""

from datetime import timedelta

import pytest
from kraken_parts import SetClock

from simple_trader.adapters.kraken.lateness import Lateness, Skew

LIMITS = {"late_s": 2.0, "skew_s": 1.0}


def measured(clock: SetClock, *, ahead_s: float, way_s: float = 0.1) -> Lateness:
    """Of an exchange whose clock is ahead, after one reply."""
    made = Lateness(clock.now)
    made.asked(1)
    there = clock.now() + timedelta(seconds=ahead_s + way_s)
    clock.seconds += 2 * way_s
    made.answered(1, there, there)
    return made


@pytest.mark.parametrize("ahead_s", [0.0, 3.0, -3.0])
def test_the_offset_is_what_both_ways_agree_on(ahead_s: float) -> None:
    clock = SetClock()
    assert measured(clock, ahead_s=ahead_s).clock_offset_s == pytest.approx(ahead_s)


def test_data_is_judged_by_the_clock_of_the_exchange() -> None:
    clock = SetClock()
    made = measured(clock, ahead_s=3.0)
    made.stamped(clock.now() + timedelta(seconds=3.0 - 0.2), 10.0)
    assert made.late_s(10.0) == pytest.approx(0.2)


def test_a_slow_reply_says_nothing_about_the_clock() -> None:
    clock = SetClock()
    made = measured(clock, ahead_s=0.0, way_s=13.0)  # a backlog of 26 s
    assert made.clock_offset_s is None


def test_the_quickest_of_the_last_replies_counts() -> None:
    clock = SetClock()
    made = measured(clock, ahead_s=0.5, way_s=0.01)
    made.asked(2)
    clock.seconds += 1.5
    made.answered(2, clock.now(), clock.now())  # all of the way there: 0.75 s of error
    assert made.clock_offset_s == pytest.approx(0.5)


def test_a_backlog_of_26_s_is_late_and_over_when_it_is_worked_off() -> None:
    clock = SetClock()
    made = measured(clock, ahead_s=0.0)
    said = []
    for second in range(40):
        clock.seconds = float(second)
        backlog = max(0.0, 26.0 - second)
        made.stamped(clock.now() - timedelta(seconds=backlog), float(second))
        said += made.judge(float(second), **LIMITS)
    assert [(one.kind, one.over) for one in said] == [("late", False), ("late", True)]
    assert said[0].seconds == pytest.approx(26.0)


def test_one_old_stamp_among_fresh_ones_is_no_backlog() -> None:
    clock = SetClock()
    made = measured(clock, ahead_s=0.0)
    made.stamped(clock.now(), 1.0)
    made.stamped(clock.now() - timedelta(seconds=60), 1.1)  # a thin pair's last change
    assert made.judge(1.1, **LIMITS) == []


def test_a_clock_that_is_off_is_told_once_and_again_when_it_is_right() -> None:
    clock = SetClock()
    made = measured(clock, ahead_s=1.4)
    (said,) = made.judge(1.0, **LIMITS)
    assert (said.kind, said.over) == ("clock_skew", False)
    assert said.seconds == pytest.approx(1.4)
    assert made.judge(2.0, **LIMITS) == []
    for number in range(2, 12):  # the clock was set right
        made.asked(number)
        made.answered(number, clock.now(), clock.now())
    (ended,) = made.judge(3.0, **LIMITS)
    assert ended.over


def test_what_is_long_ago_says_nothing_about_now() -> None:
    clock = SetClock()
    made = measured(clock, ahead_s=0.0)
    made.stamped(clock.now() - timedelta(seconds=9), 1.0)
    assert made.late_s(60.0) is None


def test_without_a_clock_nothing_is_measured() -> None:
    made = Lateness(None)
    at = SetClock().now()
    made.asked(1)
    made.answered(1, at, at)
    made.stamped(at, 1.0)
    assert (made.clock_offset_s, made.late_s(1.0)) == (None, None)


def reply(made: Lateness, clock: SetClock, req_id: int, *, ahead_s: float, way_s: float) -> None:
    """One more reply of an exchange whose clock is ahead."""
    made.asked(req_id)
    there = clock.now() + timedelta(seconds=ahead_s + way_s)
    clock.seconds += 2 * way_s
    made.answered(req_id, there, there)


def test_x34_the_offset_is_told_once_two_replies_agree_and_again_when_it_changes() -> None:
    clock, skew = SetClock(), Skew()
    made = measured(clock, ahead_s=3.0)
    assert made.skew_news(skew) is None  # one reply may be an accident
    reply(made, clock, 2, ahead_s=3.0, way_s=0.1)
    assert made.skew_news(skew) == pytest.approx(3.0)
    assert made.skew_news(skew) is None
    reply(made, clock, 3, ahead_s=3.2, way_s=0.3)
    assert made.skew_news(skew) is None  # within what the way there and back leaves open
    for number in (4, 5):
        reply(made, clock, number, ahead_s=0.0, way_s=0.1)
    assert made.skew_news(skew) == pytest.approx(0.0)


def test_i_10_what_the_ways_of_replies_differ_by_moves_no_deadline() -> None:
    clock, skew = SetClock(), Skew()
    made = measured(clock, ahead_s=0.02)
    reply(made, clock, 2, ahead_s=0.02, way_s=0.1)
    assert made.skew_news(skew) is None
    for number in (3, 4):
        reply(made, clock, number, ahead_s=3.0, way_s=0.1)
    assert made.skew_news(skew) == pytest.approx(3.0)
    for number in (5, 6):
        reply(made, clock, number, ahead_s=0.02, way_s=0.1)
    assert made.skew_news(skew) == 0.0


def test_x34_i_49_a_clock_that_is_set_makes_older_replies_worthless() -> None:
    clock, skew = SetClock(), Skew()
    made = measured(clock, ahead_s=0.0, way_s=0.001)
    for number in (2, 3):
        reply(made, clock, number, ahead_s=-3600.0, way_s=0.2)
    assert made.skew_news(skew) == pytest.approx(-3600.0)


def test_a_new_connection_goes_on_from_what_was_told() -> None:
    clock, skew = SetClock(), Skew()
    for _ in range(2):
        made = measured(clock, ahead_s=3.0)
        reply(made, clock, 2, ahead_s=3.0, way_s=0.1)
        made.skew_news(skew)
    assert skew.told_s == pytest.approx(3.0)
    back = measured(clock, ahead_s=0.0)
    reply(back, clock, 2, ahead_s=0.0, way_s=0.1)
    assert back.skew_news(skew) == pytest.approx(0.0)


def test_a_stepped_market_is_compared_only_while_it_stands() -> None:
    clock = SetClock()
    made = Lateness(clock.now, stepped=True)
    reply(made, clock, 1, ahead_s=3.0, way_s=0.5)  # a step fell between
    assert made.clock_offset_s is None
    reply(made, clock, 2, ahead_s=3.0, way_s=0.0)
    assert made.clock_offset_s == pytest.approx(3.0)
    made.stamped(clock.now() - timedelta(seconds=50), 10.0)
    assert made.late_s(10.0) is None
