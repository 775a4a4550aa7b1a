"""Quotes, book summaries and candles as the brain sees them."""

from datetime import datetime
from decimal import Decimal

import msgspec


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """Best bid and ask, last trade and 24 h statistics of a pair; `seen_at` is market time."""

    pair: str
    bid: Decimal
    ask: Decimal
    bid_qty: Decimal
    ask_qty: Decimal
    last: Decimal
    volume: Decimal
    vwap: Decimal
    low: Decimal
    high: Decimal
    change_pct: Decimal
    venue_at: datetime | None
    seen_at: datetime

    @property
    def mid(self) -> Decimal:
        """Middle of bid and ask."""
        return (self.bid + self.ask) / 2

    def age_s(self, at: datetime) -> float:
        """Seconds since the worse (older) of the moment seen and the venue's own moment."""
        oldest = self.seen_at if self.venue_at is None else min(self.seen_at, self.venue_at)
        return (at - oldest).total_seconds()


class BookSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Top of a checksum-verified book: imbalance in [-1, 1] over the top levels, spread in bps."""

    pair: str
    bid: Decimal
    ask: Decimal
    mid: Decimal
    vwap_mid: Decimal
    spread_bps: float
    imbalance: float
    depth: int
    venue_at: datetime | None


class Candle(msgspec.Struct, frozen=True, kw_only=True):
    """One candle of `interval_s` seconds that begins at `begin`; volume in base units."""

    pair: str
    interval_s: int
    begin: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    trades: int
