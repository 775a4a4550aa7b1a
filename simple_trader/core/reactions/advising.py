"""Advising: a cycle that knows what it shows asks the advisor, or goes on with its last answer."""

from datetime import datetime

import msgspec

from simple_trader.core.reactions.asking import ADVICE, CYCLE
from simple_trader.core.reactions.decide import Told, decide, hold_all
from simple_trader.core.reactions.shadowing import ask_shadows
from simple_trader.core.state import Cycle, EngineState
from simple_trader.core.strategy.advice import judge
from simple_trader.core.strategy.aggregator import question_about
from simple_trader.core.strategy.last_advice import LastAdvice, Shown, asks_anew
from simple_trader.domain.actions import Action, Note, Remember
from simple_trader.domain.reasons import Reason


def ask_advice(state: EngineState, cycle: Cycle, at: datetime) -> list[Action]:
    """Remember what will be shown, then ask; or decide on the last answer while it is still good.

    A new question puts an end to the last answer: it is never gone back to.
    """
    settings = cycle.settings
    seen: list[Action] = [Remember(record=row) for row in cycle.rows]
    last, fills = state.last_advice, state.tally.fills
    now = _by_now(state, cycle, at)
    if last is not None and not asks_anew(last, now, fills=fills, settings=settings):
        return [*seen, *_reuse(state, cycle, last, at)]
    state.last_advice = None
    state.close_about(ADVICE, CYCLE)
    question = state.open_question(ADVICE, CYCLE, at, float(settings.advice_deadline_s))
    if question is None:
        state.cycle = None
        text = "Too many open questions: no advice asked in this cycle."
        note = Note(level="error", text=text, reason=Reason.ADVICE_FAILED)
        return [*seen, note, *hold_all(state, cycle, Reason.ADVICE_FAILED, text, None, at)]
    question = msgspec.structs.replace(question, config_hash=cycle.config_hash)
    state.questions[question.question_id] = question
    cycle.question_id = question.question_id
    cycle.waits_for = ADVICE
    return [*seen, question_about(question, cycle.rows), *ask_shadows(state, cycle, at)]


def shown(cycle: Cycle) -> Shown:
    """What a cycle shows, as far as it decides how long the answer is good."""
    return Shown(
        as_of=cycle.as_of,
        config_hash=cycle.config_hash,
        mids={row.pair: row.mid for row in cycle.rows},
    )


def _by_now(state: EngineState, cycle: Cycle, at: datetime) -> Shown:
    """What is true now, where the predictions took their time: the last answer aged meanwhile."""
    known = state.mids()
    mids = {row.pair: known.get(row.pair, row.mid) for row in cycle.rows}
    return msgspec.structs.replace(shown(cycle), as_of=at, mids=mids)


def _reuse(state: EngineState, cycle: Cycle, last: LastAdvice, at: datetime) -> list[Action]:
    """Decide this cycle on the words of an earlier one, judged as they were then: of all the pairs
    that it was asked about, also of one that has no price now.
    """
    state.cycle = None
    judged = judge(
        last.raw,
        kind=last.kind,
        finish_reason=last.finish_reason,
        pairs=tuple(last.shown.mids),
        mids=last.shown.mids,
    )
    told = Told(
        judged={pair: judged[pair] for pair in cycle.pairs},
        call_id=last.call_id,
        label=last.label,
        source=last.source,
        reused_from=last.call_id,
    )
    return decide(state, cycle, told, at)
