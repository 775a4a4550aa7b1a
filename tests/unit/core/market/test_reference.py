"""The slow reference: a median over time that no wick moves and no burst weighs."""

from datetime import datetime, timedelta
from decimal import Decimal

from brain_desk import T0, D
from hypothesis import given
from hypothesis import strategies as st

from simple_trader.core.market.reference import Mids, median_of


def at(seconds: float) -> datetime:
    """A moment after the begin."""
    return T0 + timedelta(seconds=seconds)


def seen(*points: tuple[float, str]) -> Mids:
    """Middles seen at these seconds."""
    mids = Mids()
    for seconds, price in points:
        mids.see(at(seconds), D(price))
    return mids


def test_pt1_less_than_half_a_minute_says_nothing() -> None:
    assert Mids().median(T0) is None
    assert seen((0, "100")).median(at(29.9)) is None
    assert seen((0, "100")).median(at(30)) == 100


def test_x15_a_wick_of_twenty_seconds_moves_the_reference_at_no_moment() -> None:
    mids = seen((0, "100"))
    for second in range(40, 60):
        mids.see(at(second), D(40) + D(second) / 100)
        assert mids.median(at(second)) == 100
    mids.see(at(60), D(100))
    for second in range(60, 200):
        assert mids.median(at(second)) == 100


def test_x15_many_ticks_of_a_wick_weigh_no_more_than_its_time() -> None:
    mids = seen((0, "100"))
    for tick in range(2000):
        mids.see(at(50 + tick / 100), D(40))
    assert mids.median(at(70)) == 100
    assert len(mids.points) < 70


def test_pt1_a_price_that_stays_becomes_the_reference_within_half_a_minute() -> None:
    mids = seen((0, "100"), (60, "80"))
    assert mids.median(at(89.9)) == 100
    assert mids.median(at(90.1)) == 80


def test_pt1_a_silent_market_keeps_the_price_it_had() -> None:
    mids = seen((0, "100"), (600, "70"))
    assert mids.median(at(610)) == 100


def test_pt1_what_is_told_late_or_out_of_order_changes_nothing() -> None:
    mids = seen((0, "100"), (40, "101"))
    mids.see(at(20), D(1))
    assert mids.median(at(60)) == 100


def test_pt1_the_median_of_closes_is_one_of_them() -> None:
    assert median_of([]) is None
    assert median_of([D(3), D(1), D(2)]) == 2
    assert median_of([D(4), D(1), D(2), D(3)]) == 2


@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(1, 1000)), min_size=1, max_size=40),
    st.integers(30, 90),
)
def test_pt1_at_least_half_of_the_minute_lies_on_each_side(
    steps: list[tuple[int, int]], later: int
) -> None:
    mids, moment, points = Mids(), T0, []
    for gap, price in steps:
        moment += timedelta(seconds=gap)
        mids.see(moment, Decimal(price))
        points.append((moment, Decimal(price)))
    moment += timedelta(seconds=later)
    found = mids.median(moment)
    assert found is not None
    since = max(points[0][0], moment - timedelta(seconds=60))
    below = above = timedelta(0)
    for (begin, price), end in zip(points, [m for m, _ in points[1:]] + [moment], strict=True):
        span = max(timedelta(0), end - max(begin, since))
        below += span if price <= found else timedelta(0)
        above += span if price >= found else timedelta(0)
    assert below * 2 >= moment - since
    assert above * 2 >= moment - since
