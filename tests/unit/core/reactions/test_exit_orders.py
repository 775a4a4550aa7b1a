"""Exits: due at the figure, once, protective, told of once where they cannot be made."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from brain_desk import BTC, D, Desk, decisions_of, only, records, say, settings

from simple_trader.core.risk import strikes
from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.domain.instruments import VenueStatus
from simple_trader.domain.memory import Strike
from simple_trader.domain.orders import OrderRequest, Origin
from simple_trader.domain.reasons import Reason

R = Reason


def holding() -> Desk:
    """A desk that holds BTC bought at 50100.5 plus the fee."""
    desk = Desk()
    desk.open(settings=settings(min_confidence=0.9))
    desk.hold()
    return desk


@pytest.mark.parametrize(
    ("price", "reason"),
    [("47800", None), ("47500", R.STOP_LOSS), ("55300", None), ("55400", R.TAKE_PROFIT)],
)
def test_an_exit_is_due_beyond_its_percent_of_the_cost_with_fee(
    price: str, reason: Reason | None
) -> None:
    desk = holding()
    desk.quotes(btc=price)
    orders = [x for x in desk.timer("risk_check") if isinstance(x, a.PlaceOrder)]
    assert [x.approved.intent.reason for x in orders] == ([] if reason is None else [reason])


def test_an_exit_sells_all_by_the_same_review_in_the_same_candle() -> None:
    desk = holding()
    held = desk.engine.state.lots.held("ai", BTC)
    desk.quotes(btc="47000")
    told = desk.timer("risk_check")
    intent = only(told, a.PlaceOrder).approved.intent
    assert (intent.origin, intent.protective, intent.qty) == (Origin.EXIT, True, held)
    row = decisions_of(told)[BTC]
    assert (row.verdict, row.reason, row.action) == ("approved", R.STOP_LOSS, "sell")
    assert records(told, r.IntentRow)[0].order.decision_id == row.decision_id


def test_an_exit_on_its_way_is_not_made_twice() -> None:
    desk = holding()
    desk.quotes(btc="47000")
    only(desk.timer("risk_check"), a.PlaceOrder)
    assert not [x for x in desk.timer("risk_check") if isinstance(x, a.PlaceOrder)]


def test_an_exit_is_allowed_while_entries_are_not() -> None:
    desk = holding()
    desk.do(e.StoreHealth(ok=False, reason=R.STORE_SLOW, oldest_age_s=9.0))
    desk.quotes(btc="47000")
    only(desk.timer("risk_check"), a.PlaceOrder)


def test_an_exit_that_cannot_be_made_is_told_of_once_and_tried_again() -> None:
    desk = holding()
    desk.do(e.VenueStatusSeen(status=VenueStatus.MAINTENANCE))
    desk.quotes(btc="47000")
    row = decisions_of(desk.timer("risk_check"))[BTC]
    assert (row.verdict, row.reason) == ("refused", R.VENUE_NOT_ONLINE)
    assert decisions_of(desk.timer("risk_check")) == {}
    desk.do(e.VenueStatusSeen(status=VenueStatus.ONLINE))
    only(desk.timer("risk_check"), a.PlaceOrder)


def test_an_exit_before_the_balance_is_seen_waits_for_it() -> None:
    desk = Desk()
    desk.open()
    desk.fill(desk.place(), "E1")
    desk.quotes(btc="47000")
    assert decisions_of(desk.timer("risk_check"))[BTC].reason is R.NO_FUNDS
    desk.settle()
    only(desk.timer("risk_check"), a.PlaceOrder)


def test_an_exit_names_the_snapshot_of_its_pair_and_none_where_none_was_taken() -> None:
    desk = Desk()
    desk.open()
    desk.hold()
    taken = desk.engine.state.snapshot_ids[BTC]
    desk.quotes(btc="47000")
    assert decisions_of(desk.timer("risk_check"))[BTC].snapshot_id == taken
    restarted = Desk()
    restarted.open()
    restarted.hold()
    restarted.engine.state.snapshot_ids.clear()  # as after a start, before its first cycle
    restarted.quotes(btc="47000")
    assert decisions_of(restarted.timer("risk_check"))[BTC].snapshot_id is None


def test_dust_is_left_alone() -> None:
    desk = holding()
    left = desk.engine.state.lots.held("ai", BTC)
    desk.next_candle()
    sold = desk.place(BTC, "sell", 1.0)
    desk.fill(sold, "E2", qty=left - D("0.00001"), trade_id=2)
    desk.settle()
    desk.quotes(btc="45000")
    assert decisions_of(desk.timer("risk_check")) == {}


def test_an_advised_sale_in_flight_leaves_nothing_to_exit() -> None:
    desk = holding()
    desk.next_candle()
    desk.advise(say(BTC, "sell", 1.0))
    desk.quotes(btc="45000")
    assert not [x for x in desk.timer("risk_check") if isinstance(x, a.PlaceOrder)]


def test_n09_an_exit_that_cannot_be_sent_is_refused_and_told_once() -> None:
    desk = Desk()
    desk.open(settings=settings(daily_loss_limit=D(0)))
    desk.hold()
    desk.do(e.FeedDown(feed="private", detail="gone"))
    desk.quotes(btc="45000")
    told = [action for _ in range(5) for action in desk.timer("risk_check")]
    assert not [action for action in told if isinstance(action, a.PlaceOrder)]
    (row,) = records(told, r.DecisionRow)
    assert (row.verdict, row.reason) == ("refused", Reason.PRIVATE_FEED_DOWN)
    desk.do(e.FeedUp(feed="private"))
    only(desk.timer("risk_check"), a.PlaceOrder)


def falling(price: str = "47000", **limits: Any) -> Desk:
    """A desk whose holding must be sold; these limits hold since it was bought."""
    desk = holding()
    desk.engine.state.settings = settings(daily_loss_limit=D("0.9"), **limits)
    desk.at += timedelta(minutes=2)
    desk.quotes(btc=price)
    return desk


def sale(told: list[a.Action]) -> OrderRequest | None:
    """The sale among what was done, if there is one."""
    found = [x.approved.request for x in told if isinstance(x, a.PlaceOrder)]
    return found[0] if found else None


def sold(desk: Desk, name: str) -> bool:
    """Whether a look sold something; it is filled."""
    request = sale(desk.timer("risk_check"))
    if request is None:
        return False
    desk.do(e.OrderSent(cl_ord_id=request.cl_ord_id))
    desk.fill(request, name, order_id=f"O{name}", trade_id=10 + len(desk.log))
    desk.settle()
    return True


def test_pt3_i_22_an_exit_above_what_is_left_of_a_window_is_sold_as_the_window_has_room() -> None:
    desk = falling(max_pair_notional_per_minute=D(100))
    held = desk.engine.state.lots.held("ai", BTC)
    assert sold(desk, "S1")
    left = desk.engine.state.lots.held("ai", BTC)
    assert 0 < left < held
    flow = desk.engine.state.turnover.flow(BTC, desk.at)
    assert 99 < flow.pair_minute <= 100
    told = desk.timer("risk_check")
    assert sale(told) is None
    assert decisions_of(told)[BTC].reason is R.NOTIONAL_LIMIT
    desk.at += timedelta(seconds=61)
    desk.quotes(btc="47000")
    assert sold(desk, "S2")
    assert desk.engine.state.lots.held("ai", BTC) < rules_min()


def rules_min() -> Any:
    """The least quantity of the pair: what is below it is dust."""
    return D("0.0001")


def test_x17_an_exit_after_a_refusal_for_lack_of_funds_is_no_larger_and_goes() -> None:
    desk = falling()
    strike = Strike(row=1, side="sell", most_qty=D("0.001"))
    memory = desk.engine.state.memory
    desk.engine.state.memory = msgspec.structs.replace(memory, strikes={BTC: strike})
    request = sale(desk.timer("risk_check"))
    assert request is not None
    assert request.qty == D("0.001")


def test_x17_a_purchase_that_lacked_funds_holds_back_no_exit() -> None:
    desk = falling()
    lacked = e.RejectKind.FUNDS
    memory = desk.engine.state.memory
    for _ in range(strikes.COOL_AFTER - 1):
        memory = strikes.refused(memory, BTC, "buy", D(1), lacked, desk.at)
    desk.engine.state.memory = memory
    assert sale(desk.timer("risk_check")) is not None


def test_x16_five_refusals_in_a_row_hold_back_an_exit_too() -> None:
    desk = falling()
    memory = desk.engine.state.memory
    for _ in range(strikes.COOL_AFTER):
        memory = strikes.refused(memory, BTC, "buy", D(1), e.RejectKind.FUNDS, desk.at)
    desk.engine.state.memory = memory
    assert sale(desk.timer("risk_check")) is None


def test_pt6_an_exit_in_many_slices_is_no_loop_and_halts_nothing() -> None:
    desk = falling(max_order_value=D(5), min_order_value=D(1))
    slices = 0
    while sold(desk, f"S{slices}"):
        slices += 1
        desk.at += timedelta(seconds=10)
        desk.quotes(btc="47000")
    assert slices > 30
    assert desk.engine.state.trading_state != "HALT"
    assert desk.engine.state.lots.held("ai", BTC) < rules_min()


def test_x15_what_was_due_of_an_earlier_holding_confirms_no_wick_of_a_later_one() -> None:
    desk = falling(price_collar_bps=500, candle_minutes=1)
    desk.at += timedelta(seconds=40)  # the reference follows
    desk.quotes(btc="47000")
    assert sold(desk, "S1")
    assert desk.engine.state.lots.held("ai", BTC) == 0
    for _ in range(3):
        desk.at += timedelta(seconds=60)
        desk.quotes()
    desk.timer("risk_check")
    request = desk.place()
    desk.fill(request, "E2", order_id="O2", trade_id=99)
    desk.settle()
    desk.at += timedelta(seconds=2)
    desk.quotes(btc="40000")
    told = desk.timer("risk_check")
    assert sale(told) is None
    assert decisions_of(told)[BTC].reason is R.PRICE_COLLAR


def test_x15_a_stale_price_does_not_say_for_how_long_an_exit_was_due() -> None:
    desk = falling()
    sale(desk.timer("risk_check"))
    desk.engine.state.orders.orders.clear()  # as if nothing had been sent
    assert desk.engine.state.exit_due
    desk.at += timedelta(seconds=20)
    desk.timer("risk_check")
    assert desk.engine.state.exit_due == {}
