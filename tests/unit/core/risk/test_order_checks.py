"""Checks of the order itself: size, form, repetition, number and rate."""

from typing import Any

import pytest
from brain_case import case
from brain_desk import BTC, D, settings

from simple_trader.core.risk import order_checks as checks
from simple_trader.core.risk.ceilings import ORDERS_PER_SECOND
from simple_trader.core.risk.turnover import Flow
from simple_trader.domain.memory import Strike
from simple_trader.domain.orders import OrderType, Origin
from simple_trader.domain.reasons import Reason

R = Reason


def reason(objection: tuple[R, str] | None) -> R | None:
    """The reason alone."""
    return None if objection is None else objection[0]


@pytest.mark.parametrize("kind", list(OrderType))
def test_pt1_there_is_no_entry_without_a_limit_price(kind: OrderType) -> None:
    bought = checks.has_limit(case(intent__order_type=kind))
    assert reason(bought) is (None if kind.has_limit else R.MARKET_ENTRY)
    assert checks.has_limit(case("sell", intent__order_type=kind)) is None


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        ({"max_order_value": D("100.02")}, None),
        ({"max_order_value": D("100.01")}, R.ORDER_TOO_LARGE),
        ({"max_order_qty": {BTC: D("0.002")}}, None),
        ({"max_order_qty": {BTC: D("0.001999")}}, R.ORDER_TOO_LARGE),
        ({"max_order_qty": {"ETH/USD": D("0.001")}}, None),
    ],
)
@pytest.mark.parametrize("side", ["buy", "sell"])
def test_pt2_one_order_is_within_value_and_quantity(
    side: str, limits: dict[str, Any], why: R | None
) -> None:
    assert reason(checks.small_enough(case(side, settings=settings(**limits)))) is why


def test_pt2_i_25_the_ceiling_of_value_counts_in_the_reporting_currency() -> None:
    large = {"intent__qty": D("0.9"), "settings": settings()}
    assert checks.small_enough(case(**large)) is None
    assert reason(checks.small_enough(case(**large, quote_rate=D(3)))) is R.ORDER_TOO_LARGE


def test_x17_after_a_refusal_for_funds_the_same_side_is_not_sized_up() -> None:
    strike = Strike(row=1, side="buy", most_qty=D("0.0019"))
    assert reason(checks.not_sized_up(case(strike=strike))) is R.SIZED_UP
    assert checks.not_sized_up(case("sell", strike=strike)) is None
    assert checks.not_sized_up(case(strike=strike, intent__qty=D("0.0019"))) is None


def test_pt5_a_twin_is_refused_and_named() -> None:
    assert checks.no_twin(case(twin="st1-7")) == (R.DUPLICATE_ORDER, "as order st1-7")


@pytest.mark.parametrize(
    ("live", "entry", "exit_"),
    [
        (4, None, None),
        (5, R.TOO_MANY_ORDERS, None),
        (10, R.TOO_MANY_ORDERS, R.TOO_MANY_ORDERS),
    ],
)
def test_x33_entries_use_half_of_the_open_orders(
    live: int, entry: R | None, exit_: R | None
) -> None:
    most = {"settings": settings(max_open_orders=10), "live_on_pair": live}
    assert reason(checks.few_open(case(**most))) is entry
    assert reason(checks.few_open(case("sell", **most))) is exit_


@pytest.mark.parametrize(
    ("flow", "entry", "exit_"),
    [
        (Flow(pair_orders=4), None, None),
        (Flow(pair_orders=5), R.ORDER_RATE, None),
        (Flow(pair_orders=10), R.ORDER_RATE, R.ORDER_RATE),
        (Flow(pair_orders_second=ORDERS_PER_SECOND), R.ORDER_RATE, R.ORDER_RATE),
        (Flow(orders=149), None, None),
        (Flow(orders=150), R.ORDER_RATE, None),
        (Flow(orders=300), R.ORDER_RATE, R.ORDER_RATE),
    ],
)
def test_pt6_i_22_orders_of_a_second_and_a_minute_are_few_and_exits_find_room(
    flow: Flow, entry: R | None, exit_: R | None
) -> None:
    most = {"settings": settings(max_orders_per_minute=10), "flow": flow}
    assert reason(checks.slow_enough(case(**most))) is entry
    assert reason(checks.slow_enough(case("sell", **most))) is exit_


@pytest.mark.parametrize(
    ("side", "origin", "last", "flips", "why"),
    [
        ("buy", Origin.AI, "sell", 3, None),
        ("buy", Origin.AI, "sell", 4, R.FLIP_LIMIT),
        ("buy", Origin.AI, "sell", 5, R.FLIP_LIMIT),
        ("buy", Origin.AI, "buy", 9, None),
        ("buy", Origin.AI, "", 0, None),
        ("sell", Origin.AI, "buy", 9, None),
        ("buy", Origin.OPERATOR, "sell", 9, None),
    ],
)
def test_l20_advice_that_goes_to_and_fro_buys_no_more_but_may_always_sell(
    side: str, origin: Origin, last: str, flips: int, why: R | None
) -> None:
    limits = settings(max_flips_per_day=4)
    one = case(side, settings=limits, flips=flips, advised_side=last, intent__origin=origin)
    assert reason(checks.few_flips(one)) is why
