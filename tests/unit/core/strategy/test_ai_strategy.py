"""The AI strategy: gates at, below and above each threshold, and sizes exact to the last digit."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from market_parts import BTC, settings
from market_parts import quote as market_quote

from simple_trader.core.strategy.advice import Advice
from simple_trader.core.strategy.ai_strategy import (
    Skip,
    Weighed,
    Wish,
    expected_move_pct,
    order_value,
    weigh,
    wish,
)
from simple_trader.domain.orders import Side
from simple_trader.domain.reasons import Reason


def advice(**changes: Any) -> Advice:
    values: dict[str, Any] = {
        "pair": BTC,
        "action": "buy",
        "confidence": 0.8,
        "risk_level": "low",
        "rationale": "it rises",
    }
    return Advice(**values | changes)


QUOTE = market_quote(bid="49999.5", ask="50000.5")  # a spread of 0.002 percent
TAKER = Decimal("0.004")
EARNED = 0.75  # size confidence of these tests: below every raw confidence that passes


def weighed_of(said: Advice, limits: dict[str, Any] | None = None, earned: float = EARNED) -> Any:
    return weigh(said, settings(**limits or {}), quote=QUOTE, taker=TAKER, size_confidence=earned)


def judged(
    holding: str = "500", limits: dict[str, Any] | None = None, **changes: Any
) -> Wish | Skip:
    said = advice(**changes)
    return wish(
        said,
        weighed_of(said, limits),
        settings(**limits or {}),
        holding_value=Decimal(holding),
        decision_id="d1",
    )


def test_a_confident_buy_becomes_a_wish() -> None:
    assert judged() == Wish(
        pair=BTC, side=Side.BUY, value=Decimal(750), reason=Reason.BIAS_BUY, decision_id="d1"
    )


def test_a_confident_sale_becomes_a_wish_whatever_is_held() -> None:
    assert judged(action="sell", holding="0.01") == Wish(
        pair=BTC, side=Side.SELL, value=Decimal(750), reason=Reason.BIAS_SELL, decision_id="d1"
    )


def test_what_is_advised_is_weighed_whether_it_passes_or_not() -> None:
    assert weighed_of(advice(confidence=0.1, risk_level="high", expected_move_pct=2)) == Weighed(
        side=Side.BUY,
        value=Decimal(50),
        size_confidence=0.1,
        move_pct=Decimal(2),
        cost_pct=Decimal("0.802"),
    )
    assert weighed_of(advice(action="hold", expected_move_pct=-2)) == Weighed(
        move_pct=Decimal(-2), cost_pct=Decimal("0.802")
    )


def test_without_a_usable_quote_costs_and_derived_moves_are_not_known() -> None:
    said = advice(price_target=Decimal(51_000))
    none = weigh(said, settings(), quote=None, taker=TAKER, size_confidence=0.7)
    assert (none.move_pct, none.cost_pct, none.value) == (None, None, Decimal(700))
    empty = market_quote(bid="0", ask="50000.5")
    assert weigh(said, settings(), quote=empty, taker=TAKER, size_confidence=0.7) == none


@pytest.mark.parametrize("raw", [0.7, 0.8, 0.99, 1.0])
def test_l18_a_higher_raw_confidence_never_makes_an_order_larger(raw: float) -> None:
    assert weighed_of(advice(confidence=raw), earned=0.7).value == Decimal(700)


@profile(deadline=None)
@given(st.floats(0, 1), st.floats(-1, 2))
def test_l18_no_size_is_above_that_of_the_raw_confidence(raw: float, earned: float) -> None:
    value = weighed_of(advice(confidence=raw), earned=earned).value
    assert value <= order_value("low", raw, settings())


# -- the expected move ---------------------------------------------------------------------


def test_a_move_that_was_told_goes_before_the_target() -> None:
    said = advice(expected_move_pct=-0.25, price_target=Decimal(51_000))
    assert expected_move_pct(said, Decimal(50_000)) == Decimal("-0.25")


def test_a_move_is_derived_from_the_target_and_the_middle() -> None:
    said = advice(price_target=Decimal(51_000))
    assert expected_move_pct(said, Decimal(50_000)) == Decimal(2)
    assert expected_move_pct(said, None) is None
    assert expected_move_pct(advice(), Decimal(50_000)) is None


@pytest.mark.parametrize(
    ("changes", "passes"),
    [
        ({"expected_move_pct": 0.8219}, False),
        ({"expected_move_pct": 0.822}, True),
        ({"expected_move_pct": 0.8221}, True),
        ({"price_target": Decimal("50410.9")}, False),
        ({"price_target": Decimal(50_411)}, True),
        ({"action": "sell", "expected_move_pct": -0.8219}, False),
        ({"action": "sell", "expected_move_pct": -0.822}, True),
        ({"action": "sell", "price_target": Decimal("49589.1")}, False),
        ({"action": "sell", "price_target": Decimal(49_589)}, True),
        ({}, True),
    ],
)
def test_the_move_must_pay_for_the_round_trip_and_a_little_more(
    changes: dict[str, Any], passes: bool
) -> None:
    got = judged(**changes)
    assert isinstance(got, Wish) is passes
    if isinstance(got, Skip):
        assert got.reason is Reason.MOVE_TOO_SMALL
        assert "0.8220 %" in got.detail


@pytest.mark.parametrize(
    ("confidence", "passes"),
    [
        (0.0, False),
        (0.6999999999999999, False),
        (0.7, True),
        (0.7000000000000001, True),
        (1.0, True),
    ],
)
def test_the_confidence_must_reach_its_minimum(confidence: float, passes: bool) -> None:
    got = judged(confidence=confidence)
    assert isinstance(got, Wish) is passes
    if isinstance(got, Skip):
        assert got.reason is Reason.CONFIDENCE_TOO_LOW
        assert repr(confidence) in got.detail


@pytest.mark.parametrize(
    ("allowed", "level", "passes"),
    [
        ("low", "low", True),
        ("low", "medium", False),
        ("low", "high", False),
        ("medium", "low", True),
        ("medium", "medium", True),
        ("medium", "high", False),
        ("high", "low", True),
        ("high", "medium", True),
        ("high", "high", True),
    ],
)
def test_the_risk_must_not_pass_its_maximum(allowed: str, level: str, passes: bool) -> None:
    got = judged(limits={"max_risk_level": allowed}, risk_level=level)
    assert isinstance(got, Wish) is passes
    if isinstance(got, Skip):
        assert got.reason is Reason.RISK_TOO_HIGH


@pytest.mark.parametrize("confidence", [0.1, 0.99])
def test_hold_is_hold_at_any_confidence(confidence: float) -> None:
    got = judged(action="hold", confidence=confidence, risk_level="high")
    assert got == Skip(reason=Reason.ADVISED_HOLD, detail="it rises")


@pytest.mark.parametrize("holding", ["0", "-1"])
def test_what_is_not_held_is_not_sold(holding: str) -> None:
    got = judged(action="sell", holding=holding)
    assert isinstance(got, Skip)
    assert got.reason is Reason.NOTHING_TO_SELL
    assert isinstance(judged(action="buy", holding=holding), Wish)


@pytest.mark.parametrize(
    ("level", "confidence", "value"),
    [
        ("low", 0.7, "700"),
        ("low", 1.0, "1000"),
        ("medium", 0.7, "490"),
        ("medium", 0.85, "595"),
        ("high", 0.9, "450"),
        ("low", 0.7000000000000001, "700.0000000000001"),
    ],
)
def test_the_value_is_base_times_multiplier_times_confidence(
    level: str, confidence: float, value: str
) -> None:
    limits = settings(max_risk_level="high")
    assert order_value(level, confidence, limits) == Decimal(value)


@profile(deadline=None)
@given(st.floats(0, 1), st.decimals("0.01", "1e9", places=8), st.decimals("0.001", "1", places=6))
def test_the_value_is_exact(confidence: float, base: Decimal, multiplier: Decimal) -> None:
    limits = settings(base_order=base, risk_multiplier_low=multiplier)
    value = order_value("low", confidence, limits)
    ratio = Decimal(repr(confidence)).as_integer_ratio()
    b, m, v = base.as_integer_ratio(), multiplier.as_integer_ratio(), value.as_integer_ratio()
    assert v[0] * ratio[1] * b[1] * m[1] == ratio[0] * b[0] * m[0] * v[1]
