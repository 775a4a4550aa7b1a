"""Suspects: numbers that rank the next move too well; planted ones are in tests/evaluator."""

import random

import pytest

from simple_trader.core.scoring.leaks import correlation, suspect


def series(seed: int, count: int = 300) -> list[float]:
    dice = random.Random(seed)
    return [dice.gauss(0, 1) for _ in range(count)]


def test_correlation_by_hand() -> None:
    assert correlation([1, 2, 3], [2, 4, 6]) == pytest.approx(1.0)
    assert correlation([1, 2, 3], [3, 2, 1]) == pytest.approx(-1.0)
    assert correlation([1, 1, 1], [3, 2, 1]) is None


def test_a_number_that_is_the_next_move_is_suspect_at_any_scale() -> None:
    moves = series(1)
    found = suspect("x", [value**3 for value in moves], list(moves))
    assert found is not None
    assert found.correlation == pytest.approx(1.0)
    assert found.by_chance < 0.3


def test_a_number_that_trends_is_not_suspect_for_that() -> None:
    """Two trending series are correlated at every shift."""
    assert suspect("x", [float(n) for n in range(300)], [float(n) for n in range(300)]) is not None
    steps = [float(n // 30 % 2) for n in range(300)]
    assert suspect("x", list(steps), [1 - step for step in steps]) is None


def test_gaps_are_left_out_and_a_constant_says_nothing() -> None:
    moves = series(2)
    gaps = [None if n % 2 else move for n, move in enumerate(moves)]
    found = suspect("x", gaps, list(moves))
    assert found is not None
    assert found.count == 150
    assert suspect("x", [1.0] * 300, list(moves)) is None
    assert suspect("x", list(series(3)), list(moves)) is None
