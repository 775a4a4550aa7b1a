"""The checks of a new order, in Kraken's words."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from simple_trader.simulator.checks import (
    check_client_id,
    check_deadline,
    check_form,
    check_minimums,
    check_precision,
)
from simple_trader.simulator.instruments import INSTRUMENT_BY_SYMBOL
from simple_trader.simulator.orders import Conditional, Place, Trigger
from simple_trader.simulator.rules import VenueRules

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BTC = INSTRUMENT_BY_SYMBOL["BTC/USD"]
RULES = VenueRules()
ORDERLY = VenueRules(qty_min_error="order", qty_precision_error="order")


def place(**changes: Any) -> Place:
    fields: dict[str, Any] = {
        "symbol": "BTC/USD",
        "side": "buy",
        "order_type": "limit",
        "qty": Decimal("0.01"),
        "limit_price": Decimal("61250.5"),
    }
    return Place(**{**fields, **changes})


def test_a_plain_limit_order_passes() -> None:
    assert check_form(place(), NOON) is None


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"qty": None}, "order_qty"),
        ({"qty": Decimal(0)}, "order_qty"),
        ({"qty": Decimal("NaN")}, "order_qty"),
        ({"limit_price": None}, "limit_price"),
        ({"limit_price": Decimal(-1)}, "limit_price"),
        ({"cash_qty": Decimal(5)}, "cash_order_qty"),
        ({"order_type": "market"}, "ordertype"),
        ({"time_in_force": "gtd"}, "expire_time"),
        ({"expire_at": NOON + timedelta(hours=1)}, "expire_time"),
        ({"time_in_force": "gtd", "expire_at": NOON}, "expire_time"),
        ({"time_in_force": "gtd", "expire_at": NOON + timedelta(days=40)}, "expire_time"),
        ({"post_only": True, "time_in_force": "ioc"}, "post_only"),
        ({"cl_ord_id": "nineteen characters"}, "cl_ord_id"),
        ({"cl_ord_id": "a", "userref": 4}, "cl_ord_id"),
    ],
)
def test_a_wrong_combination_is_an_invalid_argument(changes: dict[str, Any], detail: str) -> None:
    error = check_form(place(**changes), NOON)
    assert error is not None
    assert error.startswith(f"EGeneral:Invalid arguments:{detail}")


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("bot7-000127", True),
        ("x" * 18, True),
        ("x" * 19, False),
        ("", False),
        ("a b", False),
        ("naïve", False),
        ("6d1b345e-2821-40e2-ad83-4ecb18a06876", True),
        ("6d1b345e282140e2ad834ecb18a06876", True),
        ("6d1b345e282140e2ad834ecb18a0687", False),
    ],
)
def test_a_client_id_is_a_uuid_or_eighteen_characters(name: str, good: bool) -> None:
    assert (check_client_id(name) is None) is good


@pytest.mark.parametrize(
    ("ahead_ms", "error"),
    [
        (-1, "EService:Deadline elapsed"),
        (0, "EGeneral:Invalid arguments:deadline"),
        (399, "EGeneral:Invalid arguments:deadline"),
        (400, None),
        (5_000, None),
        (60_000, None),
        (60_001, "EGeneral:Invalid arguments:deadline"),
    ],
)
def test_a_deadline_is_judged_against_the_moment_of_arrival(
    ahead_ms: int, error: str | None
) -> None:
    assert check_deadline(NOON + timedelta(milliseconds=ahead_ms), NOON, RULES) == error
    exact = VenueRules(min_deadline_ms=500)
    if ahead_ms == 400:
        assert check_deadline(NOON + timedelta(milliseconds=499), NOON, exact) is not None
        assert check_deadline(NOON + timedelta(milliseconds=500), NOON, exact) is None
    assert check_deadline(None, NOON, RULES) is None


def test_prices_off_the_increment_and_quantities_between_lots_are_refused() -> None:
    assert check_precision(BTC, Decimal("0.01"), Decimal("61250.5"), RULES) is None
    wrong = check_precision(BTC, Decimal("0.01"), Decimal("61250.55"), RULES)
    assert wrong == "EOrder:Tick size check failed"
    gold = INSTRUMENT_BY_SYMBOL["PAXG/USD"]
    assert check_precision(gold, None, Decimal("2000.05"), RULES) is None
    assert check_precision(gold, None, Decimal("2000.01"), RULES) == wrong
    fine = Decimal("0.000000001")
    assert check_precision(BTC, fine, None, RULES) == (
        "EGeneral:Invalid arguments:volume precision"
    )
    assert check_precision(BTC, fine, None, ORDERLY) == "EOrder:Invalid order:volume precision"


def test_minimums_of_quantity_and_cost_hold_at_the_edge() -> None:
    assert check_minimums(BTC, Decimal("0.00005"), Decimal(10_000), RULES) is None
    small = Decimal("0.00004999")
    assert check_minimums(BTC, small, Decimal(10_000), RULES) == (
        "EGeneral:Invalid arguments:volume minimum not met"
    )
    assert check_minimums(BTC, small, Decimal(10_000), ORDERLY) == "EOrder:Order minimum not met"
    assert check_minimums(BTC, Decimal("0.00005"), Decimal("9999.9"), RULES) == (
        "EOrder:Cost minimum not met"
    )


STOP = Trigger(price=Decimal(60_000))
TRAIL = Trigger(price=Decimal(5), price_type="pct")
DIP = Trigger(price=Decimal(-2), price_type="pct")
ALL = Trigger(price=Decimal(100), price_type="pct")
BACKWARDS = Trigger(price=Decimal(-5))
CLOSE = Conditional(order_type="limit", limit_price=Decimal(70_000))


@pytest.mark.parametrize(
    "changes",
    [
        {"order_type": "stop-loss", "limit_price": None, "trigger": STOP},
        {"order_type": "stop-loss-limit", "trigger": STOP},
        {
            "order_type": "take-profit-limit",
            "trigger": DIP,
        },
        {"order_type": "trailing-stop", "limit_price": None, "trigger": TRAIL},
        {
            "order_type": "trailing-stop-limit",
            "trigger": TRAIL,
            "limit_price": Decimal(-10),
            "limit_price_type": "quote",
        },
        {"order_type": "iceberg", "qty": Decimal("0.15"), "display_qty": Decimal("0.01")},
        {"close": CLOSE},
        {"effective_at": NOON + timedelta(days=1)},
        {"time_in_force": "fok"},
        {"sender_sub_id": "desk-1"},
    ],
)
def test_every_kind_of_order_has_a_form_that_passes(changes: dict[str, Any]) -> None:
    assert check_form(place(**changes), NOON) is None


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"trigger": STOP}, "triggers"),
        ({"order_type": "stop-loss-limit"}, "triggers"),
        ({"order_type": "stop-loss", "trigger": STOP}, "ordertype"),
        ({"order_type": "stop-loss-limit", "trigger": STOP, "post_only": True}, "post_only"),
        ({"order_type": "stop-loss-limit", "trigger": STOP, "time_in_force": "ioc"}, "time_in"),
        (
            {
                "order_type": "trailing-stop",
                "limit_price": None,
                "trigger": BACKWARDS,
            },
            "triggers",
        ),
        (
            {
                "order_type": "stop-loss-limit",
                "trigger": ALL,
            },
            "triggers",
        ),
        ({"limit_price_type": "quote"}, "limit_price_type"),
        ({"order_type": "iceberg"}, "display_qty"),
        ({"display_qty": Decimal("0.001")}, "display_qty"),
        (
            {"order_type": "iceberg", "qty": Decimal("0.16"), "display_qty": Decimal("0.01")},
            "display",
        ),
        ({"order_type": "iceberg", "display_qty": Decimal("0.02")}, "display_qty"),
        ({"close": Conditional(order_type="market")}, "conditional"),
        ({"close": Conditional(order_type="limit")}, "conditional"),
        ({"close": Conditional(order_type="stop-loss")}, "conditional"),
        ({"effective_at": NOON + timedelta(days=40)}, "effective_time"),
        ({"post_only": True, "time_in_force": "fok"}, "post_only"),
        ({"sender_sub_id": "much too long for an id"}, "sender_sub_id"),
    ],
)
def test_a_form_that_fits_no_kind_of_order_is_refused(changes: dict[str, Any], detail: str) -> None:
    error = check_form(place(**changes), NOON)
    assert error is not None
    assert error.startswith(f"EGeneral:Invalid arguments:{detail}")
