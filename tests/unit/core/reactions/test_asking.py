"""Reads of the exchange: one at a time for each subject, with overlap."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from brain_desk import BTC, Desk, only
from brain_reports import report

from simple_trader.core.portfolio.balances import REST_LAG_S
from simple_trader.core.reactions.asking import OVERLAP, ask_order, ask_reconcile, ask_unresolved
from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain.instruments import VenueStatus


def unknown_order() -> tuple[Desk, str]:
    """A desk with one order of unknown outcome, not being asked about."""
    desk = Desk()
    desk.open()
    request = desk.place()
    desk.do(e.SendUnknown(cl_ord_id=request.cl_ord_id, detail="socket lost"))
    desk.engine.state.questions.clear()
    desk.engine.state.doubts.spent = 0.0
    return desk, request.cl_ord_id


def test_an_order_is_asked_about_once_until_it_is_answered() -> None:
    desk, name = unknown_order()
    state = desk.engine.state
    asked = only(ask_order(state, state.orders.orders[name], desk.at), a.AskOrders)
    assert asked.cl_ord_ids == (name,)
    assert ask_order(state, state.orders.orders[name], desk.at) == []


def test_unresolved_orders_are_found() -> None:
    desk, name = unknown_order()
    assert only(ask_unresolved(desk.engine.state, desk.at), a.AskOrders).cl_ord_ids == (name,)


def test_x11_a_full_look_overlaps_the_newest_look_by_the_lag_and_two_minutes() -> None:
    desk = Desk()
    desk.open()
    looked_from = desk.at
    desk.at += timedelta(minutes=5)
    desk.quotes()
    desk.fill(desk.place(), "E1")  # proves nothing of the fills before it (N05)
    desk.at += timedelta(hours=1)
    asked = only(ask_reconcile(desk.engine.state, desk.at), a.AskReconcile)
    assert asked.since == looked_from - timedelta(seconds=REST_LAG_S) - OVERLAP
    assert ask_reconcile(desk.engine.state, desk.at) == []


def test_a_look_at_an_order_says_since_when_it_may_be_there() -> None:
    desk = Desk()
    desk.open()
    request = desk.place()
    asked = only(desk.do(e.SendUnknown(cl_ord_id=request.cl_ord_id, detail="")), a.AskOrders)
    assert asked.since == desk.engine.state.orders.orders[request.cl_ord_id].approved_at


def _funds_refused(desk: Desk) -> None:
    name = desk.place(BTC, "sell").cl_ord_id
    kind = e.RejectKind.FUNDS
    desk.do(e.OrderRejected(cl_ord_id=name, error="EOrder:Insufficient funds", kind=kind))


def _switch_fired(desk: Desk) -> None:
    desk.do(report("canceled", cl_ord_id="x", at=desk.at, reason="cancel_all_orders_after"))


def _maintenance_ended(desk: Desk) -> None:
    desk.do(e.VenueStatusSeen(status=VenueStatus.MAINTENANCE))
    desk.do(e.VenueStatusSeen(status=VenueStatus.ONLINE))


def _stood_still(desk: Desk) -> None:
    desk.do(e.LoopGapSeen(gap_s=6.0))


@pytest.mark.parametrize(
    "trouble", [_funds_refused, _switch_fired, _maintenance_ended, _stood_still]
)
def test_i_27_x17_x22_x30_a_look_that_was_under_way_when_trouble_came_reconciles_nothing(
    trouble: Callable[[Desk], None],
) -> None:
    desk = Desk()
    desk.open()
    desk.hold()
    desk.next_candle()
    only(desk.timer("reconcile"), a.AskReconcile)
    began = desk.at
    desk.at += timedelta(seconds=1)
    trouble(desk)
    old = e.Reconciled(
        open_cl_ord_ids=(), foreign_open_orders=0, looked_from=began, clean=True, detail=""
    )
    assert desk.do(old) == []
    assert not desk.engine.state.health.reconciled
    desk.reconciled()
    assert desk.engine.state.health.reconciled


def test_p04_a_look_that_was_asked_for_counts_wherever_the_clock_was_set_to_since() -> None:
    desk = Desk()
    desk.open()
    superseded = only(desk.timer("reconcile"), a.AskReconcile).question
    desk.at += timedelta(seconds=1)
    told = desk.do(e.LoopGapSeen(gap_s=6.0))
    asked = only(told, a.AskReconcile).question

    def answer(question_id: str) -> e.Reconciled:
        return e.Reconciled(
            open_cl_ord_ids=(),
            foreign_open_orders=0,
            looked_from=desk.at - timedelta(hours=1),
            clean=True,
            detail="",
            question_id=question_id,
        )

    assert desk.do(answer(superseded.question_id)) == []
    assert not desk.engine.state.health.reconciled
    desk.do(answer(asked.question_id))
    assert desk.engine.state.health.reconciled
    assert desk.engine.state.recon.looked_from == asked.asked_at
