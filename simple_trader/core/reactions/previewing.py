"""Previewing: what a decision cycle would ask now, worked out on a copy of the state."""

from datetime import datetime

import msgspec

from simple_trader.core.reactions.advising import shown
from simple_trader.core.reactions.cycle import begin_cycle
from simple_trader.core.reactions.predicting import add_predictions, leave_stale
from simple_trader.core.state import EngineState
from simple_trader.core.strategy.aggregator import question_about
from simple_trader.core.strategy.last_advice import asks_anew
from simple_trader.domain.actions import AskAdvice
from simple_trader.domain.predictions import Prediction


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """The question (None: no pair has a price now), and why it would not be asked, or empty."""

    ask: AskAdvice | None
    note: str


def question_now(copy: EngineState, at: datetime) -> Preview:
    """What a cycle at `at` would ask; `copy` is changed and good for nothing else afterwards.

    All but the online model is asked as in a cycle: of it the newest predictions are shown.
    """
    settings, last, fills = copy.settings, copy.last_advice, copy.tally.fills
    newest = {(item.pair, item.horizon_cycles): item for item in copy.pending_predictions}
    predictions = tuple(
        Prediction(pair=pair, horizon_cycles=horizon, probability=item.probability)
        for (pair, horizon), item in newest.items()
    )
    _free(copy)
    asked = [action for action in begin_cycle(copy, at) if isinstance(action, AskAdvice)]
    cycle = copy.cycle
    if not asked or cycle is None:
        return Preview(ask=None, note="no traded pair has a price now: a cycle would ask nothing")
    note = "" if settings.enable_aggregator else "enable_aggregator is off: no cycle comes"
    if not note and last is not None:
        again = asks_anew(last, shown(cycle), fills=fills, settings=settings)
        if again is None:
            note = f"the answer to {last.call_id} is still good: a cycle now would use it again"
    if settings.enable_model:
        cycle.settings = settings
        leave_stale(copy, cycle, at)
        add_predictions(copy, cycle, copy.model_id, predictions)
    return Preview(ask=question_about(asked[0].question, cycle.rows), note=note)


def _free(copy: EngineState) -> None:
    """Nothing that a cycle could wait for, and nobody asked but the advisor."""
    copy.cycle = copy.last_advice = None
    copy.stopping, copy.questions = False, {}
    copy.settings = msgspec.structs.replace(copy.settings, enable_model=False, shadows=())
