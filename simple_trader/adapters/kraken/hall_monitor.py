"""The hall monitor: a model of Kraken's REST counter, so that we never run into it (section 11.3).

The counter grows with each call and decays with time; a share of it is kept for cancels and
look-ups, which must get through when everything else is used up (X18).
"""

from collections.abc import Callable

import msgspec


class Tier(msgspec.Struct, frozen=True):
    """Most the counter may hold, and how much of it decays in a second."""

    limit: float
    decay_per_s: float


TIERS = {
    "starter": Tier(15, 0.33),
    "intermediate": Tier(20, 0.5),
    "pro": Tier(20, 1.0),
    "none": Tier(1e12, 1e12),  # our own sandbox does not count
}
RESERVED = 4.0
# Ledger and history calls cost 4 on the newest page, 2 on older ones: 4 is the safe reading.
COSTS = {"Ledgers": 4.0, "QueryLedgers": 4.0, "TradesHistory": 4.0, "ClosedOrders": 4.0}
FREE = frozenset({"AddOrder", "CancelOrder", "CancelAll"})  # these use the trading counter
_PUBLIC_GAP_S = 1.0


def cost_of(endpoint: str) -> float:
    """What a private call adds to the counter."""
    return 0.0 if endpoint in FREE else COSTS.get(endpoint, 1.0)


class HallMonitor:
    """The counter of one API key; times are monotonic seconds."""

    def __init__(self, tier: str, monotonic: Callable[[], float]) -> None:
        """`tier` is a name of TIERS; raises KeyError for another."""
        self.tier = TIERS[tier]
        self._monotonic = monotonic
        self._value = 0.0
        self._at = monotonic()

    @property
    def value(self) -> float:
        """The counter as we model it now."""
        now = self._monotonic()
        self._value = max(0.0, self._value - (now - self._at) * self.tier.decay_per_s)
        self._at = now
        return self._value

    def restore(self, value: float, age_s: float) -> None:
        """Go on from a value that was written down `age_s` ago."""
        self._value = max(0.0, value - max(0.0, age_s) * self.tier.decay_per_s)
        self._at = self._monotonic()

    def wait_s(self, cost: float, *, urgent: bool = False) -> float:
        """How long to wait before a call of `cost`; urgent ones may use the reserved share."""
        room = self.tier.limit - (0.0 if urgent else RESERVED) - self.value - cost
        return 0.0 if room >= 0 or cost == 0 else -room / self.tier.decay_per_s

    def charge(self, cost: float) -> None:
        """A call is made."""
        self._value = self.value + cost

    def exhausted(self) -> None:
        """The exchange said that the counter is full: believe it."""
        self._value = max(self.value, self.tier.limit)


class PublicPace:
    """Spaces public calls: about one a second is safe; a burst at the start is tolerated."""

    def __init__(self, monotonic: Callable[[], float], burst: int = 10) -> None:
        """Allow `burst` calls at once, then one a second."""
        self._monotonic = monotonic
        self._burst = burst
        self._free_at = monotonic() - burst * _PUBLIC_GAP_S

    def take_s(self) -> float:
        """Take the next place; how long to wait for it."""
        now = self._monotonic()
        self._free_at = max(self._free_at, now - self._burst * _PUBLIC_GAP_S) + _PUBLIC_GAP_S
        return max(0.0, self._free_at - now)
