"""Quotes, book summaries and candles as the brain sees them."""

from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.domain.moments import seconds


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

    def age_s(self, at: datetime, venue_ahead_s: float = 0.0) -> float:
        """Seconds since the worse (older) of the moment seen and the venue's own moment; the
        exchange's clock is `venue_ahead_s` before ours.
        """
        return (at - self.moment(venue_ahead_s)).total_seconds()

    def moment(self, venue_ahead_s: float = 0.0) -> datetime:
        """The moment the price is of, by our clock: the older of seen and the venue's own."""
        return min(self._moments(venue_ahead_s))

    def ahead_s(self, at: datetime, venue_ahead_s: float = 0.0) -> float:
        """Seconds by which the later of both moments lies after `at`; negative: before it."""
        return (max(self._moments(venue_ahead_s)) - at).total_seconds()

    def _moments(self, venue_ahead_s: float) -> tuple[datetime, ...]:
        """Both moments by our clock."""
        if self.venue_at is None:
            return (self.seen_at,)
        return (self.seen_at, self.venue_at - seconds(venue_ahead_s))


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
