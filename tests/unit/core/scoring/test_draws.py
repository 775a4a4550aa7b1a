"""Draws follow from their seed alone, on every machine."""

from collections import Counter

from simple_trader.core.scoring.draws import Draws


def test_the_published_numbers_of_splitmix_come_out() -> None:
    dice = Draws(1234567)
    assert [dice.next64() for _ in range(3)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]


def test_numbers_below_a_limit_are_all_drawn_about_alike() -> None:
    dice = Draws(1)
    counts = Counter(dice.below(10) for _ in range(10_000))
    assert sorted(counts) == list(range(10))
    assert min(counts.values()) > 900
    assert max(counts.values()) < 1100
