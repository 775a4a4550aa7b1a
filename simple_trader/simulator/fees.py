"""Kraken's fee schedule by 30-day volume, and the volume window that picks the tier."""

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from simple_trader.simulator.orders import ZERO

WINDOW = timedelta(days=30)


class Tier(msgspec.Struct, frozen=True):
    """From `volume` USD in 30 days on, percent of cost for takers and makers."""

    volume: Decimal
    taker_pct: Decimal
    maker_pct: Decimal


# Protocol section 13, schedule of November 2025.
TIERS: tuple[Tier, ...] = tuple(
    Tier(Decimal(volume), Decimal(taker), Decimal(maker))
    for volume, taker, maker in (
        ("0", "0.40", "0.25"),
        ("10000", "0.35", "0.20"),
        ("50000", "0.24", "0.14"),
        ("100000", "0.22", "0.12"),
        ("250000", "0.20", "0.10"),
        ("500000", "0.18", "0.08"),
        ("1000000", "0.16", "0.06"),
        ("2500000", "0.14", "0.04"),
        ("5000000", "0.12", "0.02"),
        ("10000000", "0.10", "0.00"),
    )
)

# Stablecoin and currency pairs have a lower schedule of their own.
STABLE_TIERS: tuple[Tier, ...] = tuple(
    Tier(Decimal(volume), Decimal(percent), Decimal(percent))
    for volume, percent in (
        ("0", "0.20"),
        ("50000", "0.16"),
        ("100000", "0.12"),
        ("250000", "0.08"),
        ("500000", "0.04"),
        ("1000000", "0.02"),
        ("5000000", "0.01"),
    )
)
# By the name that `Instrument.fee_table` holds.
FEE_TABLES: dict[str, tuple[Tier, ...]] = {"crypto": TIERS, "stable": STABLE_TIERS}


def tier_at(volume: Decimal, table: str = "crypto") -> int:
    """Give the index of the tier that a 30-day volume has reached in a schedule."""
    reached = 0
    for index, tier in enumerate(FEE_TABLES[table]):
        if volume >= tier.volume:
            reached = index
    return reached


def rate(volume: Decimal, *, maker: bool, table: str = "crypto") -> Decimal:
    """Give the fee as a fraction of cost."""
    tier = FEE_TABLES[table][tier_at(volume, table)]
    return (tier.maker_pct if maker else tier.taker_pct) / 100


class VolumeWindow(msgspec.Struct):
    """What the account traded in the last 30 days, in USD, oldest first.

    `standing` is the volume that the account was opened with or was given: it never leaves.
    """

    parts: list[tuple[datetime, Decimal]] = msgspec.field(default_factory=list)
    total: Decimal = ZERO
    standing: Decimal = ZERO

    def add(self, at: datetime, cost: Decimal) -> None:
        """Count one fill."""
        self.parts.append((at, cost))
        self.total += cost

    def at(self, now: datetime) -> Decimal:
        """Give the volume of the window that ends now, dropping what left it."""
        limit = now - WINDOW
        gone = 0
        for moment, cost in self.parts:
            if moment > limit:
                break
            self.total -= cost
            gone += 1
        if gone:
            del self.parts[:gone]
        return self.standing + self.total

    def set(self, volume: Decimal) -> None:
        """Forget what was traded: from now on the volume is this and what comes."""
        self.parts.clear()
        self.total, self.standing = ZERO, volume
