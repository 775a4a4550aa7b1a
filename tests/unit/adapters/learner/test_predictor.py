"""The online model: learns a planted signal, survives wild figures, is saved exactly."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simple_trader.adapters.learner.checkpoint import ModelRefused, hash_of
from simple_trader.adapters.learner.predictor import (
    GOOD_EVERY,
    MAX_WEIGHT,
    PairModel,
    PriceTrendPredictor,
    usable,
)

FIGURES = st.dictionaries(st.sampled_from("abc"), st.none() | st.floats(), max_size=3)


def planted(count: int, seed: int = 1) -> list[tuple[dict[str, float | None], int]]:
    """Rows whose outcome is told by `signal` in 80 of 100 cases, beside noise and a gap."""
    dice = random.Random(seed)
    rows: list[tuple[dict[str, float | None], int]] = []
    for _ in range(count):
        signal = dice.gauss(0, 1)
        outcome = int(signal > 0) if dice.random() < 0.8 else dice.randrange(2)
        rows.append(({"signal": signal * 40 + 7, "noise": dice.gauss(5, 2), "gap": None}, outcome))
    return rows


def trained(count: int = 300) -> PriceTrendPredictor:
    predictor = PriceTrendPredictor()
    for features, outcome in planted(count):
        predictor.learn_one("BTC/USD", 900, features, outcome)
        predictor.learn_one("ETH/USD", 900, features, 1 - outcome)
    return predictor


def test_predict_then_learn_on_a_planted_signal_beats_chance() -> None:
    predictor, hits = PriceTrendPredictor(), 0
    rows = planted(1_000)
    for features, outcome in rows:
        probability = predictor.predict_one("BTC/USD", 900, features)
        assert probability is not None
        hits += (probability > 0.5) == bool(outcome)
        predictor.learn_one("BTC/USD", 900, features, outcome)
    assert hits / len(rows) > 0.8


def test_on_pure_noise_it_claims_no_skill() -> None:
    dice = random.Random(3)
    predictor, total = PriceTrendPredictor(), 0.0
    for _ in range(1_000):
        features = {"noise": dice.gauss(0, 1)}
        outcome = dice.randrange(2)
        probability = predictor.predict_one("BTC/USD", 900, features)
        assert probability is not None
        total += (probability - outcome) ** 2
        predictor.learn_one("BTC/USD", 900, features, outcome)
    assert total / 1_000 > 0.245


def test_pairs_are_learned_apart() -> None:
    predictor, up = trained(), {"signal": 80.0, "noise": 5.0}
    btc, eth = (predictor.predict_one(pair, 900, up) for pair in ("BTC/USD", "ETH/USD"))
    assert btc is not None
    assert eth is not None
    assert btc > 0.6
    assert eth < 0.4
    assert predictor.predict_one("SOL/USD", 900, up) == 0.5


def test_features_without_a_value_are_left_out() -> None:
    wild = {"b": None, "c": math.nan, "d": math.inf, "a": 1.5}
    assert usable(wild) == {"a": 1.5}


def test_a_feature_never_learned_changes_no_prediction() -> None:
    predictor, known = trained(), {"signal": 80.0}
    plain = predictor.predict_one("BTC/USD", 900, known)
    assert predictor.predict_one("BTC/USD", 900, {**known, "new": 1e9}) == plain


@given(st.lists(st.tuples(FIGURES, st.integers(0, 1)), max_size=12), FIGURES)
def test_i_42_whatever_is_learned_a_prediction_is_in_range_and_figures_are_finite(
    lessons: list[tuple[dict[str, float | None], int]], asked: dict[str, float | None]
) -> None:
    model = PairModel()
    for features, outcome in lessons:
        model.learn_one(features, outcome)
    probability = model.predict_one(asked)
    assert probability is None or 0.0 < probability < 1.0
    assert model.state().is_finite()
    assert model.state().fault() == ""


def test_horizons_are_learned_apart() -> None:
    predictor, up = trained(), {"signal": 80.0, "noise": 5.0}
    assert predictor.predict_one("BTC/USD", 1800, up) == 0.5
    for features, outcome in planted(300):
        predictor.learn_one("BTC/USD", 1800, features, 1 - outcome)
    short, long = (predictor.predict_one("BTC/USD", horizon, up) for horizon in (900, 1800))
    assert short is not None
    assert long is not None
    assert short > 0.6
    assert long < 0.4


def test_m03_a_model_that_diverges_goes_back_to_its_last_good_state_and_learns_on() -> None:
    predictor = trained(GOOD_EVERY * 6)
    good = predictor.to_blob()
    for features, outcome in planted(GOOD_EVERY - 1, seed=3):
        assert predictor.learn_one("BTC/USD", 900, features, outcome)
    assert not predictor.learn_one("BTC/USD", 900, {"signal": 1.7e308, "noise": 5.0}, 1)
    assert predictor.to_blob() == good, "what was learned since is forgotten, the rest is there"
    assert predictor.learn_one("BTC/USD", 900, {"signal": 80.0, "noise": 5.0}, 1)


@given(st.lists(st.tuples(FIGURES, st.integers(0, 1)), min_size=1, max_size=12))
def test_m03_whatever_it_learned_no_weight_is_beyond_use(
    lessons: list[tuple[dict[str, float | None], int]],
) -> None:
    model = PairModel()
    for features, outcome in lessons:
        model.learn_one(features, outcome)
        assert all(abs(weight) <= MAX_WEIGHT for weight in model.state().weights)


@pytest.mark.parametrize("outcome", [-1, 2, 5])
def test_an_outcome_is_zero_or_one(outcome: int) -> None:
    with pytest.raises(ValueError):
        PriceTrendPredictor().learn_one("BTC/USD", 900, {"a": 1.0}, outcome)


def test_a_saved_model_predicts_and_learns_exactly_as_before() -> None:
    predictor = trained()
    blob = predictor.to_blob()
    loaded = PriceTrendPredictor.from_blob(blob, hash_of(blob))
    assert loaded.to_blob() == blob
    assert loaded.learned == predictor.learned == 600
    for features, outcome in planted(50, seed=9):
        assert loaded.predict_one("BTC/USD", 900, features) == predictor.predict_one(
            "BTC/USD", 900, features
        )
        loaded.learn_one("BTC/USD", 900, features, outcome)
        predictor.learn_one("BTC/USD", 900, features, outcome)
    assert loaded.to_blob() == predictor.to_blob()


def test_c08_a_blob_with_another_hash_is_refused() -> None:
    blob = trained(20).to_blob()
    with pytest.raises(ModelRefused) as error:
        PriceTrendPredictor.from_blob(blob + b" ", hash_of(blob))
    assert "hash" in str(error.value)
