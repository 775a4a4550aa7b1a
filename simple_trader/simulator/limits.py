"""The matching engine's limits by account and pair: the trading counter and open orders.

Source: protocol section 10. A transaction costs a fixed part, charged on receipt even when the
order is then refused, and a part that falls with the age of the order it touches; the counter
decays all the time. Counters are exact: microseconds times the decay, never a float.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

import msgspec

from simple_trader.simulator.orders import ZERO, Order

Tier = Literal["starter", "intermediate", "pro"]
Transaction = Literal["amend", "edit", "cancel"]

RATE_LIMIT = "EOrder:Rate limit exceeded"
ORDERS_LIMIT = "EOrder:Orders limit exceeded"

_MICROSECOND = timedelta(microseconds=1)


class TierLimits(msgspec.Struct, frozen=True):
    """One tier: the counter's threshold, its decay per second, open orders per pair."""

    threshold: int
    decay_per_s: Decimal
    open_orders: int


TIER_LIMITS: dict[Tier, TierLimits] = {
    "starter": TierLimits(60, Decimal(1), 60),
    "intermediate": TierLimits(125, Decimal("2.34"), 80),
    "pro": TierLimits(180, Decimal("3.75"), 225),
}

_AGES_S = (5, 10, 15, 45, 90, 300)
FIXED: dict[Transaction | Literal["add"], int] = {"add": 1, "amend": 1, "edit": 1, "cancel": 0}
BY_AGE: dict[Transaction, tuple[int, ...]] = {
    "amend": (3, 2, 1, 0, 0, 0, 0),
    "edit": (6, 5, 4, 2, 1, 0, 0),
    "cancel": (8, 6, 5, 4, 2, 1, 0),
}


class RateCount(msgspec.Struct):
    """One counter as it stood at one moment."""

    value: Decimal
    at: datetime


def decayed(count: RateCount | None, tier: Tier, at: datetime) -> Decimal:
    """Give what is left of a counter at a moment."""
    if count is None:
        return ZERO
    elapsed = Decimal((at - count.at) // _MICROSECOND)
    return max(ZERO, count.value - elapsed * TIER_LIMITS[tier].decay_per_s / 1_000_000)


def age_cost(kind: Transaction, order: Order, at: datetime) -> int:
    """Give the age part: seconds since the order was created or last amended count."""
    age = at - (order.amended_at or order.opened_at)
    costs = BY_AGE[kind]
    for limit_s, cost in zip(_AGES_S, costs, strict=False):
        if age < timedelta(seconds=limit_s):
            return cost
    return costs[-1]
