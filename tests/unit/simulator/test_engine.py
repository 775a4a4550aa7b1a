"""Matching: accounts meet in price-time order, and every way an order can end."""

from decimal import Decimal
from itertools import islice

import pytest
import venue_parts as parts
from venue_parts import NOON, place

from simple_trader.simulator.accounts import AccountSpec
from simple_trader.simulator.liquidity import ASK, BID
from simple_trader.simulator.orders import SelfTrade
from simple_trader.simulator.reports import Closed, Refilled, Traded
from simple_trader.simulator.rules import VenueRules

INSIDE = "65000.5"  # between the market's bid and ask


def test_orders_of_two_accounts_trade_with_each_other_at_the_maker_s_price() -> None:
    there = parts.venue()
    resting = parts.opened(there.apply(place("sell", "0.02", INSIDE, account="other"), NOON))
    reports = there.apply(place("buy", "0.05", "65000.9"), NOON)
    assert parts.kinds(reports) == ["Opened", "Traded", "Traded", "Closed"]
    taken, made = (report for report in reports if isinstance(report, Traded))
    assert (taken.order.account, made.order.account) == ("main", "other")
    assert (taken.trade.liquidity, made.trade.liquidity) == ("t", "m")
    assert taken.trade.trade_id == made.trade.trade_id
    assert taken.trade.exec_id != made.trade.exec_id
    assert taken.trade.price == made.trade.price == Decimal(INSIDE)
    assert there.state.orders[resting].status == "filled"
    best = there.books["BTC/USD"].best(BID)
    assert best == (650_009, 3_000_000)
    parts.check(there)


def test_what_one_account_sells_the_other_gets_and_only_fees_leave() -> None:
    there = parts.venue()
    there.apply(place("sell", "0.02", INSIDE, account="other"), NOON)
    there.apply(place("buy", "0.02", INSIDE), NOON)
    first, second = (there.state.accounts[name] for name in ("main", "other"))
    fees = sum((trade.fee for trade in there.state.trades), Decimal(0))
    assert first.balances["BTC"] + second.balances["BTC"] == 4
    assert first.balances["USD"] + second.balances["USD"] == 200_000 - fees
    assert fees > 0


def test_the_better_price_trades_first_then_the_older_order_then_the_market() -> None:
    there = parts.venue([*parts.accounts("main", "other", "third", usd="10000000")])
    queue = [
        parts.opened(there.apply(place("sell", "0.01", price, account=name), NOON))
        for name, price in (
            ("other", "65000.7"),
            ("third", "65000.6"),
            ("other", "65000.6"),
            ("third", "65001.0"),
        )
    ]
    market_lots = next(there.books["BTC/USD"].market_levels(ASK))[1]
    there.apply(place("buy", f"{0.03 + market_lots / 10**8 + 0.005:.8f}", "65001.0"), NOON)
    met = [t.order_id for t in there.state.trades if t.liquidity == "m"]
    assert met == [queue[1], queue[2], queue[0], queue[3]]
    last = there.state.orders[queue[3]]
    assert last.cum_qty == Decimal("0.005")
    parts.check(there)


@pytest.mark.parametrize(
    ("stp", "gone"),
    [
        ("cancel_newest", ["newest"]),
        ("cancel_oldest", ["oldest"]),
        ("cancel_both", ["oldest", "newest"]),
    ],
)
def test_self_trade_prevention_names_its_victims(stp: SelfTrade, gone: list[str]) -> None:
    there = parts.venue()
    oldest = parts.opened(there.apply(place("sell", "0.01", INSIDE), NOON))
    reports = there.apply(place("buy", "0.01", INSIDE, stp=stp), NOON)
    newest = parts.opened(reports)
    names = {oldest: "oldest", newest: "newest"}
    closed = [report.order for report in reports if isinstance(report, Closed)]
    assert [names[order.order_id] for order in closed] == gone
    assert {order.reason for order in closed} == {"Self trade prevention"}
    assert not there.state.trades
    parts.check(there)


def test_self_trade_prevention_lets_the_fills_before_it_stand() -> None:
    there = parts.venue(rules=VenueRules(stp_victim="expired"))
    there.apply(place("sell", "0.01", "65000.4", account="other"), NOON)
    there.apply(place("sell", "0.01", INSIDE), NOON)
    reports = there.apply(place("buy", "0.03", INSIDE), NOON)
    assert parts.ends(reports) == [("filled", None), ("expired", "Self trade prevention")]
    assert there.state.trades[0].qty == Decimal("0.01")


@pytest.mark.parametrize("status", ["canceled", "expired"])
def test_an_ioc_remainder_ends_with_the_chosen_status(status: str) -> None:
    rules = VenueRules(ioc_remainder="expired" if status == "expired" else "canceled")
    there = parts.venue(parts.accounts("main", usd="10000000"), rules)
    reports = there.apply(place("buy", "50", "65001.0", time_in_force="ioc"), NOON)
    assert parts.kinds(reports) == ["Opened", "Traded", "Closed"]
    assert parts.ends(reports) == [(status, "Immediate or cancel remainder")]


def test_a_fill_or_kill_order_fills_whole_or_not_at_all() -> None:
    there = parts.venue(parts.accounts("main", usd="10000000"))
    lots = next(there.books["BTC/USD"].market_levels(ASK))[1]
    whole, more = f"{lots / 10**8:.8f}", f"{(lots + 1) / 10**8:.8f}"
    killed = there.apply(place("buy", more, "65001.0", time_in_force="fok"), NOON)
    assert parts.ends(killed) == [("canceled", "Fill or kill")]
    assert not there.state.trades
    filled = there.apply(place("buy", whole, "65001.0", time_in_force="fok"), NOON)
    assert parts.ends(filled) == [("filled", None)]


def test_an_iceberg_shows_a_slice_refills_it_and_loses_its_place() -> None:
    there = parts.venue(parts.accounts("main", "other", "third", usd="10000000"))
    iceberg = parts.opened(
        there.apply(
            place(
                "sell", "0.1", INSIDE, order_type="iceberg", display_qty=Decimal("0.03"),
                account="other",
            ),
            NOON,
        )
    )  # fmt: skip
    behind = parts.opened(there.apply(place("sell", "0.01", INSIDE, account="third"), NOON))
    book = there.books["BTC/USD"]
    assert book.best(ASK) == (650_005, 4_000_000)
    reports = there.apply(place("buy", "0.05", INSIDE), NOON)
    assert [t.order_id for t in there.state.trades if t.liquidity == "m"] == [
        iceberg,
        behind,
        iceberg,
    ]
    refill = parts.one(reports, Refilled).order
    assert refill.display_left == Decimal("0.03")
    assert there.state.orders[iceberg].display_left == Decimal("0.02")
    assert book.best(ASK) == (650_005, 2_000_000)
    assert next(iter(there.state.orders)) != iceberg
    parts.check(there)


def test_a_maker_behind_the_market_s_queue_waits_for_it() -> None:
    there = parts.venue(parts.accounts("main", "other", usd="10000000"))
    there.apply(place("sell", "0.01", "65001.0", account="other"), NOON)
    ahead = next(there.books["BTC/USD"].market_levels(ASK))[1]
    there.apply(place("buy", f"{ahead / 10**8:.8f}", "65001.0"), NOON)
    assert {t.account for t in there.state.trades} == {"main"}
    there.apply(place("buy", "0.004", "65001.0"), NOON)
    assert there.trades_of("other")[0].qty == Decimal("0.004")
    parts.check(there)


def test_a_market_order_never_goes_past_the_protection_band() -> None:
    there = parts.venue(parts.accounts("main", btc="100000", usd="1000"))
    reports = there.apply(place("sell", "100000"), NOON)
    assert parts.ends(reports) == [("canceled", "Market price protection")]
    assert min(t.price for t in there.state.trades) >= Decimal(65_000) * Decimal("0.98")


def test_a_fee_is_that_of_the_account_s_tier_and_of_the_pair_s_schedule() -> None:
    specs = [
        AccountSpec(name="main", opening={"USD": Decimal(10_000)}),
        AccountSpec(name="big", opening={"USD": Decimal(10_000)}, volume_30d=Decimal(10_000_000)),
    ]
    there = parts.venue(specs)
    there.on_market("USDT/USD", NOON, 100_000, 100_001, ())
    for name, symbol in (("main", "BTC/USD"), ("big", "BTC/USD"), ("main", "USDT/USD")):
        qty = "0.01" if symbol == "BTC/USD" else "100"
        there.apply(place("buy", qty, account=name, symbol=symbol), NOON)
    percents = {(t.account, t.symbol): round(t.fee / t.cost * 100, 2) for t in there.state.trades}
    assert percents == {
        ("main", "BTC/USD"): Decimal("0.40"),
        ("big", "BTC/USD"): Decimal("0.10"),
        ("main", "USDT/USD"): Decimal("0.20"),
    }


def test_volume_of_another_quote_currency_counts_in_dollars() -> None:
    specs = [AccountSpec(name="main", opening={"BTC": Decimal(1)})]
    there = parts.venue(specs)
    there.on_market("ETH/BTC", NOON, 40_000, 40_010, ())
    there.apply(place("buy", "1", symbol="ETH/BTC"), NOON)
    trade = there.state.trades[0]
    assert trade.usd_rate == Decimal("65000.5")
    counted = there.state.accounts["main"].volume.at(NOON)
    assert counted == trade.cost * Decimal("65000.5")


def test_dust_costs_nothing_less_than_it_has() -> None:
    there = parts.venue([AccountSpec(name="main", opening={"USD": Decimal("3.2631")})])
    there.apply(place("buy", "0.00005"), NOON)
    account = there.state.accounts["main"]
    assert there.state.trades[0].cost == Decimal("3.2500")
    assert account.balances["USD"] == Decimal("0.0001")
    assert parts.refusal(there.apply(place("sell", "0.00004"), NOON)).endswith("minimum not met")
    parts.check(there)


def test_the_hidden_part_of_an_iceberg_is_in_no_public_book() -> None:
    there = parts.venue()
    size = Decimal("0.01")
    there.apply(place("buy", "0.15", INSIDE, order_type="iceberg", display_qty=size), NOON)
    assert there.books["BTC/USD"].top(BID, 1) == [(650_005, 1_000_000)]
    assert there.available("main", "USD") < 100_000 - Decimal("0.15") * 65_000
    assert len(list(islice(there.books["BTC/USD"].market_levels(BID), 2))) == 2
