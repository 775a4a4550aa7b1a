"""Decisions whose skill is known: the small form of `make evaluate` (1,000 lives of each)."""

from evaluator.worlds import EDGE, RANDOM, World, judged, live, share

from simple_trader.core.scoring.judging import NO_SKILL, SKILL, TOO_FEW, WORSE

LIVES = 40


def test_random_decisions_are_not_said_to_have_skill() -> None:
    assert share(RANDOM, LIVES) <= 0.05


def test_a_planted_edge_of_55_percent_is_found() -> None:
    assert share((EDGE,), LIVES) >= 0.7  # the full form asks for 0.8 of 1,000


def test_an_edge_is_told_with_its_interval_around_it() -> None:
    found = judged(World(name="an edge of 60 %", edge=0.6), 1).direction
    assert found is not None
    assert found.verdict == SKILL
    assert found.low < 0.6 < found.high
    assert 0.49 < found.chance < 0.51
    assert found.independent == 800


def test_decisions_that_are_always_wrong_are_said_to_be_worse_than_chance() -> None:
    found = judged(World(name="wrong", edge=0.4), 1).direction
    assert found is not None
    assert found.verdict == WORSE


def test_always_up_in_a_rising_market_is_no_skill() -> None:
    found = judged(World(name="up", ups=1.0, drift=0.06, cycles=3000), 2).direction
    assert found is not None
    assert found.share > 0.55
    assert found.verdict == NO_SKILL


def test_an_edge_over_overlapping_horizons_counts_only_what_is_independent() -> None:
    found = judged(World(name="overlap", edge=0.9, horizon=10, cycles=500), 1).direction
    assert found is not None
    assert found.count == 500
    assert found.independent == 50
    assert found.verdict == TOO_FEW


def test_calls_made_alike_for_pairs_that_move_together_count_about_once() -> None:
    world = World(name="alike", pairs=2, together=1.0, same_calls=True, cycles=400)
    found = judged(world, 3).direction
    assert found is not None
    assert found.count == 800
    assert found.independent < 450


def test_the_same_life_is_marked_the_same_twice() -> None:
    assert live(EDGE, 7) == live(EDGE, 7)
    assert judged(EDGE, 7) == judged(EDGE, 7)
