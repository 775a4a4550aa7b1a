"""The online model in the brain: predictions by horizon, quarantine, checkpoints, training."""

from datetime import timedelta

from brain_desk import Desk, only, records, settings

from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.domain.reasons import Reason

R = Reason


def test_a_trained_model_is_kept_under_its_hash_and_used() -> None:
    one = Desk()
    one.open(settings=settings(enable_model=True))
    asked = only(one.timer("train"), a.AskTraining)
    assert asked.until - asked.since == timedelta(days=30)
    assert asked.min_rows == 100
    trained = e.ModelTrained(
        question_id=asked.question.question_id,
        model_id="m2",
        sha256="a" * 64,
        blob=b"model",
        rows=500,
        metrics={"brier": 0.24},
    )
    told = one.do(trained)
    assert records(told, r.ModelRow)[0].sha256 == only(told, a.UseModel).sha256 == "a" * 64
    assert one.engine.view(one.at).model == "m2"
    assert not [x for x in one.do(trained) if isinstance(x, a.UseModel)]


def test_a_training_without_enough_rows_is_a_note() -> None:
    one = Desk()
    one.open(settings=settings(enable_model=True))
    asked = only(one.timer("train"), a.AskTraining)
    told = one.do(
        e.TrainingSkipped(
            question_id=asked.question.question_id, reason=R.TOO_FEW_ROWS, detail="3 of 100"
        )
    )
    assert only(told, a.Note).reason is R.TOO_FEW_ROWS
    assert one.engine.state.questions == {
        q.question_id: q for q in one.engine.state.questions.values() if q.kind != "training"
    }


def test_lessons_without_a_cycle_are_taught_and_answered_quietly() -> None:
    one = Desk()
    one.open(settings=settings(enable_model=True, model_horizons=(1,)))
    first = only(one.timer("aggregate"), a.AskPredictions)
    late = e.PredictionsArrived(question_id="q0-0", model_id="m1", predictions=(), learned=0)
    assert only(one.do(late), a.Note).reason is R.ADVICE_LATE
    assert one.engine.state.cycle is not None
    assert one.engine.state.cycle.question_id == first.question.question_id


def asked_by_ada(one: Desk) -> list[a.Action]:
    return one.do(e.OperatorTrain(actor="ada", detail="simple-trader train"))


def test_a_person_may_ask_for_a_training_and_reads_what_came_of_it() -> None:
    one = Desk()
    one.open(settings=settings(enable_model=True))
    asked = only(asked_by_ada(one), a.AskTraining)
    skipped = one.do(
        e.TrainingSkipped(
            question_id=asked.question.question_id, reason=R.TOO_FEW_ROWS, detail="3 of 100"
        )
    )
    (row,) = records(skipped, r.AuditRow)
    assert (row.actor, row.action, row.result) == (
        "ada",
        "train",
        "skipped: too_few_rows: 3 of 100",
    )
    by_timer = only(one.timer("train"), a.AskTraining)
    quiet = one.do(
        e.TrainingSkipped(
            question_id=by_timer.question.question_id, reason=R.TOO_FEW_ROWS, detail="3 of 100"
        )
    )
    assert records(quiet, r.AuditRow) == [], "nobody asked for this one"


def test_a_training_that_cannot_be_is_refused_with_a_row() -> None:
    off, busy = Desk(), Desk()
    off.open()
    busy.open(settings=settings(enable_model=True))
    busy.timer("train")
    for one, why in ((off, "enable_model is false"), (busy, "runs already")):
        (row,) = records(asked_by_ada(one), r.AuditRow)
        assert row.result.startswith("refused: ")
        assert why in row.result
