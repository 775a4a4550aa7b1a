"""Answers: predictions, advice, training. What comes back is judged on the state of that moment."""

from datetime import datetime

from simple_trader.core.reactions.asking import ADVICE, PREDICTIONS
from simple_trader.core.reactions.cycle import add_predictions, ask_advice
from simple_trader.core.reactions.decide import decide, hold_all
from simple_trader.core.state import Cycle, EngineState
from simple_trader.core.strategy.advice import judge
from simple_trader.domain.actions import Action, Note, Remember, UseModel
from simple_trader.domain.events import (
    AdviceArrived,
    AdviceFailed,
    ModelTrained,
    PredictionsArrived,
    PredictionsFailed,
    TrainingSkipped,
)
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import LlmCallRow, ModelRow


def _cycle_of(state: EngineState, question_id: str, waits_for: str) -> Cycle | None:
    """The cycle that waits for this very answer; None for anything late or unknown."""
    cycle = state.cycle
    question = state.close_question(question_id)
    if cycle is None or question is None or cycle.question_id != question_id:
        return None
    return cycle if cycle.waits_for == waits_for else None


# -- predictions -------------------------------------------------------------------------


def on_predictions(state: EngineState, event: PredictionsArrived, at: datetime) -> list[Action]:
    """Complete the cycle's picture with probabilities, then ask the advisor."""
    lessons_only = _is_lessons(state, event.question_id)
    cycle = _cycle_of(state, event.question_id, PREDICTIONS)
    state.model_id = event.model_id
    if cycle is None:
        return [] if lessons_only else [_late("prediction")]
    logged = add_predictions(state, cycle, event.model_id, event.predictions)
    return [*logged, *ask_advice(state, cycle, at)]


def on_predictions_failed(
    state: EngineState, event: PredictionsFailed, at: datetime
) -> list[Action]:
    """The cycle goes on without the model."""
    cycle = _cycle_of(state, event.question_id, PREDICTIONS)
    note = Note(level="warning", text=f"No predictions: {event.detail}", reason=event.reason)
    return [note] if cycle is None else [note, *ask_advice(state, cycle, at)]


def _is_lessons(state: EngineState, question_id: str) -> bool:
    question = state.questions.get(question_id)
    return question is not None and question.subject == "lessons"


def _late(what: str) -> Note:
    text = f"A {what} came to no open question and changes nothing."
    return Note(level="info", text=text, reason=Reason.ADVICE_LATE)


# -- advice ------------------------------------------------------------------------------


def on_advice(state: EngineState, event: AdviceArrived, at: datetime) -> list[Action]:
    """Remember the exact exchange of words, judge it, and decide pair by pair."""
    asked_at = _asked_at(state, event.question_id, at)
    cycle = _cycle_of(state, event.question_id, ADVICE)
    if cycle is None:
        row = _call_row(event, "", state.next_id("late"), asked_at, at, Reason.ADVICE_LATE)
        return [Remember(record=row), _late("piece of advice")]
    state.cycle = None
    pairs = tuple(brief.pair for brief in cycle.briefs)
    judged = judge(event.raw, kind=event.kind, finish_reason=event.finish_reason, pairs=pairs)
    row = _call_row(event, cycle.cycle_id, event.question_id, asked_at, at, None)
    return [
        Remember(record=row),
        *decide(state, cycle, judged, event.question_id, event.advisor_label, at),
    ]


def on_advice_failed(state: EngineState, event: AdviceFailed, at: datetime) -> list[Action]:
    """No advice is HOLD on every pair, with the reason."""
    asked_at = _asked_at(state, event.question_id, at)
    cycle = _cycle_of(state, event.question_id, ADVICE)
    if cycle is None:
        return [_late("failed piece of advice")]
    state.cycle = None
    row = _failed_row(event, cycle.cycle_id, asked_at, at)
    return [
        Remember(record=row),
        Note(level="warning", text=f"No advice: {event.detail}", reason=event.reason),
        *hold_all(state, cycle, event.reason, event.detail, event.question_id, at),
    ]


def _asked_at(state: EngineState, question_id: str, at: datetime) -> datetime:
    question = state.questions.get(question_id)
    return at if question is None else question.asked_at


def _call_row(
    event: AdviceArrived,
    cycle_id: str,
    call_id: str,
    asked_at: datetime,
    at: datetime,
    reason: Reason | None,
) -> LlmCallRow:
    return LlmCallRow(
        call_id=call_id,
        cycle_id=cycle_id,
        asked_at=asked_at,
        answered_at=at,
        provider=event.provider,
        model=event.model,
        advisor_label=event.advisor_label,
        prompt_hash=event.prompt_hash,
        template_hash=event.template_hash,
        prompt=event.prompt,
        reply=event.raw,
        kind=event.kind,
        finish_reason=event.finish_reason,
        tokens_in=event.tokens_in,
        tokens_out=event.tokens_out,
        latency_ms=event.latency_ms,
        error="",
        reason=reason,
        attempt=len(event.tried) + 1,
        status=event.status,
        params=event.params,
        cost_usd=event.cost_usd,
    )


def _failed_row(event: AdviceFailed, cycle_id: str, asked_at: datetime, at: datetime) -> LlmCallRow:
    return LlmCallRow(
        call_id=event.question_id,
        cycle_id=cycle_id,
        asked_at=asked_at,
        answered_at=at,
        provider=event.provider,
        model=event.model,
        advisor_label="",
        prompt_hash=event.prompt_hash,
        template_hash=event.template_hash,
        prompt=event.prompt,
        reply=event.raw,
        kind="",
        finish_reason="",
        tokens_in=event.tokens_in,
        tokens_out=event.tokens_out,
        latency_ms=event.latency_ms,
        error=event.detail,
        reason=event.reason,
        attempt=len(event.tried) + 1,
        status=event.status,
        params=event.params,
        cost_usd=event.cost_usd,
    )


# -- training ----------------------------------------------------------------------------


def on_trained(state: EngineState, event: ModelTrained, at: datetime) -> list[Action]:
    """Keep the new model under its hash and predict with it from now on."""
    if state.close_question(event.question_id) is None:
        return [_late("trained model")]
    state.last_training_at = at
    state.model_id = event.model_id
    return [
        Remember(
            record=ModelRow(
                model_id=event.model_id,
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
    ]


def on_training_skipped(state: EngineState, event: TrainingSkipped, at: datetime) -> list[Action]:
    """No new model, and why; the old one stays."""
    if state.close_question(event.question_id) is not None:
        state.last_training_at = at
    text = f"No new model: {event.detail}"
    return [Note(level="info", text=text, reason=event.reason)]


def give_up(
    state: EngineState, cycle: Cycle, reason: Reason, detail: str, at: datetime
) -> list[Action]:
    """End a cycle whose answer does not come, with what it saw and a decision for each pair."""
    state.cycle = None
    state.close_question(cycle.question_id)
    unseen = cycle.rows if cycle.waits_for == PREDICTIONS else ()
    seen: list[Action] = [Remember(record=row) for row in unseen]
    return [*seen, *hold_all(state, cycle, reason, detail, None, at)]
