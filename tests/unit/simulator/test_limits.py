"""The trading counter by order age and tier."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from simple_trader.simulator.limits import (
    TIER_LIMITS,
    RateCount,
    Tier,
    Transaction,
    age_cost,
    decayed,
)
from simple_trader.simulator.orders import Order

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
AGES_S = (0, 4.999, 5, 9.999, 10, 14.999, 15, 44.999, 45, 89.999, 90, 299.999, 300, 9000)


def order(amended_at: datetime | None = None) -> Order:
    return Order(
        order_id="O1",
        symbol="BTC/USD",
        side="sell",
        order_type="limit",
        qty=Decimal("0.5"),
        limit_price=Decimal(1),
        time_in_force="gtc",
        opened_at=NOON,
        amended_at=amended_at,
        hold_rate=Decimal(0),
    )


@pytest.mark.parametrize(
    ("kind", "costs"),
    [
        ("amend", (3, 3, 2, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0)),
        ("edit", (6, 6, 5, 5, 4, 4, 2, 2, 1, 1, 0, 0, 0, 0)),
        ("cancel", (8, 8, 6, 6, 5, 5, 4, 4, 2, 2, 1, 1, 0, 0)),
    ],
)
def test_the_age_part_is_that_of_kraken_s_table(kind: Transaction, costs: tuple[int, ...]) -> None:
    found = [age_cost(kind, order(), NOON + timedelta(seconds=age)) for age in AGES_S]
    assert tuple(found) == costs


def test_an_amend_makes_an_order_young_again() -> None:
    amended = order(NOON + timedelta(seconds=600))
    assert age_cost("cancel", amended, NOON + timedelta(seconds=603)) == 8


@pytest.mark.parametrize(
    ("tier", "left"), [("starter", "40"), ("intermediate", "26.6"), ("pro", "12.5")]
)
def test_fifty_adds_decay_for_ten_seconds_as_kraken_s_example_says(tier: Tier, left: str) -> None:
    count = RateCount(Decimal(50), NOON)
    assert decayed(count, tier, NOON + timedelta(seconds=10)) == Decimal(left)
    assert decayed(count, tier, NOON + timedelta(hours=1)) == 0
    assert decayed(None, tier, NOON) == 0


def test_the_tiers_have_kraken_s_thresholds_and_open_order_limits() -> None:
    told = {name: (row.threshold, row.open_orders) for name, row in TIER_LIMITS.items()}
    assert told == {"starter": (60, 60), "intermediate": (125, 80), "pro": (180, 225)}
