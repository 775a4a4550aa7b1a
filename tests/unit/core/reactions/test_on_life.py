"""Start, stop, feeds, reconciliation: nothing is booked twice, nothing trades unreconciled."""

from datetime import timedelta

import msgspec
from brain_desk import (
    BTC,
    ETH,
    T0,
    D,
    Desk,
    advice_text,
    candle,
    decisions_of,
    only,
    records,
    say,
    settings,
)
from brain_reports import fill_of, traded

from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.domain.memory import RiskMemory
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.orders import Order
from simple_trader.domain.reasons import Reason
from simple_trader.domain.recovered import Undecided

R = Reason


def recovered(state: OrderState) -> Order:
    """An order of an earlier life of the daemon."""
    desk = Desk()
    desk.open()
    request = desk.place()
    order = desk.engine.state.orders.orders[request.cl_ord_id]
    return msgspec.structs.replace(order, state=state)


def test_a_start_is_remembered_before_anything_else() -> None:
    told = Desk().start()
    assert records(told, r.AuditRow)[0].action == "start"
    assert records(told, r.ConfigRow)[0].config_hash == "c" * 64
    assert records(told, r.RiskRow)[0].state == "REDUCE"


def test_a_start_warms_the_board_from_candles() -> None:
    desk = Desk()
    desk.start(candles=tuple(candle(BTC, T0 - timedelta(minutes=n)) for n in range(30, 0, -1)))
    assert len(desk.engine.state.board.board(BTC).candles) == 30


def test_an_order_that_may_have_been_sent_is_unknown_and_asked_about() -> None:
    desk = Desk()
    order = recovered(OrderState.DISPATCHING)
    (row,) = records(desk.start(epoch=101, orders=(order,)), r.OrderStateRow)
    assert row.order.state is OrderState.UNKNOWN
    told = desk.do(e.FeedUp(feed="private"))
    assert only(told, a.AskOrders).cl_ord_ids == (order.cl_ord_id,)
    assert only(told, a.AskReconcile).since < T0
    assert desk.engine.state.spendable("USD") < 1000


def test_an_execution_booked_before_the_restart_is_not_booked_again() -> None:
    desk = Desk()
    desk.open()
    request = desk.place()
    fill = fill_of(request, "E1", desk.at)
    desk.do(traded(fill, desk.at))
    again = Desk()
    again.start(epoch=101, lots=tuple(desk.engine.state.lots.lots()), seen_exec_ids=("E1",))
    assert again.do(traded(fill, again.at, source="rest")) == []
    assert again.engine.state.lots.held("ai", BTC) == request.qty


def test_halt_survives_a_restart() -> None:
    desk = Desk()
    desk.open(risk=RiskMemory(halted=True, halt_reason=R.OPERATOR, halt_detail="me"))
    assert desk.engine.state.trading_state == "HALT"
    rows = decisions_of(desk.advise(say(BTC, "buy")))
    assert rows[BTC].reason is R.TRADING_HALTED


def test_a_daily_stop_survives_a_restart() -> None:
    stopped = RiskMemory(loss_day=T0.replace(hour=0), day_start_equity=D(1000), day_stopped=True)
    desk = Desk()
    desk.open(risk=stopped)
    desk.timer("risk_check")
    assert desk.engine.state.causes == (R.DAILY_LOSS,)
    assert decisions_of(desk.advise(say(BTC, "buy")))[BTC].reason is R.DAILY_LOSS


def test_a_lost_private_stream_reduces_and_needs_a_new_look() -> None:
    desk = Desk()
    desk.open()
    desk.do(e.FeedDown(feed="private", detail="closed"))
    assert desk.engine.state.causes == (R.PRIVATE_DOWN, R.RECONCILING)
    only(desk.do(e.FeedUp(feed="private")), a.AskReconcile)
    assert desk.engine.state.causes == (R.RECONCILING,)
    desk.reconciled()
    assert desk.engine.state.causes == (R.SETTLING,)
    desk.calm()
    assert desk.engine.state.trading_state == "RUN"


def test_a_look_that_began_before_the_stream_came_does_not_count() -> None:
    desk = Desk()
    desk.open()
    desk.do(e.FeedDown(feed="private", detail="closed"))
    desk.do(e.FeedUp(feed="private"), after_s=60)
    early = e.Reconciled(
        open_cl_ord_ids=(),
        foreign_open_orders=0,
        looked_from=desk.at - timedelta(seconds=30),
        clean=True,
        detail="",
    )
    desk.do(early)
    assert desk.engine.state.causes == (R.RECONCILING,)


def test_an_unclean_look_says_why_and_holds_trading_back() -> None:
    desk = Desk()
    desk.open()
    told = desk.reconciled(clean=False)
    assert any(isinstance(x, a.Note) and x.reason is R.NOT_RECONCILED for x in told)
    assert desk.engine.state.causes == (R.RECONCILING,)


def test_an_order_that_is_open_nowhere_is_asked_about() -> None:
    desk = Desk()
    desk.open()
    request = desk.place()
    desk.do(e.OrderAcked(cl_ord_id=request.cl_ord_id, order_id="O1"))
    desk.at += timedelta(seconds=5)
    assert not [x for x in desk.reconciled((request.cl_ord_id,)) if isinstance(x, a.AskOrders)]
    asked = only(desk.reconciled(), a.AskOrders)
    assert asked.cl_ord_ids == (request.cl_ord_id,)


def test_x31_an_order_under_change_that_is_open_nowhere_is_asked_about() -> None:
    desk = Desk()
    desk.open()
    request = desk.place()
    desk.do(e.OrderAcked(cl_ord_id=request.cl_ord_id, order_id="O1"))
    orders = desk.engine.state.orders
    assert orders.move(orders.orders[request.cl_ord_id], OrderState.AMENDING, desk.at)
    desk.at += timedelta(seconds=5)
    assert only(desk.reconciled(), a.AskOrders).cl_ord_ids == (request.cl_ord_id,)


def test_i_15_lots_above_the_balance_block_new_risk_until_explained() -> None:
    desk = Desk()
    desk.open()
    desk.fill(desk.place(), "E1")
    desk.at += timedelta(minutes=5)
    desk.do(e.BalancesSeen(balances={"USD": D(840)}, source="rest"))
    desk.reconciled()
    assert desk.engine.state.causes == (R.RECONCILING,)
    desk.at += timedelta(seconds=75)
    desk.reconciled()
    assert desk.engine.state.causes == (R.BALANCE_UNEXPLAINED,)
    held = desk.engine.state.lots.held("ai", BTC)
    desk.do(e.BalancesSeen(balances={"USD": D(840), "BTC": held}, source="rest"))
    desk.reconciled()
    desk.calm()
    assert desk.engine.state.trading_state == "RUN"


def test_a_lost_book_feed_leaves_no_book_trusted() -> None:
    desk = Desk()
    desk.open()
    desk.engine.state.board.board(BTC).book_trusted = True
    desk.do(e.FeedDown(feed="book", detail="closed"))
    assert not desk.engine.state.board.board(BTC).book_trusted


def test_while_stopping_nothing_is_begun() -> None:
    desk = Desk()
    desk.open()
    asked = desk.ask()
    told = desk.do(e.Stopping(reason="signal"))
    assert records(told, r.AuditRow)[0].action == "stop"
    answered = desk.answer(asked, '{"decisions":[]}')
    assert not [x for x in answered if isinstance(x, a.PlaceOrder)]
    assert desk.timer("aggregate") == []


def test_sums_go_on_over_a_restart_and_yesterdays_gain_is_not_todays() -> None:
    for last, today in ((T0, 3), (T0 - timedelta(days=1), 0), (None, 0)):
        desk = Desk()
        desk.start(realised_pnl=D(7), realised_today=D(3), fills_booked=4, last_trade_at=last)
        view = desk.engine.view(desk.at)
        assert (view.realised_pnl, view.realised_today, view.fills) == (7, today, 4)


def test_a_stop_in_the_middle_of_a_cycle_leaves_a_decision_for_every_pair() -> None:
    desk = Desk()
    desk.open()
    asked = desk.ask()
    told = decisions_of(desk.do(e.Stopping(reason="signal")))
    assert {pair: row.reason for pair, row in told.items()} == {
        BTC: Reason.INTERRUPTED,
        ETH: Reason.INTERRUPTED,
    }
    late = desk.answer(asked, advice_text(say(BTC, "buy"), say(ETH, "buy")))
    assert decisions_of(late) == {}


def test_a_stop_before_the_predictions_came_keeps_what_was_seen() -> None:
    desk = Desk()
    desk.open(settings=settings(enable_model=True))
    desk.timer("aggregate")
    told = desk.do(e.Stopping(reason="signal"))
    shown = {row.snapshot_id for row in records(told, r.SnapshotRow)}
    assert {row.snapshot_id for row in decisions_of(told).values()} == shown
    assert len(shown) == 2


def test_a_cycle_that_was_cut_off_is_decided_at_the_next_start() -> None:
    desk = Desk()
    snapshot = Undecided(cycle_id="c7", pair=BTC, snapshot_id="s9", config_hash="h")
    (row,) = decisions_of(desk.start(undecided=(snapshot,))).values()
    assert (row.cycle_id, row.snapshot_id, row.config_hash) == ("c7", "s9", "h")
    assert (row.action, row.verdict, row.reason) == ("hold", "hold", Reason.INTERRUPTED)


def test_a_warning_about_a_connection_is_told_and_its_end_too() -> None:
    desk = Desk()
    desk.start()
    began = desk.do(e.VenueWarned(feed="public", kind="clock_skew", detail="+1.4 s", value=1.4))
    ended = desk.do(e.VenueWarned(feed="public", kind="clock_skew", detail="+0.1 s", over=True))
    notes = [only(told, a.Note) for told in (began, ended)]
    assert [note.level for note in notes] == ["warning", "info"]
    assert "clock skew: +1.4 s" in notes[0].text
