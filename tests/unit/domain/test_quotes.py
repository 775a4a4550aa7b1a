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
