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
from simple_trader.simulator.orders import Place

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BTC = INSTRUMENT_BY_SYMBOL["BTC/USD"]


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


def test_a_deadline_is_judged_against_market_time() -> None:
    assert check_deadline(None, NOON) is None
    assert check_deadline(NOON + timedelta(seconds=5), NOON) is None
    assert check_deadline(NOON, NOON) is None
    late = check_deadline(NOON - timedelta(milliseconds=1), NOON)
    assert late == "EService:Deadline elapsed"
    assert check_deadline(NOON + timedelta(seconds=61), NOON) is not None


def test_prices_between_ticks_and_quantities_between_lots_are_refused() -> None:
    assert check_precision(BTC, Decimal("0.01"), Decimal("61250.5")) is None
    assert check_precision(BTC, Decimal("0.01"), Decimal("61250.55")) == (
        "EOrder:Tick size check failed"
    )
    assert check_precision(BTC, Decimal("0.000000001"), None) is not None


def test_minimums_of_quantity_and_cost_hold_at_the_edge() -> None:
    assert check_minimums(BTC, Decimal("0.00005"), Decimal(10_000)) is None
    assert check_minimums(BTC, Decimal("0.00004999"), Decimal(10_000)) == (
        "EGeneral:Invalid arguments:volume minimum not met"
    )
    assert check_minimums(BTC, Decimal("0.00005"), Decimal("9999.9")) == (
        "EOrder:Cost minimum not met"
    )
