"""Shadowing: further advisors are asked about the same snapshots, judged and marked, never traded.

The gates are those of the advisor that trades. Nothing in here makes an intent (a test holds that).
"""

from datetime import datetime

import msgspec

from simple_trader.core.reactions.asking import SHADOW
from simple_trader.core.reactions.call_rows import Asked, arrived_rows, failed_rows, source_of
from simple_trader.core.reactions.decide import gated, marked, unusable
from simple_trader.core.reactions.marking import open_marks
from simple_trader.core.state import Cycle, EngineState, ShadowWait
from simple_trader.core.strategy.advice import Advice, Unusable, judge
from simple_trader.core.strategy.aggregator import question_about
from simple_trader.core.strategy.ai_strategy import Skip, Weighed
from simple_trader.core.strategy.last_advice import is_late
from simple_trader.domain.actions import Action, Note, Remember
from simple_trader.domain.events import AdviceArrived, AdviceFailed
from simple_trader.domain.marks import MarkSource, ShadowDecisionRow
from simple_trader.domain.reasons import Reason


def ask_shadows(state: EngineState, cycle: Cycle, at: datetime) -> list[Action]:
    """Ask each shadow what the advisor is asked; one that still waits is left out of this cycle."""
    actions: list[Action] = []
    state.shadow_waits = {
        name: wait for name, wait in state.shadow_waits.items() if name in state.questions
    }
    for name in cycle.settings.shadows:
        deadline_s = float(cycle.settings.advice_deadline_s)
        question = state.open_question(SHADOW, name, at, deadline_s)
        if question is None:
            text = f"The shadow {name} still waits: it is left out of {cycle.cycle_id}."
            actions.append(Note(level="info", text=text, reason=Reason.CYCLE_BUSY))
            continue
        question = msgspec.structs.replace(question, config_hash=cycle.config_hash)
        state.questions[question.question_id] = question
        state.shadow_waits[question.question_id] = ShadowWait(
            advisor=name, asked_at=at, cycle=_bare(cycle)
        )
        actions.append(question_about(question, cycle.rows, advisor=name))
    return actions


def _bare(cycle: Cycle) -> Cycle:
    """What of a cycle its answer is judged by, without the figures that were shown."""
    rows = tuple(
        msgspec.structs.replace(row, features={}, feature_times={}, texts=()) for row in cycle.rows
    )
    return msgspec.structs.replace(cycle, rows=rows)


def is_shadow(state: EngineState, question_id: str) -> bool:
    """Whether an answer is that of a shadow."""
    return question_id in state.shadow_waits


def on_shadow_advice(state: EngineState, event: AdviceArrived, at: datetime) -> list[Action]:
    """Remember and judge what a shadow said."""
    wait, asked = _close(state, event.question_id)
    cycle = wait.cycle
    source = source_of(event, wait.advisor)
    if is_late(wait.asked_at, at, cycle.settings):
        judged = unusable(cycle, Reason.ADVICE_LATE, "after its deadline")
        rows = arrived_rows(event, asked, at, Reason.ADVICE_LATE)
        return [*rows, *_decide(state, cycle, judged, source, asked.call_id, at)]
    judged = judge(
        event.raw,
        kind=event.kind,
        finish_reason=event.finish_reason,
        pairs=cycle.pairs,
        mids={row.pair: row.mid for row in cycle.rows},
    )
    rows = arrived_rows(event, asked, at)
    return [*rows, *_decide(state, cycle, judged, source, asked.call_id, at)]


def on_shadow_failed(state: EngineState, event: AdviceFailed, at: datetime) -> list[Action]:
    """A shadow that gave no answer would have held."""
    wait, asked = _close(state, event.question_id)
    source = source_of(event, wait.advisor)
    judged = unusable(wait.cycle, event.reason, event.detail)
    rows = failed_rows(event, asked, at)
    return [*rows, *_decide(state, wait.cycle, judged, source, asked.call_id, at)]


def _close(state: EngineState, question_id: str) -> tuple[ShadowWait, Asked]:
    """Take the wait away; its question may have been given up before."""
    state.close_question(question_id)
    wait = state.shadow_waits.pop(question_id)
    asked = Asked(
        call_id=question_id,
        cycle_id=wait.cycle.cycle_id,
        asked_at=wait.asked_at,
        advisor=wait.advisor,
    )
    return wait, asked


def _decide(
    state: EngineState,
    cycle: Cycle,
    judged: dict[str, Advice | Unusable],
    source: MarkSource,
    call_id: str,
    at: datetime,
) -> list[Action]:
    """A row and its marks for each pair: what the gates would have said, without any order."""
    actions: list[Action] = []
    for pair, advice in judged.items():
        row = _row(state, cycle, pair, advice, source, call_id, at)
        actions.append(Remember(record=row))
        actions.extend(open_marks(state, row, source, at))
    return actions


def _row(
    state: EngineState,
    cycle: Cycle,
    pair: str,
    advice: Advice | Unusable,
    source: MarkSource,
    call_id: str,
    at: datetime,
) -> ShadowDecisionRow:
    shadow_id = state.next_id("sd")
    verdict, weighed = "hold", Weighed()
    if isinstance(advice, Unusable):
        reason, detail, said = advice.reason, advice.detail, None
    else:
        said, mids = advice, {row.pair: row.mid for row in cycle.rows}
        weighed, wished = gated(state, advice, cycle.settings, mids, source, shadow_id)
        reason = wished.reason
        detail = wished.detail if isinstance(wished, Skip) else f"{wished.value:f} before caps"
        detail = marked(detail, reason, weighed)
        if advice.action != "hold":
            verdict = "refused" if isinstance(wished, Skip) else "approved"
    shown = {row.pair: row.snapshot_id for row in cycle.rows}
    move = weighed.move_pct
    return ShadowDecisionRow(
        shadow_id=shadow_id,
        advisor=source.advisor,
        provider=source.provider,
        model=source.model,
        template_hash=source.template_hash,
        cycle_id=cycle.cycle_id,
        pair=pair,
        snapshot_id=shown.get(pair),
        call_id=call_id,
        decided_at=at,
        action="hold" if said is None else said.action,
        confidence=None if said is None else said.confidence,
        risk_level=None if said is None else said.risk_level,
        price_target=None if said is None else said.price_target,
        stop_loss=None if said is None else said.stop_loss,
        expected_move_pct=None if said is None else said.expected_move_pct,
        horizon_minutes=None if said is None else said.horizon_minutes,
        bias_allocation=None if said is None else said.bias_allocation,
        sentiment=None if said is None else said.sentiment,
        rationale="" if said is None else said.rationale,
        verdict=verdict,
        reason=reason,
        detail=detail,
        wanted_side=weighed.side,
        wanted_value=weighed.value,
        expected_move_used_pct=None if move is None else float(move),
        cost_pct=weighed.cost_pct,
        config_hash=cycle.config_hash,
    )
