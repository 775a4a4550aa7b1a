"""Exits: due at the figure, once, protective, told of once where they cannot be made."""

import pytest
from brain_desk import BTC, D, Desk, decisions_of, only, records, say, settings

from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.domain.instruments import VenueStatus
from simple_trader.domain.orders import Origin
from simple_trader.domain.reasons import Reason

R = Reason


def holding() -> Desk:
    """A desk that holds BTC bought at 50100.5 plus the fee."""
    desk = Desk()
    desk.open()
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
