"""Orders that end otherwise than sent: amended, cancelled by others, too late (X09, X25, X31)."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from brain_desk import D, Desk, only, placed, records, state_of
from brain_reports import report

from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.orders import OrderRequest
from simple_trader.domain.reasons import Reason

S = OrderState


def amended_report(desk: Desk, request: OrderRequest, qty: Any, after_s: int = 1) -> Any:
    """The exchange tells that the order was changed."""
    moment = desk.at + timedelta(seconds=after_s)
    event = report("amended", cl_ord_id=request.cl_ord_id, at=moment)
    return msgspec.structs.replace(event, order_qty=qty, limit_price=request.limit_price)


def test_x31_an_amend_that_is_told_moves_the_row_and_the_quantity_is_never_doubled() -> None:
    desk, request = placed()
    desk.do(e.OrderAcked(cl_ord_id=request.cl_ord_id, order_id="O1"))
    desk.fill(request, "E1", qty=request.qty / 4)
    (row,) = records(desk.do(amended_report(desk, request, request.qty / 2)), r.OrderStateRow)
    assert (row.order.amended_qty, row.order.left_qty) == (request.qty / 2, request.qty / 4)
    assert row.order.request == request  # what was approved stays as it was approved
    assert desk.do(amended_report(desk, request, request.qty / 2))[1:] == []
    desk.fill(request, "E2", qty=request.qty / 4, trade_id=2)
    assert state_of(desk, request) is S.FILLED
    assert desk.engine.state.holds() == {}


def test_x31_i_12_of_two_amends_the_later_one_holds_in_any_order() -> None:
    desk, request = placed()
    first = amended_report(desk, request, request.qty / 2, 1)
    second = amended_report(desk, request, request.qty / 4, 2)
    for event in (second, first):
        desk.do(event)
    assert desk.engine.state.orders.orders[request.cl_ord_id].qty == request.qty / 4


def test_x31_filled_at_another_quantity_than_ordered_is_complete_by_quantity() -> None:
    """The report of the amend was lost: the end tells how much it was."""
    desk, request = placed()
    half = request.qty / 2
    desk.do(report("filled", cl_ord_id=request.cl_ord_id, at=desk.at, cum_qty=half))
    desk.fill(request, "E1", qty=half)
    order = desk.engine.state.orders.orders[request.cl_ord_id]
    assert (order.state, order.qty, order.filled_qty) == (S.FILLED, half, half)


@pytest.mark.parametrize("word", ["amended", "new"])
def test_x31_i_07_a_complete_order_keeps_its_quantity_whatever_is_told_later(word: str) -> None:
    """The database would refuse the row at every start: what says so is looked into instead."""
    desk, request = placed()
    desk.fill(request, "E1")
    told = report(word, cl_ord_id=request.cl_ord_id, at=desk.at, snapshot=word == "new")
    actions = desk.do(msgspec.structs.replace(told, order_qty=2 * request.qty))
    assert records(actions, r.OrderStateRow) == []
    assert desk.engine.state.orders.orders[request.cl_ord_id].qty == request.qty
    assert (request.cl_ord_id in desk.engine.state.doubts.orders) == (word == "new")


def test_i_08_a_cancel_that_did_not_come_through_leaves_the_order_resting() -> None:
    """After a reconnect, a restart, or a cancel_all it missed, the snapshot shows it open."""
    desk, request = placed()
    desk.do(e.OrderAcked(cl_ord_id=request.cl_ord_id, order_id="O1"))
    desk.do(e.OperatorHalt(actor="me", detail=""))
    assert state_of(desk, request) is S.PENDING_CANCEL
    assert desk.engine.state.holds()["USD"] > 0
    desk.do(report("new", cl_ord_id=request.cl_ord_id, at=desk.at, snapshot=True))
    assert state_of(desk, request) is S.OPEN
    again = desk.timer("risk_check")  # under HALT what rests is cancelled again
    assert only(again, a.CancelOrder).cl_ord_id == request.cl_ord_id


@pytest.mark.parametrize("why", ["User requested", "Cancel all orders after timeout"])
def test_x29_x30_an_order_that_others_cancelled_is_over_with_their_reason(why: str) -> None:
    desk, request = placed()
    desk.do(e.OrderAcked(cl_ord_id=request.cl_ord_id, order_id="O1"))
    told = desk.do(report("canceled", cl_ord_id=request.cl_ord_id, at=desk.at, reason=why))
    (row,) = records(told, r.OrderStateRow)
    assert (row.order.state, row.order.detail) == (S.CANCELED, why)
    assert row.order.state_reason is Reason.CANCELED_BY_VENUE
    assert desk.engine.state.spendable("USD") == 1000


def test_x25_a_cancel_that_came_too_late_is_a_fill() -> None:
    desk, request = placed()
    desk.do(e.OrderAcked(cl_ord_id=request.cl_ord_id, order_id="O1"))
    desk.do(e.OperatorHalt(actor="me", detail=""))
    desk.fill(request, "E1")
    desk.do(e.CancelRejected(cl_ord_id=request.cl_ord_id, error="EOrder:Unknown order"))
    assert state_of(desk, request) is S.FILLED


def test_i_06_a_report_of_an_order_that_was_never_sent_halts() -> None:
    desk = Desk()
    desk.open()
    asked = desk.ask()
    raw = '{"decisions":[{"pair":"BTC/USD","action":"buy","confidence":0.9,"risk_level":"low"}]}'
    request = only(desk.answer(asked, raw), a.PlaceOrder).approved.request
    desk.do(e.NotSent(cl_ord_id=request.cl_ord_id, reason=Reason.LOCK_LOST, detail=""))
    desk.do(report("new", cl_ord_id=request.cl_ord_id, at=desk.at))
    assert desk.engine.state.causes == (Reason.INVARIANT,)
    assert state_of(desk, request) is S.VOID


def test_x09_an_end_that_counts_more_than_is_booked_of_an_ended_order_is_looked_for() -> None:
    desk, request = placed()
    name = request.cl_ord_id
    desk.do(report("canceled", cl_ord_id=name, at=desk.at, cum_qty=D(0)))
    assert state_of(desk, request) is S.CANCELED
    half = request.qty / 2
    told = desk.do(report("canceled", cl_ord_id=name, at=desk.at, cum_qty=half), after_s=1)
    assert only(told, a.AskOrders).cl_ord_ids == (name,)
    late = desk.fill(request, "E1", qty=half)
    assert len(records(late, r.TradeRow)) == 1
    again = desk.do(report("canceled", cl_ord_id=name, at=desk.at, cum_qty=half), after_s=60)
    assert [x for x in again if isinstance(x, a.AskOrders)] == []
