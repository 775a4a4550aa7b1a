"""Predict, then learn, as the daemon does it: on a planted series it has skill, on noise none."""

import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from simple_trader.adapters.learner.checkpoint import ModelRefused, hash_of
from simple_trader.adapters.learner.online import DriftWatch, OnlineModel
from simple_trader.core.scoring import skill as measure
from simple_trader.domain.actions import Lesson, PredictFor
from simple_trader.domain.predictions import ModelOf, ModelSkill

START = datetime(2026, 3, 2, tzinfo=UTC)
CYCLE = timedelta(seconds=900)
PAIR = "BTC/USD"
NOISE = 12  # features that tell nothing
Row = tuple[dict[str, float | None], float]


def market(count: int, *, pull: float, seed: int) -> Iterator[Row]:
    """Features and price at each cycle; `pull` is how much of the last deviation a step takes back
    (0: a random walk, of which nothing can be told).
    """
    dice = random.Random(seed)
    deviation, drift = 0.0, 0.0
    for _ in range(count):
        features: dict[str, float | None] = {f"noise_{n}": dice.gauss(0, 1) for n in range(NOISE)}
        features |= {"deviation": deviation, "gone": None}
        yield features, 100.0 * math.exp(drift + deviation)
        step = dice.gauss(0, 0.01)
        deviation = deviation * (1.0 - pull) + step


def walk(
    rows: list[Row], horizons: tuple[int, ...] = (1,), model: OnlineModel | None = None
) -> dict[int, list[ModelSkill]]:
    """The daemon's order at each cycle: settle what is due, teach it, predict again. The skill of
    each horizon after each of its outcomes.
    """
    learner = model or OnlineModel()
    skills = {
        cycles: ModelSkill(pair=PAIR, horizon_cycles=cycles, horizon_s=cycles * 900)
        for cycles in horizons
    }
    history: dict[int, list[ModelSkill]] = {cycles: [] for cycles in horizons}
    made: list[dict[int, tuple[float, float]]] = []
    for number, (features, price) in enumerate(rows):
        lessons = []
        for cycles in horizons:
            if number < cycles:
                continue
            before = number - cycles
            probability, base = made[before][cycles]
            outcome = int(price > rows[before][1])
            skills[cycles] = measure.scored(
                skills[cycles], probability=probability, base=base, outcome=outcome
            )
            history[cycles].append(skills[cycles])
            lessons.append(
                Lesson(
                    pair=PAIR,
                    horizon_cycles=cycles,
                    horizon_s=cycles * 900,
                    made_at=START + before * CYCLE,
                    known_at=START + number * CYCLE,
                    features=rows[before][0],
                    probability=probability,
                    outcome=outcome,
                )
            )
        assert learner.teach(lessons).learned == len(lessons)
        items = (PredictFor(pair=PAIR, features=features),)
        found = learner.predict(items, horizons, 900)
        made.append(
            {
                one.horizon_cycles: (
                    one.probability,
                    measure.base_rate(skills[one.horizon_cycles]),
                )
                for one in found
            }
        )
    return history


def test_a_planted_series_is_predicted_better_than_climatology_and_that_is_claimed() -> None:
    history = walk(list(market(2_500, pull=0.5, seed=1)), (1, 2, 5))
    for cycles, steps in history.items():
        last = steps[-1]
        bounds = measure.skill_interval(last)
        assert bounds is not None
        print(f"horizon {cycles}: skill {measure.brier_skill(last):+.3f} {bounds}")
        assert bounds[0] > 0.0, f"horizon {cycles}"
        assert measure.claimed(last) == measure.brier_skill(last)
        assert last.log_loss < last.base_log_loss


@pytest.mark.parametrize("seed", range(5))
def test_on_a_random_walk_no_skill_is_ever_claimed_and_it_ends_in_quarantine_or_unproven(
    seed: int,
) -> None:
    history = walk(list(market(1_200, pull=0.0, seed=seed)), (1, 5))
    for steps in history.values():
        assert all(measure.claimed(one) is None for one in steps)


def test_m02_a_lesson_whose_outcome_was_not_known_yet_is_refused() -> None:
    model = OnlineModel()
    before = model.predictor.to_blob()
    lesson = Lesson(
        pair=PAIR,
        horizon_cycles=1,
        horizon_s=900,
        made_at=START,
        known_at=START + CYCLE - timedelta(microseconds=1),
        features={"deviation": 1.0},
        probability=0.5,
        outcome=1,
    )
    taught = model.teach([lesson])
    assert (taught.learned, taught.refused) == (0, 1)
    assert model.predictor.to_blob() == before


@pytest.mark.parametrize(
    "features",
    [
        {},
        {"flat": None, "silent": None},
        {"flat": 0.0},
        {"flat": math.nan, "silent": math.inf},
    ],
)
def test_m01_with_nothing_to_learn_from_it_stays_near_the_share_of_rises(
    features: dict[str, float | None],
) -> None:
    rows = [(features, 100.0 + (number % 2)) for number in range(300)]
    (steps,) = walk(rows).values()
    assert 0.0 < steps[-1].brier / steps[-1].scored < 0.27


def test_m03_what_diverged_is_named_and_the_others_learn_on() -> None:
    model = OnlineModel()
    walk(list(market(200, pull=0.5, seed=1)), (1, 2), model)
    wild = Lesson(
        pair=PAIR,
        horizon_cycles=1,
        horizon_s=900,
        made_at=START,
        known_at=START + CYCLE,
        features={"deviation": 1.7e308},
        probability=0.5,
        outcome=1,
    )
    calm = Lesson(
        pair=PAIR,
        horizon_cycles=2,
        horizon_s=1800,
        made_at=START,
        known_at=START + 2 * CYCLE,
        features={"deviation": 0.01},
        probability=0.5,
        outcome=1,
    )
    taught = model.teach([wild, calm])
    assert taught.diverged == (ModelOf(pair=PAIR, horizon_s=900),)
    assert taught.learned == 1
    items = (PredictFor(pair=PAIR, features={"deviation": 0.01}),)
    assert len(model.predict(items, (1, 2), 900)) == 2, "both go on predicting"


def test_m05_the_same_bar_twice_is_the_same_prediction() -> None:
    model = OnlineModel()
    rows = list(market(100, pull=0.5, seed=1))
    walk(rows, (1,), model)
    item = PredictFor(pair=PAIR, features=rows[-1][0])
    one, two = model.predict((item, item), (1,), 900)
    assert one == two


def test_a_market_that_turns_over_is_noticed_as_drift() -> None:
    model = OnlineModel()
    dice, drifted_at = random.Random(4), []
    for number in range(3_000):
        sign = 1.0 if number < 1_500 else -1.0
        says = dice.choice((-1.0, 1.0))
        outcome = int(sign * says > 0) if dice.random() < 0.9 else dice.randrange(2)
        item = PredictFor(pair=PAIR, features={"says": says})
        (made,) = model.predict((item,), (1,), 900)
        taught = model.teach(
            [
                Lesson(
                    pair=PAIR,
                    horizon_cycles=1,
                    horizon_s=900,
                    made_at=START,
                    known_at=START + CYCLE,
                    features=item.features,
                    probability=made.probability,
                    outcome=outcome,
                )
            ]
        )
        if taught.drifted:
            drifted_at.append(number)
    assert drifted_at
    assert 1_500 < drifted_at[0] < 1_700


def test_without_a_turn_no_drift_is_told() -> None:
    alarms = 0
    for seed in range(20):
        dice, watch = random.Random(seed), DriftWatch(1)
        alarms += any(watch.worsened(dice.choice((0.2, 0.3))) for _ in range(1_000))
    assert alarms <= 1


def test_c08_a_refused_checkpoint_changes_nothing() -> None:
    model = OnlineModel()
    walk(list(market(50, pull=0.5, seed=1)), (1,), model)
    before = model.predictor.to_blob()
    with pytest.raises(ModelRefused):
        model.use(before[:-1] + b" ", hash_of(before))
    assert model.predictor.to_blob() == before
