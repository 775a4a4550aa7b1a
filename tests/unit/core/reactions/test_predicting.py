"""Predict, wait, score, teach: each horizon by itself, shown only with the skill it has earned."""

from datetime import timedelta

import pytest
from brain_desk import BTC, ETH, Desk, advice_text, only, quote, records, settings

from simple_trader.core.scoring.skill import MIN_SCORED
from simple_trader.core.strategy.model_inputs import model_inputs
from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.domain.predictions import (
    ModelMemory,
    ModelOf,
    ModelSkill,
    ModelState,
    Prediction,
)
from simple_trader.domain.reasons import Reason

HORIZONS = (1, 2, 3, 5, 10)
STATE = ModelState(model_id="logreg-1", basis="m1", sha256="a" * 64, blob=b"{}")


def a_desk(*horizons: int) -> Desk:
    made = Desk()
    made.open(settings=settings(enable_model=True, model_horizons=horizons or HORIZONS))
    return made


def answer(
    desk: Desk, asked: a.AskPredictions, probability: float = 0.75, **more: object
) -> list[a.Action]:
    """The learner says the same of each pair and horizon."""
    given: dict[str, object] = {
        "question_id": asked.question.question_id,
        "model_id": "m1",
        "predictions": tuple(
            Prediction(pair=item.pair, horizon_cycles=cycles, probability=probability)
            for item in asked.items
            for cycles in asked.horizons
        ),
        "learned": len(asked.lessons),
    }
    return desk.do(e.PredictionsArrived(**(given | more)))


def cycle(
    desk: Desk, btc: str, probability: float = 0.75, **more: object
) -> tuple[list[a.Action], a.AskPredictions, list[a.Action]]:
    """One cycle at this price: what it began with, what was asked, what the answer caused."""
    desk.next_candle()
    desk.quotes(btc=btc)
    begun = desk.timer("aggregate")
    asked = only(begun, a.AskPredictions)
    told = answer(desk, asked, probability, **more)
    desk.answer(only(told, a.AskAdvice), advice_text())
    return begun, asked, told


def test_each_horizon_is_predicted_logged_and_told_in_seconds() -> None:
    desk = a_desk()
    _, asked, told = cycle(desk, "50000")
    assert (asked.horizons, asked.cycle_s) == (HORIZONS, 900)
    logged = [
        row.prediction for row in records(told, r.PredictionRow) if row.prediction.pair == BTC
    ]
    assert [(one.horizon_cycles, one.horizon_s) for one in logged] == [
        (cycles, cycles * 900) for cycles in HORIZONS
    ]
    assert [one.due_at for one in logged] == [
        one.made_at + timedelta(seconds=one.horizon_s) for one in logged
    ]
    assert {one.base_rate for one in logged} == {0.5}
    brief = only(told, a.AskAdvice).briefs[0]
    assert [view.horizon_s for view in brief.probabilities] == [900, 1800, 2700, 4500, 9000]
    assert all(view.probability == 0.75 for view in brief.probabilities)
    assert all(view.skill is None for view in brief.probabilities), "unproven"


def test_the_log_is_written_before_the_advisor_is_asked_and_before_any_outcome() -> None:
    desk = a_desk(1)
    _, _, told = cycle(desk, "50000")
    kinds = [type(x.record if isinstance(x, a.Remember) else x) for x in told]
    assert kinds.index(r.PredictionRow) < kinds.index(a.AskAdvice)
    assert records(told, r.PredictionScoreRow) == []


def test_m02_each_is_scored_at_its_own_horizon_and_not_before() -> None:
    desk = a_desk(1, 3)
    cycle(desk, "50000")
    scored: list[tuple[int, int]] = []
    for number, price in enumerate(("50100", "50200", "49000"), start=1):
        begun, asked, _ = cycle(desk, price)
        made = {one.prediction_id for one in records(begun, r.PredictionScoreRow)}
        assert len(made) == len(asked.lessons)
        for lesson in asked.lessons:
            assert lesson.known_at >= lesson.made_at + timedelta(seconds=lesson.horizon_s)
            if lesson.pair == BTC and lesson.made_at == desk.at - timedelta(minutes=15 * number):
                scored.append((lesson.horizon_cycles, lesson.outcome))
    assert scored == [(1, 1), (3, 0)]


def test_m02_a_price_from_before_the_prediction_is_no_outcome_of_it() -> None:
    desk = a_desk(1)
    cycle(desk, "50000")
    desk.at += timedelta(minutes=15)  # the feed is down: not one quote
    begun = desk.timer("aggregate")
    asked = only(begun, a.AskPredictions)
    assert (records(begun, r.PredictionScoreRow), asked.lessons) == ([], ())
    desk.answer(only(answer(desk, asked), a.AskAdvice), advice_text())
    begun, asked, _ = cycle(desk, "50100")
    scores = records(begun, r.PredictionScoreRow)
    assert {score.outcome for score in scores if score.mid > 50_000} == {1}
    assert [lesson.outcome for lesson in asked.lessons if lesson.pair == BTC] == [1]


@pytest.mark.parametrize(("old_s", "predicted"), [(59.9, [BTC, ETH]), (60, [ETH])])
def test_m02_no_prediction_begins_at_a_price_over_a_minute_old_and_that_is_said(
    old_s: float, predicted: list[str]
) -> None:
    desk = a_desk(1)
    desk.next_candle()
    desk.quotes(btc="50100", seen_s_ago=old_s)
    desk.do(e.QuoteSeen(quote=quote(ETH, "2000", "2001", desk.at)))
    begun = desk.timer("aggregate")
    asked = only(begun, a.AskPredictions)
    assert [item.pair for item in asked.items] == predicted
    notes = [action for action in begun if isinstance(action, a.Note)]
    left_out = [note for note in notes if note.reason is Reason.PREDICTION_STALE]
    assert len(left_out) == 2 - len(predicted)
    answered = tuple(
        Prediction(pair=pair, horizon_cycles=1, probability=0.75) for pair in (BTC, ETH)
    )
    told = answer(desk, asked, predictions=answered)  # also of what was not asked
    assert [row.prediction.pair for row in records(told, r.PredictionRow)] == predicted
    shown = {brief.pair: brief.probabilities for brief in only(told, a.AskAdvice).briefs}
    assert [pair for pair in shown if shown[pair][0].probability is not None] == predicted


def test_m02_an_outcome_is_not_told_by_a_price_that_waited_on_the_wire() -> None:
    desk = a_desk(1)
    cycle(desk, "50000")
    desk.at += timedelta(minutes=15)
    before = desk.at - timedelta(minutes=2)
    for pair, price in ((BTC, 50_200), (ETH, 2_100)):
        late = quote(pair, str(price), str(price + 1), desk.at, venue_at=before)
        desk.do(e.QuoteSeen(quote=late))
    assert records(desk.timer("aggregate"), r.PredictionScoreRow) == []


def test_a_crossed_quote_tells_no_outcome() -> None:
    desk = a_desk(1)
    cycle(desk, "50000")
    desk.next_candle()
    desk.do(e.QuoteSeen(quote=quote(BTC, "50200", "50100", desk.at)))
    begun = desk.timer("aggregate")
    assert [lesson.pair for lesson in only(begun, a.AskPredictions).lessons] == [ETH]


def test_a_lesson_has_what_was_shown_then_and_not_what_is_seen_now() -> None:
    desk = a_desk(2)
    _, _, told = cycle(desk, "50000")
    then = {row.pair: row.features for row in records(told, r.SnapshotRow)}
    cycle(desk, "51000")
    _, asked, _ = cycle(desk, "52000")
    (lesson,) = [one for one in asked.lessons if one.pair == BTC]
    assert lesson.features == model_inputs(then[BTC])
    assert lesson.probability == 0.75
    kept = desk.engine.state.shown_features
    assert set(kept) == {one.snapshot_id for one in desk.engine.state.pending_predictions}


def test_base_rates_are_of_what_was_known_when_the_prediction_was_made() -> None:
    desk = a_desk(1)
    rates = []
    for price in ("50000", "50100", "50200", "50300"):
        _, _, told = cycle(desk, price)
        rates += [
            row.prediction.base_rate
            for row in records(told, r.PredictionRow)
            if row.prediction.pair == BTC
        ]
    assert rates == [0.5, 2 / 3, 3 / 4, 4 / 5]


def test_m03_shorter_cycles_claim_no_skill_from_predictions_that_overlap_more() -> None:
    desk = a_desk(1)
    cycle(desk, "50000")
    cycle(desk, "50100")
    assert desk.engine.state.skills[BTC][900].horizon_cycles == 1
    shorter = settings(enable_model=True, model_horizons=(3,), aggregator_interval_s=300)
    desk.do(
        e.SettingsChanged(settings=shorter, config_hash="d" * 64, before="", after="", source="")
    )
    for number in range(3):
        begun, _, _ = cycle(desk, f"{50200 + number}")
    rows = {row.skill.pair: row.skill for row in records(begun, r.SkillRow)}
    assert (rows[BTC].horizon_s, rows[BTC].horizon_cycles) == (900, 3)
    assert rows[BTC].scored >= 3, "what was known before still counts"


def quarantined_desk() -> tuple[Desk, int, list[a.Note]]:
    """A model that is always wrong about BTC: the desk, the cycles it took, and what was told."""
    desk, notes = a_desk(1), list[a.Note]()
    for number in range(MIN_SCORED + 20):
        price, says = ("50000", 0.1) if number % 2 else ("50100", 0.9)
        begun, _, told = cycle(desk, price, says)
        notes += [
            one
            for one in (*begun, *told)
            if isinstance(one, a.Note) and one.reason is Reason.MODEL_UNSKILLED
        ]
    return desk, MIN_SCORED + 20, notes


def test_a_model_that_is_worse_than_the_base_rate_is_logged_and_scored_but_not_shown() -> None:
    desk, _, notes = quarantined_desk()
    assert [note.pair for note in notes].count(BTC) == 1, "told once"
    begun, _, told = cycle(desk, "50000", 0.1)
    view = only(told, a.AskAdvice).briefs[0].probabilities[0]
    assert (view.probability, view.skill, view.quarantined) == (None, None, True)
    assert view.scored >= MIN_SCORED
    (logged,) = [
        row.prediction for row in records(told, r.PredictionRow) if row.prediction.pair == BTC
    ]
    assert logged.quarantined
    assert logged.probability == 0.1
    assert len(records(begun, r.PredictionScoreRow)) == 2
    (row,) = [one.skill for one in records(begun, r.SkillRow) if one.skill.pair == BTC]
    assert row.quarantined_for == Reason.MODEL_UNSKILLED


def test_the_quarantine_is_lifted_when_the_skill_returns_and_that_is_told_once() -> None:
    desk, _, _ = quarantined_desk()
    lifted: list[a.Note] = []
    for number in range(400):
        price, says = ("50000", 0.9) if number % 2 else ("50100", 0.1)
        begun, _, told = cycle(desk, price, says)
        lifted += [
            one
            for one in begun
            if isinstance(one, a.Note) and one.reason is Reason.MODEL_REGAINED and one.pair == BTC
        ]
    assert len(lifted) == 1
    view = only(told, a.AskAdvice).briefs[0].probabilities[0]
    assert not view.quarantined
    assert view.probability is not None


def test_m03_a_diverged_model_is_told_and_quarantined_at_once() -> None:
    desk = a_desk(1, 2)
    cycle(desk, "50000")
    _, _, told = cycle(desk, "50100", diverged=(ModelOf(pair=BTC, horizon_s=900),))
    notes = [one.reason for one in told if isinstance(one, a.Note)]
    assert notes == [Reason.MODEL_DIVERGED]
    views = only(told, a.AskAdvice).briefs[0].probabilities
    assert [(view.quarantined, view.probability) for view in views] == [(True, None), (False, 0.75)]
    (row,) = records(told, r.SkillRow)
    assert (row.skill.diverged, row.skill.horizon_cycles) == (1, 1)


def test_a_drift_is_told_and_counted_in_a_row() -> None:
    desk = a_desk(1)
    _, _, told = cycle(desk, "50000", drifted=(ModelOf(pair=ETH, horizon_s=900),))
    assert [x.reason for x in told if isinstance(x, a.Note)] == [Reason.MODEL_DRIFTED]
    (row,) = records(told, r.SkillRow)
    assert (row.skill.pair, row.skill.drifts, row.skill.drifted_at) == (ETH, 1, desk.at)


def test_m02_lessons_that_the_learner_refused_are_an_error_that_is_told() -> None:
    _, _, told = cycle(a_desk(1), "50000", refused=2)
    assert [x.level for x in told if isinstance(x, a.Note)] == ["error"]


def test_the_learners_state_is_kept_now_and_then() -> None:
    desk = a_desk(1)
    _, first, told = cycle(desk, "50000", checkpoint=STATE)
    assert first.checkpoint
    (kept,) = records(told, r.ModelRow)
    assert (kept.kind, kept.model_id, kept.basis, kept.blob) == ("online", "logreg-1", "m1", b"{}")
    asked = [cycle(desk, "50000")[1].checkpoint for _ in range(4)]
    assert asked == [False, False, False, True], "once an hour at cycles of 15 minutes"


def test_after_a_restart_skill_and_lessons_go_on() -> None:
    before = a_desk(1)
    cycle(before, "50000")
    state = before.engine.state
    skill = ModelSkill(pair=BTC, horizon_cycles=1, horizon_s=900, scored=9, ups=4)
    memory = ModelMemory(model_id="m1", features=state.shown_features, skills=(skill,))
    desk = Desk()
    desk.at = before.at
    desk.open(
        settings=state.settings, learned=memory, pending_predictions=state.pending_predictions
    )
    begun, asked, told = cycle(desk, "50100")
    lesson = next(one for one in asked.lessons if one.pair == BTC)
    assert (lesson.outcome, lesson.features) == (1, next(iter(state.shown_features.values())))
    (row,) = [one.skill for one in records(begun, r.SkillRow) if one.skill.pair == BTC]
    assert (row.scored, row.ups) == (10, 5)
    logged = next(row.prediction for row in records(told, r.PredictionRow))
    assert logged.base_rate == 6 / 12


def test_without_a_good_model_a_start_trains_at_once_and_with_one_by_the_interval() -> None:
    fresh, known = Desk(), Desk()
    with_model = settings(enable_model=True)
    fresh.start(settings=with_model)
    known.start(settings=with_model, learned=ModelMemory(model_id="m1"))
    without = Desk()
    without.start(settings=settings())
    assert fresh.engine.state.timers.due["train"] == fresh.at
    assert known.engine.state.timers.due["train"] > known.at
    assert "train" not in without.engine.state.timers.due
