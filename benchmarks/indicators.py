"""All indicators of one pair after one candle: ours beside TA-Lib's stream handles and talipp.

Run, from the checkout: make bench ARGS=indicators

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

from simple_trader.core.market.indicators.panel import KEYS, Indicators

WARM = 300
OWN = f"own, {len(KEYS)} values"
Bar = tuple[float, float, float, float]
Known = dict[str, float | None]
Step = Callable[[float, float, float, float], Known]


def candles(count: int, seed: int) -> list[Bar]:
    """Highs, lows, closes and volumes of a random walk."""
    dice = random.Random(seed)
    price, made = 46_000.0, []
    for _ in range(count):
        price *= math.exp(dice.gauss(0.0, 0.001))
        high, low = price * (1 + dice.random() / 1e3), price * (1 - dice.random() / 1e3)
        made.append((high, low, price, dice.lognormvariate(1.0, 1.0)))
    return made


def warm(history: list[Bar]) -> Indicators:
    """Ours after some candles."""
    indicators = Indicators()
    for high, low, close, volume in history:
        indicators.update(high=high, low=low, close=close, volume=volume)
    return indicators


def own(history: list[Bar]) -> Step:
    """Ours: moved on and read after every candle, all values, by name."""
    indicators = warm(history)

    def step(high: float, low: float, close: float, volume: float) -> Known:
        indicators.update(high=high, low=low, close=close, volume=volume)
        return indicators.values()

    return step


def own_moved_on(history: list[Bar]) -> Step:
    """Ours as the daemon runs it between two decisions: moved on, not read."""
    indicators = warm(history)
    nothing: Known = {}

    def step(high: float, low: float, close: float, volume: float) -> Known:
        indicators.update(high=high, low=low, close=close, volume=volume)
        return nothing

    return step


def own_quarter(history: list[Bar]) -> Step:
    """Ours at the default cycle: read at every fifteenth candle."""
    indicators = warm(history)
    known: Known = {}

    def step(high: float, low: float, close: float, volume: float) -> Known:
        nonlocal known
        indicators.update(high=high, low=low, close=close, volume=volume)
        if indicators.count % 15 == 0:
            known = indicators.values()
        return {}

    return step


def talib_all(history: list[Bar]) -> Step:
    """TA-Lib's stateful handles for the same indicators and windows, by name.

    What it has no handle for (the flow, returns squared) is made of handles; what follows from two
    values by one division is left out, as far as ours has it from the same figures.
    """
    import numpy as np
    from talib import stream

    high, low, close, volume = (np.array(side) for side in zip(*history, strict=True))
    ranges = (high, low, close)
    squares = np.concatenate(([0.0], np.diff(np.log(close)) ** 2))
    paid = (high + low + close) / 3.0 * volume
    plain = {
        **{f"sma_{n}": stream.SMA(close, n).update for n in (10, 20, 50, 200)},
        **{f"ema_{n}": stream.EMA(close, n).update for n in (9, 12, 26, 50)},
        **{f"roc_{n}_pct": stream.ROC(close, n).update for n in (1, 5, 15, 60)},
        **{f"rsi_{n}": stream.RSI(close, n).update for n in (7, 14, 21)},
    }
    of_range = {
        "plus_di_14": stream.PLUS_DI(*ranges, 14).update,
        "minus_di_14": stream.MINUS_DI(*ranges, 14).update,
        "adx_14": stream.ADX(*ranges, 14).update,
        "atr_14": stream.ATR(*ranges, 14).update,
        "atr_pct": stream.NATR(*ranges, 14).update,
    }
    macd, bands = stream.MACD(close, 12, 26, 9).update, stream.BBANDS(close, 20, 2, 2).update
    stochastic, obv = stream.STOCH(*ranges, 14, 3, 0, 3, 0).update, stream.OBV(close, volume).update
    mean, deviation = stream.SMA(volume, 20).update, stream.STDDEV(volume, 20).update
    realised = {n: stream.SUM(squares, n).update for n in (20, 60)}
    traded = {n: stream.SUM(volume, n).update for n in (20, 60)}
    spent = {n: stream.SUM(paid, n).update for n in (20, 60)}
    before = history[-1][2]

    def step(high: float, low: float, close: float, volume: float) -> Known:
        nonlocal before
        known: Known = {name: update(close) for name, update in plain.items()}
        for name, update in of_range.items():
            known[name] = update(high, low, close)
        known["macd"], known["macd_signal"], known["macd_hist"] = macd(close)
        upper, middle, lower = bands(close)
        known |= {"bb_upper": upper, "bb_middle": middle, "bb_lower": lower}
        known["bb_pct"] = (close - lower) / (upper - lower)
        known["stoch_k_14"], known["stoch_d_14"] = stochastic(high, low, close)
        known["obv"] = obv(close, volume)
        known["volume_z_20"] = (volume - mean(volume)) / deviation(volume)
        square, turnover = math.log(close / before) ** 2, (high + low + close) / 3.0 * volume
        before = close
        for n in (20, 60):
            known[f"realised_vol_{n}_pct"] = 100.0 * math.sqrt(realised[n](square))
            vwap = spent[n](turnover) / traded[n](volume)
            known[f"distance_vwap_{n}_pct"] = (close / vwap - 1.0) * 100.0
        return known

    return step


def talipp_all(history: list[Bar]) -> Step:
    """talipp, incremental, what it has of the same."""
    kinds = importlib.import_module("talipp.indicators")
    candle = importlib.import_module("talipp.ohlcv").OHLCV
    of_close = {
        **{f"sma_{n}": kinds.SMA(n) for n in (10, 20, 50, 200)},
        **{f"ema_{n}": kinds.EMA(n) for n in (9, 12, 26, 50)},
        **{f"roc_{n}_pct": kinds.ROC(n) for n in (1, 5, 15, 60)},
        **{f"rsi_{n}": kinds.RSI(n) for n in (7, 14, 21)},
    }
    macd, bands = kinds.MACD(12, 26, 9), kinds.BB(20, 2)
    of_candle = {"atr_14": kinds.ATR(14)}
    adx, stochastic = kinds.ADX(14, 14), kinds.Stoch(14, 3)
    others = (adx, stochastic, kinds.OBV())

    def step(high: float, low: float, close: float, volume: float) -> Known:
        bar = candle(close, high, low, close, volume)
        for part in (*of_close.values(), macd, bands):
            part.add(close)
        for part in (*of_candle.values(), *others):
            part.add(bar)
        known: Known = {name: part[-1] for name, part in (of_close | of_candle).items()}
        if macd[-1] is not None and bands[-1] is not None:
            known |= {"macd": macd[-1].macd, "bb_upper": bands[-1].ub, "bb_lower": bands[-1].lb}
        if adx[-1] is not None:
            known["adx_14"] = adx[-1].adx
        return known

    for bar in history:
        step(*bar)
    return step


def candidates() -> dict[str, Callable[[list[Bar]], Step]]:
    """What can be measured here; says what is missing."""
    found = {
        OWN: own,
        "own, read at every 15th candle": own_quarter,
        "own, moved on only": own_moved_on,
    }
    if importlib.util.find_spec("talib"):
        found["talib.stream, same windows"] = talib_all
    else:
        print("TA-Lib is not installed: skipped")
    if importlib.util.find_spec("talipp"):
        found["talipp, what it has of them"] = talipp_all
    else:
        print("talipp is not installed: skipped")
    return found


def check(makers: dict[str, Callable[[list[Bar]], Step]], bars: list[Bar]) -> dict[str, int]:
    """All candidates say the same at the end, or there is nothing to compare; how many values.

    The bound is 1e-9 of the value or of the price: talipp starts some averages elsewhere.
    """
    last: dict[str, Known] = {}
    for name, make in makers.items():
        step = make(bars[:WARM])
        for bar in bars[WARM:]:
            last[name] = step(*bar)
    ours = last[OWN]
    for name, values in last.items():
        for key, value in values.items():
            mine = ours[key]
            if mine is None or value is None:
                raise SystemExit(f"{name}: {key} is not known after {len(bars)} candles")
            near = 1e-9 * (bars[-1][2] if abs(mine) > 1e3 or "macd" in key else 10.0)
            if key == "obv":
                continue  # it counts from where the series began, which differs by the warm-up
            if not math.isclose(mine, value, rel_tol=1e-9, abs_tol=near):
                raise SystemExit(f"{name}: {key} is {value}, ours is {mine}")
    return {name: len(values) for name, values in last.items()}


def measure(make: Callable[[list[Bar]], Step], bars: list[Bar]) -> float:
    """Microseconds for one update of a warm candidate."""
    step, fresh = make(bars[:WARM]), bars[WARM:]

    def run() -> None:
        for high, low, close, volume in fresh:
            step(high, low, close, volume)

    return timeit.timeit(run, number=1) / len(fresh) * 1e6


def main() -> None:
    """Check, measure in turn, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candles", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    bars = candles(WARM + asked.candles, asked.seed)
    makers = candidates()
    counts = check(makers, bars)
    times: dict[str, list[float]] = {name: [] for name in makers}
    for _ in range(asked.rounds):
        for name, make in makers.items():
            times[name].append(measure(make, bars))
    best = {name: min(spent) for name, spent in times.items()}
    print(f"Python {sys.version.split()[0]}, {asked.candles} candles, best of {asked.rounds}")
    print(f"{'candidate':32} {'values':>6} {'us/candle':>10} {'worst':>8} {'own / it':>9}")
    for name, spent in best.items():
        count = counts[name] or len(KEYS)
        print(f"{name:32} {count:6} {spent:10.2f} {max(times[name]):8.2f} {best[OWN] / spent:9.2f}")


if __name__ == "__main__":
    main()
