"""Outcomes: the first mid at or after the horizon, after a whole round trip; money to the cent."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from market_parts import BTC, ETH, T0, minutes, quote

from simple_trader.core.scoring.outcomes import (
    OpenMarks,
    change_pct,
    counterfactual,
    is_lapsed,
    is_right,
    kind_of,
    net_pct,
    outcome_of,
    round_trip_pct,
    void,
)
from simple_trader.domain.marks import MarkSource, OpenMark
from simple_trader.domain.orders import Side
from simple_trader.domain.reasons import Reason

D = Decimal
SECOND = timedelta(seconds=1)
moves = st.decimals(-20, 20, places=4)


def mark(**changes: Any) -> OpenMark:
    values: dict[str, Any] = {
        "mark_id": "d1/900",
        "decision_id": "d1",
        "source": MarkSource(provider="p", model="m", template_hash="t"),
        "pair": BTC,
        "decided_at": T0,
        "due_at": T0 + minutes(15),
        "horizon_s": 900,
        "is_own": True,
        "is_repeat": False,
        "action": "buy",
        "verdict": "refused",
        "reason": Reason.CONFIDENCE_TOO_LOW,
        "confidence": 0.6,
        "expected_move_pct": 1.0,
        "mid": D(100),
        "cost_pct": D("0.9"),
        "past_roi_pct": None,
        "wanted_side": Side.BUY,
        "wanted_value": D(1000),
        "done_value": D(0),
    }
    return OpenMark(**values | changes)


def test_a_round_trip_costs_two_fees_and_one_spread() -> None:
    assert round_trip_pct(quote(bid="99.95", ask="100.05"), D("0.004")) == D("0.9")


@pytest.mark.parametrize(
    ("action", "change", "net", "right"),
    [
        ("buy", "0.91", "0.01", True),
        ("buy", "0.90", "0.00", False),
        ("buy", "-1", "-1.9", False),
        ("sell", "-0.91", "0.01", True),
        ("sell", "-0.90", "0.00", False),
        ("sell", "1", "-1.9", False),
        ("hold", "0.90", "0", True),
        ("hold", "-0.90", "0", True),
        ("hold", "0.91", "0", False),
        ("hold", "-0.91", "0", False),
    ],
)
def test_right_is_what_made_money_after_fees(
    action: str, change: str, net: str, right: bool
) -> None:
    assert net_pct(action, D(change), D("0.9")) == D(net)
    assert is_right(action, D(change), D("0.9")) is right


def test_the_mark_is_of_the_mid_at_the_horizon() -> None:
    at = T0 + minutes(15)
    found = outcome_of(mark(), D(102), at, at)
    assert (found.outcome_mid, found.mid_at, found.scored_at) == (D(102), at, at)
    assert (found.roi_pct, found.net_roi_pct, found.is_right) == (2.0, 1.1, 1)
    assert found.void_reason is None


def test_a_price_within_one_more_horizon_marks_late_one_beyond_voids() -> None:
    last = T0 + minutes(30)
    assert outcome_of(mark(), D(102), last, last).is_right == 1
    too_late = outcome_of(mark(), D(102), last + SECOND, last + SECOND)
    assert too_late == void(mark(), last + SECOND, Reason.MARK_GAP)
    assert too_late.void_reason is Reason.MARK_GAP
    assert too_late.outcome_mid is None
    assert not is_lapsed(mark(), last)
    assert is_lapsed(mark(), last + SECOND)


def test_marks_are_taken_when_due_and_once() -> None:
    waiting = OpenMarks()
    later = mark(mark_id="d1/1800", due_at=T0 + minutes(30))
    other = mark(mark_id="d2/900", pair=ETH)
    waiting.add((later, other, mark()))
    assert waiting.take_due(BTC, T0 + minutes(15) - SECOND) == []
    assert waiting.take_due(BTC, T0 + minutes(15)) == [mark()]
    assert waiting.take_due(BTC, T0 + minutes(15)) == []
    assert waiting.take_due(BTC, T0 + minutes(99)) == [later]
    assert waiting.count == 1
    assert waiting.take_due("SOL/USD", T0 + minutes(99)) == []


def test_marks_come_out_as_a_sort_would_put_them_however_they_went_in() -> None:
    many = tuple(
        mark(mark_id=str(number), due_at=T0 + minutes(number * 7 % 5)) for number in range(40)
    )
    waiting = OpenMarks()
    for start in range(0, 40, 3):
        waiting.add(many[start : start + 3])
    ordered = sorted(many, key=lambda one: one.due_at)
    assert waiting.by_pair[BTC] == ordered
    assert waiting.take_due(BTC, T0 + minutes(2)) == [
        one for one in ordered if one.due_at <= T0 + minutes(2)
    ]
    assert waiting.count == 16


def test_lapsed_marks_are_taken_from_all_pairs_the_rest_stays() -> None:
    waiting = OpenMarks()
    long = mark(mark_id="d1/3600", horizon_s=3600, due_at=T0 + minutes(20))
    waiting.add((mark(), long, mark(mark_id="d2/900", pair=ETH)))
    assert waiting.take_lapsed(T0 + minutes(30)) == []
    gone = waiting.take_lapsed(T0 + minutes(30) + SECOND)
    assert [item.mark_id for item in gone] == ["d1/900", "d2/900"]
    assert waiting.take_due(BTC, T0 + minutes(31)) == [long]


def test_a_veto_that_saved_money_is_told_in_money() -> None:
    found = counterfactual(mark(), D(98), T0)
    assert found is not None
    assert (found.kind, found.side, found.wanted_pnl) == ("vetoed", Side.BUY, D("-29.00000000"))
    assert (found.done_pnl, found.effect) == (0, D("29.00000000"))


def test_a_veto_that_cost_money_is_told_too() -> None:
    found = counterfactual(mark(action="sell", wanted_side=Side.SELL), D(98), T0)
    assert found is not None
    assert found.wanted_pnl == D("11.00000000")
    assert found.effect == D("-11.00000000")


def test_a_resized_wish_counts_what_was_not_done() -> None:
    found = counterfactual(mark(verdict="approved", done_value=D(400)), D(102), T0)
    assert found is not None
    assert found.kind == "resized"
    assert (found.wanted_pnl, found.done_pnl) == (D("11.00000000"), D("4.40000000"))
    assert found.effect == D("-6.60000000")


def test_a_hold_is_a_purchase_that_was_not_made() -> None:
    held = mark(action="hold", verdict="hold", reason=Reason.ADVISED_HOLD, wanted_side=None)
    found = counterfactual(held, D(98), T0)
    assert found is not None
    assert (found.kind, found.side, found.effect) == ("held", Side.BUY, D("29.00000000"))


@pytest.mark.parametrize(
    "changes",
    [
        {"is_own": False},
        {"source": MarkSource(provider="p", model="m", template_hash="t", advisor="shadow")},
        {"wanted_value": None},
        {"verdict": "approved", "done_value": D(995)},
        {"verdict": "approved", "done_value": D(1000)},
    ],
)
def test_what_no_gate_changed_and_what_never_trades_has_no_counterfactual(
    changes: dict[str, Any],
) -> None:
    assert counterfactual(mark(**changes), D(98), T0) is None


def test_rounding_to_a_step_is_no_resizing_a_hundredth_is() -> None:
    assert kind_of(mark(verdict="approved", done_value=D(990))) is None
    assert kind_of(mark(verdict="approved", done_value=D("989.99"))) == "resized"


@given(moves, st.sampled_from(["buy", "sell", "hold"]), st.decimals(0, 5, places=4))
def test_at_most_one_of_buy_sell_and_hold_is_right_and_never_none(
    change: Decimal, action: str, cost: Decimal
) -> None:
    found = [one for one in ("buy", "sell", "hold") if is_right(one, change, cost)]
    assert len(found) == 1
    assert is_right(action, change, cost) == (action in found)


@given(moves, st.decimals(1, 5000, places=2), st.decimals(0, 1, places=4))
def test_the_ledger_of_what_might_have_been_adds_up(
    change: Decimal, wanted: Decimal, share: Decimal
) -> None:
    done = wanted * share
    found = counterfactual(
        mark(verdict="approved", wanted_value=wanted, done_value=done), 100 + change, T0
    )
    if found is None:
        return
    assert found.effect == found.done_pnl - found.wanted_pnl
    exact = wanted * (change_pct(D(100), 100 + change) - D("0.9")) / 100
    assert abs(found.wanted_pnl - exact) <= D("0.00000001")
