"""Planted look-ahead is found, in every case; honest twins are left alone (I-42, M02).

Eight of the thirteen planted leaks carry stamps and are found in the rows
(tests/evaluator/test_leaks_in_rows.py); five are found here, in numbers whatever their stamps say,
and in functions whose answer about a moment changes with what comes after it.
"""

import pytest
from evaluator.leaks import (
    HONEST_FUNCTIONS,
    HONEST_NUMBERS,
    LEAKING_FUNCTIONS,
    LEAKING_NUMBERS,
    Function,
    Number,
    knows_the_future,
    moves_after,
    walk,
)

from simple_trader.core.scoring.leaks import suspect


@pytest.mark.parametrize("leak", LEAKING_NUMBERS, ids=lambda leak: leak.name)
@pytest.mark.parametrize("seed", range(3))
def test_i_42_m02_a_number_that_knows_the_next_move_is_found(leak: Number, seed: int) -> None:
    series = walk(400, seed)
    found = suspect(leak.name, leak.make(series), moves_after(series))
    assert found is not None
    assert found.name == leak.name
    assert abs(found.correlation) > found.by_chance


@pytest.mark.parametrize("honest", HONEST_NUMBERS, ids=lambda honest: honest.name)
@pytest.mark.parametrize("seed", range(10))
def test_i_42_an_honest_number_is_left_alone(honest: Number, seed: int) -> None:
    series = walk(400, seed)
    assert suspect(honest.name, honest.make(series), moves_after(series)) is None


@pytest.mark.parametrize("leak", LEAKING_FUNCTIONS, ids=lambda leak: leak.name)
def test_i_42_m02_a_function_that_knows_the_future_is_found(leak: Function) -> None:
    assert knows_the_future(leak.compute, walk(400, 1), 300)


@pytest.mark.parametrize("honest", HONEST_FUNCTIONS, ids=lambda honest: honest.name)
@pytest.mark.parametrize("at", [0, 1, 60, 250, 300])
def test_i_42_an_honest_function_does_not_change_with_the_future(honest: Function, at: int) -> None:
    assert not knows_the_future(honest.compute, walk(400, 1), at)


def test_too_few_moments_say_nothing() -> None:
    series = walk(90, 1)
    leak = LEAKING_NUMBERS[0]
    assert suspect(leak.name, leak.make(series), moves_after(series)) is None
