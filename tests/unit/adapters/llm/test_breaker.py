"""A breaker opens after three failures in a row, doubles its rest, and lets one trial through."""

import pytest

from simple_trader.adapters.llm.breaker import FIRST_REST_S, LONGEST_REST_S, Breaker


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def broken(clock: Hands, times: int = 3) -> Breaker:
    one = Breaker(clock)
    for _ in range(times):
        one.begin()
        one.failed()
    return one


def test_l02_two_failures_leave_it_closed_and_the_third_opens_it() -> None:
    clock = Hands()
    assert broken(clock, 2).waits_s() == 0
    assert broken(clock, 3).waits_s() == FIRST_REST_S


def test_l02_a_success_between_makes_all_as_at_first() -> None:
    one = broken(Hands(), 2)
    one.begin()
    one.succeeded()
    one.begin()
    one.failed()
    assert one.waits_s() == 0


def test_l02_after_its_rest_one_trial_goes_out_and_no_second() -> None:
    clock = Hands()
    one = broken(clock)
    clock.now += FIRST_REST_S
    assert one.waits_s() == 0
    one.begin()
    assert one.waits_s() > 0
    one.abandoned()
    assert one.waits_s() == 0
    one.begin()
    one.succeeded()
    assert one.waits_s() == 0


def test_l02_each_failed_trial_doubles_the_rest_to_a_quarter_of_an_hour() -> None:
    clock = Hands()
    one = broken(clock)
    rests = []
    for _ in range(12):
        rests.append(one.waits_s())
        clock.now += rests[-1]
        one.begin()
        one.failed()
    assert rests[:5] == [60, 120, 240, 480, 900]
    assert set(rests[4:]) == {LONGEST_REST_S}


@pytest.mark.parametrize(("asked", "waits"), [(7.0, 7.0), (86_400.0, LONGEST_REST_S)])
def test_l02_a_retry_after_is_kept_but_not_for_days(asked: float, waits: float) -> None:
    one = Breaker(Hands())
    one.asked_to_wait(asked)
    assert one.waits_s() == waits
