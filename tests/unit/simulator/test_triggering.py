"""Waiting orders at market steps."""

from datetime import timedelta
from decimal import Decimal

import venue_parts as parts
from venue_parts import NOON, bought, place, sold, stop

from simple_trader.simulator.orders import SetPair
from simple_trader.simulator.reports import Opened, Triggered
from simple_trader.simulator.rules import VenueRules


def test_a_stop_loss_waits_outside_the_book_and_then_sells_at_the_market() -> None:
    there = parts.venue()
    order_id = parts.opened(there.apply(stop("sell", "stop-loss", "64900.0"), NOON))
    assert there.open[order_id].untriggered
    assert there.books["BTC/USD"].best_own(1) is None
    assert there.held() == {"BTC": Decimal("0.01")}
    assert parts.step(there, 649_500, sold(649_500)) == [] or not there.state.trades
    reports = parts.step(there, 648_950, sold(649_000))
    assert parts.kinds(reports) == ["Triggered", "Traded", "Closed"]
    fired = parts.one(reports, Triggered).order
    assert fired.trigger is not None
    assert fired.trigger.triggered
    assert fired.trigger.last_price == Decimal("64900.0")
    assert there.state.trades[0].price == Decimal("64895.0")
    parts.check(there)


def test_a_touch_within_a_step_fires_even_when_the_step_ends_elsewhere() -> None:
    there = parts.venue()
    there.apply(stop("sell", "stop-loss", "64900.0"), NOON)
    reports = parts.step(there, 650_000, sold(648_000, 1), bought(650_010, 1))
    assert parts.kinds(reports)[0] == "Triggered"


def test_a_triggered_limit_may_rest_like_any_other() -> None:
    there = parts.venue()
    asked = stop("buy", "stop-loss-limit", "65100.0", limit="65050.0")
    order_id = parts.opened(there.apply(asked, NOON))
    assert there.held()["USD"] == (Decimal("650.50") * Decimal("1.004")).quantize(Decimal("0.0001"))
    reports = parts.step(there, 651_000, bought(651_010))
    assert parts.kinds(reports) == ["Triggered"]
    assert there.books["BTC/USD"].best_own(0) == 650_500
    assert not there.open[order_id].untriggered
    reports = parts.step(there, 650_000, sold(650_000))
    assert parts.kinds(reports) == ["Traded", "Closed"]
    assert there.state.trades[0].liquidity == "m"
    parts.check(there)


def test_a_trailing_stop_follows_the_tape_up_and_fires_at_its_distance() -> None:
    there = parts.venue()
    there.apply(stop("sell", "trailing-stop", "100.0"), NOON)
    assert parts.kinds(parts.step(there, 650_500, bought(650_510))) == ["Triggered"]
    reports = parts.step(there, 651_500, bought(651_510, 1), bought(651_410, 1))
    trailing = parts.one(reports, Triggered).order.trigger
    assert trailing is not None
    assert (trailing.peak_price, trailing.actual_price, trailing.triggered) == (
        Decimal("65151.0"),
        Decimal("65051.0"),
        False,
    )
    assert parts.step(there, 650_600, sold(650_600)) == []
    assert parts.kinds(parts.step(there, 650_500, sold(650_510))) == [
        "Triggered",
        "Traded",
        "Closed",
    ]


def test_a_trailing_buy_frees_what_it_no_longer_holds() -> None:
    there = parts.venue()
    there.apply(stop("buy", "trailing-stop", "1", price_type="pct"), NOON)
    before = there.held()["USD"]
    parts.step(there, 640_000, sold(640_000))
    assert there.held()["USD"] < before
    parts.check(there)


def test_an_index_trigger_looks_at_the_middle_of_the_quotes_not_at_the_tape() -> None:
    there = parts.venue()
    there.apply(stop("sell", "stop-loss", "64900.0", reference="index"), NOON)
    assert parts.step(there, 650_000, sold(600_000, 1)) == []
    assert parts.kinds(parts.step(there, 648_990))[0] == "Triggered"


def test_without_an_index_the_last_price_counts_or_the_order_is_refused() -> None:
    asked = stop("sell", "stop-loss", "64900.0", reference="index")
    there = parts.venue()
    there.apply(SetPair(symbol="BTC/USD", index=False), NOON)
    there.apply(asked, NOON)
    assert parts.kinds(parts.step(there, 650_000, sold(648_000, 1)))[0] == "Triggered"
    strict = parts.venue(rules=VenueRules(index_down="refuse"))
    strict.apply(SetPair(symbol="BTC/USD", index=False), NOON)
    words = "EGeneral:Invalid arguments:Index unavailable"
    assert parts.refusal(strict.apply(asked, NOON)) == words


def test_a_stop_buy_that_has_become_too_dear_is_canceled_for_want_of_funds() -> None:
    there = parts.venue(parts.accounts("main", usd="660"))
    there.apply(stop("buy", "stop-loss", "65100.0"), NOON)
    reports = parts.step(there, 680_000, bought(680_010))
    assert parts.ends(reports) == [("canceled", "Insufficient funds")]
    parts.check(there)


def test_a_waiting_order_can_be_canceled_and_expires() -> None:
    there = parts.venue()
    end = NOON + timedelta(seconds=60)
    gtd = stop("sell", "stop-loss", "64900.0", time_in_force="gtd", expire_at=end)
    there.apply(gtd, NOON)
    assert parts.ends(there.run_due(end)) == [("expired", "Order expired")]
    assert parts.step(there, 600_000, sold(600_000)) == []


def test_two_stops_fire_in_their_order_and_meet_the_book_one_after_the_other() -> None:
    there = parts.venue()
    for account in ("main", "other"):
        there.apply(stop("sell", "stop-loss", "64900.0", account=account), NOON)
    parts.step(there, 648_990, sold(648_990))
    assert list(dict.fromkeys(t.account for t in there.state.trades)) == ["main", "other"]
    parts.check(there)


def test_what_waits_for_a_trigger_waits_on_after_a_restart() -> None:
    there = parts.venue()
    there.apply(stop("sell", "trailing-stop", "100.0"), NOON)
    there.apply(place("buy", price="60000.0"), NOON)
    parts.step(there, 651_000, bought(651_010))
    again = parts.again(there)
    for one in (there, again):
        reports = parts.step(one, 649_500, sold(649_500))
        assert parts.kinds(reports)[:2] == ["Triggered", "Traded"]
        assert parts.ends(reports) == [("filled", None)]
    assert parts.frozen(there) == parts.frozen(again)


def test_a_triggered_order_meets_its_own_account_by_its_own_rule() -> None:
    there = parts.venue()
    there.apply(place("buy", "0.01", "64899.5"), NOON)
    there.apply(stop("sell", "stop-loss-limit", "64900.0", limit="64899.0"), NOON)
    reports = parts.step(there, 648_990, sold(649_000, 1))
    assert ("canceled", "Self trade prevention") in parts.ends(reports)
    assert not [report for report in reports if isinstance(report, Opened)]
    parts.check(there)
