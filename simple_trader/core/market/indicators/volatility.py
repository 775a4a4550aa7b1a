"""Volatility: how far the price swings. Bollinger bands, average true range, realised volatility.

A swing of exactly nothing is None, not 0: nothing was measured, and nobody may divide by it (M01).
"""

from math import dist, fsum, sqrt

import msgspec

from simple_trader.core.market.indicators.past import Past
from simple_trader.core.market.indicators.spec import Spec, percent

BAND_SPAN = 20
BAND_WIDTH = 2.0
ATR_SPAN = 14
REALISED_SPANS = (20, 60)
_BAND_SHARE = BAND_WIDTH / sqrt(BAND_SPAN)  # so many standard deviations of the population
_FLAT = 1e-12  # a deviation below this fraction of the price is rounding, not movement
_REALISED_NAMES = tuple(f"realised_vol_{span}_pct" for span in REALISED_SPANS)
_BANDS = "BBANDS(close, 20, 2, 2)"

SPECS = (
    Spec("bb_upper", "price", "bb_middle + 2 deviations", BAND_SPAN, f"{_BANDS}[0]"),
    Spec("bb_middle", "price", "mean of the last 20 closes", BAND_SPAN, f"{_BANDS}[1]"),
    Spec("bb_lower", "price", "bb_middle - 2 deviations", BAND_SPAN, f"{_BANDS}[2]"),
    Spec("bb_pct", "share", "(close - bb_lower) / (bb_upper - bb_lower)", BAND_SPAN),
    Spec("bb_width_pct", "pct", "(bb_upper - bb_lower) / close", BAND_SPAN),
    Spec(
        "atr_14",
        "price",
        "true range, smoothed by Wilder over 14",
        ATR_SPAN + 1,
        "ATR(high, low, close, 14)",
    ),
    Spec("atr_pct", "pct", "atr_14 / close", ATR_SPAN + 1),
    Spec("range_pct", "pct", "(high - low) / close of the newest candle", 1),
    *(
        Spec(
            f"realised_vol_{n}_pct",
            "pct",
            f"root of the sum of the last {n} squared log returns, not annualised",
            n + 1,
            f"sqrt(SUM(log_return ** 2, {n}))",
        )
        for n in REALISED_SPANS
    ),
)


def bands(past: Past) -> dict[str, float | None]:
    """Bollinger's bands, where the close stands between them, and how wide they are."""
    if past.count < BAND_SPAN:
        return dict.fromkeys(("bb_upper", "bb_middle", "bb_lower", "bb_pct", "bb_width_pct"))
    newest = past.closes[-BAND_SPAN:]
    close = newest[-1]
    mean = fsum(newest) / BAND_SPAN
    # About the mean: TA-Lib's difference of two large squares loses half of the digits.
    band = dist(newest, (mean,) * BAND_SPAN) * _BAND_SHARE
    moves = band > _FLAT * abs(mean)
    return {
        "bb_upper": mean + band if moves else mean,
        "bb_middle": mean,
        "bb_lower": mean - band if moves else mean,
        "bb_pct": (close - mean + band) / (band + band) if moves else None,
        "bb_width_pct": percent(band + band, close) if moves else None,
    }


def realised(past: Past) -> dict[str, float | None]:
    """The realised volatility of each span: the distance between log prices and those before."""
    known = dict[str, float | None].fromkeys(_REALISED_NAMES)
    logs = past.logs
    for span, name in zip(REALISED_SPANS, _REALISED_NAMES, strict=True):
        if past.count > span:
            known[name] = 100.0 * dist(logs[-span:], logs[-span - 1 : -1]) or None
    return known


class TrueRange(msgspec.Struct):
    """Wilder's average true range: from the mean of its first 14."""

    mean: float = 0.0

    def update(self, past: Past) -> None:
        """Take the newest candle: its range, widened to the close before it."""
        changes = past.count - 1
        if not changes:
            return
        before = past.closes[-2]
        swing = max(past.highs[-1], before) - min(past.lows[-1], before)
        self.mean += swing / ATR_SPAN if changes <= ATR_SPAN else (swing - self.mean) / ATR_SPAN

    def values(self, past: Past) -> dict[str, float | None]:
        """The average true range and the newest candle's own, also in percent of the close."""
        mean = self.mean if past.count > ATR_SPAN and self.mean > 0.0 else None
        if not past.count:
            return dict.fromkeys(("atr_14", "atr_pct", "range_pct"))
        close = past.closes[-1]
        return {
            "atr_14": mean,
            "atr_pct": None if mean is None else percent(mean, close),
            "range_pct": percent(past.highs[-1] - past.lows[-1], close),
        }
