"""Volatility: worked examples by hand; a swing of nothing is not known, not zero."""

import math

import pytest
from series_parts import Bars, feed, flat, generated, of_closes

from simple_trader.core.market.indicators.panel import Indicators


def test_bands_stand_two_deviations_of_the_population_from_the_mean() -> None:
    row = feed(Indicators(), of_closes([99.0, 101.0] * 10))[-1]
    assert (row["bb_lower"], row["bb_middle"], row["bb_upper"]) == (98.0, 100.0, 102.0)
    assert row["bb_pct"] == pytest.approx(0.75)
    assert row["bb_width_pct"] == pytest.approx(4 / 101 * 100)


def test_band_position_is_where_the_close_stands_between_the_bands() -> None:
    bars = generated(200, 3)
    row = feed(Indicators(), bars)[-1]
    upper, lower = row["bb_upper"], row["bb_lower"]
    assert upper is not None
    assert lower is not None
    assert row["bb_pct"] == pytest.approx((bars.closes[-1] - lower) / (upper - lower))


def test_a_range_is_widened_to_the_close_before_it() -> None:
    # Fourteen true ranges of 2, one of 16: the candle fell below the close before it.
    highs, lows, closes = [101.0] * 15, [99.0] * 15, [100.0] * 15
    rows = feed(Indicators(), Bars([*highs, 90.0], [*lows, 84.0], [*closes, 85.0], [1.0] * 16))
    assert rows[13]["atr_14"] is None
    assert rows[14]["atr_14"] == pytest.approx(2.0)
    assert rows[15]["atr_14"] == pytest.approx((2.0 * 13 + 16.0) / 14)
    assert rows[15]["atr_pct"] == pytest.approx((2.0 * 13 + 16.0) / 14 / 85 * 100)
    assert rows[15]["range_pct"] == pytest.approx(6 / 85 * 100)


def test_realised_volatility_is_the_root_of_the_squared_log_returns() -> None:
    closes = [100.0 * math.exp(0.01 * (n % 2)) for n in range(61)]
    rows = feed(Indicators(), of_closes(closes))
    assert rows[19]["realised_vol_20_pct"] is None
    assert rows[20]["realised_vol_20_pct"] == pytest.approx(math.sqrt(20))
    assert rows[59]["realised_vol_60_pct"] is None
    assert rows[60]["realised_vol_60_pct"] == pytest.approx(math.sqrt(60))


def test_it_does_not_depend_on_the_price_level() -> None:
    one, ten = generated(200, 6), generated(200, 6, start=460_000.0)
    first, second = feed(Indicators(), one)[-1], feed(Indicators(), ten)[-1]
    for name in ("realised_vol_60_pct", "atr_pct", "bb_width_pct", "bb_pct", "range_pct"):
        assert first[name] == pytest.approx(second[name], rel=1e-6), name


def test_m01_a_swing_of_nothing_is_not_known() -> None:
    row = feed(Indicators(), flat(46_000.1, 100))[-1]
    unknown = ("atr_14", "atr_pct", "bb_pct", "bb_width_pct", "realised_vol_20_pct")
    assert {row[name] for name in unknown} == {None}
    assert row["bb_upper"] == row["bb_lower"] == row["bb_middle"]


def test_a_price_that_stops_after_a_jump_has_no_band_left_over() -> None:
    row = feed(Indicators(), of_closes([100.0] * 30 + [1e6] * 100))[-1]
    assert row["bb_pct"] is None
    assert row["realised_vol_60_pct"] is None
    assert row["sma_20"] == row["sma_50"] == 1e6
