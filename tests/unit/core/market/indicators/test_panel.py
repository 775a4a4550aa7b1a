"""The panel: equal to TA-Lib, one by one like all at once, snapshottable, and free of drift."""

import math
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from series_parts import (
    Bars,
    feed,
    flat,
    generated,
    of_closes,
    of_talib,
    real_hours,
    real_minutes,
)

from simple_trader.core.market.indicators.panel import KEYS, SPECS, Indicators

UNIT = {spec.name: spec.unit for spec in SPECS}
# A difference of large figures has the rounding of these, so near zero it has no equal digits.
NEAR_ZERO = {"pct": 1e-10, "0..100": 1e-9, "share": 1e-10, "-1..1": 1e-10, "sd": 1e-8}


def tiny(name: str, bars: Bars, at: int) -> float:
    """By how much a value may differ from TA-Lib's whatever its size."""
    if UNIT[name] == "price":
        return 1e-13 * bars.closes[at] if "macd" in name or "atr" in name else 0.0
    if UNIT[name] == "base":
        return 1e-9 * max(bars.volumes)
    return NEAR_ZERO.get(UNIT[name], 0.0)


def has_meaning(name: str, bars: Bars, at: int) -> bool:
    """Whether anything moved (or was traded) in the window that a value needs to mean something."""
    closes, span = bars.closes, at + 1
    if name.startswith(("rsi", "adx", "atr", "plus", "minus")):
        return len(set(closes[:span])) > 1
    if name.startswith("stoch"):
        return all(
            max(bars.highs[n - 13 : n + 1]) > min(bars.lows[n - 13 : n + 1])
            for n in range(at - 4, span)
        )
    if name.startswith(("bb_", "realised")):
        reach = 61 if name.endswith("60_pct") else 20
        return len(set(closes[max(0, span - reach) : span])) > 1
    if UNIT[name] in ("sd", "base", "-1..1", "ratio") or "vwap" in name:
        window = bars.volumes[max(0, span - 20) : span]
        return len(set(window)) > 1 if UNIT[name] == "sd" else sum(window) > 0
    return True


def assert_equal_to_talib(bars: Bars, names: Iterable[str] = KEYS) -> None:
    """Known where TA-Lib knows something that has a meaning, and equal to 1e-9 of the value."""
    rows, theirs = feed(Indicators(), bars), of_talib(bars)
    for name in names:
        for at, (row, their) in enumerate(zip(rows, theirs[name].tolist(), strict=True)):
            ours = row[name]
            where = f"{name} at {at}: {ours} != {their}"
            if ours is None:
                assert math.isnan(their) or not has_meaning(name, bars, at), where
            else:
                near = tiny(name, bars, at)
                assert math.isclose(ours, their, rel_tol=1e-9, abs_tol=near), where


def test_talib_has_an_answer_for_every_value() -> None:
    assert set(of_talib(generated(100, 1))) == set(KEYS)


@pytest.mark.parametrize("seed", range(5))
def test_every_value_equals_talib_on_generated_prices(seed: int) -> None:
    assert_equal_to_talib(generated(1_000, seed))


@pytest.mark.parametrize("start", [1e-6, 0.3, 1e6])
def test_cheap_and_dear_pairs_equal_talib_too(start: float) -> None:
    # TA-Lib takes changes below 1e-14 for none, so a price of 1e-6 must move enough to be seen.
    assert_equal_to_talib(generated(500, 11, start=start, step=0.01))


def test_every_value_equals_talib_on_real_hours(shared_data: Path) -> None:
    bars = real_hours(shared_data)
    assert len(bars.closes) > 70_000
    assert_equal_to_talib(bars.part(len(bars.closes) - 6_000, len(bars.closes)))


def test_every_value_equals_talib_on_real_minutes(shared_data: Path) -> None:
    bars = real_minutes(shared_data)
    assert len(bars.closes) > 45_000
    assert_equal_to_talib(bars.part(0, 6_000))


def test_one_candle_after_another_equals_each_prefix_as_a_batch() -> None:
    bars = generated(260, 5)
    rows = feed(Indicators(), bars)
    for end in range(1, 261, 7):
        prefix = bars.part(0, end)
        batch = of_talib(prefix)
        for name, ours in rows[end - 1].items():
            their = float(batch[name][-1])
            if ours is None:
                assert math.isnan(their), name
            else:
                near = tiny(name, prefix, end - 1)
                assert math.isclose(ours, their, rel_tol=1e-9, abs_tol=near), (name, end)


def test_nothing_but_its_range_is_known_after_a_single_candle() -> None:
    assert Indicators().values() == dict.fromkeys(KEYS)
    row = feed(Indicators(), Bars([2.0], [1.0], [2.0], [5.0]))[0]
    assert {name: value for name, value in row.items() if value is not None} == {"range_pct": 50.0}


def test_every_value_has_its_name_and_the_names_have_one_order() -> None:
    for row in feed(Indicators(), generated(220, 1)):
        assert tuple(row) == KEYS


def test_each_value_appears_exactly_when_its_spec_says() -> None:
    rows = feed(Indicators(), generated(220, 1))
    first = {
        name: next(i for i, row in enumerate(rows, 1) if row[name] is not None) for name in KEYS
    }
    assert first == {spec.name: spec.candles for spec in SPECS}
    assert None not in rows[-1].values()


@pytest.mark.parametrize("volume", [0.0, 3.0])
@pytest.mark.parametrize("price", [100.0, 0.1, 46_000.1, 1e-8])
def test_m01_what_a_constant_price_cannot_tell_is_none(price: float, volume: float) -> None:
    dead = (
        "rsi",
        "bb_pct",
        "bb_width",
        "stoch",
        "adx",
        "plus",
        "minus",
        "atr",
        "realised",
        "volume_z",
    )
    for row in feed(Indicators(), flat(price, 300, volume)):
        for name, value in row.items():
            assert value is None or math.isfinite(value)
            assert value is None or not name.startswith(dead), name
        if row["bb_upper"] is not None:
            assert row["bb_upper"] == row["bb_middle"] == row["bb_lower"]


def test_m01_without_volume_no_figure_of_volume_is_known() -> None:
    bars = generated(300, 4)._replace(volumes=[0.0] * 300)
    about_volume = [name for name in KEYS if name.startswith(("obv", "volume", "distance_vwap"))]
    assert len(about_volume) == 6
    for row in feed(Indicators(), bars):
        assert {row[name] for name in about_volume} == {None}


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 260), st.integers(0, 1_000))
def test_a_snapshot_in_mid_series_goes_on_identically(cut: int, seed: int) -> None:
    bars = generated(261, seed)
    straight = Indicators()
    feed(straight, bars.part(0, cut))
    restored = msgspec.json.decode(msgspec.json.encode(straight), type=Indicators)
    assert restored == straight
    rest = bars.part(cut, 261)
    assert feed(restored, rest) == feed(straight, rest)
    assert msgspec.json.encode(restored) == msgspec.json.encode(straight)


def test_a_snapshot_after_every_candle_changes_nothing() -> None:
    bars = generated(230, 9)
    straight, stopped = Indicators(), Indicators()
    for at in range(230):
        one = bars.part(at, at + 1)
        stopped = msgspec.msgpack.decode(msgspec.msgpack.encode(stopped), type=Indicators)
        assert feed(stopped, one) == feed(straight, one)


def test_windows_do_not_drift_over_100_000_candles() -> None:
    bars = generated(100_000, 7, step=0.01)
    indicators = Indicators()
    for high, low, close, volume in zip(*bars, strict=True):
        indicators.update(high=high, low=low, close=close, volume=volume)
    values = indicators.values()
    for span in (10, 20, 50, 200):
        exact = math.fsum(bars.closes[-span:]) / span
        assert values[f"sma_{span}"] == pytest.approx(exact, rel=1e-15)
    theirs = of_talib(bars.part(99_000, 100_000))
    for name in ("rsi_21", "adx_14", "atr_14", "ema_50", "macd_signal"):
        assert values[name] == pytest.approx(float(theirs[name][-1]), rel=1e-9)


def test_a_wild_print_leaves_no_trace_once_its_window_is_over() -> None:
    calm = [100.0 + 0.5 * (i % 7) for i in range(400)]
    wild = list(calm)
    wild[100] = 1e15
    plain = feed(Indicators(), of_closes(calm))[-1]
    after = feed(Indicators(), of_closes(wild))[-1]
    for name in ("sma_20", "sma_200", "bb_upper", "bb_lower", "realised_vol_60_pct", "roc_60_pct"):
        assert after[name] == plain[name]


@pytest.mark.parametrize(("history", "digits"), [(200, 1e-4), (720, 1e-12)])
def test_a_restart_with_less_history_says_nearly_the_same(history: int, digits: float) -> None:
    bars = generated(3_000, 3)
    whole = feed(Indicators(), bars)[-1]
    late = feed(Indicators(), bars.part(3_000 - history, 3_000))[-1]
    with_memory = ("ema", "macd", "rsi", "plus", "minus", "adx", "atr", "obv")
    for name in KEYS:
        if name.startswith(with_memory) and name not in ("obv", "obv_flow_20"):
            assert late[name] == pytest.approx(whole[name], rel=digits), name
        elif name != "obv":
            assert late[name] == whole[name], name


def test_what_is_kept_is_bounded() -> None:
    indicators = Indicators()
    feed(indicators, generated(300, 1))
    size = len(msgspec.json.encode(indicators))
    feed(indicators, generated(3_000, 2))
    assert len(msgspec.json.encode(indicators)) < size * 1.02
    assert size < 16_000


def test_two_indicators_share_nothing() -> None:
    one, other = Indicators(), Indicators()
    feed(one, generated(60, 1))
    assert other == Indicators()
    assert other.past.closes == []
