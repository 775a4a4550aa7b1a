"""Volume: what stands behind the price. On-balance volume, z-score, distance from the VWAP.

Without any volume in its window none of them means anything: None (M01).
"""

from math import dist, fsum, sqrt

import msgspec

from simple_trader.core.market.indicators.past import Past
from simple_trader.core.market.indicators.spec import Spec, percent

FLOW_SPAN = 20
SCORE_SPAN = 20
VWAP_SPANS = (20, 60)
_VWAP_NAMES = tuple(f"distance_vwap_{span}_pct" for span in VWAP_SPANS)
_SHARE = 1.0 / sqrt(SCORE_SPAN)
_FLAT = 1e-12  # a deviation below this fraction of the mean is rounding

SPECS = (
    Spec(
        "obv",
        "base",
        "volume of rising less that of falling candles since the series began",
        2,
        "OBV(close, volume)",
    ),
    Spec(
        "obv_flow_20",
        "-1..1",
        "change of the obv over 20 candles / their volume",
        FLOW_SPAN + 1,
        "(OBV - OBV 20 candles ago) / SUM(volume, 20)",
    ),
    Spec(
        "volume_z_20",
        "sd",
        "(volume - its mean of 20 candles) / its deviation",
        SCORE_SPAN,
        "(volume - SMA(volume, 20)) / STDDEV(volume, 20)",
    ),
    Spec("volume_ratio_20", "ratio", "volume / its mean of 20 candles", SCORE_SPAN),
    *(
        Spec(
            f"distance_vwap_{n}_pct",
            "pct",
            f"close / VWAP of {n} candles (by typical price) - 1",
            n,
            f"close / (SUM(TYPPRICE * volume, {n}) / SUM(volume, {n})) - 1",
        )
        for n in VWAP_SPANS
    ),
)


class Flow(msgspec.Struct):
    """On-balance volume (Granville); `signed` are the newest volumes with the close's direction."""

    obv: float = 0.0
    signed: list[float] = []

    def update(self, past: Past) -> None:
        """Add the volume of a rising candle, take off that of a falling one."""
        volume = past.volumes[-1]
        if past.count == 1:
            self.obv = volume  # as in TA-Lib
            return
        close, before = past.closes[-1], past.closes[-2]
        if close < before:
            volume = -volume
        elif close == before:
            volume = 0.0
        self.obv += volume
        self.signed.append(volume)
        if len(self.signed) > FLOW_SPAN:
            del self.signed[0]

    def values(self, past: Past) -> dict[str, float | None]:
        """The running total, and what flowed lately as a share of all that was traded."""
        traded = fsum(past.volumes[-FLOW_SPAN:])
        knows = past.count > FLOW_SPAN and traded > 0.0
        return {
            "obv": self.obv if past.count > 1 and any(past.volumes) else None,
            "obv_flow_20": fsum(self.signed) / traded if knows else None,
        }


def activity(past: Past) -> dict[str, float | None]:
    """How unusual the newest candle's volume is, in deviations and as a multiple of the mean."""
    known: dict[str, float | None] = {"volume_z_20": None, "volume_ratio_20": None}
    if past.count < SCORE_SPAN:
        return known
    newest = past.volumes[-SCORE_SPAN:]
    mean = fsum(newest) / SCORE_SPAN
    if mean > 0.0:
        deviation = dist(newest, (mean,) * SCORE_SPAN) * _SHARE
        known["volume_ratio_20"] = newest[-1] / mean
        if deviation > _FLAT * mean:
            known["volume_z_20"] = (newest[-1] - mean) / deviation
    return known


def distances_from_vwap(past: Past) -> dict[str, float | None]:
    """How far the close is above the mean price that was paid over each span, in percent of it."""
    known = dict[str, float | None].fromkeys(_VWAP_NAMES)
    for span, name in zip(VWAP_SPANS, _VWAP_NAMES, strict=True):
        traded = fsum(past.volumes[-span:]) if past.count >= span else 0.0
        if traded > 0.0:
            vwap = fsum(past.turnovers[-span:]) / traded
            known[name] = percent(past.closes[-1] - vwap, vwap)
    return known
