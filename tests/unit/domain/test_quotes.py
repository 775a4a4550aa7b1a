"""A quote is as old as the worse of its two moments."""

from datetime import timedelta

import pytest
from brain_desk import BTC, T0, D, quote


def test_the_middle_is_between_bid_and_ask() -> None:
    assert quote(BTC, "100", "101", T0).mid == D("100.5")


@pytest.mark.parametrize(
    ("venue_late_s", "age_s"), [(None, 3.0), (0.0, 3.0), (20.0, 23.0), (-5.0, 3.0)]
)
def test_the_older_moment_counts(venue_late_s: float | None, age_s: float) -> None:
    venue_at = None if venue_late_s is None else T0 - timedelta(seconds=venue_late_s)
    seen = quote(BTC, "100", "101", T0, venue_at)
    assert seen.age_s(T0 + timedelta(seconds=3)) == age_s


@pytest.mark.parametrize("venue_ahead_s", [-3.0, 0.0, 3.0])
def test_i_49_x34_the_exchanges_moment_is_read_by_our_clock(venue_ahead_s: float) -> None:
    stamp = T0 - timedelta(seconds=20 - venue_ahead_s)
    seen = quote(BTC, "100", "101", T0, stamp)
    at = T0 + timedelta(seconds=3)
    assert seen.age_s(at, venue_ahead_s) == 23.0
    assert seen.ahead_s(at, venue_ahead_s) == -3.0


def test_i_49_a_moment_still_to_come_is_ahead_by_either_clock() -> None:
    by_theirs = quote(BTC, "100", "101", T0, T0 + timedelta(seconds=2))
    assert by_theirs.ahead_s(T0) == 2.0
    assert quote(BTC, "100", "101", T0 + timedelta(hours=1)).ahead_s(T0) == 3600.0
