"""The exchange as a state machine: its plain life, and whatever a crowd may do to it."""

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

import msgspec
import pytest
import venue_parts as parts
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from venue_parts import NOON, place

from simple_trader.simulator.accounts import AccountSpec
from simple_trader.simulator.fill_model import Print
from simple_trader.simulator.instruments import INSTRUMENT_BY_SYMBOL
from simple_trader.simulator.liquidity import BID
from simple_trader.simulator.orders import (
    Amend,
    Cancel,
    CancelAll,
    CancelBatch,
    Command,
    Conditional,
    Edit,
    Order,
    Place,
    PlaceBatch,
    SetPair,
    SetSystem,
    Trade,
    Transfer,
    Trigger,
)
from simple_trader.simulator.reports import Amended, Checked, Closed, Refused, Traded
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


# --- a crowd -------------------------------------------------------------------------------------

NAMES = ("main", "other", "third")
KINDS = ("limit", "limit", "limit", "market", "iceberg", "stop", "target", "trail", "cash", "otoco")
OFFSETS = st.integers(-300, 300)
SIZES = st.integers(1, 60)


class Crowd(RuleBasedStateMachine):
    """Three accounts do anything to one venue; what must hold is checked after every act."""

    def __init__(self) -> None:
        super().__init__()
        self.at = NOON
        self.mid = 650_005
        self.acts: list[tuple[str, datetime, Any]] = []
        self.switches = VenueRules()
        self.specs: list[AccountSpec] = []
        self.there = parts.venue()

    @initialize(
        post_only=st.sampled_from(["refuse", "cancel", "both"]),
        amend_priority=st.sampled_from(["decrease", "never"]),
        fee_default=st.sampled_from(["quote", "documented"]),
        tier=st.sampled_from(["starter", "intermediate", "pro"]),
        counted=st.booleans(),
    )
    def begin(self, tier: Any, counted: bool, **rules: Any) -> None:
        """Open the venue with drawn switches."""
        self.switches = msgspec.convert(rules, VenueRules)
        self.specs = parts.accounts(*NAMES, usd="5000", btc="0.1", tier=tier, counted=counted)
        self.there = parts.venue(self.specs, self.switches)

    def do(self, command: Command) -> None:
        """Carry out a command; a refused one may change the rate counters, nothing else."""
        self.at += timedelta(milliseconds=400)
        self.acts.append(("do", self.at, command))
        before = len(self.there.state.orders), len(self.there.state.trades), list(self.there.open)
        reports = self.there.apply(command, self.at)
        if reports and isinstance(reports[0], Refused):
            assert len(reports) == 1
            state = self.there.state
            assert before == (len(state.orders), len(state.trades), list(self.there.open))

    def pick(self, number: int) -> Order | None:
        """One of the open orders."""
        live = list(self.there.open.values())
        return live[number % len(live)] if live else None

    def order(self, kind: str, account: str, offset: int, size: int, more: int) -> Place:
        """An order of a kind around the market."""
        side, qty = ("buy", "sell")[more % 2], Decimal(size).scaleb(-4) * 5
        price = self.price(offset)
        own: dict[str, Any] = {"account": account, "fee_in_base": (None, True, False)[more % 3]}
        own["stp"] = ("cancel_newest", "cancel_oldest", "cancel_both")[more // 2 % 3]
        if kind == "market":
            return place(side, str(qty), None, **own)
        if kind == "cash":
            return place("buy", None, None, cash_qty=Decimal(size * 9), **own)
        if kind == "iceberg":
            return place(
                side,
                str(qty),
                price,
                order_type="iceberg",
                display_qty=qty / (1 + more % 14),
                **own,
            )
        if kind in ("stop", "target", "trail"):
            name = {"stop": "stop-loss", "target": "take-profit", "trail": "trailing-stop"}[kind]
            limit = price if more % 3 == 0 and kind != "trail" else None
            distance = str(abs(offset) / 10 + 1)
            return parts.stop(
                side, name + ("-limit" if limit else ""), distance if kind == "trail" else price,
                limit=limit, qty=str(qty), reference=("last", "index")[more % 2], **own,
            )  # fmt: skip
        if kind == "otoco":
            own["close"] = Conditional(order_type="limit", limit_price=Decimal(self.price(-offset)))
        force = ("gtc", "ioc", "fok", "gtd")[more // 4 % 4]
        own |= {"time_in_force": force, "post_only": force in ("gtc", "gtd") and more % 5 == 0}
        if force == "gtd":
            own["expire_at"] = self.at + timedelta(seconds=size)
        if more % 7 == 0:
            own["effective_at"] = self.at + timedelta(seconds=size // 2)
        if more % 11 == 0:
            own["cl_ord_id"] = f"n{size % 3}"
        return place(side, str(qty), price, **own)

    def quotes(self) -> tuple[int, int]:
        """The market's quotes; wide in most places, so that orders meet between them."""
        half = 150 if self.mid % 3 else 2
        return self.mid - half, self.mid + half

    def price(self, offset: int) -> str:
        """A price in tenths around the middle."""
        return f"{Decimal(self.mid + offset) / 10:.1f}"

    @rule(
        kind=st.sampled_from(KINDS), account=st.sampled_from(NAMES), offset=OFFSETS, size=SIZES,
        more=st.integers(0, 1000),
    )  # fmt: skip
    def place_one(self, kind: str, account: str, offset: int, size: int, more: int) -> None:
        """Place any order."""
        self.do(self.order(kind, account, offset, size, more))

    @rule(account=st.sampled_from(NAMES), offset=OFFSETS, size=SIZES, more=st.integers(0, 1000))
    def place_batch(self, account: str, offset: int, size: int, more: int) -> None:
        """Place several orders at once."""
        several = [self.order("limit", account, offset, size, more + n) for n in range(3)]
        self.do(PlaceBatch(symbol="BTC/USD", orders=tuple(several), account=account))

    @rule(number=st.integers(0, 50), offset=OFFSETS, size=SIZES, what=st.integers(0, 15))
    def amend(self, number: int, offset: int, size: int, what: int) -> None:
        """Amend an open order, whatever it is."""
        order = self.pick(number)
        if order is not None:
            qty = Decimal(size).scaleb(-4) * 5
            self.do(
                Amend(
                    order_id=order.order_id,
                    account=order.account,
                    qty=qty if what & 1 else None,
                    limit_price=Decimal(self.price(offset)) if what & 2 else None,
                    trigger_price=Decimal(self.price(-offset)) if what & 4 else None,
                    display_qty=qty / 3 if what & 8 else None,
                )
            )

    @rule(number=st.integers(0, 50), offset=OFFSETS, size=SIZES, what=st.integers(0, 7))
    def edit(self, number: int, offset: int, size: int, what: int) -> None:
        """Edit an open order, whatever it is."""
        order = self.pick(number)
        if order is not None:
            self.do(
                Edit(
                    order_id=order.order_id,
                    symbol="BTC/USD",
                    account=order.account,
                    qty=Decimal(size).scaleb(-4) * 5 if what & 1 else None,
                    limit_price=Decimal(self.price(offset)) if what & 2 else None,
                    trigger=Trigger(price=Decimal(self.price(offset))) if what & 4 else None,
                )
            )

    @rule(number=st.integers(0, 50), many=st.integers(0, 5))
    def cancel(self, number: int, many: int) -> None:
        """Cancel one, some or all."""
        order = self.pick(number)
        if order is None:
            return
        if many == 0:
            self.do(CancelAll(account=order.account))
        elif many == 1:
            ids = tuple(o.order_id for o in self.there.open_of(order.account))[:3]
            self.do(CancelBatch(ids, order.account))
        else:
            self.do(Cancel(order.order_id, order.account))

    @rule(account=st.sampled_from(NAMES), amount=st.integers(-4000, 4000), coin=st.booleans())
    def transfer(self, account: str, amount: int, coin: bool) -> None:
        """Bring or take money or coins."""
        asset, scale = ("BTC", -5) if coin else ("USD", 0)
        moved = Decimal(amount).scaleb(scale)
        self.do(Transfer(asset=asset, amount=moved, kind="adjustment", account=account))

    @rule(drift=st.integers(-400, 400), tape=st.lists(st.tuples(OFFSETS, SIZES, st.booleans())))
    def step(self, drift: int, tape: list[tuple[int, int, bool]]) -> None:
        """One market step with its prints."""
        self.at += timedelta(seconds=1)
        self.mid += drift
        prints = tuple(
            Print(self.mid + offset // 10, size * 10**5, flag, True)
            for offset, size, flag in tape[:6]
        )
        self.acts.append(("due", self.at, None))
        self.there.run_due(self.at)
        self.acts.append(("step", self.at, (self.quotes(), prints)))
        self.there.on_market("BTC/USD", self.at, *self.quotes(), prints)

    @precondition(lambda self: len(self.acts) > 5)
    @rule(system=st.sampled_from(["cancel_only", "post_only", "maintenance"]), offset=OFFSETS)
    def outage(self, system: Any, offset: int) -> None:
        """The exchange goes down, people try, and it comes back."""
        self.do(SetSystem(system))
        self.place_one("limit", "main", offset, 20, 3)
        self.place_one("limit", "other", offset, 20, 20)
        self.cancel(offset % 7, 2)
        self.step(offset, [(offset, 20, True)])
        self.do(SetSystem("online"))

    @rule(status=st.sampled_from(["online", "online", "limit_only", "post_only"]))
    def mood(self, status: Any) -> None:
        """The pair takes another status."""
        self.do(SetPair(symbol="BTC/USD", status=status))

    @rule()
    def restart(self) -> None:
        """Come up again from the state."""
        self.there = parts.again(self.there)

    @invariant()
    def the_books_balance(self) -> None:
        """Exact ledgers, covered holds, no crossed book, unique client ids, sums of fills."""
        parts.check(self.there)

    @invariant()
    def what_one_gets_another_gives(self) -> None:
        """Two sides of a trade mirror each other, and never are of one account."""
        sides: dict[int, list[Trade]] = defaultdict(list)
        for trade in self.there.state.trades:
            sides[trade.trade_id].append(trade)
        for met in sides.values():
            assert len(met) <= 2
            if len(met) == 2:
                taker, maker = met
                assert (taker.price, taker.qty, taker.cost) == (maker.price, maker.qty, maker.cost)
                assert {taker.side, maker.side} == {"buy", "sell"}
                assert (taker.liquidity, maker.liquidity) == ("t", "m")
                assert taker.account != maker.account

    @invariant()
    def nothing_waits_that_is_closed(self) -> None:
        """Open orders and only they are in the book or at their trigger."""
        there = self.there
        book = there.books["BTC/USD"]
        placed = {level.order.order_id for side in book.own for level in side}
        waiting = set(there.waiting.get("BTC/USD", {}))
        later = {name for name, order in there.open.items() if order.status == "pending_new"}
        assert placed | waiting | later == set(there.open)
        assert not placed & (waiting | later)

    def teardown(self) -> None:
        """The same acts on a fresh venue end in the same state."""
        if not self.specs:
            return
        fresh = parts.venue(self.specs, self.switches)
        for kind, at, what in self.acts:
            if kind == "do":
                fresh.apply(what, at)
            elif kind == "due":
                fresh.run_due(at)
            else:
                (bid, ask), prints = what
                fresh.on_market("BTC/USD", at, bid, ask, prints)
        assert parts.frozen(fresh) == parts.frozen(self.there)


Crowd.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestCrowd = Crowd.TestCase
