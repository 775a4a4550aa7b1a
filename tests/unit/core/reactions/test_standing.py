"""Trading state: what holds it back, told at every change, latched where it must be."""

import pytest
from brain_desk import BTC, D, Desk, only, records, settings
from brain_reports import report

from simple_trader.core.reactions.standing import causes_of, halt_on
from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.domain.instruments import VenueStatus
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.reasons import Reason

R = Reason


def test_a_start_waits_for_feeds_and_reconciliation() -> None:
    desk = Desk()
    desk.start()
    state = desk.engine.state
    assert state.trading_state == "REDUCE"
    assert state.causes == (R.PRIVATE_DOWN, R.RECONCILING, R.PUBLIC_DOWN)
    desk.do(e.FeedUp(feed="public"))
    desk.do(e.FeedUp(feed="private"))
    assert state.causes == (R.RECONCILING,)
    told = desk.reconciled()
    assert (state.trading_state, state.causes) == ("RUN", ())
    (row,) = records(told, r.RiskRow)
    assert row.state == "RUN"


def test_health_causes_lift_themselves_and_every_change_is_a_row() -> None:
    desk = Desk()
    desk.open()
    slow = desk.do(e.StoreHealth(ok=False, reason=R.STORE_SLOW, oldest_age_s=0.4))
    assert records(slow, r.RiskRow)[0].reasons == (R.STORE_SLOW,)
    assert only(slow, a.Note).reason is R.STORE_SLOW
    well = desk.do(e.StoreHealth(ok=True, reason=None, oldest_age_s=0.0))
    assert records(well, r.RiskRow)[0].reasons == (R.SETTLING,)
    assert desk.do(e.StoreHealth(ok=True, reason=None, oldest_age_s=0.0)) == []
    assert records(desk.calm(), r.RiskRow)[0].state == "RUN"


def test_an_exchange_in_maintenance_reduces() -> None:
    desk = Desk()
    desk.open()
    desk.do(e.VenueStatusSeen(status=VenueStatus.MAINTENANCE))
    assert desk.engine.state.causes == (R.VENUE_NOT_ONLINE,)
    back = desk.do(e.VenueStatusSeen(status=VenueStatus.ONLINE))
    only(back, a.AskReconcile)
    assert desk.engine.state.causes == (R.RECONCILING,)
    desk.reconciled()
    desk.calm()
    assert desk.engine.state.trading_state == "RUN"


@pytest.mark.parametrize("feed", ["private", "public"])
def test_a_feed_that_is_switched_off_never_runs(feed: str) -> None:
    desk = Desk()
    desk.start(settings=settings(**{f"enable_{feed}_feed": False}))
    desk.do(e.FeedUp(feed="public" if feed == "private" else "private"))
    desk.reconciled()
    assert desk.engine.state.causes == (R.FEED_DISABLED,)


def test_halt_hides_lesser_causes_and_cancels_what_is_ours() -> None:
    desk = Desk()
    desk.open()
    request = desk.place()
    desk.do(e.OrderAcked(cl_ord_id=request.cl_ord_id, order_id="O1"))
    desk.do(report("new", cl_ord_id=None, at=desk.at, order_id="FOREIGN"))
    told = halt_on(desk.engine.state, desk.at, R.INVARIANT, "books differ")
    cancel = only(told, a.CancelOrder)
    assert (cancel.cl_ord_id, cancel.order_id, cancel.pair) == (request.cl_ord_id, "O1", BTC)
    state = desk.engine.state
    assert state.trading_state == "HALT"
    assert causes_of(state) == (R.INVARIANT,)
    assert state.orders.orders[request.cl_ord_id].state is OrderState.PENDING_CANCEL
    assert state.spendable("USD") < D(1000)  # cancel requested is not cancel done (I-08)
    (row,) = records(told, r.AuditRow)
    assert (row.action, row.after) == ("halt", "books differ")


def test_x31_i_28_a_halt_does_not_wait_for_a_change_of_an_order_that_is_under_way() -> None:
    desk = Desk()
    desk.open()
    request = desk.place()
    desk.do(e.OrderAcked(cl_ord_id=request.cl_ord_id, order_id="O1"))
    orders = desk.engine.state.orders
    assert orders.move(orders.orders[request.cl_ord_id], OrderState.AMENDING, desk.at)
    told = halt_on(desk.engine.state, desk.at, R.INVARIANT, "books differ")
    assert only(told, a.CancelOrder).order_id == "O1"
    assert orders.orders[request.cl_ord_id].state is OrderState.PENDING_CANCEL


def test_a_second_halt_keeps_the_first_reason() -> None:
    desk = Desk()
    desk.open()
    halt_on(desk.engine.state, desk.at, R.INVARIANT, "first")
    told = halt_on(desk.engine.state, desk.at, R.INVARIANT, "second")
    assert desk.engine.state.memory.halt_detail == "first"
    assert only(told, a.Note).text == "second"
