"""Indicators: one fused, incremental calculator per pair, equal to TA-Lib and kept as plain values.

Formulas and start-up follow TA-Lib (SMA, EMA, RSI, MACD, BBANDS, ATR with their defaults): an EMA
starts from the mean of its first values, RSI and ATR from the mean of their first 14 changes, the
fast EMA *of the MACD* from the twelve values that end where the slow one starts. Two deliberate
differences: what is undefined is None (TA-Lib says 0 for the RSI of a price that never moved), and
the deviation is taken about the mean, not as a difference of large squares.

Rolling sums are summed anew, exactly, each time their ring is full once more: rounding errors live
for one window and cannot pile up.
"""

from math import dist, fsum, sqrt

import msgspec

_SHORT = 20
_LONG = 50
_FAST = 12
_SLOW = 26
_SIGNAL = 9
_WILDER = 14
_MACD_AT = _SLOW + _SIGNAL - 1  # candles until the MACD is defined
_K_FAST = 2.0 / (_FAST + 1)
_K_SLOW = 2.0 / (_SLOW + 1)
_K_SIGNAL = 2.0 / (_SIGNAL + 1)
_KEEP = _WILDER - 1
_BAND_SHARE = 2.0 / sqrt(_SHORT)  # two standard deviations of the population
_NO_CHANGE = 1e-14  # TA-Lib's own bound: smaller mean changes count as none
_FLAT = 1e-12  # a deviation below this fraction of the price is rounding, not movement

KEYS = (
    "sma_20",
    "sma_50",
    "ema_12",
    "ema_26",
    "rsi_14",
    "macd",
    "macd_signal",
    "macd_hist",
    "bb_upper",
    "bb_middle",
    "bb_lower",
    "bb_pct",
    "atr_14",
)


class Indicators(msgspec.Struct, kw_only=True):
    """State of all indicators of one series; feed it one finished candle at a time.

    The struct can be encoded at any moment and goes on identically after decoding. Prices are in
    quote units; `rsi_14` in 0..100; `bb_pct` is 0 at the lower and 1 at the upper band.
    """

    count: int = 0
    close: float = 0.0
    ring_20: list[float] = []
    ring_50: list[float] = []
    sum_20: float = 0.0
    sum_50: float = 0.0
    ema_12: float = 0.0
    ema_26: float = 0.0
    macd_fast: float = 0.0
    macd_signal: float = 0.0
    gain: float = 0.0
    loss: float = 0.0
    true_range: float = 0.0

    def update(self, *, high: float, low: float, close: float) -> None:
        """Take in the next finished candle."""
        count = self.count
        if count < _LONG:
            self._start(count + 1, high, low, close)
            return
        self.count = count + 1
        before = self.close
        self.close = close
        place = count % _SHORT
        ring = self.ring_20
        self.sum_20 += close - ring[place]
        ring[place] = close
        if place == 0:
            self.sum_20 = fsum(ring)
        place = count % _LONG
        ring = self.ring_50
        self.sum_50 += close - ring[place]
        ring[place] = close
        if place == 0:
            self.sum_50 = fsum(ring)
        self.ema_12 += (close - self.ema_12) * _K_FAST
        slow = self.ema_26
        self.ema_26 = slow = slow + (close - slow) * _K_SLOW
        fast = self.macd_fast
        self.macd_fast = fast = fast + (close - fast) * _K_FAST
        signal = self.macd_signal
        self.macd_signal = signal + (fast - slow - signal) * _K_SIGNAL
        span = high - low
        if close > before:
            self.gain = (self.gain * _KEEP + close - before) / _WILDER
            self.loss = self.loss * _KEEP / _WILDER
        else:
            self.gain = self.gain * _KEEP / _WILDER
            self.loss = (self.loss * _KEEP + before - close) / _WILDER
        if before > high:
            span = before - low
        elif before < low:
            span = high - before
        self.true_range = (self.true_range * _KEEP + span) / _WILDER

    def _start(self, count: int, high: float, low: float, close: float) -> None:
        """Take in one of the first candles, until every ring is full."""
        before = self.close
        self.count = count
        self.close = close
        self._start_sums(count, close)
        self._start_averages(count, close)
        if count == 1:
            return
        share = 1.0 / _WILDER
        keep = 1.0 if count <= _WILDER + 1 else 1.0 - share  # first gather, then smooth
        self.gain = self.gain * keep + max(close - before, 0.0) * share
        self.loss = self.loss * keep + max(before - close, 0.0) * share
        self.true_range = self.true_range * keep + (max(before, high) - min(before, low)) * share

    def _start_sums(self, count: int, close: float) -> None:
        """Fill the rings, summing anew each time."""
        self.ring_50.append(close)
        self.sum_50 = fsum(self.ring_50)
        if count <= _SHORT:
            self.ring_20.append(close)
        else:
            self.ring_20[(count - 1) % _SHORT] = close
        self.sum_20 = fsum(self.ring_20)

    def _start_averages(self, count: int, close: float) -> None:
        """Start the exponential averages from means, each where TA-Lib starts it."""
        first = self.ring_50  # still in the order of arrival
        if count == _FAST:
            self.ema_12 = fsum(first) / _FAST
        elif count > _FAST:
            self.ema_12 += (close - self.ema_12) * _K_FAST
        if count < _SLOW:
            return
        if count == _SLOW:
            self.ema_26 = fsum(first) / _SLOW
            self.macd_fast = fsum(first[_SLOW - _FAST :]) / _FAST
        else:
            self.ema_26 += (close - self.ema_26) * _K_SLOW
            self.macd_fast += (close - self.macd_fast) * _K_FAST
        macd = self.macd_fast - self.ema_26
        if count <= _MACD_AT:
            self.macd_signal += macd / _SIGNAL
        else:
            self.macd_signal += (macd - self.macd_signal) * _K_SIGNAL

    def values(self) -> dict[str, float | None]:
        """All indicators by name (KEYS); None where there is not enough data or no meaning."""
        if self.count < _LONG:
            return self._first_values()
        fast = self.macd_fast
        slow = self.ema_26
        signal = self.macd_signal
        mean = self.sum_20 / _SHORT
        band = dist(self.ring_20, (mean,) * _SHORT) * _BAND_SHARE
        if band <= _FLAT * abs(mean):
            band = 0.0  # all there is would be rounding
        moved = self.gain + self.loss
        return {
            "sma_20": mean,
            "sma_50": self.sum_50 / _LONG,
            "ema_12": self.ema_12,
            "ema_26": slow,
            "rsi_14": 100.0 * self.gain / moved if moved > _NO_CHANGE else None,
            "macd": fast - slow,
            "macd_signal": signal,
            "macd_hist": fast - slow - signal,
            "bb_upper": mean + band,
            "bb_middle": mean,
            "bb_lower": mean - band,
            "bb_pct": (self.close - mean + band) / (band + band) if band else None,
            "atr_14": self.true_range,
        }

    def _first_values(self) -> dict[str, float | None]:
        """What is already defined while the rings fill."""
        count = self.count
        known: dict[str, float | None] = dict.fromkeys(KEYS)
        if count >= _FAST:
            known["ema_12"] = self.ema_12
        if count > _WILDER:
            known["atr_14"] = self.true_range
            moved = self.gain + self.loss
            known["rsi_14"] = 100.0 * self.gain / moved if moved > _NO_CHANGE else None
        if count >= _SHORT:
            mean = self.sum_20 / _SHORT
            band = dist(self.ring_20, (mean,) * _SHORT) * _BAND_SHARE
            band = band if band > _FLAT * abs(mean) else 0.0
            known["sma_20"] = known["bb_middle"] = mean
            known["bb_upper"] = mean + band
            known["bb_lower"] = mean - band
            known["bb_pct"] = (self.close - mean + band) / (band + band) if band else None
        if count >= _SLOW:
            known["ema_26"] = self.ema_26
        if count >= _MACD_AT:
            macd = self.macd_fast - self.ema_26
            known["macd"] = macd
            known["macd_signal"] = self.macd_signal
            known["macd_hist"] = macd - self.macd_signal
        return known
