"""Indicators for one update: our fused calculator beside TA-Lib's stream handles and talipp.

Run, from the checkout:      .venv/bin/python benchmarks/indicators.py
With talipp too, if wanted:  uv run --no-project --python 3.12 --with talipp,msgspec,ta-lib,numpy \\
                                 benchmarks/indicators.py

Every candidate gets the same seeded candles, one after the other, in turn; each round measures all
of them, the best round counts, and the ratio is what to read (machines and neighbours differ).
The results of all are compared before anything is timed.
"""

import argparse
import importlib
import importlib.util
import math
import random
import sys
import timeit
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from simple_trader.core.market.indicators import Indicators

WARM = 300
Bar = tuple[float, float, float]
Step = Callable[[float, float, float], dict[str, float | None]]


def candles(count: int, seed: int) -> list[Bar]:
    """Highs, lows and closes of a random walk."""
    dice = random.Random(seed)
    price, made = 46_000.0, []
    for _ in range(count):
        price *= math.exp(dice.gauss(0.0, 0.001))
        made.append((price * (1 + dice.random() / 1e3), price * (1 - dice.random() / 1e3), price))
    return made


def own(history: list[Bar]) -> Step:
    """Ours: eight indicators, thirteen values, always as a dict by name."""
    indicators = Indicators()
    for high, low, close in history:
        indicators.update(high=high, low=low, close=close)

    def step(high: float, low: float, close: float) -> dict[str, float | None]:
        indicators.update(high=high, low=low, close=close)
        return indicators.values()

    return step


def talib_all(history: list[Bar]) -> Step:
    """TA-Lib's stateful handles for the same thirteen values."""
    import numpy as np
    from talib import stream

    high, low, close = (np.array(side) for side in zip(*history, strict=True))
    sma_20, sma_50 = stream.SMA(close, timeperiod=20).update, stream.SMA(close, 50).update
    ema_12, ema_26 = stream.EMA(close, timeperiod=12).update, stream.EMA(close, 26).update
    rsi, macd = stream.RSI(close, timeperiod=14).update, stream.MACD(close, 12, 26, 9).update
    bands = stream.BBANDS(close, timeperiod=20, nbdevup=2, nbdevdn=2).update
    atr = stream.ATR(high, low, close, timeperiod=14).update

    def step(high: float, low: float, close: float) -> dict[str, float | None]:
        line, signal, hist = macd(close)
        upper, middle, lower = bands(close)
        return {
            "sma_20": sma_20(close),
            "sma_50": sma_50(close),
            "ema_12": ema_12(close),
            "ema_26": ema_26(close),
            "rsi_14": rsi(close),
            "macd": line,
            "macd_signal": signal,
            "macd_hist": hist,
            "bb_upper": upper,
            "bb_middle": middle,
            "bb_lower": lower,
            "bb_pct": (close - lower) / (upper - lower),
            "atr_14": atr(high, low, close),
        }

    return step


def talib_five(history: list[Bar]) -> Step:
    """TA-Lib's handles for five indicators (SMA, EMA, RSI, MACD, BBANDS), as a dict by name."""
    import numpy as np
    from talib import stream

    close = np.array([bar[2] for bar in history])
    sma, ema = stream.SMA(close, timeperiod=20).update, stream.EMA(close, timeperiod=12).update
    rsi, macd = stream.RSI(close, timeperiod=14).update, stream.MACD(close, 12, 26, 9).update
    bands = stream.BBANDS(close, timeperiod=20, nbdevup=2, nbdevdn=2).update

    def step(high: float, low: float, close: float) -> dict[str, float | None]:
        line, signal, hist = macd(close)
        upper, middle, lower = bands(close)
        return {
            "sma_20": sma(close),
            "ema_12": ema(close),
            "rsi_14": rsi(close),
            "macd": line,
            "macd_signal": signal,
            "macd_hist": hist,
            "bb_upper": upper,
            "bb_middle": middle,
            "bb_lower": lower,
        }

    return step


def talib_bare(history: list[Bar]) -> Step:
    """The same five handles, their answers thrown away: the least TA-Lib can cost from Python."""
    import numpy as np
    from talib import stream

    close = np.array([bar[2] for bar in history])
    sma, ema = stream.SMA(close, timeperiod=20).update, stream.EMA(close, timeperiod=12).update
    rsi, macd = stream.RSI(close, timeperiod=14).update, stream.MACD(close, 12, 26, 9).update
    bands = stream.BBANDS(close, timeperiod=20, nbdevup=2, nbdevdn=2).update
    nothing: dict[str, float | None] = {}

    def step(high: float, low: float, close: float) -> dict[str, float | None]:
        sma(close)
        ema(close)
        rsi(close)
        macd(close)
        bands(close)
        return nothing

    return step


def talipp_five(history: list[Bar]) -> Step:
    """talipp, incremental, the same five."""
    kinds = importlib.import_module("talipp.indicators")
    parts = kinds.SMA(20), kinds.EMA(12), kinds.RSI(14), kinds.MACD(12, 26, 9), kinds.BB(20, 2)
    sma, ema, rsi, macd, bands = parts

    def step(high: float, low: float, close: float) -> dict[str, float | None]:
        for part in parts:
            part.add(close)
        if bands[-1] is None or macd[-1] is None:
            return {}
        return {
            "sma_20": sma[-1],
            "ema_12": ema[-1],
            "rsi_14": rsi[-1],
            "macd": macd[-1].macd,
            "macd_signal": macd[-1].signal,
            "macd_hist": macd[-1].histogram,
            "bb_upper": bands[-1].ub,
            "bb_middle": bands[-1].cb,
            "bb_lower": bands[-1].lb,
        }

    for bar in history:
        step(*bar)
    return step


def candidates() -> dict[str, Callable[[list[Bar]], Step]]:
    """What can be measured here; says what is missing."""
    found = {"own, 13 values": own}
    if importlib.util.find_spec("talib"):
        found["talib.stream, same 13 values"] = talib_all
        found["talib.stream, five in a dict"] = talib_five
        found["talib.stream, five, bare"] = talib_bare
    else:
        print("TA-Lib is not installed: skipped")
    if importlib.util.find_spec("talipp"):
        found["talipp, five in a dict"] = talipp_five
    else:
        print("talipp is not installed: skipped")
    return found


def check(makers: dict[str, Callable[[list[Bar]], Step]], bars: list[Bar]) -> None:
    """All candidates say the same at the end, or there is nothing to compare.

    MACD is left out for talipp, which starts its fast average elsewhere: after 300 candles the
    difference is below 1e-9 of the price, but not of the MACD.
    """
    last: dict[str, dict[str, float | None]] = {}
    for name, make in makers.items():
        step = make(bars[:WARM])
        for bar in bars[WARM:]:
            last[name] = step(*bar)
    ours = last["own, 13 values"]
    for name, values in last.items():
        for key, value in values.items():
            mine = ours[key]
            if mine is None or value is None:
                raise SystemExit(f"{name}: {key} is not known after {len(bars)} candles")
            if not math.isclose(mine, value, rel_tol=1e-9, abs_tol=1e-9 * bars[-1][2]):
                raise SystemExit(f"{name}: {key} is {value}, ours is {mine}")


def measure(make: Callable[[list[Bar]], Step], bars: list[Bar]) -> float:
    """Microseconds for one update of a warm candidate."""
    step, fresh = make(bars[:WARM]), bars[WARM:]

    def run() -> None:
        for high, low, close in fresh:
            step(high, low, close)

    return timeit.timeit(run, number=1) / len(fresh) * 1e6


def main() -> None:
    """Check, measure in turn, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candles", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    bars = candles(WARM + asked.candles, asked.seed)
    makers = candidates()
    check(makers, bars)
    times: dict[str, list[float]] = {name: [] for name in makers}
    for _ in range(asked.rounds):
        for name, make in makers.items():
            times[name].append(measure(make, bars))
    best = {name: min(spent) for name, spent in times.items()}
    ours = best["own, 13 values"]
    print(f"Python {sys.version.split()[0]}, {asked.candles} candles, best of {asked.rounds}")
    print(f"{'candidate':32} {'us/update':>10} {'worst':>8} {'own / it':>9}")
    for name, spent in best.items():
        print(f"{name:32} {spent:10.2f} {max(times[name]):8.2f} {ours / spent:9.2f}")


if __name__ == "__main__":
    main()
