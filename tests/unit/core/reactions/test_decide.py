"""Decisions: a row for each pair, one reason each, sales before purchases, never out of bounds."""

import json
from typing import Any

import pytest
from brain_desk import (
    BTC,
    ETH,
    D,
    Desk,
    advice_text,
    decisions_of,
    only,
    records,
    say,
    settings,
)
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from simple_trader.core.reactions.decide import sorted_by_side
from simple_trader.core.strategy.advice import Advice, Unusable
from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.domain.reasons import Reason

R = Reason


def advice(pair: str, action: Any) -> Advice:
    """Advice in its judged form."""
    return Advice(pair=pair, action=action, confidence=0.9, risk_level="low", rationale="")


def test_sales_come_before_purchases_and_holds_last() -> None:
    judged: dict[str, Advice | Unusable] = {
        "A": advice("A", "hold"),
        "B": advice("B", "buy"),
        "C": Unusable(reason=R.ADVICE_MALFORMED, detail=""),
        "D": advice("D", "sell"),
        "E": advice("E", "buy"),
    }
    assert sorted_by_side(judged) == ["D", "B", "E", "A", "C"]


def test_every_pair_gets_exactly_one_row_joined_to_its_order() -> None:
    desk = Desk()
    desk.open()
    told = desk.advise(say(BTC, "buy"), say(ETH, "hold"))
    rows = decisions_of(told)
    request = only(told, a.PlaceOrder).approved.request
    (intent,) = records(told, r.IntentRow)
    assert rows[BTC].cl_ord_id == request.cl_ord_id == intent.order.cl_ord_id
    assert rows[BTC].decision_id == intent.order.decision_id
    assert (rows[BTC].verdict, rows[BTC].reason) == ("approved", R.TRADED)
    assert (rows[ETH].verdict, rows[ETH].reason) == ("hold", R.ADVISED_HOLD)
    (call,) = records(told, r.LlmCallRow)
    assert {row.call_id for row in rows.values()} == {call.call_id}


def test_the_intent_is_remembered_before_its_order_is_placed() -> None:
    desk = Desk()
    desk.open()
    told = desk.advise(say(BTC, "buy"))
    kinds = [type(action.record if isinstance(action, a.Remember) else action) for action in told]
    assert kinds.index(r.DecisionRow) < kinds.index(r.IntentRow) < kinds.index(a.PlaceOrder)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", R.ADVICE_MALFORMED),
        ("I would buy everything!", R.ADVICE_MALFORMED),
        ('{"decisions": []}', R.ADVICE_MISSING_PAIR),
    ],
)
def test_i_38_what_cannot_be_used_is_hold(raw: str, reason: Reason) -> None:
    desk = Desk()
    desk.open()
    told = desk.answer(desk.ask(), raw)
    assert {(d.verdict, d.reason) for d in decisions_of(told).values()} == {("hold", reason)}


def test_a_sale_without_a_holding_is_refused() -> None:
    desk = Desk()
    desk.open()
    row = decisions_of(desk.advise(say(BTC, "sell")))[BTC]
    assert (row.verdict, row.reason) == ("refused", R.NOTHING_TO_SELL)


def test_a_second_entry_in_the_candle_is_refused_and_one_in_the_next_is_not() -> None:
    desk = Desk()
    desk.open()
    desk.hold()
    desk.timer("risk_check")
    assert decisions_of(desk.advise(say(BTC, "buy")))[BTC].reason is R.SAME_CANDLE
    desk.next_candle()
    assert decisions_of(desk.advise(say(BTC, "buy", 0.8)))[BTC].verdict == "approved"


def test_the_price_of_the_answers_moment_counts_not_that_of_the_question() -> None:
    desk = Desk()
    desk.open()
    asked = desk.ask()
    desk.at = desk.at.replace(second=11)
    assert decisions_of(desk.answer(asked, advice_text(say(BTC, "buy"))))[BTC].reason is (
        R.PRICE_STALE
    )


words = st.one_of(
    st.text(max_size=200),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(["decisions", "pair", "action", "x"]), inner)
        ),
        max_leaves=12,
    ).map(json.dumps),
    st.lists(
        st.fixed_dictionaries(
            {
                "pair": st.sampled_from([BTC, ETH, "DOGE/USD", ""]),
                "action": st.sampled_from(["buy", "sell", "hold", "BUY", "all in"]),
                "confidence": st.one_of(st.floats(), st.just(1.0), st.just(True)),
                "risk_level": st.sampled_from(["low", "medium", "high", "none"]),
            }
        ),
        max_size=4,
    ).map(lambda rows: json.dumps({"decisions": rows})),
)


@examples(max_examples=150, deadline=None)
@given(words)
def test_i_37_whatever_the_model_says_orders_stay_in_their_bounds(raw: str) -> None:
    desk = Desk()
    desk.open()
    told = desk.answer(desk.ask(), raw)
    assert set(decisions_of(told)) == {BTC, ETH}
    spent = D(0)
    for action in told:
        if isinstance(action, a.PlaceOrder):
            request = action.approved.request
            assert request.pair in (BTC, ETH)
            spent += request.qty * (request.limit_price or D(0)) * D("1.004")
            assert spent <= 800
    assert spent <= 400


def test_a_holding_that_an_exit_already_sells_is_not_sold_again_from_coins_of_others() -> None:
    # The account holds 0.002 BTC of others: spendable alone lets a second sale through.
    desk = Desk()
    desk.open(
        balances={"USD": D(1000), "BTC": D("0.002")}, settings=settings(daily_loss_limit=D(0))
    )
    desk.hold()
    held = desk.engine.state.lots.held("ai", BTC)
    desk.next_candle()
    desk.quotes(btc="45000")  # far below the stop-loss
    asked = desk.ask()
    exit_sale = only(desk.timer("risk_check"), a.PlaceOrder).approved.request
    assert exit_sale.qty == held
    told = desk.answer(asked, advice_text(say(BTC, "sell"), say(ETH, "hold")))
    assert decisions_of(told)[BTC].reason is Reason.NOTHING_TO_SELL
    assert not [action for action in told if isinstance(action, a.PlaceOrder)]


def test_a_sale_of_unknown_outcome_keeps_its_part_of_the_holding() -> None:
    desk = Desk()
    desk.open(
        balances={"USD": D(1000), "BTC": D("0.002")}, settings=settings(daily_loss_limit=D(0))
    )
    desk.hold()
    desk.next_candle()
    first = desk.place(side="sell")
    desk.do(e.SendUnknown(cl_ord_id=first.cl_ord_id, detail="no reply"))
    desk.next_candle()
    told = desk.advise(say(BTC, "sell"), say(ETH, "hold"))
    left = desk.engine.state.lots.held("ai", BTC) - first.qty
    sales = [action.approved.request for action in told if isinstance(action, a.PlaceOrder)]
    assert sum(sale.qty for sale in sales) <= left
