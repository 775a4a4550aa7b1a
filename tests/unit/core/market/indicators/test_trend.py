"""Trend: worked examples by hand, steady markets, and directions that are none."""

import pytest
from series_parts import Bars, feed, flat, generated, of_closes, of_talib

from simple_trader.core.market.indicators.panel import Indicators


def test_the_mean_of_ten_closes_by_hand() -> None:
    rows = feed(Indicators(), of_closes([float(n) for n in range(1, 31)]))
    assert rows[8]["sma_10"] is None
    assert rows[9]["sma_10"] == 5.5
    assert rows[29]["sma_20"] == 20.5
    assert rows[29]["distance_sma_20_pct"] == pytest.approx((30 - 20.5) / 30 * 100)


def test_an_ema_begins_as_a_mean_and_then_goes_its_share_of_the_way() -> None:
    rows = feed(Indicators(), of_closes([10.0] * 9 + [20.0]))
    assert rows[7]["ema_9"] is None
    assert rows[8]["ema_9"] == 10.0
    assert rows[9]["ema_9"] == pytest.approx(12.0)  # 2 / (9 + 1) of the way


@pytest.mark.parametrize(("slope", "sign"), [(1.0, 1), (-1.0, -1)])
def test_a_steady_march_has_a_macd_of_its_direction_and_a_full_adx(slope: float, sign: int) -> None:
    closes = [500.0 + slope * n for n in range(300)]
    bars = Bars([c + 0.5 for c in closes], [c - 0.5 for c in closes], closes, [1.0] * 300)
    row = feed(Indicators(), bars)[-1]
    assert row["macd"] == pytest.approx(sign * 7.0)  # half of the spans' difference, per step
    assert row["macd_hist"] == pytest.approx(0.0, abs=1e-9)
    assert row["adx_14"] == pytest.approx(100.0)
    assert row["plus_di_14" if sign > 0 else "minus_di_14"] == pytest.approx(100 / 1.5)
    assert row["minus_di_14" if sign > 0 else "plus_di_14"] == 0.0


def test_m01_candles_that_only_breathe_have_no_adx_but_two_directions_of_zero() -> None:
    count = 60
    row = feed(Indicators(), Bars([101.0] * count, [99.0] * count, [100.0] * count, [1.0] * count))[
        -1
    ]
    assert (row["plus_di_14"], row["minus_di_14"]) == (0.0, 0.0), "there was a range, no move"
    assert row["adx_14"] is None, "0 of 0 is no strength of a trend"


def test_m01_a_market_that_stands_still_has_no_direction_at_all() -> None:
    row = feed(Indicators(), flat(100.0, 60))[-1]
    assert {row[name] for name in ("plus_di_14", "minus_di_14", "adx_14")} == {None}
    assert row["macd"] == 0.0
    assert row["ema_26"] == row["sma_50"] == 100.0


@pytest.mark.parametrize("begin", [0, 5, 14, 27, 40, 200])
def test_a_pause_anywhere_leaves_every_trend_equal_to_talib(begin: int) -> None:
    calm = generated(300, 8)
    bars = Bars(*(side[:begin] + [side[begin]] * 25 + side[begin + 25 :] for side in calm))
    rows, theirs = feed(Indicators(), bars), of_talib(bars)
    for name in ("adx_14", "plus_di_14", "minus_di_14", "macd_signal", "ema_50", "sma_200"):
        for at, row in enumerate(rows):
            if row[name] is not None:
                expected = float(theirs[name][at])
                assert row[name] == pytest.approx(expected, rel=1e-8, abs=1e-8), (name, at)
