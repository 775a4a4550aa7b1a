"""The exchange's plain life: orders, fills, refusals, fees."""

from datetime import timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

import msgspec
import pytest
import venue_parts as parts
from venue_parts import NOON, place

from simple_trader.simulator.accounts import AccountSpec
from simple_trader.simulator.fill_model import Print
from simple_trader.simulator.instruments import INSTRUMENT_BY_SYMBOL
from simple_trader.simulator.liquidity import BID
from simple_trader.simulator.orders import Amend, Cancel, CancelAll, Place
from simple_trader.simulator.reports import Amended, Checked, Closed, Traded
from simple_trader.simulator.rules import VenueRules
from simple_trader.simulator.venue import Venue, VenueState


def venue(usd: str = "10000", rules: VenueRules | None = None) -> Venue:
    return parts.venue([AccountSpec(opening={"USD": Decimal(usd)})], rules)


def test_a_market_buy_fills_at_the_ask_and_books_two_entries_with_the_taker_fee() -> None:
    there = venue()
    reports = there.apply(place(qty="0.001"), NOON)
    assert parts.kinds(reports) == ["Opened", "Traded", "Closed"]
    traded = reports[1]
    assert isinstance(traded, Traded)
    assert traded.trade.price == Decimal("65001.0")
    assert traded.trade.cost == Decimal("65.0010")
    assert traded.trade.fee == Decimal("0.2600")
    assert traded.trade.liquidity == "t"
    assert [entry.ref_id for entry in traded.entries] == [traded.trade.exec_id] * 2
    assert there.state.accounts["main"].balances == {
        "USD": Decimal("9934.7390"),
        "BTC": Decimal("0.0010000000"),
    }
    parts.check(there)


def test_a_resting_buy_fills_as_maker_when_the_market_falls_through_it() -> None:
    there = venue()
    order_id = parts.opened(there.apply(place(qty="0.01", price="64990.0"), NOON))
    assert there.available("main", "USD") < Decimal(10_000) - Decimal("649.9")
    assert there.on_market("BTC/USD", NOON, 649_950, 649_960, ()) == []
    reports = there.on_market(
        "BTC/USD", NOON, 649_800, 649_810, (Print(649_800, 10**9, False, True),)
    )
    assert parts.kinds(reports) == ["Traded", "Closed"]
    trade = there.state.trades[0]
    assert (trade.order_id, trade.price, trade.liquidity) == (order_id, Decimal("64990.0"), "m")
    assert trade.fee == (trade.cost * Decimal("0.0025")).quantize(Decimal("0.0001"), ROUND_DOWN)
    assert there.held() == {}
    parts.check(there)


def test_a_limit_beyond_the_market_takes_first_and_rests_the_remainder() -> None:
    there = venue("1000000")
    reports = there.apply(place(qty="3", price="65001.0"), NOON)
    assert parts.kinds(reports) == ["Opened", "Traded"]
    assert len(there.open) == 1
    best = there.books["BTC/USD"].best(BID)
    assert best is not None
    assert best[0] == 650_010
    parts.check(there)


def test_an_ioc_remainder_is_cancelled() -> None:
    there = venue("1000000")
    reports = there.apply(place(qty="3", price="65001.0", time_in_force="ioc"), NOON)
    assert parts.kinds(reports) == ["Opened", "Traded", "Closed"]
    closed = reports[-1]
    assert isinstance(closed, Closed)
    assert closed.order.status == "canceled"
    assert not there.open


def test_a_market_order_stops_at_the_protection_band() -> None:
    there = venue("1000000000")
    reports = there.apply(place(qty="100000"), NOON)
    closed = reports[-1]
    assert isinstance(closed, Closed)
    assert closed.order.reason == "Market price protection"
    prices = [trade.price for trade in there.state.trades]
    assert prices
    assert max(prices) <= Decimal("65001.0") * Decimal("1.02")
    parts.check(there)


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (place(qty="1"), "EOrder:Insufficient funds"),
        (place(side="sell"), "EOrder:Insufficient funds"),
        (place(qty="0.00004"), "EGeneral:Invalid arguments:volume minimum not met"),
        (place(qty="0.00005", price="100.0"), "EOrder:Cost minimum not met"),
        (place(price="65000.05"), "EOrder:Tick size check failed"),
        (place(price="65001.0", post_only=True), "EOrder:Post only order"),
        (place(deadline=NOON - timedelta(seconds=1)), "EService:Deadline elapsed"),
        (Cancel("OAAAAA-AAAAA-AAAAAA"), "EOrder:Unknown order"),
        (Amend(order_id="OAAAAA-AAAAA-AAAAAA"), "EOrder:Unknown order"),
        (
            Place(symbol="XBT/USD", side="buy", order_type="market", qty=Decimal(1)),
            "Currency pair not supported XBT/USD",
        ),
    ],
)
def test_a_refused_command_says_why_and_changes_nothing(command: Any, error: str) -> None:
    there = venue()
    before = msgspec.msgpack.encode(there.state)
    assert parts.refusal(there.apply(command, NOON)) == error
    assert msgspec.msgpack.encode(there.state) == before


def test_a_client_id_is_free_again_only_when_its_order_is_closed() -> None:
    there = venue()
    first = parts.opened(there.apply(place(price="60000.0", cl_ord_id="bot-1"), NOON))
    assert "cl_ord_id" in parts.refusal(
        there.apply(place(price="60000.0", cl_ord_id="bot-1"), NOON)
    )
    there.apply(Cancel(first), NOON)
    assert parts.opened(there.apply(place(price="60000.0", cl_ord_id="bot-1"), NOON)) != first


def test_validate_checks_funds_and_places_nothing() -> None:
    there = venue()
    assert isinstance(there.apply(place(validate=True), NOON)[0], Checked)
    assert (
        parts.refusal(there.apply(place(qty="5", validate=True), NOON))
        == "EOrder:Insufficient funds"
    )
    assert not there.state.orders
    assert not there.state.trades


def test_a_post_only_order_may_also_be_accepted_and_cancelled() -> None:
    there = venue(rules=VenueRules(post_only="cancel"))
    reports = there.apply(place(price="65001.0", post_only=True), NOON)
    assert parts.kinds(reports) == ["Opened", "Closed"]
    closed = reports[1]
    assert isinstance(closed, Closed)
    assert closed.order.reason == "Post only order"
    assert not there.state.trades


def test_a_gtd_order_expires_at_its_moment_and_not_before() -> None:
    there = venue()
    end = NOON + timedelta(seconds=30)
    there.apply(place(price="60000.0", time_in_force="gtd", expire_at=end), NOON)
    assert there.next_due() == end
    assert there.run_due(end - timedelta(microseconds=1)) == []
    closed = there.run_due(end)[0]
    assert isinstance(closed, Closed)
    assert closed.order.status == "expired"
    assert there.next_due() is None


def test_a_cash_order_spends_at_most_its_cash() -> None:
    there = venue()
    there.apply(place(qty=None, cash_qty=Decimal("250.55")), NOON)
    cost = there.state.trades[0].cost
    assert Decimal("250.5") < cost <= Decimal("250.55")
    parts.check(there)


def test_a_fee_in_base_is_paid_out_of_what_was_bought() -> None:
    there = venue()
    there.apply(place(qty="0.01", fee_in_base=True), NOON)
    assert there.state.trades[0].fee_asset == "BTC"
    assert there.state.accounts["main"].balances["BTC"] == Decimal("0.0099600000")
    parts.check(there)


def test_own_orders_never_trade_with_each_other() -> None:
    there = venue()
    there.apply(place(qty="0.05"), NOON)
    there.apply(place("sell", "0.01", "65000.9"), NOON)
    reports = there.apply(place(qty="0.02", price="65002.0"), NOON)
    assert parts.kinds(reports) == ["Opened", "Closed"]
    closed = reports[1]
    assert isinstance(closed, Closed)
    assert closed.order.reason == "Self trade prevention"


def test_amending_keeps_the_id_and_moves_price_and_hold() -> None:
    there = venue()
    order_id = parts.opened(there.apply(place(qty="0.01", price="60000.0"), NOON))
    reports = there.apply(Amend(order_id=order_id, limit_price=Decimal("61000.0")), NOON)
    assert isinstance(reports[0], Amended)
    assert there.open[order_id].limit_price == Decimal("61000.0")
    assert 610_000 in dict(there.books["BTC/USD"].top(BID, 1000))
    assert there.held()["USD"] == Decimal("612.4400")
    error = parts.refusal(there.apply(Amend(order_id=order_id, qty=Decimal(5)), NOON))
    assert error == "EOrder:Insufficient funds"
    parts.check(there)


def test_cancel_all_closes_every_open_order() -> None:
    there = venue()
    for price in ("60000.0", "60001.0", "60002.0"):
        there.apply(place(price=price), NOON)
    assert parts.kinds(there.apply(CancelAll(), NOON)) == ["Closed"] * 3
    assert there.available("main", "USD") == 10_000


def test_a_volume_tier_lowers_the_fee() -> None:
    there = venue("100000")
    for _ in range(20):
        there.apply(place(qty="0.1"), NOON)
        there.apply(place("sell", "0.1"), NOON)
    first, last = there.state.trades[0], there.state.trades[-1]
    assert first.fee == (first.cost * Decimal("0.0040")).quantize(Decimal("0.0001"), ROUND_DOWN)
    assert last.fee < last.cost * Decimal("0.0025")


def test_an_amended_price_goes_behind_the_orders_that_stood_there_also_after_a_restart() -> None:
    there = venue()
    first = parts.opened(there.apply(place(qty="0.001", price="64000.0"), NOON))
    second = parts.opened(there.apply(place(qty="0.001", price="63000.0"), NOON))
    third = parts.opened(there.apply(place(qty="0.001", price="63000.0"), NOON))
    there.apply(Amend(order_id=first, limit_price=Decimal("63000.0")), NOON)
    there.apply(Amend(order_id=second, qty=Decimal("0.0005")), NOON)
    saved = msgspec.msgpack.decode(msgspec.msgpack.encode(there.state), type=VenueState)
    again = Venue(saved, dict(INSTRUMENT_BY_SYMBOL))
    for one in (there, again):
        levels = one.books["BTC/USD"].by_priority(BID)
        assert [level.order.order_id for level in levels] == [second, third, first]
