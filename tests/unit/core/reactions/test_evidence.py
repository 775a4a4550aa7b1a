"""Late evidence and orders of ours that no book holds: booked once, told, no new risk meanwhile."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from brain_desk import BTC, T0, D, Desk, only, records
from brain_reports import fill_of, report, traded
from order_parts import plain_order

from simple_trader.core.reactions.evidence import books_end
from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.domain.ids import client_order_id
from simple_trader.domain.moments import EPOCH
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.orders import OrderType, Side
from simple_trader.domain.reasons import Reason

S = OrderState
LOST = client_order_id(99, 7)  # of the life before, which the restored books know nothing of


def lost_fill(desk: Desk, exec_id: str = "E1", qty: str = "0.001", **more: Any) -> Any:
    """A trade of an order that the restored books do not hold, as REST tells it."""
    request = plain_order(name=LOST, qty="0.002").request
    fill = fill_of(request, exec_id, desk.at, qty=D(qty), price=D(50000))
    told = traded(fill, desk.at, source="rest")
    return msgspec.structs.replace(told, **({"order_qty": D("0.002"), **more}))


def test_d12_a_fill_of_an_order_that_no_book_holds_is_imported_once_and_blocks_new_risk() -> None:
    desk = Desk()
    desk.open()
    told = desk.do(lost_fill(desk))
    (intent,) = records(told, r.IntentRow)
    assert (intent.order.cl_ord_id, intent.epoch, intent.order.reason) == (
        LOST,
        99,
        Reason.ORDER_IMPORTED,
    )
    assert records(told, r.TradeRow)[0].fill.owner == "ai"
    assert records(told, r.AuditRow)[-1].action == "import"
    assert [lot.opened_exec_id for lot in desk.engine.state.lots.lots()] == ["E1"]
    assert desk.engine.state.trading_state == "REDUCE"
    assert Reason.LATE_EVIDENCE in desk.engine.state.causes
    assert desk.do(lost_fill(desk)) == []
    assert records(desk.do(lost_fill(desk, "E2")), r.IntentRow) == []
    order = desk.engine.state.orders.orders[LOST]
    assert (order.state, order.filled_qty) == (S.FILLED, D("0.002"))
    desk.reconciled()
    assert Reason.LATE_EVIDENCE not in desk.engine.state.causes


@pytest.mark.parametrize(("apart_s", "state"), [(900, "REDUCE"), (10, "HALT")])
def test_d12_pt6_a_day_of_trades_that_are_told_at_once_is_no_loop(apart_s: int, state: str) -> None:
    desk = Desk()
    desk.open()
    for number in range(30):
        name, moment = client_order_id(99, number), desk.at - timedelta(seconds=apart_s * number)
        request = plain_order(name=name, qty="0.0001").request
        fill = fill_of(request, f"E{number}", moment, order_id=f"O{number}", trade_id=99 - number)
        told = traded(fill, moment, source="rest")
        desk.do(msgspec.structs.replace(told, order_qty=request.qty))
    assert len(desk.engine.state.lots.lots()) == 30
    late = fill_of(
        plain_order(name=client_order_id(99, 40)).request, "E40", desk.at, order_id="O40"
    )
    desk.do(msgspec.structs.replace(traded(late, desk.at), order_qty=late.qty))
    assert desk.engine.state.trading_state == state


def test_d12_pt3_an_order_that_is_taken_in_counts_in_the_limits_of_value_like_any_other() -> None:
    desk = Desk()
    desk.open()
    (intent,) = records(desk.do(lost_fill(desk)), r.IntentRow)
    assert intent.order.notional == D("0.002") * 50000
    flow = desk.engine.state.turnover.flow(BTC, desk.at)
    assert (flow.day, flow.pair_hour, flow.orders) == (intent.order.notional, D(100), 1)


def test_d12_i_04_an_order_that_rests_and_no_book_holds_is_taken_in_and_counted() -> None:
    desk = Desk()
    desk.open()
    event = report("new", cl_ord_id=LOST, at=desk.at, order_id="O7", snapshot=True)
    known = msgspec.structs.replace(
        event, pair=BTC, side=Side.BUY, order_qty=D("0.002"), limit_price=D(40000)
    )
    told = desk.do(known)
    assert records(told, r.IntentRow)[0].order.order_id == "O7"
    assert desk.engine.state.orders.orders[LOST].state is S.OPEN
    assert desk.engine.state.holds()["USD"] >= 80
    assert desk.engine.state.trading_state == "REDUCE"


def test_d12_where_the_quantity_is_not_told_it_is_looked_for_first() -> None:
    desk = Desk()
    desk.open()
    told = desk.do(lost_fill(desk, order_qty=None))
    assert only(told, a.AskOrders).cl_ord_ids == (LOST,)
    assert records(told, r.TradeRow) == []
    again = desk.do(lost_fill(desk), after_s=1)
    assert records(again, r.TradeRow)[0].fill.exec_id == "E1"
    desk.do(
        e.OrderLooked(
            cl_ord_id=LOST,
            order_id="O1",
            status="canceled",
            filled_qty=D("0.001"),
            looked_from=desk.at,
        )
    )
    assert desk.engine.state.orders.orders[LOST].state is S.CANCELED
    assert desk.engine.state.orphans == {}


def test_d12_a_report_of_no_quantity_at_all_is_no_order_to_import() -> None:
    desk = Desk()
    desk.open()
    desk.do(lost_fill(desk, order_qty=D(0)))
    assert LOST not in desk.engine.state.orders.orders
    assert LOST in desk.engine.state.doubts.orders


def test_an_imported_order_without_a_limit_is_a_market_order() -> None:
    desk = Desk()
    desk.open()
    desk.do(lost_fill(desk))
    assert desk.engine.state.orders.orders[LOST].request.order_type is OrderType.MARKET


def test_i_04_an_order_of_the_far_past_is_not_imported_over_its_own_row() -> None:
    """The books hold it, only the memory does not: the row would be there twice."""
    old = plain_order(name=client_order_id(98, 1), state=S.OPEN)
    desk = Desk()
    desk.start(epoch=101, orders=(msgspec.structs.replace(old, changed_at=T0),))
    fill = fill_of(plain_order(name=LOST).request, "E1", T0 - timedelta(days=2), qty=D("0.001"))
    told = desk.do(traded(fill, fill.venue_at, source="rest"))
    assert records(told, r.IntentRow) == []
    assert records(told, r.TradeRow)[0].fill.owner == "external"


def test_i_06_only_a_look_that_began_after_the_evidence_explains_it() -> None:
    desk = Desk()
    desk.open()
    request = desk.place()
    desk.do(e.OrderRejected(cl_ord_id=request.cl_ord_id, error="EGeneral:Internal error"))
    began = desk.at
    desk.at += timedelta(seconds=5)
    desk.fill(request, "E1")
    assert desk.engine.state.trading_state == "REDUCE"
    desk.do(
        e.Reconciled(
            open_cl_ord_ids=(), foreign_open_orders=0, looked_from=began, clean=True, detail=""
        )
    )
    assert Reason.LATE_EVIDENCE in desk.engine.state.causes
    desk.at += timedelta(seconds=1)
    desk.reconciled()
    assert Reason.LATE_EVIDENCE not in desk.engine.state.causes


def test_books_end_at_the_newest_moment_they_know() -> None:
    order = msgspec.structs.replace(plain_order(), changed_at=T0 + timedelta(hours=1))
    assert books_end(None, ()) == EPOCH
    assert books_end(T0, ()) == T0
    assert books_end(T0, (order,)) == T0 + timedelta(hours=1)


def test_i_06_a_look_that_was_under_way_when_evidence_came_is_followed_by_another_at_once() -> None:
    desk = Desk()
    desk.open()
    request = desk.place()
    desk.timer("reconcile")
    began = desk.at
    desk.at += timedelta(seconds=1)
    desk.do(e.OrderRejected(cl_ord_id=request.cl_ord_id, error="EOrder:No"))
    desk.fill(request, "E1")
    assert Reason.LATE_EVIDENCE in desk.engine.state.causes
    told = desk.do(
        e.Reconciled(
            open_cl_ord_ids=(), foreign_open_orders=0, looked_from=began, clean=True, detail=""
        )
    )
    assert [action for action in told if isinstance(action, a.AskReconcile)]
    desk.reconciled()
    assert desk.engine.state.trading_state == "RUN"
