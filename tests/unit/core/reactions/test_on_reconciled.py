"""Reconciliation in the brain: what is told when, what holds back new risk, and what explains."""

from datetime import timedelta

from brain_desk import BTC, ETH, T0, D, Desk, advice_text, records, say, settings
from brain_reports import fill_of, traded
from reconciled_parts import asked, entry, look, manual, opened, rows, trade_entries

from simple_trader.core.portfolio.balances import REST_LAG_S
from simple_trader.core.schedule.timers import intervals
from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.domain.fills import Fill
from simple_trader.domain.ids import client_order_id
from simple_trader.domain.reasons import Reason
from simple_trader.domain.recovered import AssetLedger, LedgerMemory, OpenDoubt


def test_i_13_the_first_snapshot_of_a_world_is_its_opening_and_is_kept() -> None:
    desk = Desk()
    desk.start()
    actions = desk.do(e.BalancesSeen(balances={"USD": D(1000), "BTC": D(1)}, source="ws"))
    kept = {row.asset: row.opening for row in records(actions, r.ReconciliationRow)}
    assert kept == {"USD": D(1000), "BTC": D(1)}
    again = desk.do(e.BalancesSeen(balances={"USD": D(900), "BTC": D(1)}, source="ws"))
    assert records(again, r.ReconciliationRow) == []


def test_i_13_a_difference_of_the_stream_is_looked_into_at_once_and_told_after_the_lag() -> None:
    desk = opened()
    desk.do(e.BalancesSeen(balances={"USD": D("999.9999")}, source="ws"))
    noticed = desk.timer("balances")
    assert len(asked(noticed)) == 1
    assert desk.engine.state.causes == (Reason.RECONCILING,)
    assert rows(look(desk), "UNEXPLAINED") == []
    desk.at += timedelta(seconds=REST_LAG_S)
    assert len(asked(desk.timer("risk_check"))) == 1
    told = look(desk)
    (row,) = rows(told, "UNEXPLAINED")
    assert (row.asset, row.residual) == ("USD", D("-0.0001"))
    alarm = [n for n in told if isinstance(n, a.Note) and n.reason is Reason.BALANCE_UNEXPLAINED]
    assert alarm[0].level == "error"
    assert desk.engine.state.causes == (Reason.BALANCE_UNEXPLAINED,)
    assert desk.engine.state.trading_state == "REDUCE"


def test_i_13_an_entry_that_comes_later_explains_by_itself() -> None:
    desk = unexplained()
    desk.do(entry("L1", "USD", "-10", "990", desk, kind="withdrawal"))
    told = desk.timer("balances")
    assert [row.subject for row in rows(told, "clean")] == ["USD"]
    assert heals(desk)


def heals(desk: Desk) -> bool:
    """Whether nothing but the half minute after a trouble holds new risk back."""
    assert desk.engine.state.causes == (Reason.SETTLING,)
    desk.at += timedelta(seconds=30)
    desk.timer("risk_check")
    return desk.engine.state.trading_state == "RUN"


def unexplained() -> Desk:
    """A desk whose USD are 10 less than anything explains."""
    desk = opened()
    desk.do(e.BalancesSeen(balances={"USD": D(990)}, source="ws"))
    desk.timer("balances")
    desk.at += timedelta(seconds=REST_LAG_S)
    look(desk)
    assert desk.engine.state.causes == (Reason.BALANCE_UNEXPLAINED,)
    desk.quotes()
    return desk


def test_i_13_while_something_is_unexplained_nothing_buys() -> None:
    desk = unexplained()
    asked = desk.ask()
    actions = desk.answer(asked, _buy())
    assert not [x for x in actions if isinstance(x, a.PlaceOrder)]


def _buy() -> str:
    return advice_text(say(BTC, "buy"), say(ETH, "hold"))


def test_an_operator_explains_deliberately_and_it_is_audited() -> None:
    desk = unexplained()
    actions = desk.do(e.OperatorExplained(asset="USD", actor="ann", detail="fee of the bank"))
    (row,) = rows(actions, "explained")
    assert (row.explained, row.residual, row.cause) == (D(-10), D(0), "operator")
    (audit,) = records(actions, r.AuditRow)
    assert (audit.actor, audit.action, audit.object) == ("ann", "reconcile", "USD")
    assert heals(desk)
    desk.do(e.BalancesSeen(balances={"USD": D(989)}, source="ws"))
    desk.timer("balances")
    assert desk.engine.state.causes == (Reason.RECONCILING,)


def test_i_24_what_a_person_explained_is_no_loss() -> None:
    desk = opened()
    desk.do(e.BalancesSeen(balances={"USD": D(300)}, source="ws"))
    desk.timer("risk_check")
    assert not desk.engine.state.memory.day_stopped, "a difference is not judged before it is found"
    desk.timer("balances")
    desk.at += timedelta(seconds=REST_LAG_S)
    look(desk)
    desk.do(e.OperatorExplained(asset="USD", actor="ann", detail="the bank"))
    assert heals(desk)
    memory = desk.engine.state.memory
    assert (memory.net_flows_today, memory.peak_equity) == (D(-700), D(300))
    assert (memory.day_stopped, memory.drawdown_stopped) == (False, False)


def test_nothing_is_explained_before_the_account_was_looked_at() -> None:
    desk = Desk()
    desk.start()
    (note,) = desk.do(e.OperatorExplained(asset="USD", actor="ann", detail="x"))
    assert note.reason is Reason.NOT_RECONCILED


def test_what_stood_unexplained_stands_after_a_restart() -> None:
    memory = LedgerMemory(
        since=T0 - timedelta(hours=1),
        assets=(
            AssetLedger(asset="USD", opening=D(1010), ledger_sum=D(0), explained=D(0), short=D(0)),
        ),
        doubts=(OpenDoubt(subject="USD", asset="USD", detail="x", residual=D(-10)),),
        looked_from=T0 - timedelta(minutes=1),
    )
    desk = Desk()
    desk.start(ledger=memory)
    assert Reason.BALANCE_UNEXPLAINED in desk.engine.state.causes
    desk.do(e.FeedUp(feed="public"))
    desk.do(e.BalancesSeen(balances={"USD": D(1000)}, source="ws"))
    desk.do(e.FeedUp(feed="private"))
    assert rows(look(desk), "UNEXPLAINED") == []  # it stands: it is not told again
    assert desk.engine.state.causes == (Reason.BALANCE_UNEXPLAINED,)


# -- transients ---------------------------------------------------------------------------------


def test_a_trade_whose_ledger_comes_late_raises_no_alarm() -> None:
    desk = opened()
    order = desk.place()
    desk.fill(order, "E1")
    assert asked(desk.timer("balances")) == []
    assert desk.engine.state.trading_state == "RUN"


def test_x08_a_total_of_rest_that_lags_is_no_difference() -> None:
    desk = opened()
    desk.do(entry("L1", "USD", "100", "1100", desk))
    look(desk, e.BalancesSeen(balances={"USD": D(1000)}, source="rest"))
    desk.timer("balances")
    assert desk.engine.state.trading_state == "RUN"
    assert desk.engine.state.balances.total("USD") == D(1100)


def test_x17_a_total_of_rest_that_is_new_is_taken_and_its_entry_awaited() -> None:
    desk = opened()
    actions = look(desk, e.BalancesSeen(balances={"USD": D(1100)}, source="rest"))
    assert rows(actions, "UNEXPLAINED") == []
    assert desk.engine.state.causes == (Reason.RECONCILING,)
    desk.do(entry("L1", "USD", "100", "1100", desk))
    desk.timer("risk_check")
    assert desk.engine.state.trading_state == "RUN"


# -- N04, N05 -----------------------------------------------------------------------------------


def silent() -> tuple[Desk, Fill, list[a.Action]]:
    """The ledger told of a fill of ours a minute ago, the executions did not."""
    desk = opened()
    order = desk.place()
    fill = fill_of(order, "E1", desk.at)
    usd = D(1000) - fill.cost - fill.fee_in("USD")
    for event in trade_entries(fill, desk, f"{usd:f}", f"{fill.qty:f}"):
        desk.do(event)
    desk.at += timedelta(seconds=60)
    return desk, fill, desk.timer("balances")


def test_n04_the_check_sees_the_silence_and_one_look_at_trades_follows() -> None:
    desk, fill, noticed = silent()
    assert len(asked(noticed)) == 1
    assert asked(desk.timer("balances")) == asked(desk.timer("risk_check")) == []
    found = look(desk, traded(fill, desk.at, source="rest"))
    recycled = [x for x in found if isinstance(x, a.RecycleStream)]
    assert len(recycled) == 1
    assert desk.engine.state.lots.held("ai", BTC) == fill.qty
    assert desk.engine.state.trading_state == "RUN"
    desk.at += timedelta(seconds=60)
    assert asked(desk.timer("balances")) == []


def test_n04_a_fill_that_no_look_finds_is_unexplained() -> None:
    desk, _, _ = silent()
    look(desk)
    desk.at += timedelta(seconds=REST_LAG_S)
    told = look(desk)
    assert [row.subject for row in rows(told, "UNEXPLAINED")] == ["trade E1"]


def test_n05_a_dropped_fill_older_than_a_newer_one_is_still_read_again() -> None:
    desk = opened()
    looked_from = desk.engine.state.recon.looked_from
    desk.at += timedelta(minutes=5)
    desk.quotes()
    desk.fill(desk.place(), "E2")
    desk.at += timedelta(minutes=5)
    (look_,) = asked(desk.timer("reconcile"))
    assert look_.since <= looked_from - timedelta(minutes=2)


# -- I-04, D12 ------------------------------------------------------------------------------------


def test_i_04_an_order_that_is_open_only_in_our_books_is_asked_about() -> None:
    desk = opened()
    order = desk.place()
    desk.do(e.OrderAcked(cl_ord_id=order.cl_ord_id, order_id="O1"))
    desk.at += timedelta(seconds=30)
    actions = look(desk)
    (ask,) = [x for x in actions if isinstance(x, a.AskOrders)]
    assert ask.cl_ord_ids == (order.cl_ord_id,)


def test_i_04_an_order_that_changed_during_the_look_is_asked_about_too() -> None:
    """Its end may have been told to a life before this one (P01): no later look asked for it."""
    desk = opened()
    order = desk.place()
    began = desk.at - timedelta(seconds=1)
    desk.do(e.OrderAcked(cl_ord_id=order.cl_ord_id, order_id="O1"))
    (ask,) = [x for x in look(desk, looked_from=began) if isinstance(x, a.AskOrders)]
    assert ask.cl_ord_ids == (order.cl_ord_id,)


def test_i_04_x08_what_rest_lists_after_a_reconnect_is_looked_at_again_after_its_lag() -> None:
    """One that ended while nobody listened may still be listed as open for a minute."""
    desk = opened()
    order = desk.place()
    desk.do(e.OrderAcked(cl_ord_id=order.cl_ord_id, order_id="O1"))
    desk.do(e.FeedDown(feed="private", detail="closed"))
    desk.do(e.FeedUp(feed="private"))
    look(desk, open_cl_ord_ids=(order.cl_ord_id,))
    assert desk.engine.state.timers.due["reconcile"] == desk.at + timedelta(seconds=REST_LAG_S + 5)


def test_i_04_d12_an_order_of_ours_that_no_row_knows_blocks_new_risk_until_it_is_gone() -> None:
    desk = opened()
    look(desk, open_cl_ord_ids=("stz-9",))
    assert desk.engine.state.causes == (Reason.RECONCILING,)
    desk.at += timedelta(seconds=REST_LAG_S)
    told = look(desk, open_cl_ord_ids=("stz-9",))
    assert [row.subject for row in rows(told, "UNEXPLAINED")] == ["order stz-9"]
    assert desk.engine.state.causes == (Reason.BALANCE_UNEXPLAINED,)
    over = look(desk)
    assert [row.subject for row in rows(over, "clean")] == ["order stz-9"]
    assert heals(desk)


def test_d12_a_fill_of_ours_without_its_order_is_booked_once_and_blocks_until_explained() -> None:
    desk = opened()
    own = client_order_id(desk.engine.state.epoch, 99)  # not of a restored past: a lost row
    fill = manual(desk, cl_ord_id=own)
    entries = trade_entries(fill, desk, "949.8", "0.001")
    first = look(desk, traded(fill, desk.at, source="rest"), *entries)
    again = look(desk, traded(fill, desk.at, source="rest"), *entries)
    assert len(records(first, r.TradeRow)) == 1
    assert records(again, r.TradeRow) == []
    desk.at += timedelta(seconds=REST_LAG_S)
    told = look(desk)
    assert [row.subject for row in rows(told, "UNEXPLAINED")] == ["fill T7"]
    assert desk.engine.state.trading_state == "REDUCE"
    desk.do(e.OperatorExplained(asset="BTC", actor="ann", detail="backup of yesterday"))
    assert heals(desk)


# -- looks --------------------------------------------------------------------------------------


def test_a_full_look_comes_every_fifteen_minutes_and_the_streams_check_every_minute() -> None:
    spans = intervals(settings())
    assert (spans["reconcile"], spans["balances"]) == (900, 60)


def test_x07_after_a_gap_of_the_stream_everything_since_the_last_look_is_read() -> None:
    desk = opened()
    looked_from = desk.engine.state.recon.looked_from
    desk.at += timedelta(minutes=3)
    desk.do(e.FeedDown(feed="private", detail="sequence 5 came where 4 was due"))
    assert Reason.PRIVATE_DOWN in desk.engine.state.causes
    (read,) = asked(desk.do(e.FeedUp(feed="private")))
    assert read.since == looked_from - timedelta(seconds=REST_LAG_S, minutes=2)
    assert Reason.RECONCILING in desk.engine.state.causes
