"""The AI strategy: gates at, below and above each threshold, and sizes exact to the last digit."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from market_parts import BTC, settings

from simple_trader.core.strategy.advice import Advice
from simple_trader.core.strategy.ai_strategy import Skip, Wish, order_value, wish
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


def judged(
    holding: str = "500", limits: dict[str, Any] | None = None, **changes: Any
) -> Wish | Skip:
    return wish(
        advice(**changes),
        settings(**limits or {}),
        holding_value=Decimal(holding),
        decision_id="d1",
    )


def test_a_confident_buy_becomes_a_wish() -> None:
    assert judged() == Wish(
        pair=BTC, side=Side.BUY, value=Decimal(800), reason=Reason.BIAS_BUY, decision_id="d1"
    )


def test_a_confident_sale_becomes_a_wish_whatever_is_held() -> None:
    assert judged(action="sell", holding="0.01") == Wish(
        pair=BTC, side=Side.SELL, value=Decimal(800), reason=Reason.BIAS_SELL, decision_id="d1"
    )


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
    assert order_value(advice(risk_level=level, confidence=confidence), limits) == Decimal(value)


@profile(deadline=None)
@given(st.floats(0, 1), st.decimals("0.01", "1e9", places=8), st.decimals("0.001", "1", places=6))
def test_the_value_is_exact(confidence: float, base: Decimal, multiplier: Decimal) -> None:
    limits = settings(base_order=base, risk_multiplier_low=multiplier)
    value = order_value(advice(confidence=confidence), limits)
    ratio = Decimal(repr(confidence)).as_integer_ratio()
    b, m, v = base.as_integer_ratio(), multiplier.as_integer_ratio(), value.as_integer_ratio()
    assert v[0] * ratio[1] * b[1] * m[1] == ratio[0] * b[0] * m[0] * v[1]
