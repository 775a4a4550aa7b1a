"""Pricing: the cap is never widened by rounding and always marketable at the touch."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from market_parts import quote, rules

from simple_trader.core.strategy.pricing import marketable_limit
from simple_trader.domain.money import is_on_step
from simple_trader.domain.orders import Side

STEPS = ["0.00000001", "0.0001", "0.05", "0.1", "1", "5"]


@pytest.mark.parametrize(
    ("side", "bps", "limit"),
    [
        (Side.BUY, 0, "100.1"),
        (Side.BUY, 20, "100.3"),  # 100.3002
        (Side.BUY, 100, "101.1"),  # 101.101
        (Side.SELL, 0, "99.9"),
        (Side.SELL, 20, "99.8"),  # 99.7002: the sale asks for more, not less
        (Side.SELL, 100, "99.0"),  # 98.901
    ],
)
def test_a_purchase_rounds_down_and_a_sale_up(side: Side, bps: int, limit: str) -> None:
    assert marketable_limit(quote(), side, rules(), bps) == Decimal(limit)


def test_a_touch_off_the_step_is_still_reached() -> None:
    odd = quote(bid="99.97", ask="100.03")
    assert marketable_limit(odd, Side.BUY, rules(), 1) == Decimal("100.1")
    assert marketable_limit(odd, Side.SELL, rules(), 1) == Decimal("99.9")


def test_a_sale_never_asks_for_nothing() -> None:
    dust = quote(bid="0.05", ask="0.06")
    assert marketable_limit(dust, Side.SELL, rules(), 20) == Decimal("0.1")


@settings(deadline=None)
@given(
    touch=st.decimals("10", "100000", places=8),
    step=st.sampled_from(STEPS),
    bps=st.integers(0, 500),
    side=st.sampled_from(list(Side)),
)
def test_every_limit_is_on_its_step_marketable_and_within_the_slippage(
    touch: Decimal, step: str, bps: int, side: Side
) -> None:
    increment = Decimal(step)
    rule = rules(price_increment=increment)
    limit = marketable_limit(quote(bid=str(touch), ask=str(touch)), side, rule, bps)
    assert is_on_step(limit, increment)
    slip = touch * Decimal(bps) / 10_000
    if side is Side.BUY:
        assert touch <= limit <= max(touch + slip, touch + increment)
    else:
        assert min(touch - slip, touch - increment) <= limit <= touch
