"""Keeping: what was decided last of a pair is what people see, the newest of all at the end."""

from brain_desk import BTC, ETH, Desk, decisions_of, say

from simple_trader.core.reactions.keeping import keep_decision
from simple_trader.domain.actions import Remember


def test_a_decision_is_remembered_and_shown_as_the_newest_of_all() -> None:
    desk = Desk()
    desk.open()
    rows = decisions_of(desk.advise(say(BTC, "hold"), say(ETH, "hold")))
    state = desk.engine.state
    assert list(state.decisions) == [BTC, ETH]
    assert keep_decision(state, rows[BTC], "somebody") == Remember(record=rows[BTC])
    assert list(state.decisions) == [ETH, BTC]
    view = state.decisions[BTC]
    assert (view.advisor, view.decision_id) == ("somebody", rows[BTC].decision_id)
    assert (view.action, view.verdict, view.reason) == ("hold", "hold", "advised_hold")
    assert (view.confidence, view.rationale) == (0.9, "because")
