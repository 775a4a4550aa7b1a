"""What others do to the account: their money, trades, orders (X28, X29) are told, not adopted."""

from datetime import timedelta

import msgspec
import pytest
from brain_desk import BTC, T0, D, Desk, records
from brain_reports import fill_of, ledger, report, traded
from reconciled_parts import entry, look, manual, opened, trade_entries

from simple_trader.core.risk.breaker import loss_today
from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.domain.orders import Side
from simple_trader.domain.reasons import Reason
from simple_trader.domain.recovered import AssetLedger, LedgerMemory


@pytest.mark.parametrize("kind", ["deposit", "withdrawal", "staking", "transfer", "reward", "new"])
@pytest.mark.parametrize("amount", [300, -300])
def test_x28_money_from_outside_is_neither_gain_nor_loss(kind: str, amount: int) -> None:
    desk = opened()
    state = desk.engine.state
    desk.timer("risk_check")
    desk.do(entry("L1", "USD", str(amount), str(1000 + amount), desk, kind=kind))
    desk.timer("risk_check")
    assert loss_today(state.memory, state.equity()) == 0
    assert not state.memory.day_stopped
    desk.timer("balances")
    assert state.trading_state == "RUN"
    assert state.lots.lots() == []


def test_x28_coins_from_outside_are_valued_as_soon_as_there_is_a_price() -> None:
    desk = Desk()
    desk.start()
    desk.do(e.FeedUp(feed="public"))
    desk.do(e.BalancesSeen(balances={"USD": D(1000)}, source="ws"))
    desk.do(e.FeedUp(feed="private"))
    desk.reconciled()
    desk.timer("risk_check")
    assert desk.engine.state.memory.day_start_equity == D(1000)
    desk.at += timedelta(seconds=30)
    desk.do(entry("L1", "BTC", "1", "1", desk))
    desk.timer("risk_check")
    assert desk.engine.state.memory.net_flows_today == 0
    desk.quotes()
    desk.timer("risk_check")
    state = desk.engine.state
    assert state.memory.net_flows_today == D(50000)
    assert loss_today(state.memory, state.equity()) == 0


def test_x28_a_withdrawal_made_while_the_daemon_was_down_is_no_loss() -> None:
    desk = opened()
    desk.timer("risk_check")
    memory, recon = desk.engine.state.memory, desk.engine.state.recon
    assert memory.day_start_equity == D(1000)
    kept = LedgerMemory(
        since=recon.since,
        assets=(
            AssetLedger(asset="USD", opening=D(1000), ledger_sum=D(0), explained=D(0), short=D(0)),
        ),
        looked_from=recon.looked_from,
    )
    again = Desk(desk.at + timedelta(minutes=30))
    gone_at = again.at - timedelta(minutes=10)
    again.start(risk=memory, ledger=kept, balances={"USD": D(400)})
    again.do(e.FeedUp(feed="public"))
    again.do(e.BalancesSeen(balances={"USD": D(400)}, source="ws"))
    again.timer("risk_check")  # before anything explains it
    assert not again.engine.state.memory.day_stopped
    again.do(e.FeedUp(feed="private"))
    again.quotes()
    gone = ledger("L9", "USD", "-600", "400", gone_at, kind="withdrawal")
    look(again, e.LedgerSeen(entry=gone))
    again.timer("risk_check")
    state = again.engine.state
    assert state.memory.net_flows_today == D(-600)
    assert not state.memory.day_stopped
    assert state.health.unexplained == state.health.doubtful == ""


def test_x28_a_manual_trade_is_booked_but_adopted_by_nobody() -> None:
    desk = opened()
    desk.timer("risk_check")
    fill = manual(desk)
    for event in trade_entries(fill, desk, "949.8", "0.001"):
        desk.do(event)
    actions = desk.do(traded(fill, desk.at))
    (row,) = records(actions, r.TradeRow)
    assert row.fill.owner == "external"
    state = desk.engine.state
    assert state.lots.lots() == []
    assert state.sellable("ai", BTC) == 0
    desk.timer("risk_check")
    assert loss_today(state.memory, state.equity()) == 0
    desk.at += timedelta(minutes=1)
    desk.timer("balances")
    assert state.health.unexplained == state.health.doubtful == ""


def test_i_15_lots_and_what_is_external_are_the_balance() -> None:
    desk = opened()
    fill = manual(desk)
    for event in trade_entries(fill, desk, "949.8", "0.001"):
        desk.do(event)
    desk.do(traded(fill, desk.at))
    held = desk.fill(desk.place(), "E1")
    assert held
    state = desk.engine.state
    lots = state.lots.held("ai", BTC)
    assert lots + fill.qty == state.balances.expected("BTC")


def test_x29_a_manual_order_is_recognised_and_left_alone() -> None:
    desk = opened()
    row = foreign_order()
    seen = look(desk, foreign=(row,), foreign_open_orders=1)
    assert records(seen, r.VenueOrderRow) == [row]
    assert not [x for x in seen if isinstance(x, a.CancelOrder | a.CancelAllOrders | a.PlaceOrder)]
    assert desk.engine.state.trading_state == "RUN"
    assert desk.engine.state.orders.live() == []
    assert records(look(desk, foreign=(row,), foreign_open_orders=1), r.VenueOrderRow) == []
    (gone,) = records(look(desk), r.VenueOrderRow)
    assert (gone.order_id, gone.status) == ("OMANUAL", "closed")


def foreign_order(cl_ord_id: str | None = None) -> r.VenueOrderRow:
    return r.VenueOrderRow(
        order_id="OMANUAL",
        cl_ord_id=cl_ord_id,
        pair=BTC,
        side=Side.BUY,
        order_type="limit",
        status="open",
        qty=D(1),
        filled_qty=D(0),
        cost=D(0),
        fee=D(0),
        limit_price=D(100),
        avg_price=None,
        opened_at=T0,
        closed_at=None,
        reason="",
    )


def test_i_09_halt_of_our_own_leaves_a_manual_order() -> None:
    desk = opened()
    look(desk, foreign=(foreign_order(),), foreign_open_orders=1)
    order = desk.place()
    cap = fill_of(order, "E1", desk.at, qty=order.qty * 2)
    actions = desk.do(traded(cap, desk.at))  # more than ordered: HALT
    assert desk.engine.state.trading_state == "HALT"
    cancels = [x for x in actions if isinstance(x, a.CancelOrder)]
    assert {x.cl_ord_id for x in cancels} <= {order.cl_ord_id}
    assert not [x for x in actions if isinstance(x, a.CancelAllOrders)]


def test_x28_an_entry_of_an_earn_wallet_moves_the_total_by_its_amount() -> None:
    desk = opened()
    desk.do(entry("L0", "USD", "0", "1000", desk))
    moved = [("L1", "-400", "600", ""), ("L2", "400", "400", "earn/flex")]
    for name, amount, balance, wallet in moved:
        one = ledger(name, "USD", amount, balance, desk.at, kind="transfer")
        desk.do(e.LedgerSeen(entry=msgspec.structs.replace(one, wallet=wallet)))
    look(desk, e.BalancesSeen(balances={"USD": D(1000)}, source="ws", split=("USD",)))
    desk.timer("balances")
    state = desk.engine.state
    assert state.health.unexplained == state.health.doubtful == ""
    assert state.balances.total("USD") == D(1000)


def test_x29_an_order_cancelled_by_hand_is_closed_and_its_exposure_freed() -> None:
    desk = opened()
    order = desk.place()
    desk.do(e.OrderAcked(cl_ord_id=order.cl_ord_id, order_id="O1"))
    assert desk.engine.state.holds()
    cancelled = report("canceled", cl_ord_id=order.cl_ord_id, at=desk.at, cum_qty=D(0))
    desk.do(cancelled)
    assert desk.engine.state.holds() == {}
    assert desk.engine.state.orders.orders[order.cl_ord_id].state_reason is Reason.CANCELED_BY_VENUE
