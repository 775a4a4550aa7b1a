"""Specs: what is said of every figure, and what a percentage of nothing is."""

import pytest

from simple_trader.core.market.indicators.panel import SPECS
from simple_trader.core.market.indicators.spec import Spec, Unit, names, percent


def test_a_percentage_of_nothing_or_less_is_not_known() -> None:
    assert percent(1.0, 4.0) == 25.0
    assert percent(-1.0, 4.0) == -25.0
    assert percent(0.0, 4.0) == 0.0
    assert percent(1.0, 0.0) is None
    assert percent(1.0, -4.0) is None


@pytest.mark.parametrize(
    ("unit", "is_level"), [("price", True), ("base", True), ("pct", False), ("sd", False)]
)
def test_what_is_as_large_as_price_or_volume_is_a_level(unit: Unit, is_level: bool) -> None:
    assert Spec("x", unit, "").is_level is is_level


def test_every_indicator_says_how_it_is_made_and_when_it_is_known() -> None:
    assert len(set(names(SPECS))) == len(SPECS)
    for spec in SPECS:
        assert spec.formula
        assert spec.candles > 0, spec.name
        assert ("_pct" in spec.name) is (spec.unit == "pct") or spec.name == "bb_pct", spec.name
