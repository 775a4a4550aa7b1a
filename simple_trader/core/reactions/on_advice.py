"""Answers of the advisor: what comes back is judged on the state of that moment."""

from datetime import datetime

import msgspec

from simple_trader.core.reactions.advising import shown
from simple_trader.core.reactions.asking import ADVICE, PREDICTIONS, cycle_answered, late
from simple_trader.core.reactions.call_rows import Asked, arrived_rows, failed_rows, source_of
from simple_trader.core.reactions.decide import Told, decide, hold_all, unusable
from simple_trader.core.reactions.shadowing import is_shadow, on_shadow_advice, on_shadow_failed
from simple_trader.core.state import Cycle, EngineState
from simple_trader.core.strategy.advice import Advice, judge
from simple_trader.core.strategy.last_advice import LastAdvice, is_late
from simple_trader.domain.actions import Action, Note, Remember
from simple_trader.domain.events import AdviceArrived, AdviceFailed
from simple_trader.domain.marks import MarkSource
from simple_trader.domain.reasons import Reason


def on_advice(state: EngineState, event: AdviceArrived, at: datetime) -> list[Action]:
    """Remember the exact exchange of words, judge it, and decide pair by pair."""
    if is_shadow(state, event.question_id):
        return on_shadow_advice(state, event, at)
    asked_at = _asked_at(state, event.question_id, at)
    cycle = cycle_answered(state, event.question_id, ADVICE)
    if cycle is None:
        stranger = _stranger(state, asked_at)
        rows = arrived_rows(event, stranger, at, Reason.ADVICE_LATE)
        return [*rows, late("piece of advice")]
    state.cycle = None
    asked = Asked(call_id=event.question_id, cycle_id=cycle.cycle_id, asked_at=asked_at)
    told = _judged(cycle, event)
    if is_late(asked_at, at, cycle.settings):
        detail = f"{(at - asked_at).total_seconds():.0f} s after the question"
        none = unusable(cycle, Reason.ADVICE_LATE, detail)
        rows = arrived_rows(event, asked, at, Reason.ADVICE_LATE)
        return [*rows, *decide(state, cycle, msgspec.structs.replace(told, judged=none), at)]
    if any(isinstance(entry, Advice) for entry in told.judged.values()):
        state.last_advice = _remembered(cycle, event, told.source, at)
    return [*arrived_rows(event, asked, at), *decide(state, cycle, told, at)]


def _judged(cycle: Cycle, event: AdviceArrived) -> Told:
    source = source_of(event)
    judged = judge(
        event.raw,
        kind=event.kind,
        finish_reason=event.finish_reason,
        pairs=cycle.pairs,
        mids=shown(cycle).mids,
    )
    return Told(judged=judged, call_id=event.question_id, label=event.advisor_label, source=source)


def _remembered(cycle: Cycle, event: AdviceArrived, source: MarkSource, at: datetime) -> LastAdvice:
    return LastAdvice(
        call_id=event.question_id,
        answered_at=at,
        shown=shown(cycle),
        raw=event.raw,
        kind=event.kind,
        finish_reason=event.finish_reason,
        label=event.advisor_label,
        source=source,
        fills=cycle.fills,
    )


def on_advice_failed(state: EngineState, event: AdviceFailed, at: datetime) -> list[Action]:
    """No advice is HOLD on every pair, with the reason."""
    if is_shadow(state, event.question_id):
        return on_shadow_failed(state, event, at)
    asked_at = _asked_at(state, event.question_id, at)
    cycle = cycle_answered(state, event.question_id, ADVICE)
    if cycle is None:
        rows = failed_rows(event, _stranger(state, asked_at), at)
        return [*rows, late("failed piece of advice")]
    state.cycle = None
    asked = Asked(call_id=event.question_id, cycle_id=cycle.cycle_id, asked_at=asked_at)
    source = source_of(event)
    told = Told(
        judged=unusable(cycle, event.reason, event.detail), call_id=asked.call_id, source=source
    )
    return [
        *failed_rows(event, asked, at),
        Note(level="warning", text=f"No advice: {event.detail}", reason=event.reason),
        *decide(state, cycle, told, at),
    ]


def _asked_at(state: EngineState, question_id: str, at: datetime) -> datetime:
    question = state.questions.get(question_id)
    return at if question is None else question.asked_at


def _stranger(state: EngineState, asked_at: datetime) -> Asked:
    """An answer to no question of this brain, which is remembered all the same (I-39)."""
    return Asked(call_id=state.next_id("late"), cycle_id="", asked_at=asked_at)


def give_up(
    state: EngineState, cycle: Cycle, reason: Reason, detail: str, at: datetime
) -> list[Action]:
    """End a cycle whose answer does not come, with what it saw and a decision for each pair."""
    state.cycle = None
    state.close_question(cycle.question_id)
    unseen = cycle.rows if cycle.waits_for == PREDICTIONS else ()
    seen: list[Action] = [Remember(record=row) for row in unseen]
    return [*seen, *hold_all(state, cycle, reason, detail, None, at)]
