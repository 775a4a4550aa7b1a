"""Decisions of a whole engine: what is stale, late or said twice, and how large an order may be.

The desk trades BTC/USD at 49999.5 / 50000.5 and ETH/USD at 1999.5 / 2000.5 with 1000 USD, orders of
200, a taker fee of 0.4 percent and a minimum confidence of 0.7: a wish is for 140 USD.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
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
    rules,
    say,
    settings,
)

from simple_trader.core.engine import Engine
from simple_trader.core.reactions.on_advice import give_up
from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.domain.marks import DecisionMarkRow, MarkSource
from simple_trader.domain.money import floor_to_step
from simple_trader.domain.orders import OrderRequest, Side
from simple_trader.domain.reasons import Reason

R = Reason


def desk(pairs: tuple[Any, ...] = (rules(BTC), rules(ETH)), **changes: Any) -> Desk:
    """A desk that trades, with these settings."""
    one = Desk()
    one.open(settings=settings(**changes), pairs=pairs)
    return one


def orders(told: list[a.Action]) -> list[OrderRequest]:
    """What is to be sent."""
    return [x.approved.request for x in told if isinstance(x, a.PlaceOrder)]


def one_decision(one: Desk, **said: Any) -> r.DecisionRow:
    """The row of one piece of advice about BTC/USD."""
    words = {**say(BTC, "buy"), **said}
    return decisions_of(one.answer(one.ask(), advice_text(words, say(ETH, "hold"))))[BTC]


# -- L15, I-38, I-39: stale, late, twice -------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "reason"),
    [
        ("50250", R.TRADED),  # 0.5 percent: not more
        ("50250.1", R.ADVICE_STALE),
        ("49750", R.TRADED),
        ("49749.9", R.ADVICE_STALE),
    ],
)
def test_l15_advice_about_a_price_that_moved_too_far_is_dropped(price: str, reason: R) -> None:
    one = desk()
    asked = one.ask()
    one.at += timedelta(seconds=5)
    one.quotes(btc=price)
    told = one.answer(asked, advice_text(say(BTC, "buy"), say(ETH, "buy")))
    row = decisions_of(told)[BTC]
    assert row.reason is reason
    assert decisions_of(told)[ETH].reason is R.TRADED
    if reason is R.ADVICE_STALE:
        assert (row.verdict, row.action, row.wanted_side) == ("refused", "buy", Side.BUY)
        assert [order.pair for order in orders(told)] == [ETH]


def test_l15_advice_to_hold_is_never_stale() -> None:
    one = desk()
    asked = one.ask()
    one.quotes(btc="60000")
    told = one.answer(asked, advice_text(say(BTC, "hold"), say(ETH, "hold")))
    assert decisions_of(told)[BTC].reason is R.ADVISED_HOLD


@pytest.mark.parametrize(("after_s", "reason"), [(60, R.TRADED), (60.001, R.ADVICE_LATE)])
def test_l15_i_38_an_answer_after_its_deadline_is_hold_on_every_pair(
    after_s: float, reason: R
) -> None:
    one = desk()
    asked = one.ask()
    one.at += timedelta(seconds=after_s)
    one.quotes()
    told = one.answer(asked, advice_text(say(BTC, "buy"), say(ETH, "hold")))
    rows = decisions_of(told)
    assert rows[BTC].reason is reason
    (call,) = records(told, r.LlmCallRow)
    assert call.reason is (None if reason is R.TRADED else R.ADVICE_LATE)
    if reason is R.ADVICE_LATE:
        assert {(row.verdict, row.reason) for row in rows.values()} == {("hold", R.ADVICE_LATE)}
        assert {row.call_id for row in rows.values()} == {call.call_id}
        assert one.engine.state.last_advice is None


def test_i_39_one_cycle_yields_one_decision_of_a_pair_however_often_it_is_answered() -> None:
    one = desk()
    asked = one.ask()
    text = advice_text(say(BTC, "buy"), say(ETH, "buy"))
    seen = [decisions_of(one.answer(asked, text)) for _ in range(3)]
    assert [len(rows) for rows in seen] == [2, 0, 0]
    one.do(e.AdviceFailed(question_id=asked.question.question_id, reason=R.NO_PROVIDER, detail=""))
    assert len(one.engine.state.orders.live()) == 2
    keys = [(row.cycle_id, row.pair) for _, told in one.log for row in records(told, r.DecisionRow)]
    assert len(keys) == len(set(keys)) == 2


def test_i_39_an_answer_to_the_cycle_before_decides_nothing_in_this_one() -> None:
    one = desk()
    first = one.ask()
    one.do(
        e.AdviceFailed(question_id=first.question.question_id, reason=R.ADVICE_TIMEOUT, detail="")
    )
    one.next_candle()
    second = one.ask()
    told = one.answer(first, advice_text(say(BTC, "buy"), say(ETH, "buy")))
    assert decisions_of(told) == {}
    assert one.engine.state.cycle is not None
    rows = decisions_of(one.answer(second, advice_text(say(BTC, "hold"), say(ETH, "hold"))))
    assert {row.verdict for row in rows.values()} == {"hold"}


def test_i_39_a_stored_state_decides_as_the_one_it_was_stored_from() -> None:
    one = desk()
    asked = one.ask()
    copy = Desk(one.at)
    copy.engine, copy.seq = Engine.restore(one.engine.snapshot()), one.seq
    text = advice_text({**say(BTC, "buy"), "price_target": 60_000}, say(ETH, "sell"))
    assert one.answer(asked, text) == copy.answer(asked, text)
    assert one.engine.snapshot() == copy.engine.snapshot()


# -- rows: complete, whatever the end ----------------------------------------------------------


def test_a_row_holds_all_that_was_said_and_made_of_it() -> None:
    said = {
        "price_target": 51_000,
        "stop_loss": 49_000.5,
        "expected_move_pct": 2,
        "horizon_minutes": 90,
        "bias_allocation": 0.5,
        "sentiment": -0.25,
    }
    row = one_decision(desk(), **said)
    assert (row.price_target, row.stop_loss) == (D(51_000), D("49000.5"))
    assert (row.expected_move_pct, row.horizon_minutes) == (2.0, 90.0)
    assert (row.bias_allocation, row.sentiment) == (0.5, -0.25)
    assert (row.wanted_side, row.wanted_value, row.size_confidence) == (Side.BUY, D(140), 0.7)
    assert (row.expected_move_used_pct, row.cost_pct) == (2.0, D("0.802"))
    assert (row.verdict, row.reused_from) == ("approved", None)
    assert row.sized_qty is not None
    assert D(139) < row.sized_qty * 50_000 < D(140)
    assert "expected_move_unknown" not in row.detail


def test_a_refused_row_says_what_was_wished_for() -> None:
    row = one_decision(desk(), confidence=0.6)
    assert (row.verdict, row.reason) == ("refused", R.CONFIDENCE_TOO_LOW)
    assert (row.wanted_side, row.wanted_value, row.size_confidence) == (Side.BUY, D(120), 0.6)
    assert (row.sized_qty, row.cl_ord_id) == (None, None)


@pytest.mark.parametrize(
    ("said", "is_marked"),
    [({}, True), ({"expected_move_pct": 3}, False), ({"price_target": 52_000}, False)],
)
def test_an_expected_move_that_nobody_told_is_marked(said: dict[str, Any], is_marked: bool) -> None:
    row = one_decision(desk(), **said)
    assert row.verdict == "approved"
    assert ("expected_move_unknown" in row.detail) is is_marked


def test_a_cycle_that_is_given_up_has_a_row_and_a_mark_for_each_pair() -> None:
    one = desk()
    one.ask()
    state = one.engine.state
    assert state.cycle is not None
    told = give_up(state, state.cycle, R.INTERRUPTED, "stopping", one.at)
    rows = decisions_of(told)
    assert {(row.pair, row.verdict, row.reason) for row in rows.values()} == {
        (BTC, "hold", R.INTERRUPTED),
        (ETH, "hold", R.INTERRUPTED),
    }
    assert all(row.snapshot_id for row in rows.values())
    marks = {row.mark.decision_id for row in records(told, DecisionMarkRow)}
    assert marks == {row.decision_id for row in rows.values()}


def test_every_decision_of_an_answer_is_marked_under_its_source() -> None:
    one = desk()
    told = one.advise(say(BTC, "buy"), say(ETH, "hold"))
    marks = [row.mark for row in records(told, DecisionMarkRow)]
    assert {mark.source for mark in marks} == {
        MarkSource(provider="test", model="test", template_hash="t")
    }
    assert {mark.decision_id for mark in marks} == {
        row.decision_id for row in decisions_of(told).values()
    }


# -- sizes: L21, the wanted holding, minimums and funds -------------------------------------


def test_l21_size_and_sale_are_of_the_books_whatever_the_prompt_showed() -> None:
    one = desk()
    asked = one.ask()
    cycle = one.engine.state.cycle
    assert cycle is not None
    lie = tuple(_with_balances(row, {"cash": "1", row.pair: "0.9"}) for row in cycle.rows)
    cycle.rows = lie  # as if the portfolio in the prompt had been tampered with
    told = one.answer(asked, advice_text(say(BTC, "sell"), say(ETH, "buy")))
    assert decisions_of(told)[BTC].reason is R.NOTHING_TO_SELL
    (order,) = orders(told)
    assert order.qty * (order.limit_price or D(0)) <= 140


def _with_balances(row: r.SnapshotRow, balances: dict[str, str]) -> r.SnapshotRow:
    return msgspec.structs.replace(row, balances=balances)


@pytest.mark.parametrize(
    ("bias", "most"),
    [
        (1, D(140)),  # 0.35 of 1000 is allowed
        (0.5, D(140)),
        (0.2, D(70)),
        (0.05, D("17.5")),
        (0.02, None),  # 7 USD: below the minimum of 10
        (0, None),
    ],
)
def test_the_wanted_holding_bounds_a_purchase_and_never_raises_it(
    bias: float, most: Decimal | None
) -> None:
    one = desk()
    row = one_decision(one, bias_allocation=bias)
    if most is None:
        assert (row.verdict, row.reason) == ("refused", R.ALLOCATION_REACHED)
    else:
        gross = D("1.004") if most < 140 else D(1)  # what is bounded carries its fee
        assert row.sized_qty == floor_to_step(most / gross / D("50100.5"), D("0.00000001"))


def test_a_wanted_holding_that_is_there_buys_no_more() -> None:
    one = desk()
    one.hold()
    one.next_candle()
    row = one_decision(one, bias_allocation=0.4)  # 140 of 350 USD
    assert row.reason is R.ALLOCATION_REACHED


@pytest.mark.parametrize(
    ("bias", "reason"), [(-1, R.TRADED), (0, R.TRADED), (0.2, R.TRADED), (1, R.ALLOCATION_REACHED)]
)
def test_the_wanted_holding_bounds_a_sale(bias: float, reason: R) -> None:
    one = desk()
    bought = one.hold()
    one.next_candle()
    row = one_decision(one, action="sell", bias_allocation=bias)
    assert row.reason is reason
    if bias == 0.2:
        assert row.sized_qty is not None
        assert row.sized_qty < bought.qty * D("0.6")


@pytest.mark.parametrize(
    ("changes", "pair", "reason"),
    [
        # min_order_value: the order is for 14 USD before the step, a little less after it
        ({"base_order": D(20), "min_order_value": D("13.9")}, {}, R.TRADED),
        ({"base_order": D(20), "min_order_value": D("14.01")}, {}, R.BELOW_MIN_VALUE),
        # ordermin x price
        ({"base_order": D(20)}, {"qty_min": D("0.000279")}, R.TRADED),
        ({"base_order": D(20)}, {"qty_min": D("0.00028")}, R.BELOW_MIN_QTY),
        # costmin
        ({"base_order": D(20)}, {"cost_min": D("13.9")}, R.TRADED),
        ({"base_order": D(20)}, {"cost_min": D("14.01")}, R.BELOW_MIN_COST),
    ],
)
def test_the_effective_minimum_is_the_largest_of_three(
    changes: dict[str, Any], pair: dict[str, Any], reason: R
) -> None:
    one = desk(pairs=(rules(BTC, **pair), rules(ETH)), **changes)
    assert one_decision(one).reason is reason


def test_an_order_uses_95_percent_of_the_pairs_own_quote_currency_at_most() -> None:
    one = Desk()
    generous = settings(base_order=D(10_000), max_asset_exposure=D(1), max_total_exposure=D(1))
    one.open(settings=generous, balances={"USD": D(100), "BTC": D("0.02")})
    one.do(e.BalancesSeen(balances={"USD": D(100), "BTC": D("0.02")}, source="ws"))
    told = one.advise(say(ETH, "buy"), say(BTC, "hold"))
    order = only(told, a.PlaceOrder).approved.request
    cost = order.qty * (order.limit_price or D(0)) * D("1.004")
    assert D("94.9") < cost <= D(95)


# -- L20: to and fro ---------------------------------------------------------------------------


def test_l20_a_poisoned_feed_can_flip_a_pair_only_so_often_and_is_left_without_the_asset() -> None:
    one = desk(max_flips_per_day=3, candle_minutes=1, daily_loss_limit=D("0.9"))
    sides, refused = [], []
    for number in range(12):
        held = one.engine.state.lots.held("ai", BTC) > 0
        told = one.advise(say(BTC, "sell" if held else "buy"), say(ETH, "hold"))
        row = decisions_of(told)[BTC]
        if row.verdict != "approved":
            refused.append(row.reason)
        for order in orders(told):
            sides.append(order.side.value)
            one.do(e.OrderSent(cl_ord_id=order.cl_ord_id))
            one.fill(order, f"E{number}", order_id=f"O{number}", trade_id=number + 1)
            one.settle()
        one.at += timedelta(minutes=2)
        one.quotes()
    assert sides == ["buy", "sell", "buy", "sell"]
    assert set(refused) == {R.FLIP_LIMIT}
    assert one.engine.state.lots.held("ai", BTC) == 0
    one.at += timedelta(days=1)
    one.quotes()
    one.at += timedelta(seconds=1)
    one.quotes()
    assert one.engine.state.turnover.flips(BTC, "ai", one.at) == (0, "")


def test_l20_entries_use_half_of_the_value_of_an_hour() -> None:
    one = desk(max_pair_notional_per_hour=D(300), candle_minutes=1)
    one.hold()
    one.at += timedelta(minutes=2)
    one.quotes()
    assert one_decision(one).reason is R.NOTIONAL_LIMIT
