"""Momentum: worked examples by hand, and what a price that stands still cannot say."""

import pytest
from series_parts import Bars, feed, flat, generated, of_closes, of_talib

from simple_trader.core.market.indicators.panel import Indicators


def test_rates_of_change_are_percent_of_the_close_so_many_candles_ago() -> None:
    closes = [100.0] * 61
    closes[0], closes[45], closes[55], closes[60] = 50.0, 80.0, 200.0, 120.0
    row = feed(Indicators(), of_closes(closes))[-1]
    assert row["roc_1_pct"] == pytest.approx(20.0)
    assert row["roc_5_pct"] == pytest.approx(-40.0)
    assert row["roc_15_pct"] == pytest.approx(50.0)
    assert row["roc_60_pct"] == pytest.approx(140.0)


def test_a_price_that_did_not_change_changed_by_zero() -> None:
    assert feed(Indicators(), flat(100.0, 70))[-1]["roc_60_pct"] == 0.0


def test_an_rsi_by_hand() -> None:
    # Seven changes: five of +1, two of -2: gains 5, losses 4, so 5 / 9.
    rows = feed(Indicators(), of_closes([100.0, 101, 102, 100, 101, 102, 103, 101]))
    assert rows[6]["rsi_7"] is None
    assert rows[7]["rsi_7"] == pytest.approx(100 * 5 / 9)


def test_only_gains_are_100_and_only_losses_0() -> None:
    rising = feed(Indicators(), of_closes([100.0 + n for n in range(40)]))[-1]
    falling = feed(Indicators(), of_closes([100.0 - n for n in range(40)]))[-1]
    for name in ("rsi_7", "rsi_14", "rsi_21"):
        assert rising[name] == 100.0
        assert falling[name] == 0.0, "a real zero: all of it was lost"


def test_m01_a_price_that_never_moved_has_neither_rsi_nor_stochastic() -> None:
    row = feed(Indicators(), flat(100.0, 60))[-1]
    assert {row[n] for n in ("rsi_7", "rsi_14", "rsi_21", "stoch_k_14", "stoch_d_14")} == {None}


def test_a_stochastic_by_hand() -> None:
    highs, lows = [110.0] * 18, [90.0] * 18
    closes = [100.0] * 13 + [92.0, 94.0, 96.0, 98.0, 100.0]
    rows = feed(Indicators(), Bars(highs, lows, closes, [1.0] * 18))
    assert rows[16]["stoch_k_14"] is None
    assert rows[17]["stoch_k_14"] == pytest.approx((30 + 40 + 50) / 3)
    assert rows[17]["stoch_d_14"] == pytest.approx((20 + 30 + 40) / 3)


def test_m01_the_stochastic_comes_back_when_five_windows_have_a_range_again() -> None:
    still, lively = flat(100.0, 40), generated(40, 2, start=100.0)
    bars = Bars(*(one + two for one, two in zip(still, lively, strict=True)))
    rows = feed(Indicators(), bars)
    first = next(at for at, row in enumerate(rows) if row["stoch_k_14"] is not None)
    assert first == 44, "the fifth candle that moved"
    theirs = of_talib(bars)
    for at in range(first, 80):
        assert rows[at]["stoch_d_14"] == pytest.approx(float(theirs["stoch_d_14"][at]), rel=1e-9)
