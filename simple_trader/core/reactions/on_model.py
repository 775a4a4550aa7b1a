"""Answers of the online model: predictions, trained models; and the question for a training."""

from datetime import datetime, timedelta

from simple_trader.core.reactions.advising import ask_advice
from simple_trader.core.reactions.asking import (
    LESSONS,
    PREDICTIONS,
    TRAINING,
    cycle_answered,
    late,
)
from simple_trader.core.reactions.predicting import add_predictions, heed_learner
from simple_trader.core.state import EngineState
from simple_trader.domain.actions import Action, AskTraining, Note, Remember, UseModel
from simple_trader.domain.events import (
    ModelTrained,
    OperatorTrain,
    PredictionsArrived,
    PredictionsFailed,
    TrainingSkipped,
)
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import AuditRow, ModelRow

TRAINING_DEADLINE_S = 1800.0  # transport time: minutes of work on a busy machine are nothing odd

# -- predictions --------------------------------------------------------------------------


def on_predictions(state: EngineState, event: PredictionsArrived, at: datetime) -> list[Action]:
    """Complete the cycle's picture with probabilities, then ask the advisor."""
    question = state.questions.get(event.question_id)
    is_lessons = question is not None and question.subject == LESSONS
    cycle = cycle_answered(state, event.question_id, PREDICTIONS)
    state.model_id = event.model_id
    told = heed_learner(state, event, at)
    if cycle is None:
        return told if is_lessons else [*told, late("prediction")]
    logged = add_predictions(state, cycle, event.model_id, event.predictions)
    return [*told, *logged, *ask_advice(state, cycle, at)]


def on_predictions_failed(
    state: EngineState, event: PredictionsFailed, at: datetime
) -> list[Action]:
    """The cycle goes on without the model."""
    cycle = cycle_answered(state, event.question_id, PREDICTIONS)
    note = Note(level="warning", text=f"No predictions: {event.detail}", reason=event.reason)
    return [note] if cycle is None else [note, *ask_advice(state, cycle, at)]


# -- training -----------------------------------------------------------------------------


def ask_training(state: EngineState, at: datetime) -> list[Action]:
    """Ask for a fresh model from the snapshots of the look-back."""
    settings = state.settings
    if not settings.enable_model or state.stopping:
        return []
    state.last_training_at = at
    question = state.open_question(TRAINING, "model", at, TRAINING_DEADLINE_S)
    if question is None:
        return _still_training(state)
    return [
        AskTraining(
            question=question,
            since=at - timedelta(days=settings.model_lookback_days),
            until=at,
            horizons=settings.model_horizons,
            cycle_s=settings.aggregator_interval_s,
            min_rows=settings.min_training_rows,
        )
    ]


def on_operator_train(state: EngineState, event: OperatorTrain, at: datetime) -> list[Action]:
    """Train now because a person asks; what came of it is an audit row."""
    if not state.settings.enable_model:
        return [_trained_row(event.actor, "refused: enable_model is false", at)]
    if any(question.kind == TRAINING for question in state.questions.values()):
        return [_trained_row(event.actor, "refused: a training runs already", at)]
    asked = ask_training(state, at)
    if not asked:
        return [_trained_row(event.actor, "refused: the daemon is stopping", at)]
    state.trained_for = event.actor
    return asked


def _told_asker(state: EngineState, result: str, at: datetime) -> list[Action]:
    """The audit row of a training that a person asked for."""
    actor, state.trained_for = state.trained_for, ""
    return [_trained_row(actor, result, at)] if actor else []


def _trained_row(actor: str, result: str, at: datetime) -> Remember:
    row = AuditRow(
        at=at,
        actor=actor,
        origin="cli",
        action="train",
        object="model",
        before="",
        after="",
        result=result,
    )
    return Remember(record=row)


def _still_training(state: EngineState) -> list[Action]:
    """Skip, and say so once for each training: at a high speed many timers fall into one."""
    running = next((q for q in state.questions.values() if q.kind == TRAINING), None)
    if running is None or state.told_training == running.question_id:
        return []
    state.told_training = running.question_id
    return [Note(level="info", text="The last training still runs.", reason=Reason.MODEL_LATE)]


def on_trained(state: EngineState, event: ModelTrained, at: datetime) -> list[Action]:
    """Keep the new model under its hash and predict with it from now on."""
    if state.close_question(event.question_id) is None:
        return [late("trained model")]
    state.last_training_at = at
    state.last_checkpoint_at = at
    basis, state.model_id = state.model_id, event.model_id
    return [
        Remember(
            record=ModelRow(
                model_id=event.model_id,
                kind="trained",
                basis=basis,
                trained_at=at,
                sha256=event.sha256,
                blob=event.blob,
                rows=event.rows,
                metrics=event.metrics,
            )
        ),
        UseModel(model_id=event.model_id, sha256=event.sha256, blob=event.blob),
        Note(
            level="info",
            text=f"Model {event.model_id} trained on {event.rows} rows.",
            reason=Reason.TRAINED,
        ),
        *_told_asker(state, f"trained: {event.model_id} on {event.rows} rows", at),
    ]


def on_training_skipped(state: EngineState, event: TrainingSkipped, at: datetime) -> list[Action]:
    """No new model, and why; the old one stays."""
    if state.close_question(event.question_id) is not None:
        state.last_training_at = at
    text = f"No new model: {event.detail}"
    told = _told_asker(state, f"skipped: {event.reason.value}: {event.detail}", at)
    return [Note(level="info", text=text, reason=event.reason), *told]
