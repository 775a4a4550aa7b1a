"""The card people see says what is there, and nothing it does not know."""

from datetime import timedelta

from brain_desk import BTC, ETH, D, Desk, only, say

from simple_trader.domain import actions as a
from simple_trader.domain import events as e


def test_the_card_shows_prices_orders_money_and_state() -> None:
    desk = Desk()
    desk.open()
    request = desk.place()
    desk.at += timedelta(seconds=3)
    view = desk.engine.view(desk.at)
    assert (view.mode, view.world, view.trading_state, view.reasons) == ("sim", "sim-1", "RUN", ())
    assert [(p.pair, p.age_s) for p in view.prices] == [(BTC, 3.0), (ETH, 3.0)]
    (order,) = view.orders
    assert (order.cl_ord_id, order.state, order.left_qty) == (
        request.cl_ord_id,
        "SENT",
        request.qty,
    )
    assert (view.equity, view.cycles, view.fills) == (D(1000), 1, 0)
    assert view.next_cycle_at is not None


def test_a_holding_shows_its_open_gain() -> None:
    desk = Desk()
    desk.open()
    desk.hold()
    desk.quotes(btc="60000")
    view = desk.engine.view(desk.at)
    assert view.unrealised_pnl is not None
    assert view.unrealised_pnl > 25
    assert view.fills == 1


def test_without_prices_equity_is_unknown_not_zero() -> None:
    desk = Desk()
    desk.start(balances={"BTC": D(1)})
    view = desk.engine.view(desk.at)
    assert view.equity is None
    assert view.reasons == ("private_down", "reconciling", "public_down")


def test_the_last_decision_is_the_newest_not_the_last_by_name() -> None:
    desk = Desk()
    desk.open()
    desk.advise(say(BTC, "buy"), say(ETH, "hold"))
    assert desk.engine.view(desk.at).decisions[-1].pair == ETH
    bought = only(desk.log[-1][1], a.PlaceOrder).approved.request
    desk.do(e.OrderSent(cl_ord_id=bought.cl_ord_id))
    desk.fill(bought, "E1")
    desk.settle()
    desk.at += timedelta(minutes=1)
    desk.quotes(btc="45000")
    desk.timer("risk_check")
    newest = desk.engine.view(desk.at).decisions[-1]
    assert (newest.pair, newest.reason, newest.at) == (BTC, "stop_loss", desk.at)


def test_cycles_and_fills_count_on_after_a_restart() -> None:
    desk = Desk()
    desk.start(cycles_run=7, fills_booked=4)
    assert (desk.engine.view(desk.at).cycles, desk.engine.view(desk.at).fills) == (7, 4)
