"""Indicators: equal to TA-Lib, incremental like batch, snapshottable, and free of drift."""

import csv
import gzip
import math
import random
from pathlib import Path

import msgspec
import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from simple_trader.core.market.indicators import KEYS, Indicators

Bars = tuple[list[float], list[float], list[float]]
Row = dict[str, float | None]


def generated(count: int, seed: int, *, start: float = 46_000.0, step: float = 0.001) -> Bars:
    """Highs, lows and closes of a seeded random walk."""
    dice = random.Random(seed)
    closes, price = [], start
    for _ in range(count):
        price *= math.exp(dice.gauss(0.0, step))
        closes.append(price)
    highs = [close * (1 + abs(dice.gauss(0.0, step))) for close in closes]
    lows = [close * (1 - abs(dice.gauss(0.0, step))) for close in closes]
    return highs, lows, closes


def feed(indicators: Indicators, bars: Bars) -> list[Row]:
    rows = []
    for high, low, close in zip(*bars, strict=True):
        indicators.update(high=high, low=low, close=close)
        rows.append(indicators.values())
    return rows


def of_talib(bars: Bars) -> dict[str, "np.ndarray[tuple[int], np.dtype[np.float64]]"]:
    high, low, close = (np.array(side) for side in bars)
    macd, signal, hist = talib.MACD(close, 12, 26, 9)
    upper, middle, lower = talib.BBANDS(close, 20, 2, 2)
    return {
        "sma_20": talib.SMA(close, 20),
        "sma_50": talib.SMA(close, 50),
        "ema_12": talib.EMA(close, 12),
        "ema_26": talib.EMA(close, 26),
        "rsi_14": talib.RSI(close, 14),
        "macd": macd,
        "macd_signal": signal,
        "macd_hist": hist,
        "bb_upper": upper,
        "bb_middle": middle,
        "bb_lower": lower,
        "atr_14": talib.ATR(high, low, close, 14),
    }


def assert_equal_to_talib(bars: Bars) -> None:
    """Known where TA-Lib knows, and equal to 1e-9 of the value.

    A MACD is a small difference of two large averages, near zero it has only rounding of the price:
    it and the range may differ by 1e-13 of the price.
    """
    rows = feed(Indicators(), bars)
    for name, theirs in of_talib(bars).items():
        for number, (row, their) in enumerate(zip(rows, theirs.tolist(), strict=True)):
            ours = row[name]
            where = f"{name} at {number}: {ours} != {their}"
            if ours is None:
                flat = name == "rsi_14" and their == 0.0
                assert math.isnan(their) or flat, where
                continue
            tiny = 1e-13 * bars[2][number] if "macd" in name or "atr" in name else 0.0
            assert math.isclose(ours, their, rel_tol=1e-9, abs_tol=tiny), where


@pytest.mark.parametrize("seed", range(5))
def test_every_value_equals_talib_on_generated_prices(seed: int) -> None:
    assert_equal_to_talib(generated(1_000, seed))


@pytest.mark.parametrize("start", [1e-6, 0.3, 1e6])
def test_cheap_and_dear_pairs_equal_talib_too(start: float) -> None:
    # TA-Lib takes changes below 1e-14 for none, so a price of 1e-6 must move enough to be seen.
    assert_equal_to_talib(generated(500, 11, start=start, step=0.01))


def test_every_value_equals_talib_on_real_hours(shared_data: Path) -> None:
    path = shared_data / "market" / "XBTUSD_60.csv.gz"
    with gzip.open(path, "rt") as lines:
        rows = [[float(cell) for cell in row[2:5]] for row in csv.reader(lines)]
    highs, lows, closes = (list(side) for side in zip(*rows, strict=True))
    assert len(closes) > 70_000
    assert_equal_to_talib((highs, lows, closes))


def test_every_value_equals_talib_on_real_minutes(shared_data: Path) -> None:
    path = shared_data / "market" / "BTCPERP_1m_2022-01.csv.gz"
    with gzip.open(path, "rt") as lines:
        rows = [
            (float(r["high"]), float(r["low"]), float(r["close"])) for r in csv.DictReader(lines)
        ]
    highs, lows, closes = (list(side) for side in zip(*rows, strict=True))
    assert len(closes) > 45_000
    assert_equal_to_talib((highs, lows, closes))


def test_band_position_is_where_the_close_stands_between_the_bands() -> None:
    bars = generated(200, 3)
    row = feed(Indicators(), bars)[-1]
    upper, lower, share = row["bb_upper"], row["bb_lower"], row["bb_pct"]
    assert upper is not None
    assert lower is not None
    assert share is not None
    assert math.isclose(share, (bars[2][-1] - lower) / (upper - lower), rel_tol=1e-9)


def test_nothing_is_known_after_a_single_sample() -> None:
    row = feed(Indicators(), ([1.0], [1.0], [1.0]))[0]
    assert row == dict.fromkeys(KEYS)


def test_each_value_appears_exactly_when_there_is_enough_data() -> None:
    rows = feed(Indicators(), generated(60, 1))
    first = {name: next(i for i, row in enumerate(rows) if row[name] is not None) for name in KEYS}
    assert first == {
        "sma_20": 19,
        "sma_50": 49,
        "ema_12": 11,
        "ema_26": 25,
        "rsi_14": 14,
        "macd": 33,
        "macd_signal": 33,
        "macd_hist": 33,
        "bb_upper": 19,
        "bb_middle": 19,
        "bb_lower": 19,
        "bb_pct": 19,
        "atr_14": 14,
    }


@pytest.mark.parametrize("price", [100.0, 0.1, 46_000.1, 1e-8])
def test_m01_a_constant_price_has_no_rsi_and_no_band_position(price: float) -> None:
    for row in feed(Indicators(), ([price] * 300, [price] * 300, [price] * 300)):
        assert row["rsi_14"] is None
        assert row["bb_pct"] is None
        assert all(value is None or math.isfinite(value) for value in row.values())
        if row["bb_upper"] is not None:
            assert row["bb_upper"] == row["bb_middle"] == row["bb_lower"]


def test_a_price_that_stops_after_a_jump_has_no_band_left_over() -> None:
    closes = [100.0] * 30 + [1e6] * 100
    row = feed(Indicators(), (closes, closes, closes))[-1]
    assert row["bb_pct"] is None
    assert row["sma_20"] == row["sma_50"] == 1e6


@settings(deadline=None)
@given(st.integers(0, 120), st.integers(0, 1_000))
def test_a_snapshot_in_mid_series_goes_on_identically(cut: int, seed: int) -> None:
    highs, lows, closes = generated(121, seed)
    straight, stopped = Indicators(), Indicators()
    feed(straight, (highs[:cut], lows[:cut], closes[:cut]))
    feed(stopped, (highs[:cut], lows[:cut], closes[:cut]))
    restored = msgspec.json.decode(msgspec.json.encode(stopped), type=Indicators)
    rest = (highs[cut:], lows[cut:], closes[cut:])
    assert restored == straight
    assert feed(restored, rest) == feed(straight, rest)
    assert msgspec.json.encode(restored) == msgspec.json.encode(straight)


def test_sums_do_not_drift_over_100_000_updates() -> None:
    bars = generated(100_000, 7, step=0.01)
    indicators = Indicators()
    closes = bars[2]
    worst = 0.0
    for number, (high, low, close) in enumerate(zip(*bars, strict=True), 1):
        indicators.update(high=high, low=low, close=close)
        if number > 99_900:
            for span, name in ((20, "sma_20"), (50, "sma_50")):
                exact = math.fsum(closes[number - span : number]) / span
                value = indicators.values()[name]
                assert value is not None
                worst = max(worst, abs(value / exact - 1.0))
    assert worst < 1e-14


def test_a_wild_print_leaves_no_trace_once_its_window_is_over() -> None:
    calm = [100.0 + 0.5 * (i % 7) for i in range(400)]
    wild = list(calm)
    wild[100] = 1e15
    plain = feed(Indicators(), (calm, calm, calm))[-1]
    after = feed(Indicators(), (wild, wild, wild))[-1]
    for name in ("sma_20", "sma_50", "bb_upper", "bb_lower"):
        assert after[name] == pytest.approx(plain[name], rel=1e-12)


def test_two_indicators_share_nothing() -> None:
    one, other = Indicators(), Indicators()
    feed(one, generated(60, 1))
    assert other == Indicators()
    assert other.ring_20 == []
