"""The exchange as a state machine."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simple_trader.simulator.accounts import AccountSpec, holds
from simple_trader.simulator.fill_model import Print
from simple_trader.simulator.instruments import INSTRUMENT_BY_SYMBOL
from simple_trader.simulator.liquidity import ASK, BID
from simple_trader.simulator.orders import (
    Amend,
    Cancel,
    CancelAll,
    Place,
)
from simple_trader.simulator.reports import (
    Amended,
    Checked,
    Closed,
    Opened,
    Refused,
    Report,
    Traded,
)
from simple_trader.simulator.rules import VenueRules
from simple_trader.simulator.venue import Venue, VenueState, new_state

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BTC = INSTRUMENT_BY_SYMBOL["BTC/USD"]


def venue(usd: str = "10000", rules: VenueRules | None = None) -> Venue:
    there = Venue(
        new_state(7, (AccountSpec(opening={"USD": Decimal(usd)}),)),
        dict(INSTRUMENT_BY_SYMBOL),
        rules,
    )
    there.on_market("BTC/USD", NOON, 650_000, 650_010, ())
    return there


def place(
    side: str = "buy", qty: str | None = "0.01", price: str | None = None, **more: Any
) -> Place:
    return Place(
        symbol="BTC/USD",
        side="buy" if side == "buy" else "sell",
        order_type="market" if price is None else "limit",
        qty=None if qty is None else Decimal(qty),
        limit_price=None if price is None else Decimal(price),
        **more,
    )


def kinds(reports: Sequence[Report]) -> list[str]:
    return [type(report).__name__ for report in reports]


def refusal(reports: Sequence[Report]) -> str:
    first = reports[0]
    assert isinstance(first, Refused)
    assert len(reports) == 1
    return first.error


def opened(reports: Sequence[Report]) -> str:
    first = reports[0]
    assert isinstance(first, Opened)
    return first.order.order_id


def check_books(there: Venue) -> None:
    """What must hold after every command and every step."""
    state = there.state
    for asset in {*state.accounts["main"].balances, *state.accounts["main"].opening}:
        entries = [entry for entry in state.accounts["main"].ledger if entry.asset == asset]
        moved = sum((entry.amount - entry.fee for entry in entries), Decimal(0))
        assert (
            state.accounts["main"].balances[asset]
            == state.accounts["main"].opening.get(asset, 0) + moved
        )
        held = holds(there.open.values(), there.pairs).get(asset, Decimal(0))
        assert state.accounts["main"].balances[asset] >= held >= 0, asset
    for order in state.orders.values():
        assert order.cum_qty <= order.qty or order.reason is not None
        assert (order.status == "filled") <= (order.cum_qty == order.qty)
        fills = [t for t in state.trades if t.order_id == order.order_id]
        assert sum((t.qty for t in fills), Decimal(0)) == order.cum_qty
        assert sum((t.cost for t in fills), Decimal(0)) == order.cum_cost
        for fill in fills:
            if order.limit_price is not None and not order.amended:
                better = fill.price <= order.limit_price
                assert better if order.side == "buy" else fill.price >= order.limit_price
    for book in there.books.values():
        bid, ask = book.best(BID), book.best(ASK)
        assert bid is None or ask is None or bid[0] < ask[0]


def test_a_market_buy_fills_at_the_ask_and_books_two_entries_with_the_taker_fee() -> None:
    there = venue()
    reports = there.apply(place(qty="0.001"), NOON)
    assert kinds(reports) == ["Opened", "Traded", "Closed"]
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
    check_books(there)


def test_a_resting_buy_fills_as_maker_when_the_market_falls_through_it() -> None:
    there = venue()
    order_id = opened(there.apply(place(qty="0.01", price="64990.0"), NOON))
    assert there.available("main", "USD") < Decimal(10_000) - Decimal("649.9")
    assert there.on_market("BTC/USD", NOON, 649_950, 649_960, ()) == []
    reports = there.on_market(
        "BTC/USD", NOON, 649_800, 649_810, (Print(649_800, 10**9, False, True),)
    )
    assert kinds(reports) == ["Traded", "Closed"]
    trade = there.state.trades[0]
    assert (trade.order_id, trade.price, trade.liquidity) == (order_id, Decimal("64990.0"), "m")
    assert trade.fee == (trade.cost * Decimal("0.0025")).quantize(Decimal("0.0001"), ROUND_DOWN)
    assert there.held() == {}
    check_books(there)


def test_a_limit_beyond_the_market_takes_first_and_rests_the_remainder() -> None:
    there = venue("1000000")
    reports = there.apply(place(qty="3", price="65001.0"), NOON)
    assert kinds(reports) == ["Opened", "Traded"]
    assert len(there.open) == 1
    best = there.books["BTC/USD"].best(BID)
    assert best is not None
    assert best[0] == 650_010
    check_books(there)


def test_an_ioc_remainder_is_cancelled() -> None:
    there = venue("1000000")
    reports = there.apply(place(qty="3", price="65001.0", time_in_force="ioc"), NOON)
    assert kinds(reports) == ["Opened", "Traded", "Closed"]
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
    check_books(there)


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
    assert refusal(there.apply(command, NOON)) == error
    assert msgspec.msgpack.encode(there.state) == before


def test_a_client_id_is_free_again_only_when_its_order_is_closed() -> None:
    there = venue()
    first = opened(there.apply(place(price="60000.0", cl_ord_id="bot-1"), NOON))
    assert "cl_ord_id" in refusal(there.apply(place(price="60000.0", cl_ord_id="bot-1"), NOON))
    there.apply(Cancel(first), NOON)
    assert opened(there.apply(place(price="60000.0", cl_ord_id="bot-1"), NOON)) != first


def test_validate_checks_funds_and_places_nothing() -> None:
    there = venue()
    assert isinstance(there.apply(place(validate=True), NOON)[0], Checked)
    assert refusal(there.apply(place(qty="5", validate=True), NOON)) == "EOrder:Insufficient funds"
    assert not there.state.orders
    assert not there.state.trades


def test_a_post_only_order_may_also_be_accepted_and_cancelled() -> None:
    there = venue(rules=VenueRules(post_only="cancel"))
    reports = there.apply(place(price="65001.0", post_only=True), NOON)
    assert kinds(reports) == ["Opened", "Closed"]
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
    check_books(there)


def test_a_fee_in_base_is_paid_out_of_what_was_bought() -> None:
    there = venue()
    there.apply(place(qty="0.01", fee_in_base=True), NOON)
    assert there.state.trades[0].fee_asset == "BTC"
    assert there.state.accounts["main"].balances["BTC"] == Decimal("0.0099600000")
    check_books(there)


def test_own_orders_never_trade_with_each_other() -> None:
    there = venue()
    there.apply(place(qty="0.05"), NOON)
    there.apply(place("sell", "0.01", "65000.9"), NOON)
    reports = there.apply(place(qty="0.02", price="65002.0"), NOON)
    assert kinds(reports) == ["Opened", "Closed"]
    closed = reports[1]
    assert isinstance(closed, Closed)
    assert closed.order.reason == "Self trade prevention"


def test_amending_keeps_the_id_and_moves_price_and_hold() -> None:
    there = venue()
    order_id = opened(there.apply(place(qty="0.01", price="60000.0"), NOON))
    reports = there.apply(Amend(order_id=order_id, limit_price=Decimal("61000.0")), NOON)
    assert isinstance(reports[0], Amended)
    assert there.open[order_id].limit_price == Decimal("61000.0")
    assert 610_000 in dict(there.books["BTC/USD"].top(BID, 1000))
    assert there.held()["USD"] == Decimal("612.4400")
    error = refusal(there.apply(Amend(order_id=order_id, qty=Decimal(5)), NOON))
    assert error == "EOrder:Insufficient funds"
    check_books(there)


def test_cancel_all_closes_every_open_order() -> None:
    there = venue()
    for price in ("60000.0", "60001.0", "60002.0"):
        there.apply(place(price=price), NOON)
    assert kinds(there.apply(CancelAll(), NOON)) == ["Closed"] * 3
    assert there.available("main", "USD") == 10_000


def test_a_volume_tier_lowers_the_fee() -> None:
    there = venue("100000")
    for _ in range(20):
        there.apply(place(qty="0.1"), NOON)
        there.apply(place("sell", "0.1"), NOON)
    first, last = there.state.trades[0], there.state.trades[-1]
    assert first.fee == (first.cost * Decimal("0.0040")).quantize(Decimal("0.0001"), ROUND_DOWN)
    assert last.fee < last.cost * Decimal("0.0025")


ACTIONS = st.one_of(
    st.tuples(st.just("buy"), st.integers(-300, 300), st.integers(1, 40), st.booleans()),
    st.tuples(st.just("sell"), st.integers(-300, 300), st.integers(1, 40), st.booleans()),
    st.tuples(st.just("market"), st.sampled_from([-1, 1]), st.integers(1, 200), st.booleans()),
    st.tuples(st.just("cancel"), st.integers(0, 5), st.just(0), st.booleans()),
    st.tuples(st.just("amend"), st.integers(-300, 300), st.integers(1, 40), st.booleans()),
    st.tuples(st.just("step"), st.integers(-400, 400), st.integers(1, 60), st.booleans()),
)


def act(there: Venue, action: tuple[str, int, int, bool], at: datetime, mid: int) -> int:
    """Carry out one drawn action; gives the new middle of the market."""
    kind, number, size, flag = action
    qty = f"{size * 0.0005:.8f}"
    price = f"{(mid + number) / 10:.1f}"
    if kind in ("buy", "sell"):
        force = "ioc" if flag and number % 3 == 0 else "gtc"
        there.apply(
            place(kind, qty, price, post_only=flag and force == "gtc", time_in_force=force,
                  fee_in_base=number % 5 == 0), at,
        )  # fmt: skip
    elif kind == "market":
        there.apply(place("buy" if number > 0 else "sell", qty), at)
    elif kind == "cancel" and there.open:
        there.apply(Cancel(list(there.open)[number % len(there.open)]), at)
    elif kind == "amend" and there.open:
        chosen = list(there.open)[size % len(there.open)]
        there.apply(Amend(order_id=chosen, qty=Decimal(qty), limit_price=Decimal(price)), at)
    elif kind == "step":
        mid += number
        bid, ask = mid - 2, mid + 2
        tape = [Print(ask if flag else bid, size * 10**5, flag, True)]
        there.on_market("BTC/USD", at, bid, ask, tape)
    return mid


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ACTIONS, max_size=60))
def test_whatever_happens_the_books_balance_to_the_last_unit(
    actions: list[tuple[str, int, int, bool]],
) -> None:
    there = venue("3000")
    mid = 650_005
    for number, action in enumerate(actions):
        mid = act(there, action, NOON + timedelta(seconds=number), mid)
        check_books(there)


def test_an_amended_price_goes_behind_the_orders_that_stood_there_also_after_a_restart() -> None:
    there = venue()
    first = opened(there.apply(place(qty="0.001", price="64000.0"), NOON))
    second = opened(there.apply(place(qty="0.001", price="63000.0"), NOON))
    third = opened(there.apply(place(qty="0.001", price="63000.0"), NOON))
    there.apply(Amend(order_id=first, limit_price=Decimal("63000.0")), NOON)
    there.apply(Amend(order_id=second, qty=Decimal("0.0005")), NOON)
    saved = msgspec.msgpack.decode(msgspec.msgpack.encode(there.state), type=VenueState)
    again = Venue(saved, dict(INSTRUMENT_BY_SYMBOL))
    for one in (there, again):
        levels = one.books["BTC/USD"].by_priority(BID)
        assert [level.order.order_id for level in levels] == [second, third, first]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ACTIONS, min_size=5, max_size=40), st.integers(0, 40))
def test_a_venue_restored_from_its_state_goes_on_the_same(
    actions: list[tuple[str, int, int, bool]], cut: int
) -> None:
    straight, broken = venue("3000"), venue("3000")
    mids = [650_005, 650_005]
    for number, action in enumerate(actions):
        at = NOON + timedelta(seconds=number)
        if number == cut:
            saved = msgspec.msgpack.encode(broken.state)
            state = msgspec.msgpack.decode(saved, type=VenueState)
            broken = Venue(state, dict(INSTRUMENT_BY_SYMBOL))
        mids = [act(straight, action, at, mids[0]), act(broken, action, at, mids[1])]
    assert msgspec.msgpack.encode(straight.state) == msgspec.msgpack.encode(broken.state)
