"""Means of the order book over time: one look at a book is a whim, a minute of it is a tendency.

Each mean fades: what held t seconds ago weighs exp(-t / span), for as long as it held. So no list
of past looks is kept, however many there were, and a burst of messages weighs no more than silence.
"""

from datetime import datetime
from math import exp, isfinite

import msgspec

SHORT_S = 60
LONG_S = 300


class BookMeans(msgspec.Struct):
    """Imbalance (-1..1) and spread (bps) of a book since it is trusted without a break.

    `imbalance` and `spread_bps` are what was seen last, at `at`, and holds from then on.
    """

    since: datetime | None = None
    at: datetime | None = None
    imbalance: float = 0.0
    spread_bps: float = 0.0
    imbalance_1m: float = 0.0
    imbalance_5m: float = 0.0
    spread_5m_bps: float = 0.0

    def see(self, at: datetime, imbalance: float, spread_bps: float) -> None:
        """Take one look at the book; one of before the newest, or no number, is left out."""
        if not isfinite(imbalance) or not isfinite(spread_bps):
            return
        if self.at is None:
            self.since = self.at = at
            self.imbalance = self.imbalance_1m = self.imbalance_5m = imbalance
            self.spread_bps = self.spread_5m_bps = spread_bps
            return
        seconds = (at - self.at).total_seconds()
        if seconds < 0.0:
            return
        short, long = exp(-seconds / SHORT_S), exp(-seconds / LONG_S)
        self.imbalance_1m = self.imbalance + (self.imbalance_1m - self.imbalance) * short
        self.imbalance_5m = self.imbalance + (self.imbalance_5m - self.imbalance) * long
        self.spread_5m_bps = self.spread_bps + (self.spread_5m_bps - self.spread_bps) * long
        self.at, self.imbalance, self.spread_bps = at, imbalance, spread_bps

    def values(self) -> dict[str, float | None]:
        """The means at the newest look; None where the book was trusted for less than a span."""
        seen_s = 0.0
        if self.since is not None and self.at is not None:
            seen_s = (self.at - self.since).total_seconds()
        return {
            "imbalance_1m": self.imbalance_1m if seen_s >= SHORT_S else None,
            "imbalance_5m": self.imbalance_5m if seen_s >= LONG_S else None,
            "spread_5m_bps": self.spread_5m_bps if seen_s >= LONG_S else None,
        }
