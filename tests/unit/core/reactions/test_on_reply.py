"""Replies to what we sent: never a second send, unknown is a state, no trace needs time (I-05)."""

from datetime import timedelta
from typing import Any

import pytest
from brain_desk import BTC, Desk, decisions_of, only, placed, records, say, state_of

from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.orders import OrderRequest
from simple_trader.domain.reasons import Reason

S = OrderState


def looked(request: OrderRequest, desk: Desk, **changes: Any) -> e.OrderLooked:
    """The resolver found no trace, looking from now on."""
    values: dict[str, Any] = {
        "cl_ord_id": request.cl_ord_id,
        "order_id": None,
        "status": None,
        "filled_qty": None,
        "looked_from": desk.at,
    }
    return e.OrderLooked(**{**values, **changes})


def next_look(desk: Desk) -> tuple[str, ...]:
    """What the next look asks about, at its own moment; empty where none is due."""
    due = desk.engine.state.doubts.due_at()
    if due is None:
        return ()
    desk.at = max(desk.at, due)
    return only(desk.timer("resolve"), a.AskOrders).cl_ord_ids


def test_sent_and_acknowledged() -> None:
    desk, request = placed()
    assert state_of(desk, request) is S.SENT
    (row,) = records(
        desk.do(e.OrderAcked(cl_ord_id=request.cl_ord_id, order_id="O1")), r.OrderStateRow
    )
    assert (row.order.state, row.order.order_id) == (S.OPEN, "O1")


def test_an_order_the_gate_kept_is_void_and_frees_funds_and_candle() -> None:
    desk = Desk()
    desk.open()
    request = only(desk.advise(say(BTC, "buy")), a.PlaceOrder).approved.request
    told = desk.do(
        e.NotSent(cl_ord_id=request.cl_ord_id, reason=Reason.PLACING_OFF, detail="recorded")
    )
    assert records(told, r.OrderStateRow)[0].order.state is S.VOID
    assert records(told, r.RiskRow)[0].memory.candle_guard == {}
    assert desk.engine.state.spendable("USD") == 1000
    assert decisions_of(desk.advise(say(BTC, "buy")))[BTC].verdict == "approved"


def test_a_reject_frees_funds_but_not_the_candle() -> None:
    desk, request = placed()
    told = desk.do(e.OrderRejected(cl_ord_id=request.cl_ord_id, error="EOrder:Insufficient funds"))
    (row,) = records(told, r.OrderStateRow)
    assert (row.order.state, row.order.state_reason) == (S.REJECTED, Reason.REJECTED_BY_VENUE)
    assert desk.engine.state.spendable("USD") == 1000
    assert decisions_of(desk.advise(say(BTC, "buy")))[BTC].reason is Reason.SAME_CANDLE


def test_a_reject_of_an_order_with_fills_is_not_believed() -> None:
    desk, request = placed()
    desk.fill(request, "E1", qty=request.qty / 2)
    desk.do(e.OrderRejected(cl_ord_id=request.cl_ord_id, error="EGeneral:Internal error"))
    assert state_of(desk, request) is S.PARTIAL


def test_an_unknown_outcome_is_reserved_looked_for_and_blocks_new_risk_on_its_pair() -> None:
    desk, request = placed()
    told = desk.do(e.SendUnknown(cl_ord_id=request.cl_ord_id, detail="socket lost"))
    assert only(told, a.AskOrders).cl_ord_ids == (request.cl_ord_id,)
    assert desk.engine.state.spendable("USD") < 1000
    desk.next_candle()
    rows = decisions_of(desk.advise(say(BTC, "buy"), say("ETH/USD", "buy")))
    assert rows[BTC].reason is Reason.ORDER_UNKNOWN
    assert rows["ETH/USD"].verdict == "approved"


@pytest.mark.parametrize(
    ("after_s", "state"), [(5 + 75, S.UNKNOWN), (5 + 75.001, S.NOT_ACCEPTED), (0, S.UNKNOWN)]
)
def test_i_05_no_trace_counts_only_after_deadline_and_lag(after_s: float, state: S) -> None:
    desk, request = placed()
    desk.do(e.SendUnknown(cl_ord_id=request.cl_ord_id, detail="socket lost"))
    desk.at += timedelta(seconds=after_s)
    desk.do(looked(request, desk))
    assert state_of(desk, request) is state
    assert bool(next_look(desk)) is (state is S.UNKNOWN)


def test_i_04_x08_a_taken_order_that_rest_lists_nowhere_is_asked_about_again() -> None:
    desk, request = placed()
    desk.fill(request, "E1", qty=request.qty / 2)
    desk.at += timedelta(seconds=20)
    desk.do(looked(request, desk))
    assert next_look(desk) == (request.cl_ord_id,)
    desk.at += timedelta(seconds=80)
    desk.do(looked(request, desk, status="canceled", filled_qty=request.qty / 2, order_id="O1"))
    assert (state_of(desk, request), next_look(desk)) == (S.CANCELED, ())


def test_a_look_that_failed_proves_nothing_and_is_asked_again() -> None:
    desk, request = placed()
    desk.do(e.SendUnknown(cl_ord_id=request.cl_ord_id, detail="socket lost"))
    desk.at += timedelta(hours=1)
    desk.do(looked(request, desk, error="EService:Unavailable"))
    assert state_of(desk, request) is S.UNKNOWN
    assert next_look(desk) == (request.cl_ord_id,)


def test_i_06_evidence_after_never_accepted_reopens_books_and_alerts() -> None:
    desk, request = placed()
    desk.do(e.SendUnknown(cl_ord_id=request.cl_ord_id, detail="socket lost"))
    desk.at += timedelta(minutes=5)
    desk.do(looked(request, desk))
    assert state_of(desk, request) is S.NOT_ACCEPTED
    told = desk.fill(request, "E1")
    (alert,) = [x for x in told if isinstance(x, a.Note) and x.level == "error"]
    assert alert.reason is Reason.LATE_EVIDENCE
    assert state_of(desk, request) is S.FILLED
    assert Reason.LATE_EVIDENCE in desk.engine.state.causes
    assert desk.engine.state.trading_state == "REDUCE"
    only(told, a.AskReconcile)
    desk.reconciled()
    assert Reason.LATE_EVIDENCE not in desk.engine.state.causes


@pytest.mark.parametrize(
    ("status", "state"),
    [("open", S.OPEN), ("pending", S.OPEN), ("canceled", S.CANCELED), ("expired", S.EXPIRED)],
)
def test_what_a_look_finds_is_taken_over(status: str, state: S) -> None:
    desk, request = placed()
    desk.do(e.SendUnknown(cl_ord_id=request.cl_ord_id, detail="socket lost"))
    desk.do(looked(request, desk, order_id="O1", status=status, filled_qty=request.qty * 0))
    assert state_of(desk, request) is state


def test_closed_by_rest_without_its_fills_waits_for_them() -> None:
    desk, request = placed()
    desk.do(e.SendUnknown(cl_ord_id=request.cl_ord_id, detail="socket lost"))
    desk.do(looked(request, desk, order_id="O1", status="closed", filled_qty=request.qty))
    assert state_of(desk, request) is S.OPEN
    assert next_look(desk) == (request.cl_ord_id,)
    desk.fill(request, "E1")
    assert state_of(desk, request) is S.FILLED


def test_canceled_empty_by_rest_while_trades_exist_is_not_empty() -> None:
    desk, request = placed()
    desk.fill(request, "E1", qty=request.qty / 2)
    desk.do(looked(request, desk, order_id="O1", status="canceled", filled_qty=request.qty * 0))
    kept = desk.engine.state.orders.orders[request.cl_ord_id]
    assert (kept.state, kept.filled_qty) == (S.CANCELED, request.qty / 2)
    assert desk.engine.state.lots.held("ai", BTC) == request.qty / 2


def test_a_refused_cancel_puts_the_order_back_and_looks() -> None:
    desk, request = placed()
    desk.do(e.OrderAcked(cl_ord_id=request.cl_ord_id, order_id="O1"))
    desk.do(e.OperatorHalt(actor="me", detail=""))
    told = desk.do(e.CancelRejected(cl_ord_id=request.cl_ord_id, error="EOrder:Unknown order"))
    assert state_of(desk, request) is S.OPEN
    only(told, a.AskOrders)


def test_replies_about_orders_we_do_not_know_change_nothing() -> None:
    desk, _ = placed()
    before = desk.engine.snapshot()
    for event in (
        e.OrderSent(cl_ord_id="x"),
        e.OrderAcked(cl_ord_id="x", order_id="OX"),
        e.OrderRejected(cl_ord_id="x", error=""),
        e.SendUnknown(cl_ord_id="x", detail=""),
        e.CancelRejected(cl_ord_id="x", error=""),
        e.NotSent(cl_ord_id="x", reason=Reason.LOCK_LOST, detail=""),
    ):
        assert desk.do(event) == []
    assert desk.engine.snapshot() == before


def test_an_order_of_which_nothing_is_ever_heard_becomes_unknown_and_is_looked_for() -> None:
    desk, request = placed()
    desk.at += timedelta(seconds=5 + 10)
    desk.timer("risk_check")
    assert state_of(desk, request) is S.SENT
    desk.at += timedelta(seconds=1)
    told = desk.timer("risk_check")
    assert state_of(desk, request) is S.UNKNOWN
    assert only(told, a.AskOrders).cl_ord_ids == (request.cl_ord_id,)


def test_i_03_i_06_the_gate_cannot_take_back_what_it_sent() -> None:
    """SENT and then NotSent: the order may be there, so it is not VOID, and somebody is wrong."""
    desk, request = placed()
    desk.do(e.NotSent(cl_ord_id=request.cl_ord_id, reason=Reason.LOCK_LOST, detail=""))
    assert state_of(desk, request) is S.SENT
    assert desk.engine.state.causes == (Reason.INVARIANT,)
    assert desk.engine.state.orders.broken == []


def test_x02_a_refusal_after_the_end_is_no_contradiction() -> None:
    desk, request = placed()
    desk.fill(request, "E1")
    desk.do(e.OrderRejected(cl_ord_id=request.cl_ord_id, error="EGeneral:Internal error"))
    desk.do(e.SendUnknown(cl_ord_id=request.cl_ord_id, detail="late"))
    desk.do(e.OrderSent(cl_ord_id=request.cl_ord_id))
    assert state_of(desk, request) is S.FILLED
    assert desk.engine.state.trading_state != "HALT"


def test_x08_i_04_an_order_that_is_over_and_rests_there_for_longer_than_rest_lags_halts() -> None:
    desk, request = placed()
    desk.do(e.OrderAcked(cl_ord_id=request.cl_ord_id, order_id="O1"))
    desk.fill(request, "E1")
    lagging = {"order_id": "O1", "status": "open", "filled_qty": request.qty * 0}
    desk.at += timedelta(seconds=60)
    desk.do(looked(request, desk, **lagging))
    assert (state_of(desk, request), desk.engine.state.trading_state) == (S.FILLED, "RUN")
    desk.at += timedelta(seconds=16)
    desk.do(looked(request, desk, **lagging))
    assert desk.engine.state.causes == (Reason.INVARIANT,)


def test_x01_one_look_serves_all_orders_in_doubt_and_none_is_begun_meanwhile() -> None:
    desk = Desk()
    desk.open()
    first, second = desk.place(BTC), desk.place("ETH/USD")
    told = desk.do(e.SendUnknown(cl_ord_id=first.cl_ord_id, detail=""))
    assert only(told, a.AskOrders).cl_ord_ids == (first.cl_ord_id,)
    assert not [
        x
        for x in desk.do(e.SendUnknown(cl_ord_id=second.cl_ord_id, detail=""))
        if isinstance(x, a.AskOrders)
    ]
    desk.do(looked(first, desk))
    assert set(next_look(desk)) == {first.cl_ord_id, second.cl_ord_id}
