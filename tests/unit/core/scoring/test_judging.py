"""Judging: verdicts by hand on small sets, and never on too little."""

from datetime import UTC, datetime, timedelta

import pytest

from simple_trader.core.scoring.judging import (
    MIN_FIT,
    MIN_INDEPENDENT,
    NO_SKILL,
    SKILL,
    TOO_FEW,
    WORSE,
    Call,
    Stated,
    direction,
    forecasts,
    recalibrated,
)

T0 = datetime(2026, 3, 2, tzinfo=UTC)


def at(number: int) -> datetime:
    return T0 + timedelta(minutes=number)


def call(number: int, side: int, change: float, pair: str = "BTC/USD") -> Call:
    return Call(pair=pair, begin=at(number), end=at(number + 1), side=side, change=change)


def stated(number: int, probability: float, outcome: int, life: int = 1) -> Stated:
    return Stated(
        pair="BTC/USD",
        made_at=at(number),
        due_at=at(number + life),
        known_at=at(number + life),
        probability=probability,
        outcome=outcome,
    )


def alternating(count: int, right: int) -> list[Call]:
    """Calls up and down in a market that goes both ways alike, `right` of them right."""
    return [
        call(n, 1 if n % 2 else -1, (1.0 if n % 2 else -1.0) * (1 if n < right else -1))
        for n in range(count)
    ]


def test_nothing_is_judged_on_nothing() -> None:
    assert direction([]) is None
    assert forecasts([]) is None


@pytest.mark.parametrize(
    ("count", "right", "verdict"),
    [
        (99, 99, TOO_FEW),
        (100, 60, SKILL),
        (100, 58, NO_SKILL),
        (100, 42, NO_SKILL),
        (100, 40, WORSE),
        (800, 426, SKILL),
        (800, 425, NO_SKILL),
    ],
)
def test_a_verdict_needs_100_independent_calls_and_a_margin(
    count: int, right: int, verdict: str
) -> None:
    found = direction(alternating(count, right))
    assert found is not None
    assert found.independent == count
    assert found.verdict == verdict
    assert MIN_INDEPENDENT == 100


def test_a_price_that_did_not_move_was_called_wrong() -> None:
    found = direction([call(0, 1, 0.0), call(1, -1, 0.0), call(2, 1, 1.0)])
    assert found is not None
    assert found.share == pytest.approx(1 / 3)


def test_chance_is_counted_pair_by_pair() -> None:
    """Always up on one pair and always down on the other is right by trend alone."""
    calls = [call(n, 1, 1.0 if n % 4 else -1.0, "A/USD") for n in range(400)]
    calls += [call(n, -1, -1.0 if n % 4 else 1.0, "B/USD") for n in range(400)]
    found = direction(calls)
    assert found is not None
    assert found.share == pytest.approx(0.75)
    assert found.chance == pytest.approx(0.75)
    assert found.verdict == NO_SKILL


def test_calls_that_are_right_together_count_once() -> None:
    calls = alternating(200, 130)
    twice = [*calls, *[call(n, c.side, c.change, "B/USD") for n, c in enumerate(calls)]]
    found = direction(twice)
    assert found is not None
    assert found.count == 400
    assert found.independent == pytest.approx(200)


def test_good_probabilities_have_skill_noise_has_none_bad_ones_are_worse() -> None:
    good = [stated(n, 0.7 if n % 2 else 0.3, int((n % 10 < 7) == bool(n % 2))) for n in range(400)]
    noise = [stated(n, 0.45 + n % 3 * 0.05, n * 7 % 13 % 2) for n in range(400)]
    bad = [stated(n, 0.95, n % 2) for n in range(400)]
    for told, verdict in ((good, SKILL), (noise, NO_SKILL), (bad, WORSE), (bad[:99], TOO_FEW)):
        found = forecasts(told)
        assert found is not None
        assert found.verdict == verdict


def test_recalibration_knows_only_what_was_known_before() -> None:
    told = [stated(n, 0.9, n % 2, life=10) for n in range(200)]
    before, after = recalibrated(told)
    first = MIN_FIT + 10 + 1  # 50 outcomes known strictly before it was made
    assert len(before) == len(after) == 200 - (first - 1)
    assert {item.probability for item in before} == {0.9}
    assert all(abs(item.probability - 0.5) < 0.02 for item in after)


def test_recalibration_mends_the_calibration_error_of_an_overconfident_source() -> None:
    told = [stated(n, 0.8 + n % 2 * 0.1, int(n % 10 < 3)) for n in range(1000)]
    found = forecasts(told)
    assert found is not None
    assert found.ece_before is not None
    assert found.ece_after is not None
    assert found.ece_before > 0.5
    assert found.ece_after < 0.1
    assert found.fitted == 949


def test_outcomes_of_later_never_change_a_recalibration() -> None:
    told = [stated(n, 0.5 + n * 7 % 10 / 20, n % 2, life=5) for n in range(300)]
    flipped = told[:200] + [
        stated(n, item.probability, 1 - item.outcome, life=5)
        for n, item in enumerate(told[200:], start=200)
    ]
    _, honest = recalibrated(told)
    _, other = recalibrated(flipped)
    early = 200 - (MIN_FIT + 5)
    assert [item.probability for item in honest[:early]] == [
        item.probability for item in other[:early]
    ]
    assert honest != other
