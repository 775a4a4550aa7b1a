"""Trend: where the price goes and how steadily. SMA, EMA, MACD and Wilder's directional movement.

All start as in TA-Lib: an EMA from the mean of its first values, the fast EMA *of the MACD* from
the twelve closes that end where the slow one starts, the ADX from the mean of its first fourteen
DX. Only what TA-Lib calls 0 because it divides 0 by 0 is None here.
"""

from itertools import zip_longest
from math import fsum

import msgspec

from simple_trader.core.market.indicators.past import Past
from simple_trader.core.market.indicators.spec import Spec, percent

SMA_SPANS = (10, 20, 50, 200)
EMA_SPANS = (9, 12, 26, 50)
FAST, SLOW, SIGNAL = 12, 26, 9
ADX_SPAN = 14
MACD_AT = SLOW + SIGNAL - 1  # candles until the MACD is defined
ADX_AT = 2 * ADX_SPAN
_TINY = 1e-14  # TA-Lib's own bound: a sum of movements below it counts as none

SPECS = (
    *(
        Spec(f"sma_{n}", "price", f"mean of the last {n} closes", n, f"SMA(close, {n})")
        for n in SMA_SPANS
    ),
    *(
        Spec(f"distance_sma_{n}_pct", "pct", f"(close - sma_{n}) / close", n)
        for n in SMA_SPANS
        if n > SMA_SPANS[0]
    ),
    *(
        Spec(
            f"ema_{n}",
            "price",
            f"EMA of the closes, smoothing 2 / {n + 1}, from the mean of the first {n}",
            n,
            f"EMA(close, {n})",
        )
        for n in EMA_SPANS
    ),
    Spec("ema_gap_pct", "pct", f"(ema_{FAST} - ema_{SLOW}) / close", SLOW),
    Spec("macd", "price", "fast less slow EMA (12, 26)", MACD_AT, "MACD(close, 12, 26, 9)[0]"),
    Spec("macd_signal", "price", "EMA of the macd over 9", MACD_AT, "MACD(close, 12, 26, 9)[1]"),
    Spec("macd_hist", "price", "macd - macd_signal", MACD_AT, "MACD(close, 12, 26, 9)[2]"),
    Spec("macd_hist_pct", "pct", "macd_hist / close", MACD_AT),
    Spec(
        "plus_di_14",
        "0..100",
        "upward movement in percent of the true range, both smoothed by Wilder over 14",
        ADX_SPAN + 1,
        "PLUS_DI(high, low, close, 14)",
    ),
    Spec(
        "minus_di_14",
        "0..100",
        "downward movement in percent of the true range, both smoothed by Wilder over 14",
        ADX_SPAN + 1,
        "MINUS_DI(high, low, close, 14)",
    ),
    Spec(
        "adx_14",
        "0..100",
        "Wilder's mean over 14 of DX = 100 |plus_di - minus_di| / (plus_di + minus_di)",
        ADX_AT,
        "ADX(high, low, close, 14)",
    ),
)


_SMA_NAMES = tuple(
    (n, f"sma_{n}", f"distance_sma_{n}_pct" if n > SMA_SPANS[0] else "") for n in SMA_SPANS
)
_AVERAGES = (*(f"sma_{n}" for n in SMA_SPANS), *(name for _, _, name in _SMA_NAMES if name))


def averages(past: Past) -> dict[str, float | None]:
    """The simple means, and how far the close stands above each, in percent of the close.

    They are summed anew at each question, exactly: there is no running sum that could drift.
    """
    known = dict[str, float | None].fromkeys(_AVERAGES)
    closes = past.closes
    close, total, summed = closes[-1], 0.0, 0
    for span, name, distance in _SMA_NAMES:
        if past.count < span:
            break
        total += fsum(closes[-span : -summed or None])  # what the shorter span has not got
        summed = span
        known[name] = mean = total / span
        if distance:
            known[distance] = percent(close - mean, close)
    return known


def _gain(span: int) -> float:
    """How much of the way to the newest value an EMA of `span` goes."""
    return 2.0 / (span + 1)


_EMA_NAMES = tuple(f"ema_{span}" for span in EMA_SPANS)
_GAINS = tuple(_gain(span) for span in EMA_SPANS)
_K_FAST, _K_SLOW, _K_SIGNAL = _gain(FAST), _gain(SLOW), _gain(SIGNAL)


class Exponentials(msgspec.Struct):
    """The EMAs that have begun, in the order of EMA_SPANS."""

    emas: list[float] = []

    def update(self, past: Past) -> None:
        """Move each to the newest close; one begins as the mean of its first closes."""
        close = past.closes[-1]
        known = zip(self.emas, _GAINS, strict=False)
        self.emas = [ema + (close - ema) * gain for ema, gain in known]
        if past.count in EMA_SPANS:
            self.emas.append(fsum(past.closes) / past.count)

    def values(self, past: Past) -> dict[str, float | None]:
        """The EMAs by name, and the gap between fast and slow one in percent of the close."""
        known: dict[str, float | None] = dict(zip_longest(_EMA_NAMES, self.emas))
        fast, slow = known["ema_12"], known["ema_26"]
        if fast is None or slow is None:
            known["ema_gap_pct"] = None
        else:
            known["ema_gap_pct"] = percent(fast - slow, past.closes[-1])
        return known


class Macd(msgspec.Struct):
    """Moving average convergence / divergence (Appel): 12, 26, 9."""

    fast: float = 0.0
    slow: float = 0.0
    signal: float = 0.0

    def update(self, past: Past) -> None:
        """Follow the newest close."""
        count, close = past.count, past.closes[-1]
        if count > SLOW:
            self.fast += (close - self.fast) * _K_FAST
            self.slow += (close - self.slow) * _K_SLOW
        elif count == SLOW:
            self.fast = fsum(past.closes[-FAST:]) / FAST
            self.slow = fsum(past.closes) / SLOW
        if count > MACD_AT:
            self.signal += (self.fast - self.slow - self.signal) * _K_SIGNAL
        elif count >= SLOW:
            self.signal += (self.fast - self.slow) / SIGNAL

    def values(self, past: Past) -> dict[str, float | None]:
        """Line, signal and histogram."""
        if past.count < MACD_AT:
            return dict.fromkeys(("macd", "macd_signal", "macd_hist", "macd_hist_pct"))
        line = self.fast - self.slow
        hist = line - self.signal
        return {
            "macd": line,
            "macd_signal": self.signal,
            "macd_hist": hist,
            "macd_hist_pct": percent(hist, past.closes[-1]),
        }


class Directional(msgspec.Struct):
    """Wilder's directional movement: sums of movements and true ranges that fade by 1/14."""

    up: float = 0.0
    down: float = 0.0
    true_range: float = 0.0
    adx: float = 0.0

    def update(self, past: Past) -> None:
        """Take the newest candle beside the one before it."""
        count = past.count
        if count < 2:
            return
        highs, lows, before = past.highs, past.lows, past.closes[-2]
        high, low = highs[-1], lows[-1]
        if count > ADX_SPAN:  # the first thirteen movements are gathered, then they fade
            self.up -= self.up / ADX_SPAN
            self.down -= self.down / ADX_SPAN
            self.true_range -= self.true_range / ADX_SPAN
        rose, fell = high - highs[-2], lows[-2] - low
        if fell > 0.0 and fell > rose:
            self.down += fell
        elif rose > 0.0 and rose > fell:
            self.up += rose
        self.true_range += max(high, before) - min(low, before)
        dx = self._dx() if count > ADX_SPAN else None
        if dx is not None:
            self.adx += dx / ADX_SPAN if count <= ADX_AT else (dx - self.adx) / ADX_SPAN

    def _dx(self) -> float | None:
        """How one-sided the movement is, 0 to 100; None where nothing moved up or down."""
        moved = self.up + self.down
        if self.true_range < _TINY or moved / self.true_range < _TINY:
            return None
        return 100.0 * abs(self.up - self.down) / moved

    def values(self, past: Past) -> dict[str, float | None]:
        """Both directions and the ADX; None where the range is nil or nothing ever moved."""
        known = dict[str, float | None].fromkeys(("plus_di_14", "minus_di_14", "adx_14"))
        if past.count > ADX_SPAN and self.true_range >= _TINY:
            known["plus_di_14"] = 100.0 * self.up / self.true_range
            known["minus_di_14"] = 100.0 * self.down / self.true_range
            if past.count >= ADX_AT and self._dx() is not None:
                known["adx_14"] = self.adx
        return known
