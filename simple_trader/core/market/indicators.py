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
_BAND_WIDTH = 2.0
_ROOT_SHORT = sqrt(_SHORT)
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
        before = self.close
        count = self.count = self.count + 1
        self.close = close
        self._sums(count, close)
        if count > _LONG:
            self.ema_12 += (close - self.ema_12) * _K_FAST
            self.ema_26 += (close - self.ema_26) * _K_SLOW
            self.macd_fast += (close - self.macd_fast) * _K_FAST
            self.macd_signal += (self.macd_fast - self.ema_26 - self.macd_signal) * _K_SIGNAL
        else:
            self._start_averages(count, close)
        if count == 1:
            return
        change = close - before
        gain, loss = (change, 0.0) if change > 0.0 else (0.0, -change)
        top = max(before, high)
        bottom = min(before, low)
        if count > _WILDER + 1:
            keep = _WILDER - 1
            self.gain = (self.gain * keep + gain) / _WILDER
            self.loss = (self.loss * keep + loss) / _WILDER
            self.true_range = (self.true_range * keep + top - bottom) / _WILDER
        else:  # the mean of the first changes, gathered share by share
            self.gain += gain / _WILDER
            self.loss += loss / _WILDER
            self.true_range += (top - bottom) / _WILDER

    def _sums(self, count: int, close: float) -> None:
        """Overwrite the oldest value of both rings; a full round sums them anew."""
        if count <= _LONG:
            self.ring_50.append(close)
            self.sum_50 = fsum(self.ring_50)
            if count <= _SHORT:
                self.ring_20.append(close)
                self.sum_20 = fsum(self.ring_20)
                return
        else:
            place = (count - 1) % _LONG
            self.sum_50 += close - self.ring_50[place]
            self.ring_50[place] = close
            if place == 0:
                self.sum_50 = fsum(self.ring_50)
        place = (count - 1) % _SHORT
        self.sum_20 += close - self.ring_20[place]
        self.ring_20[place] = close
        if place == 0:
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
        count = self.count
        known: dict[str, float | None] = dict.fromkeys(KEYS)
        if count >= _FAST:
            known["ema_12"] = self.ema_12
        if count > _WILDER:
            known["atr_14"] = self.true_range
            moved = self.gain + self.loss
            if moved > _NO_CHANGE:
                known["rsi_14"] = 100.0 * self.gain / moved
        if count >= _SHORT:
            mean = self.sum_20 / _SHORT
            band = dist(self.ring_20, (mean,) * _SHORT) / _ROOT_SHORT * _BAND_WIDTH
            known["sma_20"] = known["bb_middle"] = mean
            if band > _FLAT * abs(mean):
                known["bb_pct"] = (self.close - mean + band) / (band + band)
            else:
                band = 0.0
            known["bb_upper"] = mean + band
            known["bb_lower"] = mean - band
        if count >= _SLOW:
            known["ema_26"] = self.ema_26
        if count >= _MACD_AT:
            macd = self.macd_fast - self.ema_26
            known["macd"] = macd
            known["macd_signal"] = self.macd_signal
            known["macd_hist"] = macd - self.macd_signal
        if count >= _LONG:
            known["sma_50"] = self.sum_50 / _LONG
        return known
