"""Sizes fit wish, caps, funds and steps, and never grow by rounding."""

from decimal import Decimal
from typing import Any

import pytest
from brain_desk import BTC, D, rules, settings
from hypothesis import given
from hypothesis import strategies as st

from simple_trader.core.risk.limits import Room
from simple_trader.core.risk.sizing import (
    Sized,
    TooSmall,
    buy_qty,
    effective_minimum,
    sell_qty,
    too_small,
)
from simple_trader.domain.money import is_on_step
from simple_trader.domain.reasons import Reason

R = Reason


def buy(value: str = "100", **changes: Any) -> Sized | TooSmall:
    """A purchase at 100 without fee, everything allowed."""
    values: dict[str, Any] = {
        "price": D(100),
        "rules": rules(BTC),
        "taker": D(0),
        "quote_rate": D(1),
        "room": Room(D(10_000), D(10_000)),
        "spendable": D(10_000),
        "settings": settings(max_balance_fraction=D(1)),
        "most": D(10_000),
    }
    return buy_qty(D(value), **{**values, **changes})


@pytest.mark.parametrize(
    ("changes", "qty"),
    [
        ({}, "1"),
        ({"room": Room(D(50), D(10_000))}, "0.5"),
        ({"room": Room(D(10_000), D(40))}, "0.4"),
        ({"spendable": D(30)}, "0.3"),
        ({"spendable": D(40), "settings": settings(max_balance_fraction=D("0.5"))}, "0.2"),
        ({"room": Room(D(101), D(101)), "taker": D("0.01")}, "1"),
        ({"room": Room(D(100), D(100)), "quote_rate": D(2)}, "0.5"),
        ({"allocation": D(60)}, "0.6"),
        ({"allocation": D(60), "quote_rate": D(2)}, "0.3"),
        ({"allocation": D(202), "quote_rate": D(2), "taker": D("0.01")}, "1"),
        ({"allocation": D(5_000)}, "1"),
    ],
)
def test_a_purchase_is_the_least_of_wish_caps_and_funds(changes: dict[str, Any], qty: str) -> None:
    assert buy(**changes) == Sized(D(qty))


@pytest.mark.parametrize(
    ("value", "changes", "reason"),
    [
        ("9.99", {}, R.BELOW_MIN_VALUE),
        ("100", {"room": Room(D("9.99"), D(100))}, R.EXPOSURE_ASSET),
        ("100", {"room": Room(D(100), D("9.99"))}, R.EXPOSURE_TOTAL),
        ("100", {"spendable": D("9.99")}, R.NO_FUNDS),
        ("100", {"spendable": D(0)}, R.NO_FUNDS),
        ("100", {"allocation": D("9.99")}, R.ALLOCATION_REACHED),
        ("100", {"allocation": D(0)}, R.ALLOCATION_REACHED),
        ("100", {"rules": rules(BTC, qty_min=D(2))}, R.BELOW_MIN_QTY),
        ("100", {"rules": rules(BTC, cost_min=D(101))}, R.BELOW_MIN_COST),
    ],
)
def test_too_little_is_refused_by_what_made_it_so_little(
    value: str, changes: dict[str, Any], reason: Reason
) -> None:
    small = buy(value, **changes)
    assert isinstance(small, TooSmall)
    assert small.reason is reason


@pytest.mark.parametrize(
    ("qty_min", "cost_min", "value_min", "least"),
    [("0.1", "9", "8", "10"), ("0.05", "9", "8", "9"), ("0.05", "7", "8", "8")],
)
def test_the_effective_minimum_is_the_largest_of_the_three(
    qty_min: str, cost_min: str, value_min: str, least: str
) -> None:
    limits = settings(min_order_value=D(value_min))
    pair = rules(BTC, qty_min=D(qty_min), cost_min=D(cost_min))
    assert effective_minimum(D(100), pair, limits) == D(least)
    at = D(least) / 100
    assert too_small(at, D(100), pair, limits) is None
    assert too_small(at + pair.qty_increment, D(100), pair, limits) is None
    assert too_small(at - pair.qty_increment, D(100), pair, limits) is not None


money = st.decimals("0", "5000", places=2)


@given(money, money, money, money, st.decimals("0.1", "900", places=1))
def test_a_purchase_never_costs_more_than_any_bound(
    value: Decimal, asset: Decimal, total: Decimal, spendable: Decimal, price: Decimal
) -> None:
    taker = D("0.004")
    sized = buy(str(value), price=price, room=Room(asset, total), spendable=spendable, taker=taker)
    if isinstance(sized, Sized):
        cost = sized.qty * price
        assert cost <= value
        assert cost * (1 + taker) <= min(asset, total, spendable)
        assert is_on_step(sized.qty, D("0.00000001"))


def sell(value: str, holding: str, spendable: str = "100", most: str = "100") -> Sized | TooSmall:
    """A sale at 100."""
    return sell_qty(
        D(value),
        price=D(100),
        rules=rules(BTC),
        holding=D(holding),
        spendable=D(spendable),
        settings=settings(),
        most=D(most),
    )


def test_pt2_sizes_are_cut_down_to_the_largest_order() -> None:
    assert buy("100", most=D("0.3")) == Sized(D("0.3"))
    small = buy("100", most=D("0.05"))
    assert isinstance(small, TooSmall)
    assert small.reason is R.ORDER_TOO_LARGE
    assert sell("900", "5", most="2.5") == Sized(D("2.5"))
    assert sell("400", "5", most="0.4") == Sized(D("0.4"))


@pytest.mark.parametrize(
    ("value", "holding", "spendable", "qty"),
    [
        ("100", "5", "100", "1"),
        ("900", "5", "100", "5"),
        ("900", "5", "2", "2"),
        ("100", "1.1", "100", "1"),  # a rest of 10.00 can be sold alone later
        ("100", "1.09", "100", "1.09"),  # a rest of 9.00 could not: it goes with it
        ("100", "1.0900000001", "100", "1.09"),  # what is off the step stays
    ],
)
def test_a_sale_takes_what_is_held_and_leaves_no_dust(
    value: str, holding: str, spendable: str, qty: str
) -> None:
    assert sell(value, holding, spendable) == Sized(D(qty))


@pytest.mark.parametrize(
    ("holding", "spendable", "reason"),
    [
        ("0", "1", R.NOTHING_TO_SELL),
        ("1", "0", R.NO_FUNDS),
        ("0.05", "1", R.BELOW_MIN_VALUE),
        ("0.00001", "1", R.BELOW_MIN_QTY),
    ],
)
def test_a_sale_that_cannot_be_is_refused(holding: str, spendable: str, reason: Reason) -> None:
    small = sell("100", holding, spendable)
    assert isinstance(small, TooSmall)
    assert small.reason is reason


def test_at_the_minimum_is_enough() -> None:
    assert too_small(D("0.1"), D(100), rules(BTC), settings()) is None
