"""Rows of what a fold changed, and the sums that people see."""

from brain_desk import D, Desk, records
from brain_reports import fill_of, traded

from simple_trader.core.reactions.booking import count_gain, lot_rows, note_order
from simple_trader.domain import records as r
from simple_trader.domain.reasons import Reason


def test_a_fold_that_changed_nothing_has_no_rows_and_no_gain() -> None:
    desk = Desk()
    desk.open()
    request = desk.place()
    desk.do(traded(fill_of(request, "E1", desk.at), desk.at))
    state = desk.engine.state
    booked = state.lots.booked("E1")
    assert booked is not None
    same = state.lots.correct(booked)
    assert lot_rows(same) == []
    count_gain(state, same, booked, desk.at)
    assert state.tally.realised == D(0)


def test_each_changed_lot_has_its_row() -> None:
    desk = Desk()
    desk.open()
    told = desk.fill(desk.place(), "E1")
    assert [row.lot.opened_exec_id for row in records(told, r.LotRow)] == ["E1"]


def test_a_line_about_an_order_names_it_and_its_decision() -> None:
    desk = Desk()
    desk.open()
    request = desk.place()
    order = desk.engine.state.orders.orders[request.cl_ord_id]
    note = note_order("info", "x", order, Reason.FILLED)
    assert (note.cl_ord_id, note.pair, note.decision_id) == (
        request.cl_ord_id,
        request.pair,
        order.decision_id,
    )
