"""The REST call counter of a key, by the tier of its account (protocol section 11.3)."""

from collections.abc import Callable
from datetime import datetime

from simple_trader.simulator.limits import Tier

# Most calls at once, and how many decay a second.
LIMITS: dict[Tier, tuple[float, float]] = {
    "starter": (15.0, 0.33),
    "intermediate": (20.0, 0.5),
    "pro": (20.0, 1.0),
}
HISTORY = frozenset({"Ledgers", "QueryLedgers", "TradesHistory", "ClosedOrders"})
ORDERS = frozenset(
    {
        "AddOrder", "AddOrderBatch", "AmendOrder", "EditOrder", "CancelOrder", "CancelOrderBatch",
        "CancelAll", "CancelAllOrdersAfter",
    }
)  # fmt: skip
LIMITED = "EAPI:Rate limit exceeded"


def cost_of(endpoint: str, *, history_cost: int, orders_count: bool) -> int:
    """Give what a private call costs; order calls go by the trading counter instead."""
    if endpoint in HISTORY:
        return history_cost
    return int(orders_count) if endpoint in ORDERS else 1


class Bucket:
    """One decaying counter; a call that would go over the limit is refused and not counted."""

    def __init__(self, most: float, decay: float, wall: Callable[[], datetime]) -> None:
        self._most, self._decay, self._wall = most, decay, wall
        self._value, self._at = 0.0, wall()

    def value(self) -> float:
        """Give the counter as it stands now."""
        now = self._wall()
        gone = max(0.0, (now - self._at).total_seconds()) * self._decay
        self._value, self._at = max(0.0, self._value - gone), now
        return self._value

    def take(self, cost: float) -> bool:
        """Count a call; says whether it is allowed."""
        if cost == 0:
            return True
        if self.value() + cost > self._most:
            return False
        self._value += cost
        return True


class RestCounters:
    """The counters of all keys, and of public callers by address."""

    def __init__(self, wall: Callable[[], datetime]) -> None:
        self._wall = wall
        self._keys: dict[str, Bucket] = {}
        self._peers: dict[str, Bucket] = {}

    def take(self, key: str, tier: Tier, cost: int) -> bool:
        """Count a private call of a key."""
        bucket = self._keys.get(key)
        if bucket is None:
            bucket = self._keys[key] = Bucket(*LIMITS[tier], self._wall)
        return bucket.take(cost)

    def take_public(self, peer: str, per_second: int) -> bool:
        """Count a public call of an address."""
        bucket = self._peers.get(peer)
        if bucket is None:
            if len(self._peers) > 10_000:
                self._peers.clear()
            bucket = self._peers[peer] = Bucket(per_second, per_second, self._wall)
        return bucket.take(1)

    def values(self, keys: list[str]) -> dict[str, str]:
        """Give the counters of some keys, for the ground truth."""
        return {key: f"{self._keys[key].value():.2f}" for key in keys if key in self._keys}
