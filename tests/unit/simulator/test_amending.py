"""Amend, edit, cancel: places in the queue, costs, and what is refused."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import venue_parts as parts
from venue_parts import NOON, place, sold, stop

from simple_trader.simulator.liquidity import BID
from simple_trader.simulator.orders import (
    Amend,
    Cancel,
    CancelAll,
    CancelBatch,
    Conditional,
    Edit,
    SetSystem,
    Trigger,
)
from simple_trader.simulator.reports import Amended, BatchReports, Refused, Replaced
from simple_trader.simulator.rules import VenueRules

UNKNOWN = "EOrder:Unknown order"
INVALID = "EOrder:Invalid order"
BAD = "EGeneral:Invalid arguments"


def queue(there: Any) -> list[str]:
    """The own orders of the bid side, in priority."""
    return [level.order.order_id for level in there.books["BTC/USD"].by_priority(BID)]


def two_at_one_price(rules: VenueRules | None = None) -> tuple[Any, str, str]:
    there = parts.venue(rules=rules)
    first = parts.opened(there.apply(place(qty="0.02", price="65000.5"), NOON))
    second = parts.opened(there.apply(place(qty="0.02", price="65000.5", account="other"), NOON))
    return there, first, second


# --- amend --------------------------------------------------------------------------------------


def test_a_pure_decrease_keeps_its_place_and_the_quantity_is_the_new_total() -> None:
    there, first, second = two_at_one_price()
    there.apply(place("sell", "0.005", "65000.5", account="other", stp="cancel_newest"), NOON)
    reports = there.apply(Amend(order_id=first, qty=Decimal("0.01")), NOON)
    changed = parts.one(reports, Amended).order
    assert (changed.qty, changed.cum_qty, changed.amended) == (
        Decimal("0.01"),
        Decimal("0.005"),
        True,
    )
    assert queue(there) == [first, second]
    parts.check(there)


@pytest.mark.parametrize(
    "change",
    [
        {"qty": Decimal("0.03")},
        {"limit_price": Decimal("65000.4")},
        {"limit_price": Decimal("65000.4"), "qty": Decimal("0.01")},
    ],
)
def test_an_increase_or_another_price_goes_to_the_end_of_the_queue(change: dict[str, Any]) -> None:
    there, first, second = two_at_one_price()
    there.apply(Amend(order_id=first, **change), NOON)
    if "limit_price" in change:
        there.apply(Amend(order_id=second, account="other", **change), NOON)
        assert queue(there) == [first, second]
        there.apply(Amend(order_id=first, qty=Decimal("0.05")), NOON)
    assert queue(there) == [second, first]
    assert queue(parts.again(there)) == [second, first]
    parts.check(there)


def test_the_other_reading_is_that_no_amend_keeps_its_place() -> None:
    there, first, second = two_at_one_price(VenueRules(amend_priority="never"))
    there.apply(Amend(order_id=first, qty=Decimal("0.01")), NOON)
    assert queue(there) == [second, first]
    parts.check(there)


def test_a_quantity_at_or_below_what_has_filled_cancels_the_rest() -> None:
    there, first, _ = two_at_one_price()
    there.apply(place("sell", "0.015", "65000.5", account="other", stp="cancel_oldest"), NOON)
    reports = there.apply(Amend(order_id=first, qty=Decimal("0.01")), NOON)
    assert parts.kinds(reports) == ["Amended", "Closed"]
    assert parts.ends(reports) == [("canceled", "User requested")]
    parts.check(there)


def test_an_amended_price_may_take_but_not_when_it_must_not() -> None:
    there = parts.venue()
    order_id = parts.opened(there.apply(place(price="65000.5"), NOON))
    cross = Amend(order_id=order_id, limit_price=Decimal("65001.0"), post_only=True)
    assert parts.refusal(there.apply(cross, NOON)) == "EOrder:Post only order"
    reports = there.apply(Amend(order_id=order_id, limit_price=Decimal("65001.0")), NOON)
    assert parts.kinds(reports)[:2] == ["Amended", "Traded"]
    parts.check(there)


def test_a_trigger_moves_with_an_amend_and_only_before_it_fires() -> None:
    there = parts.venue()
    waiting = parts.opened(there.apply(stop("sell", "stop-loss", "64000.0"), NOON))
    there.apply(Amend(order_id=waiting, trigger_price=Decimal("64900.0")), NOON)
    trailing = parts.opened(there.apply(stop("buy", "trailing-stop", "300.0"), NOON))
    there.apply(Amend(order_id=trailing, trigger_price=Decimal("500.0")), NOON)
    state = there.open[trailing].trigger
    assert state is not None
    assert state.actual_price == Decimal("65500.5")
    assert parts.kinds(parts.step(there, 648_900, sold(648_900)))[0] == "Triggered"
    resting = parts.opened(there.apply(place(price="60000.0"), NOON))
    late = Amend(order_id=resting, trigger_price=Decimal("64900.0"))
    assert parts.refusal(there.apply(late, NOON)) == f"{BAD}:trigger_price"


def test_an_iceberg_may_show_less_or_more() -> None:
    there = parts.venue()
    asked = place(qty="0.1", price="65000.5", order_type="iceberg", display_qty=Decimal("0.05"))
    order_id = parts.opened(there.apply(asked, NOON))
    there.apply(Amend(order_id=order_id, display_qty=Decimal("0.01")), NOON)
    assert there.books["BTC/USD"].best(BID) == (650_005, 1_000_000)
    parts.check(there)
    tiny = Amend(order_id=order_id, display_qty=Decimal("0.005"))
    assert parts.refusal(there.apply(tiny, NOON)) == f"{BAD}:display_qty"
    there.apply(Amend(order_id=order_id, qty=Decimal("0.02")), NOON)
    parts.check(there)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"order_id": "OAAAAA-AAAAA-AAAAAA"}, UNKNOWN),
        ({"account": "other"}, UNKNOWN),
        ({"qty": Decimal("0.00001")}, f"{BAD}:volume minimum not met"),
        ({"qty": Decimal("0.000000001")}, f"{BAD}:volume precision"),
        ({"qty": Decimal(-1)}, f"{BAD}:order_qty"),
        ({"qty": Decimal(10)}, "EOrder:Insufficient funds"),
        ({"limit_price": Decimal("60000.05")}, "EOrder:Tick size check failed"),
        ({"limit_price": Decimal(0)}, f"{BAD}:limit_price"),
        ({"limit_price": Decimal(3), "qty": Decimal("0.001")}, "EOrder:Cost minimum not met"),
        ({"limit_price_type": "pct"}, f"{BAD}:limit_price_type"),
        ({"display_qty": Decimal("0.01")}, f"{BAD}:display_qty"),
        ({"trigger_price_type": "pct"}, f"{BAD}:trigger_price_type"),
        ({"deadline": NOON - timedelta(seconds=1)}, "EService:Deadline elapsed"),
    ],
)
def test_an_amend_that_is_refused_changes_nothing(change: dict[str, Any], error: str) -> None:
    there = parts.venue()
    order_id = parts.opened(there.apply(place(price="60000.0"), NOON))
    before = parts.frozen(there)
    fields = {"order_id": order_id, **change}
    assert parts.refusal(there.apply(Amend(**fields), NOON)) == error
    assert parts.frozen(there) == before


# --- costs --------------------------------------------------------------------------------------


def test_the_worked_example_of_the_sheet_costs_eight() -> None:
    there = parts.venue(parts.accounts("main", tier="starter", counted=True))
    order_id = parts.opened(there.apply(place(price="60000.0"), NOON))
    seven, end = NOON + timedelta(seconds=7), NOON + timedelta(seconds=43)
    there.apply(Amend(order_id=order_id, limit_price=Decimal("61000.0")), seven)
    assert there.rate_count("main", "BTC/USD", seven) == 3
    there.apply(Cancel(order_id), end)
    assert there.rate_count("main", "BTC/USD", end) == 4


def test_cancel_and_replace_every_second_throttles_a_starter_in_about_seven() -> None:
    there = parts.venue(parts.accounts("main", tier="starter", counted=True))
    refused: int | None = None
    for second in range(20):
        at = NOON + timedelta(seconds=second)
        reports = there.apply(place(qty="0.001", price="60000.0"), at)
        if isinstance(reports[0], Refused):
            refused = second
            break
        reports = there.apply(Cancel(parts.opened(reports)), at)
        if isinstance(reports[0], Refused):
            assert parts.refusal(reports) == "EOrder:Rate limit exceeded"
            refused = second
            break
    assert refused is not None
    assert 6 <= refused <= 8


def test_a_batch_of_cancels_passes_over_the_limit_and_is_charged() -> None:
    there = parts.venue(parts.accounts("main", tier="starter", counted=True))
    ids = [parts.opened(there.apply(place(qty="0.001", price="60000.0"), NOON)) for _ in range(12)]
    reports = there.apply(CancelBatch((*ids, "OAAAAA-AAAAA-AAAAAA")), NOON)
    batch = reports[0]
    assert isinstance(batch, BatchReports)
    assert [parts.kinds(part) for part in batch.parts] == [["Closed"]] * 12 + [["Refused"]]
    assert there.rate_count("main", "BTC/USD", NOON) == 12 + 12 * 8
    assert parts.refusal(there.apply(place(), NOON)) == "EOrder:Rate limit exceeded"
    assert parts.refusal(there.apply(CancelBatch(()), NOON)) == f"{BAD}:orders"
    assert parts.refusal(there.apply(CancelBatch(("O",) * 51), NOON)) == f"{BAD}:orders"


# --- edit ---------------------------------------------------------------------------------------


def test_an_edit_replaces_the_order_and_keeps_what_it_does_not_name() -> None:
    there = parts.venue()
    first = parts.opened(there.apply(place(qty="0.02", price="60000.0", userref=5), NOON))
    reports = there.apply(
        Edit(order_id=first, symbol="BTC/USD", limit_price=Decimal("61000.0")), NOON
    )
    assert parts.kinds(reports) == ["Replaced", "Closed", "Opened"]
    answer = parts.one(reports, Replaced)
    assert answer.original_order_id == first
    assert answer.order.order_id == parts.opened(reports)
    assert parts.ends(reports) == [("canceled", "Order replaced")]
    (live,) = there.open.values()
    assert (live.qty, live.limit_price, live.userref, live.replaces) == (
        Decimal("0.02"),
        Decimal("61000.0"),
        5,
        first,
    )
    parts.check(there)


def test_an_edit_may_use_the_funds_of_the_order_it_replaces() -> None:
    there = parts.venue(parts.accounts("main", usd="1000"))
    first = parts.opened(there.apply(place(qty="0.015", price="60000.0"), NOON))
    change = Edit(order_id=first, symbol="BTC/USD", limit_price=Decimal("61000.0"))
    assert parts.kinds(there.apply(change, NOON))[0] == "Replaced"
    parts.check(there)


def test_an_edit_of_a_part_filled_order_carries_on_with_the_rest() -> None:
    there = parts.venue()
    first = parts.opened(there.apply(place(qty="0.02", price="65000.5"), NOON))
    there.apply(place("sell", "0.005", "65000.5", account="other"), NOON)
    small = Edit(order_id=first, symbol="BTC/USD", qty=Decimal("0.004"))
    assert parts.refusal(there.apply(small, NOON)) == INVALID
    there.apply(Edit(order_id=first, symbol="BTC/USD", qty=Decimal("0.03")), NOON)
    (live,) = there.open.values()
    assert live.qty == Decimal("0.025")
    parts.check(there)


def test_an_edit_moves_an_untriggered_stop() -> None:
    there = parts.venue()
    first = parts.opened(there.apply(stop("sell", "stop-loss", "64000.0"), NOON))
    change = Edit(order_id=first, symbol="BTC/USD", trigger=Trigger(price=Decimal("64900.0")))
    assert parts.kinds(there.apply(change, NOON)) == ["Replaced", "Closed", "Opened"]
    assert parts.kinds(parts.step(there, 648_900, sold(648_900)))[0] == "Triggered"


@pytest.mark.parametrize(
    ("asked", "change", "error"),
    [
        ({"cl_ord_id": "a"}, {}, INVALID),
        ({"close": Conditional(order_type="limit", limit_price=Decimal(9))}, {}, INVALID),
        ({}, {"symbol": "ETH/USD"}, f"{BAD}:symbol"),
        ({}, {"order_id": "OAAAAA-AAAAA-AAAAAA"}, UNKNOWN),
        ({}, {"limit_price": Decimal("60000.05")}, "EOrder:Tick size check failed"),
        ({}, {"limit_price": Decimal("65001.0"), "post_only": True}, "EOrder:Post only order"),
        ({}, {"qty": Decimal(10)}, "EOrder:Insufficient funds"),
    ],
)
def test_an_edit_that_is_refused_leaves_the_old_order_alone(
    asked: dict[str, Any], change: dict[str, Any], error: str
) -> None:
    there = parts.venue()
    first = parts.opened(there.apply(place(price="60000.0", **asked), NOON))
    before = parts.frozen(there)
    fields = {"order_id": first, "symbol": "BTC/USD", **change}
    assert parts.refusal(there.apply(Edit(**fields), NOON)) == error
    assert parts.frozen(there) == before


def test_an_edit_costs_its_age_only_when_it_goes_through() -> None:
    there = parts.venue(parts.accounts("main", counted=True))
    first = parts.opened(there.apply(place(price="60000.0"), NOON))
    there.apply(Edit(order_id=first, symbol="BTC/USD", qty=Decimal(10)), NOON)
    assert there.rate_count("main", "BTC/USD", NOON) == 2
    there.apply(Edit(order_id=first, symbol="BTC/USD", limit_price=Decimal("60001.0")), NOON)
    assert there.rate_count("main", "BTC/USD", NOON) == 3 + 6


def test_a_stop_that_has_fired_can_no_longer_be_edited() -> None:
    there = parts.venue()
    asked = stop("buy", "stop-loss-limit", "65100.0", limit="65050.0")
    first = parts.opened(there.apply(asked, NOON))
    parts.step(there, 651_000, parts.bought(651_010))
    change = Edit(order_id=first, symbol="BTC/USD", limit_price=Decimal("65000.0"))
    assert parts.refusal(there.apply(change, NOON)) == INVALID


# --- cancel -------------------------------------------------------------------------------------


def test_nobody_cancels_the_orders_of_another_account() -> None:
    there = parts.venue()
    mine = parts.opened(there.apply(place(price="60000.0"), NOON))
    theirs = parts.opened(there.apply(place(price="60000.0", account="other"), NOON))
    assert parts.refusal(there.apply(Cancel(theirs), NOON)) == UNKNOWN
    assert parts.kinds(there.apply(CancelAll(), NOON)) == ["Closed"]
    assert list(there.open) == [theirs]
    assert parts.refusal(there.apply(Cancel(mine), NOON)) == UNKNOWN
    there.apply(SetSystem("maintenance"), NOON)
    words = "EService:Unavailable"
    assert parts.refusal(there.apply(Cancel(theirs, "other"), NOON)) == words
    assert parts.refusal(there.apply(CancelAll(account="other"), NOON)) == words
    batch = there.apply(CancelBatch((theirs,), "other"), NOON)[0]
    assert batch == BatchReports(((Refused(words),),))
