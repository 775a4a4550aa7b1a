"""Fee tiers and the 30-day window."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from simple_trader.simulator.fees import TIERS, VolumeWindow, rate, tier_at

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("volume", "taker", "maker"),
    [
        ("0", "0.0040", "0.0025"),
        ("9999.99", "0.0040", "0.0025"),
        ("10000", "0.0035", "0.0020"),
        ("249999", "0.0022", "0.0012"),
        ("10000000", "0.0010", "0"),
        ("99999999999", "0.0010", "0"),
    ],
)
def test_the_tier_follows_the_volume(volume: str, taker: str, maker: str) -> None:
    assert rate(Decimal(volume), maker=False) == Decimal(taker)
    assert rate(Decimal(volume), maker=True) == Decimal(maker)


def test_tiers_rise_in_volume_and_fall_in_fees() -> None:
    for lower, higher in pairwise(TIERS):
        assert lower.volume < higher.volume
        assert lower.taker_pct > higher.taker_pct
        assert lower.maker_pct > higher.maker_pct
    assert tier_at(Decimal(-1)) == 0


def test_volume_leaves_the_window_after_thirty_days() -> None:
    window = VolumeWindow()
    window.add(NOON, Decimal(100))
    window.add(NOON + timedelta(days=10), Decimal(50))
    assert window.at(NOON + timedelta(days=29)) == 150
    assert window.at(NOON + timedelta(days=30)) == 50
    assert window.at(NOON + timedelta(days=41)) == 0
    assert window.parts == []


def test_stablecoin_pairs_have_their_own_lower_schedule() -> None:
    assert rate(Decimal(0), maker=False, table="stable") == Decimal("0.0020")
    assert rate(Decimal(0), maker=True, table="stable") == Decimal("0.0020")
    for volume in map(Decimal, (0, 60_000, 300_000, 2_000_000)):
        assert rate(volume, maker=False, table="stable") < rate(volume, maker=False)


def test_a_given_volume_replaces_what_was_traded_and_stays() -> None:
    window = VolumeWindow(standing=Decimal(40))
    window.add(NOON, Decimal(100))
    assert window.at(NOON) == 140
    window.set(Decimal(60_000))
    window.add(NOON, Decimal(1))
    assert window.at(NOON) == 60_001
    assert window.at(NOON + timedelta(days=365)) == 60_000
