"""Labels: each prediction is settled once, at the first price at or after its horizon."""

import math
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from market_parts import BTC, ETH, T0, minutes

from simple_trader.core.scoring.labels import FORGET_AFTER, Settled, seen_after, settle
from simple_trader.domain.actions import Lesson
from simple_trader.domain.predictions import PendingPrediction

DUE = T0 + minutes(15)
FEATURES: dict[str, float | None] = {"rsi_14": 55.0, "bb_pct": None}
SHOWN = {"s1": FEATURES}


def pending(number: int = 1, **changes: Any) -> PendingPrediction:
    values: dict[str, Any] = {
        "prediction_id": f"p{number}",
        "pair": BTC,
        "cycle_id": "c1",
        "made_at": T0,
        "due_at": DUE,
        "horizon_cycles": 1,
        "horizon_s": 900,
        "probability": 0.75,
        "base_rate": 0.5,
        "snapshot_id": "s1",
        "model_id": "m1",
        "mid": Decimal(100),
    }
    return PendingPrediction(**values | changes)


@pytest.mark.parametrize(
    ("mid", "outcome", "brier"),
    [("100.00000001", 1, 0.0625), ("100", 0, 0.5625), ("99.99999999", 0, 0.5625)],
)
def test_the_outcome_is_one_only_if_the_mid_is_higher(mid: str, outcome: int, brier: float) -> None:
    settled = settle([pending()], {BTC: Decimal(mid)}, SHOWN, DUE)
    score = settled.scores[0]
    assert (score.prediction_id, score.outcome, score.brier) == ("p1", outcome, brier)
    assert (score.mid, score.scored_at) == (Decimal(mid), DUE)
    assert score.log_loss == pytest.approx(-math.log(0.75 if outcome else 0.25))
    assert settled.lessons == (
        Lesson(
            pair=BTC,
            horizon_cycles=1,
            horizon_s=900,
            made_at=T0,
            known_at=DUE,
            features=FEATURES,
            probability=0.75,
            outcome=outcome,
        ),
    )
    assert settled.timely == ((pending(), outcome),)
    assert settled.still_open == ()


def test_before_its_moment_a_prediction_stays_open() -> None:
    early = settle([pending()], {BTC: Decimal(200)}, SHOWN, DUE - timedelta(microseconds=1))
    assert early == Settled(scores=(), timely=(), lessons=(), still_open=(pending(),))


def test_without_a_price_of_its_pair_a_prediction_stays_open() -> None:
    late = settle([pending()], {ETH: Decimal(200)}, SHOWN, DUE + minutes(5))
    assert late.still_open == (pending(),)


def test_a_pair_that_has_no_price_for_days_is_not_waited_for_for_ever() -> None:
    kept = settle([pending()], {}, SHOWN, DUE + FORGET_AFTER - minutes(1))
    gone = settle([pending()], {}, SHOWN, DUE + FORGET_AFTER)
    assert (len(kept.still_open), len(gone.still_open)) == (1, 0)
    assert gone.scores == ()


def test_m02_a_prediction_whose_features_are_gone_is_scored_and_teaches_nothing() -> None:
    settled = settle([pending()], {BTC: Decimal(101)}, {}, DUE)
    assert (len(settled.scores), len(settled.timely), settled.lessons) == (1, 1, ())


def test_after_a_long_absence_it_is_scored_but_not_taught() -> None:
    on_time = settle([pending()], {BTC: Decimal(101)}, SHOWN, DUE + minutes(15))
    too_late = settle([pending()], {BTC: Decimal(101)}, SHOWN, DUE + minutes(15.01))
    assert (len(on_time.scores), len(on_time.lessons)) == (1, 1)
    assert (len(too_late.scores), len(too_late.lessons)) == (1, 0)
    assert (len(on_time.timely), len(too_late.timely)) == (1, 0), "nor counted as skill"
    assert too_late.still_open == ()


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from([BTC, ETH])), max_size=30))
def test_each_prediction_is_settled_exactly_once_over_any_cycles(
    made: list[tuple[int, str]],
) -> None:
    still_open = tuple(
        pending(number, pair=pair, due_at=T0 + minutes(due))
        for number, (due, pair) in enumerate(made)
    )
    asked = {p.prediction_id: p for p in still_open}
    scored: list[str] = []
    for cycle in range(0, 45, 3):
        at = T0 + minutes(cycle)
        settled = settle(still_open, {BTC: Decimal(101), ETH: Decimal(99)}, SHOWN, at)
        still_open = settled.still_open
        for score in settled.scores:
            scored.append(score.prediction_id)
            due_at = asked[score.prediction_id].due_at
            assert due_at <= at < due_at + minutes(3)
    assert sorted(scored) == sorted(asked)
    assert still_open == ()


def test_m02_a_price_counts_for_a_minute_however_long_a_cycle_is() -> None:
    assert seen_after(DUE) == DUE - minutes(1)
