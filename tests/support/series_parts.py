"""Series of candles for tests of indicators, and what TA-Lib says about them."""

import csv
import gzip
import math
import random
from pathlib import Path
from typing import NamedTuple

import numpy as np
import talib

from simple_trader.core.market.indicators.panel import Indicators

Row = dict[str, float | None]
Column = np.ndarray[tuple[int], np.dtype[np.float64]]


class Bars(NamedTuple):
    """Highs, lows, closes and volumes of one series."""

    highs: list[float]
    lows: list[float]
    closes: list[float]
    volumes: list[float]

    def part(self, begin: int, end: int) -> "Bars":
        """The candles from `begin` to before `end`."""
        return Bars(*(side[begin:end] for side in self))


def generated(count: int, seed: int, *, start: float = 46_000.0, step: float = 0.001) -> Bars:
    """A seeded random walk with lively volumes."""
    dice = random.Random(seed)
    closes, price = [], start
    for _ in range(count):
        price *= math.exp(dice.gauss(0.0, step))
        closes.append(price)
    return Bars(
        [close * (1 + abs(dice.gauss(0.0, step))) for close in closes],
        [close * (1 - abs(dice.gauss(0.0, step))) for close in closes],
        closes,
        [dice.lognormvariate(1.0, 1.0) for _ in closes],
    )


def flat(price: float, count: int, volume: float = 0.0) -> Bars:
    """A price that never moves."""
    return Bars([price] * count, [price] * count, [price] * count, [volume] * count)


def of_closes(closes: list[float], volume: float = 1.0) -> Bars:
    """Candles that are nothing but their close."""
    return Bars(closes, closes, closes, [volume] * len(closes))


def real_hours(shared: Path) -> Bars:
    """Nine years of hours of Kraken's BTC/USD."""
    with gzip.open(shared / "market" / "XBTUSD_60.csv.gz", "rt") as lines:
        rows = [tuple(map(float, row[2:6])) for row in csv.reader(lines)]
    return Bars(*(list(side) for side in zip(*rows, strict=True)))


def real_minutes(shared: Path) -> Bars:
    """A month of minutes of a BTC perpetual."""
    wanted = ("high", "low", "close", "volume")
    with gzip.open(shared / "market" / "BTCPERP_1m_2022-01.csv.gz", "rt") as lines:
        rows = [tuple(float(row[name]) for name in wanted) for row in csv.DictReader(lines)]
    return Bars(*(list(side) for side in zip(*rows, strict=True)))


def feed(indicators: Indicators, bars: Bars) -> list[Row]:
    """The values after each candle."""
    rows = []
    for high, low, close, volume in zip(*bars, strict=True):
        indicators.update(high=high, low=low, close=close, volume=volume)
        rows.append(indicators.values())
    return rows


def of_talib(bars: Bars) -> dict[str, Column]:
    """What TA-Lib says, by our names; NaN where it says nothing."""
    high, low, close, volume = (np.array(side) for side in bars)
    macd, signal, hist = talib.MACD(close, 12, 26, 9)
    upper, middle, lower = talib.BBANDS(close, 20, 2, 2)
    slow_k, slow_d = talib.STOCH(high, low, close, 14, 3, 0, 3, 0)
    obv = talib.OBV(close, volume)
    traded = {n: talib.SUM(volume, n) for n in (20, 60)}
    paid = {n: talib.SUM(talib.TYPPRICE(high, low, close) * volume, n) for n in (20, 60)}
    squares = np.concatenate(([0.0], np.diff(np.log(close)) ** 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            **{f"sma_{n}": talib.SMA(close, n) for n in (10, 20, 50, 200)},
            **{
                f"distance_sma_{n}_pct": (1 - talib.SMA(close, n) / close) * 100
                for n in (20, 50, 200)
            },
            **{f"ema_{n}": talib.EMA(close, n) for n in (9, 12, 26, 50)},
            "ema_gap_pct": (talib.EMA(close, 12) - talib.EMA(close, 26)) / close * 100,
            "macd": macd,
            "macd_signal": signal,
            "macd_hist": hist,
            "macd_hist_pct": hist / close * 100,
            "plus_di_14": talib.PLUS_DI(high, low, close, 14),
            "minus_di_14": talib.MINUS_DI(high, low, close, 14),
            "adx_14": talib.ADX(high, low, close, 14),
            **{f"roc_{n}_pct": talib.ROC(close, n) for n in (1, 5, 15, 60)},
            **{f"rsi_{n}": talib.RSI(close, n) for n in (7, 14, 21)},
            "stoch_k_14": slow_k,
            "stoch_d_14": slow_d,
            "bb_upper": upper,
            "bb_middle": middle,
            "bb_lower": lower,
            "bb_pct": (close - lower) / (upper - lower),
            "bb_width_pct": (upper - lower) / close * 100,
            "atr_14": talib.ATR(high, low, close, 14),
            "atr_pct": talib.NATR(high, low, close, 14),
            "range_pct": (high - low) / close * 100,
            **{
                f"realised_vol_{n}_pct": _late(np.sqrt(talib.SUM(squares, n)) * 100, n)
                for n in (20, 60)
            },
            "obv": _late(obv, 1),
            "obv_flow_20": _late((obv - np.roll(obv, 20)) / traded[20], 20),
            "volume_z_20": (volume - talib.SMA(volume, 20)) / talib.STDDEV(volume, 20),
            "volume_ratio_20": volume / talib.SMA(volume, 20),
            **{
                f"distance_vwap_{n}_pct": (close / (paid[n] / traded[n]) - 1) * 100
                for n in (20, 60)
            },
        }


def _late(column: Column, first: int) -> Column:
    """The column with nothing known before `first`."""
    known = column.copy()
    known[:first] = math.nan
    return known
