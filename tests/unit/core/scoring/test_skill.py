"""The running skill of the online model: proven on a signal, not claimed on noise, quarantined."""

import math
import random
from datetime import UTC, datetime

import pytest

from simple_trader.core.scoring import skill as measure
from simple_trader.domain.predictions import ModelSkill
from simple_trader.domain.reasons import Reason

AT = datetime(2026, 3, 2, tzinfo=UTC)
FRESH = ModelSkill(pair="BTC/USD", horizon_cycles=1, horizon_s=900)


def run(
    count: int, truth: float, *, seed: int, horizon: int = 1, sure: float = 0.6
) -> list[ModelSkill]:
    """A predictor that says `sure` for the side that comes with a chance of `truth`, at each step;
    an outcome holds for `horizon` steps, as those of overlapping predictions do.
    """
    dice = random.Random(seed)
    one = FRESH if horizon == 1 else ModelSkill(pair="X/Y", horizon_cycles=horizon, horizon_s=9)
    found: list[ModelSkill] = []
    outcome, right = 0, True
    for number in range(count):
        if number % horizon == 0:
            outcome, right = dice.randrange(2), dice.random() < truth
        says_up = bool(outcome) == right
        one = measure.scored(
            one,
            probability=sure if says_up else 1.0 - sure,
            base=measure.base_rate(one),
            outcome=outcome,
        )
        found.append(one)
    return found


def test_climatology_starts_at_one_half_and_follows_what_was_seen() -> None:
    assert measure.base_rate(None) == measure.base_rate(FRESH) == 0.5
    up = measure.scored(FRESH, probability=0.5, base=0.5, outcome=1)
    assert measure.base_rate(up) == pytest.approx(2 / 3)


def test_the_sums_are_those_of_the_rows() -> None:
    one = measure.scored(FRESH, probability=0.75, base=0.5, outcome=1)
    two = measure.scored(one, probability=0.75, base=2 / 3, outcome=0)
    assert (two.scored, two.ups) == (2, 1)
    assert two.brier == pytest.approx(0.0625 + 0.5625)
    assert two.base_brier == pytest.approx(0.25 + 4 / 9)
    assert two.log_loss == pytest.approx(-math.log(0.75) - math.log(0.25))
    assert measure.brier_skill(two) == pytest.approx(1 - 0.625 / (0.25 + 4 / 9))


def test_a_planted_edge_is_claimed_with_an_interval_above_zero() -> None:
    skill = run(2_000, 0.65, seed=1)[-1]
    bounds = measure.skill_interval(skill)
    assert bounds is not None
    assert bounds[0] > 0.0
    measured = measure.claimed(skill)
    assert measured is not None
    assert bounds[0] < measured < bounds[1]
    assert measured == pytest.approx(1 - (0.65 * 0.16 + 0.35 * 0.36) / 0.25, abs=0.05)


@pytest.mark.parametrize("horizon", [1, 5])
def test_on_noise_no_skill_is_claimed_at_any_look_in_95_of_100_runs(horizon: int) -> None:
    claims = sum(
        any(measure.claimed(one) is not None for one in run(800, 0.5, seed=seed, horizon=horizon))
        for seed in range(100)
    )
    assert claims <= 5


def test_too_few_outcomes_prove_nothing_and_quarantine_nothing() -> None:
    skill = run(measure.MIN_SCORED - 1, 0.0, seed=1)[-1]
    assert measure.skill_interval(skill) is None
    assert measure.claimed(skill) is None
    assert measure.judged(skill, AT) is skill
    perfect = run(measure.MIN_SCORED - 1, 1.0, seed=1)[-1]
    assert measure.claimed(perfect) is None


def test_a_negative_skill_is_quarantined_and_lifted_when_it_returns() -> None:
    bad = measure.judged(run(300, 0.3, seed=2)[-1], AT)
    assert (bad.quarantined_at, bad.quarantined_for) == (AT, Reason.MODEL_UNSKILLED)
    assert measure.claimed(bad) is None
    one, dice = bad, random.Random(3)
    steps = 0
    while one.quarantined_at is not None:
        outcome = dice.randrange(2)
        probability = 0.7 if outcome else 0.3
        one = measure.scored(
            one, probability=probability, base=measure.base_rate(one), outcome=outcome
        )
        one = measure.judged(one, AT)
        steps += 1
        assert steps < 1_000
    assert steps == measure.MIN_SCORED, "not by the first good outcomes"
    assert one.quarantined_for == ""
    recent = measure.recent_skill(one)
    assert recent is not None
    assert recent > measure.LIFT_SKILL
    assert measure.judged(one, AT) is one


def test_a_skill_about_zero_does_not_flap() -> None:
    one, changes = FRESH, 0
    dice = random.Random(6)
    for _ in range(2_000):
        outcome = dice.randrange(2)
        probability = dice.choice((0.45, 0.55))
        before = measure.scored(
            one, probability=probability, base=measure.base_rate(one), outcome=outcome
        )
        one = measure.judged(before, AT)
        changes += (one.quarantined_at is None) != (before.quarantined_at is None)
    assert changes <= 6


def test_m03_after_a_divergence_it_is_hidden_until_new_outcomes_speak_for_it() -> None:
    good = run(1_000, 0.7, seed=4)[-1]
    assert measure.claimed(good) is not None
    broken = measure.diverged(good, AT)
    assert (broken.quarantined_for, broken.diverged) == (Reason.MODEL_DIVERGED, 1)
    assert measure.claimed(broken) is None
    one = broken
    for number in range(measure.MIN_SCORED):
        assert one.quarantined_at is not None, "the outcomes of before do not count"
        outcome = number % 2
        one = measure.scored(
            one, probability=0.7 if outcome else 0.3, base=measure.base_rate(one), outcome=outcome
        )
        one = measure.judged(one, AT)
    assert one.quarantined_at is None
    assert measure.claimed(one) is not None


def test_a_drift_is_counted_and_dated() -> None:
    twice = measure.drifted(measure.drifted(FRESH, AT), AT)
    assert (twice.drifts, twice.drifted_at) == (2, AT)
