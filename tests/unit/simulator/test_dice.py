"""Counter-based dice."""

import statistics

from hypothesis import given
from hypothesis import strategies as st

from simple_trader.simulator.dice import CounterDice, mix, stream_key


def test_the_same_key_and_counter_give_the_same_numbers() -> None:
    first = CounterDice(5)
    ahead = [first.random() for _ in range(10)]
    again = CounterDice(5, counter=4)
    assert [again.random() for _ in range(6)] == ahead[4:]


def test_streams_of_one_seed_differ() -> None:
    assert stream_key(1, "a") != stream_key(1, "b") != stream_key(2, "b")
    assert stream_key(1, "ab") != stream_key(1, "a", "b")


@given(st.lists(st.integers(0, 2**64 - 1), unique=True, min_size=2, max_size=50))
def test_mixing_loses_nothing(values: list[int]) -> None:
    assert len({mix(value) for value in values}) == len(values)


def test_uniform_and_gauss_have_the_moments_they_promise() -> None:
    dice = CounterDice(stream_key(3, "moments"))
    uniform = [dice.uniform(2.0, 4.0) for _ in range(20_000)]
    assert 2.0 <= min(uniform) < max(uniform) < 4.0
    assert abs(statistics.fmean(uniform) - 3.0) < 0.02
    normal = [dice.gauss(1.0, 2.0) for _ in range(20_000)]
    assert abs(statistics.fmean(normal) - 1.0) < 0.06
    assert abs(statistics.pstdev(normal) - 2.0) < 0.06


def test_below_reaches_every_value_and_no_other() -> None:
    dice = CounterDice(9)
    assert {dice.below(5) for _ in range(500)} == {0, 1, 2, 3, 4}
