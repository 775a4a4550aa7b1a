"""Shadows: asked beside, judged by the same gates, marked, and never an order."""

import ast
import inspect
from datetime import timedelta
from typing import Any

import pytest
from brain_desk import BTC, ETH, D, Desk, advice_text, decisions_of, only, records, say, settings

from simple_trader.core.engine import Engine
from simple_trader.core.reactions import shadowing
from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.domain.marks import DecisionMarkRow, ShadowDecisionRow
from simple_trader.domain.reasons import Reason

R = Reason


def desk(**changes: Any) -> Desk:
    """A desk with two shadows."""
    one = Desk()
    one.open(settings=settings(**{"shadows": ("claude", "old prompt"), **changes}))
    return one


def cycle(one: Desk) -> dict[str, a.AskAdvice]:
    """Begin a cycle; the questions by advisor."""
    return {x.advisor: x for x in one.timer("aggregate") if isinstance(x, a.AskAdvice)}


def shadows(told: list[a.Action]) -> dict[str, ShadowDecisionRow]:
    """Shadow decisions by pair."""
    return {row.pair: row for row in records(told, ShadowDecisionRow)}


def test_each_shadow_is_asked_after_the_advisor_on_the_same_snapshots() -> None:
    one = desk()
    told = one.timer("aggregate")
    asked = [x for x in told if isinstance(x, a.AskAdvice)]
    assert [x.advisor for x in asked] == ["", "claude", "old prompt"]
    assert len({x.question.question_id for x in asked}) == 3
    assert asked[0].briefs == asked[1].briefs == asked[2].briefs
    assert {x.question.kind for x in asked[1:]} == {"shadow"}


def test_a_shadow_is_judged_and_marked_and_never_traded() -> None:
    one = desk()
    asked = cycle(one)["claude"]
    told = one.answer(asked, advice_text(say(BTC, "buy"), say(ETH, "sell")))
    rows = shadows(told)
    assert (rows[BTC].verdict, rows[BTC].reason) == ("approved", R.BIAS_BUY)
    assert (rows[ETH].verdict, rows[ETH].reason) == ("refused", R.NOTHING_TO_SELL)
    assert {row.advisor for row in rows.values()} == {"claude"}
    assert rows[BTC].wanted_value == D(140)
    assert rows[BTC].detail.endswith("expected_move_unknown")
    (call,) = records(told, r.LlmCallRow)
    assert (call.advisor, call.call_id) == ("claude", asked.question.question_id)
    assert {row.call_id for row in rows.values()} == {call.call_id}
    marks = [row.mark for row in records(told, DecisionMarkRow)]
    assert {mark.source.advisor for mark in marks} == {"claude"}
    assert {mark.decision_id for mark in marks} == {row.shadow_id for row in rows.values()}
    assert decisions_of(told) == {}
    assert not [x for x in told if isinstance(x, a.PlaceOrder)]
    assert not one.engine.state.orders.live()
    assert one.engine.state.decisions == {}


def test_no_word_of_a_shadow_reaches_the_judge_of_intents() -> None:
    tree = ast.parse(inspect.getsource(shadowing))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    used |= {name.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
             for name in node.names}  # fmt: skip
    assert not used & {"judge_intent", "Intent", "PlaceOrder", "decide", "last_advice"}


def test_the_advisors_answer_is_decided_while_shadows_still_wait() -> None:
    one = desk()
    asked = cycle(one)
    told = one.answer(asked[""], advice_text(say(BTC, "buy"), say(ETH, "hold")))
    assert decisions_of(told)[BTC].verdict == "approved"
    assert len(one.engine.state.shadow_waits) == 2


def test_a_shadow_that_still_waits_is_left_out_and_delays_no_cycle() -> None:
    one = desk()
    one.answer(cycle(one)[""], advice_text(say(BTC, "hold"), say(ETH, "hold")))
    one.next_candle()
    told = one.timer("aggregate")
    assert [x.advisor for x in told if isinstance(x, a.AskAdvice)] == [""]
    assert [x.reason for x in told if isinstance(x, a.Note)] == [R.CYCLE_BUSY] * 2


def test_a_shadow_that_fails_would_have_held() -> None:
    one = desk()
    asked = cycle(one)["claude"]
    failed = e.AdviceFailed(
        question_id=asked.question.question_id,
        reason=R.LLM_BUDGET,
        detail="no tokens left",
        provider="anthropic",
        model="m",
    )
    told = one.do(failed)
    assert {(x.verdict, x.reason) for x in shadows(told).values()} == {("hold", R.LLM_BUDGET)}
    assert {x.provider for x in shadows(told).values()} == {"anthropic"}
    (call,) = records(told, r.LlmCallRow)
    assert (call.advisor, call.error) == ("claude", "no tokens left")
    assert one.engine.state.cycle is not None


@pytest.mark.parametrize(("after_s", "reason"), [(60, R.PRICE_STALE), (60.5, R.ADVICE_LATE)])
def test_l15_a_shadow_is_as_late_as_an_advisor(after_s: float, reason: Reason) -> None:
    one = desk()
    asked = cycle(one)["claude"]
    one.at += timedelta(seconds=after_s)
    told = one.answer(asked, advice_text(say(BTC, "buy"), say(ETH, "buy")))
    found = {row.reason for row in shadows(told).values()}
    assert found == ({R.BIAS_BUY} if reason is R.PRICE_STALE else {reason})
    assert records(told, r.LlmCallRow)[0].reason is (None if after_s == 60 else R.ADVICE_LATE)


def test_the_second_answer_of_a_shadow_changes_nothing() -> None:
    one = desk()
    asked = cycle(one)["claude"]
    one.answer(asked, "{}")
    told = one.answer(asked, advice_text(say(BTC, "buy")))
    assert not shadows(told)
    assert only(told, a.Note).reason is R.ADVICE_LATE
    assert records(told, r.LlmCallRow)[0].call_id != asked.question.question_id


def test_a_question_nobody_answered_is_forgotten() -> None:
    one = desk()
    one.answer(cycle(one)[""], "{}")
    one.at += timedelta(hours=2, seconds=1)
    one.timer("risk_check")
    one.quotes()
    assert set(cycle(one)) == {"", "claude", "old prompt"}
    assert len(one.engine.state.shadow_waits) == 2


def test_what_shadows_wait_for_survives_the_encoding_of_the_state() -> None:
    one = desk()
    asked = cycle(one)["claude"]
    one.engine = Engine.restore(one.engine.snapshot())
    told = one.answer(asked, advice_text(say(BTC, "buy"), say(ETH, "hold")))
    assert shadows(told)[BTC].verdict == "approved"


def test_a_reused_answer_asks_no_shadow() -> None:
    one = desk(advice_reuse_s=3600)
    for asked in cycle(one).values():
        one.answer(asked, advice_text(say(BTC, "hold"), say(ETH, "hold")))
    one.next_candle()
    assert cycle(one) == {}
