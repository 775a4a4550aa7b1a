"""New orders: what refuses them and in which order, schedules, batches and close orders."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
import venue_parts as parts
from venue_parts import NOON, bought, place, sold, stop

from simple_trader.simulator.liquidity import BID
from simple_trader.simulator.orders import Cancel, Conditional, PlaceBatch, SetPair, SetSystem
from simple_trader.simulator.reports import (
    BatchReports,
    Checked,
    Opened,
    Refused,
    Restated,
    Started,
)
from simple_trader.simulator.rules import VenueRules

FORM = "EGeneral:Invalid arguments:order_qty"
TICK = "EOrder:Tick size check failed"
SMALL = "EGeneral:Invalid arguments:volume minimum not met"
CHEAP = "EOrder:Cost minimum not met"
TAKEN = "EGeneral:Invalid arguments:cl_ord_id already in use by an open order"
RATE = "EOrder:Rate limit exceeded"
LIMIT = "EOrder:Orders limit exceeded"
FUNDS = "EOrder:Insufficient funds"
POST = "EOrder:Post only order"


def crowded() -> Any:
    """A venue on which everything can go wrong at once: counter full, 60 orders open, all held."""
    spec = parts.accounts("main", usd="1200", btc="0", tier="starter", counted=True)
    there = parts.venue(spec)
    for number in range(60):
        there.apply(place("buy", "0.00006", "20000.0", cl_ord_id=f"n{number}"), NOON)
    return there


def test_the_first_thing_wrong_in_kraken_s_order_is_what_the_answer_says() -> None:
    there = crowded()
    wrong: dict[str, Any] = {
        "qty": Decimal(-1),
        "symbol": "NO/PAIR",
        "limit_price": Decimal("65001.05"),
        "cl_ord_id": "n1",
        "post_only": True,
    }
    said = []
    for repair in (
        {},
        {"qty": Decimal("0.00000001")},
        {"symbol": "BTC/USD"},
        {"limit_price": Decimal("65002.0")},
        {"qty": Decimal("0.00005")},
        {"limit_price": Decimal("9999.9")},
        {"limit_price": Decimal("65002.0"), "qty": Decimal(2)},
        {"cl_ord_id": "fresh"},
    ):
        wrong |= repair
        said.append(parts.refusal(there.apply(place(**wrong, price="1"), NOON)))
    assert said == [
        FORM,
        "Currency pair not supported NO/PAIR",
        TICK,
        SMALL,
        TAKEN,
        CHEAP,
        TAKEN,
        RATE,
    ]
    later = NOON + timedelta(minutes=5)
    assert parts.refusal(there.apply(place(**wrong, price="1"), later)) == LIMIT
    there.apply(Cancel(next(iter(there.open))), later)
    assert parts.refusal(there.apply(place(**wrong, price="1"), later)) == FUNDS
    wrong["qty"] = Decimal("0.00005")
    assert parts.refusal(there.apply(place(**wrong, price="1"), later)) == POST
    wrong["post_only"] = False
    assert parts.opened(there.apply(place(**wrong, price="1"), later))


def test_the_fixed_part_is_charged_even_when_the_order_is_refused() -> None:
    there = parts.venue(parts.accounts("main", counted=True))
    for _ in range(3):
        there.apply(place(qty="-1"), NOON)
    there.apply(place(qty="1", price="60000.0", validate=True), NOON)
    assert there.rate_count("main", "BTC/USD", NOON) == 4
    assert there.rate_count("main", "BTC/USD", NOON + timedelta(seconds=1)) == Decimal("1.66")


def test_an_account_without_a_counter_is_never_slowed_down() -> None:
    there = parts.venue(parts.accounts("main"))
    for _ in range(400):
        there.apply(place(qty="-1"), NOON)
    assert there.rate_count("main", "BTC/USD", NOON) == 0
    assert parts.opened(there.apply(place(qty="0.001"), NOON))


@pytest.mark.parametrize(("tier", "most"), [("starter", 60), ("intermediate", 80), ("pro", 225)])
def test_open_orders_of_a_pair_are_limited_by_tier(tier: str, most: int) -> None:
    there = parts.venue(parts.accounts("main", "other", tier=tier))
    for _ in range(most):
        parts.opened(there.apply(place(qty="0.0001", price="60000.0"), NOON))
    over = place(qty="0.0001", price="60000.0")
    assert parts.refusal(there.apply(over, NOON)) == LIMIT
    there.on_market("ETH/USD", NOON, 300_000, 300_010, ())
    eth = place(qty="0.01", price="2000.0")
    assert parts.opened(there.apply(msgspec.structs.replace(eth, symbol="ETH/USD"), NOON))
    assert parts.opened(there.apply(msgspec.structs.replace(over, account="other"), NOON))


@pytest.mark.parametrize("choice", ["refuse", "cancel", "both"])
def test_a_post_only_order_that_would_take_never_trades_whatever_the_switch(choice: Any) -> None:
    there = parts.venue(rules=VenueRules(post_only=choice))
    seen = set()
    for _ in range(40):
        reports = there.apply(place(price="65001.0", post_only=True), NOON)
        if isinstance(reports[0], Refused):
            assert parts.refusal(reports) == POST
        else:
            assert parts.ends(reports) == [("canceled", "Post only order")]
        seen.add(parts.kinds(reports)[0])
        there.apply(place(qty="0.0001", price="60000.0"), NOON)
    wanted = {"refuse": {"Refused"}, "cancel": {"Opened"}, "both": {"Refused", "Opened"}}
    assert seen == wanted[choice]
    assert not there.state.trades


def test_the_default_fee_currency_is_a_switch() -> None:
    for choice, wanted in (("quote", [False, False]), ("documented", [False, True])):
        there = parts.venue(rules=msgspec.convert({"fee_default": choice}, VenueRules))
        both = [there.apply(place(side), NOON) for side in ("buy", "sell")]
        assert [parts.one(reports, Opened).order.fee_in_base for reports in both] == wanted
        asked = parts.one(there.apply(place(fee_in_base=True), NOON), Opened).order
        assert asked.fee_in_base


# --- schedules ----------------------------------------------------------------------------------


def test_a_scheduled_order_waits_holds_and_starts_at_its_moment() -> None:
    there = parts.venue()
    start = NOON + timedelta(hours=1)
    reports = there.apply(place(price="65001.0", effective_at=start), NOON)
    order = parts.one(reports, Opened).order
    assert (parts.kinds(reports), order.status) == (["Opened"], "pending_new")
    assert there.held()["USD"] > 650
    assert parts.step(there, 640_000, sold(640_000)) == []
    assert there.next_due() == start
    assert there.run_due(start - timedelta(seconds=1)) == []
    parts.step(there, 650_000)
    begun = there.run_due(start)
    assert parts.kinds(begun)[:2] == ["Started", "Traded"]
    assert parts.one(begun, Started).order.status == "new"
    assert there.next_due() is None
    parts.check(there)


def test_a_scheduled_order_queues_from_its_start_also_after_a_restart() -> None:
    there = parts.venue()
    start = NOON + timedelta(hours=1)
    late = parts.opened(there.apply(place(price="65000.5", effective_at=start), NOON))
    early = parts.opened(there.apply(place(price="65000.5", account="other"), NOON))
    there.run_due(start)
    for one in (there, parts.again(there)):
        levels = one.books["BTC/USD"].by_priority(BID)
        assert [level.order.order_id for level in levels] == [early, late]


def test_a_scheduled_market_buy_holds_what_it_would_cost_now() -> None:
    there = parts.venue()
    start = NOON + timedelta(hours=1)
    there.apply(place(qty="0.01", effective_at=start), NOON)
    there.apply(place(qty=None, cash_qty=Decimal(100), effective_at=start), NOON)
    assert there.held() == {"USD": Decimal("652.6101") + Decimal("100.4000")}
    there.run_due(start)
    assert {order.status for order in there.state.orders.values()} <= {"filled", "canceled"}
    assert len(there.state.trades) >= 2
    parts.check(there)


def test_orders_that_wait_for_their_start_are_limited() -> None:
    there = parts.venue(rules=VenueRules(scheduled_orders=2))
    asked = place(price="60000.0", effective_at=NOON + timedelta(hours=1))
    for _ in range(2):
        there.apply(asked, NOON)
    words = "EOrder:Scheduled orders limit exceeded"
    assert parts.refusal(there.apply(asked, NOON)) == words


def test_a_start_in_the_past_is_now() -> None:
    there = parts.venue()
    reports = there.apply(place(effective_at=NOON - timedelta(hours=1)), NOON)
    assert parts.kinds(reports)[:2] == ["Opened", "Traded"]


def test_an_order_whose_start_finds_no_market_is_canceled() -> None:
    there = parts.venue()
    start = NOON + timedelta(hours=1)
    there.apply(place(price="60000.0", effective_at=start), NOON)
    there.apply(SetSystem("cancel_only"), NOON)
    assert parts.ends(there.run_due(start)) == [("canceled", "Market unavailable")]
    assert there.next_due() is None


# --- batches ------------------------------------------------------------------------------------


def test_a_batch_gives_one_list_of_reports_for_each_order_and_all_of_them_once_more() -> None:
    there = parts.venue(parts.accounts("main", usd="1000", counted=True))
    orders = (place(price="60000.0"), place(price="61000.0"), place(qty="0.001"))
    reports = there.apply(PlaceBatch(symbol="BTC/USD", orders=orders), NOON)
    batch = reports[0]
    assert isinstance(batch, BatchReports)
    assert [parts.kinds(part)[0] for part in batch.parts] == ["Opened", "Refused", "Opened"]
    assert batch.parts[1] == (Refused(FUNDS),)
    assert [report for part in batch.parts for report in part] == reports[1:]
    assert there.rate_count("main", "BTC/USD", NOON) == Decimal("1.5")
    parts.check(there)


@pytest.mark.parametrize(
    ("orders", "error"),
    [
        ((place(price="60000.0"), place(price="60000.05")), TICK),
        ((place(price="60000.0"),), "EGeneral:Invalid arguments:orders"),
        ((place(price="60000.0"),) * 16, "EGeneral:Invalid arguments:orders"),
        ((place(price="60000.0", cl_ord_id="a"),) * 2, "EGeneral:Invalid arguments:cl_ord_id"),
    ],
)
def test_one_invalid_order_refuses_the_whole_batch(orders: tuple[Any, ...], error: str) -> None:
    there = parts.venue()
    before = parts.frozen(there)
    assert parts.refusal(there.apply(PlaceBatch(symbol="BTC/USD", orders=orders), NOON)) == error
    assert parts.frozen(there) == before


def test_a_batch_to_validate_places_nothing() -> None:
    there = parts.venue()
    batch = PlaceBatch(symbol="BTC/USD", orders=(place(), place(price="60000.0")), validate=True)
    reports = there.apply(batch, NOON)
    assert [type(report) for report in reports] == [BatchReports, Checked, Checked]
    assert not there.state.orders


# --- close orders -------------------------------------------------------------------------------


def test_every_fill_spawns_a_close_order_of_its_size_on_the_other_side() -> None:
    there = parts.venue(parts.accounts("main", usd="10000000", btc="0"))
    close = Conditional(order_type="limit", limit_price=Decimal(5), limit_price_type="pct")
    reports = there.apply(place("buy", "3", "65001.0", close=close, userref=9), NOON)
    primary = parts.opened(reports)
    reports += parts.step(there, 650_005, sold(650_000))
    spawned = [r.order for r in reports if isinstance(r, Opened)][1:]
    fills = [trade for trade in there.state.trades if trade.order_id == primary]
    assert len(fills) >= 2
    assert [order.qty for order in spawned] == [fill.qty for fill in fills]
    assert {(order.side, order.parent_id, order.userref) for order in spawned} == {
        ("sell", primary, 9)
    }
    assert {order.limit_price for order in spawned} == {Decimal("68251.0")}
    parts.check(there)


def test_a_close_order_may_be_a_stop() -> None:
    there = parts.venue()
    close = Conditional(order_type="stop-loss", trigger_price=Decimal("64900.0"))
    there.apply(place("buy", "0.01", close=close), NOON)
    (waiting,) = there.open.values()
    assert waiting.untriggered
    reports = parts.step(there, 648_900, sold(648_900))
    assert parts.kinds(reports)[:2] == ["Triggered", "Traded"]
    parts.check(there)


def test_a_close_order_sells_no_more_than_a_fee_in_base_left() -> None:
    there = parts.venue(parts.accounts("main", btc="0"))
    close = Conditional(order_type="limit", limit_price=Decimal(70_000))
    reports = there.apply(place("buy", "0.01", close=close, fee_in_base=True), NOON)
    cut = [report.order for report in reports if isinstance(report, Restated)]
    assert cut
    fills = [trade.qty - trade.fee for trade in there.state.trades]
    assert sum(order.qty for order in there.open.values()) <= sum(fills)
    parts.check(there)


def test_a_close_order_that_cannot_be_paid_is_opened_and_canceled() -> None:
    there = parts.venue(parts.accounts("main", usd="0", btc="0.01"))
    close = Conditional(order_type="limit", limit_price=Decimal(70_000))
    reports = there.apply(place("sell", "0.01", close=close), NOON)
    assert ("canceled", "Insufficient funds") in parts.ends(reports)
    assert not there.open
    parts.check(there)


def test_a_close_order_that_crosses_trades_at_once_and_spawns_no_more() -> None:
    there = parts.venue()
    close = Conditional(order_type="limit", limit_price=Decimal("64000.0"))
    reports = there.apply(place("buy", "0.01", close=close), NOON)
    sides = [trade.side for trade in there.state.trades]
    assert (sides[0], set(sides)) == ("buy", {"buy", "sell"})
    assert len([r for r in reports if isinstance(r, Opened)]) >= 2
    assert not there.open
    parts.check(there)


# --- the market's mood --------------------------------------------------------------------------


def test_an_untrusted_book_takes_orders_that_rest_and_refuses_those_that_trade() -> None:
    there = parts.venue()
    there.trust("BTC/USD", trusted=False)
    words = "EService:Unavailable"
    assert parts.refusal(there.apply(place(qty="0.001"), NOON)) == words
    assert parts.refusal(there.apply(place(price="65001.0"), NOON)) == words
    assert parts.opened(there.apply(place(price="65000.5"), NOON))
    assert parts.step(there, 640_000, sold(640_000)) == []
    there.trust("BTC/USD", trusted=True)
    assert parts.kinds(parts.step(there, 640_000)) == ["Traded", "Closed"]


def test_new_rules_of_a_pair_hold_for_the_next_order() -> None:
    there = parts.venue()
    changes = SetPair(
        symbol="BTC/USD",
        qty_min=Decimal("0.02"),
        cost_min=Decimal(2000),
        price_increment=Decimal("0.5"),
    )
    there.apply(changes, NOON)
    assert parts.refusal(there.apply(place(price="60000.1"), NOON)) == TICK
    assert parts.refusal(there.apply(place(price="60000.0"), NOON)) == SMALL
    assert parts.refusal(there.apply(place(qty="0.03", price="60000.5"), NOON)) == CHEAP
    assert parts.opened(there.apply(place(qty="0.04", price="60000.5"), NOON))
    assert there.books["BTC/USD"].best_own(BID) == 600_005
    assert parts.again(there).pairs["BTC/USD"] == there.pairs["BTC/USD"]


def test_a_stop_is_judged_at_its_trigger_when_it_names_no_limit() -> None:
    there = parts.venue()
    cheap = stop("sell", "stop-loss", "9000.0", qty="0.00005")
    assert parts.refusal(there.apply(cheap, NOON)) == CHEAP
    far = stop("sell", "stop-loss-limit", "9.0", limit="9.0", qty="0.1")
    assert parts.opened(there.apply(far, NOON))
    assert parts.step(there, 650_000, bought(650_010)) == []
