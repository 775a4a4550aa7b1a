"""Sets of spans: what is known, what is missing."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simple_trader.core.market.coverage import merged, missing
from simple_trader.domain.history import Span

ZERO = datetime(2026, 1, 5, tzinfo=UTC)


def span(begin: int, end: int) -> Span:
    return Span(ZERO + timedelta(minutes=begin), ZERO + timedelta(minutes=end))


SPANS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 12)).map(lambda t: span(t[0], t[0] + t[1])),
    max_size=12,
)


def moments(spans: tuple[Span, ...]) -> set[int]:
    return {
        int((at - ZERO).total_seconds() // 60)
        for found in spans
        for at in (found.begin + timedelta(minutes=n) for n in range(int(found.seconds // 60)))
    }


@pytest.mark.parametrize(
    ("known", "holes"),
    [
        ([], [(0, 10)]),
        ([(0, 10)], []),
        ([(-5, 15)], []),
        ([(2, 4)], [(0, 2), (4, 10)]),
        ([(0, 3), (3, 10)], []),
        ([(0, 3), (5, 7), (6, 8)], [(3, 5), (8, 10)]),
        ([(10, 20), (-9, 0)], [(0, 10)]),
        ([(4, 4)], [(0, 10)]),
    ],
)
def test_what_no_known_span_covers_is_missing(
    known: list[tuple[int, int]], holes: list[tuple[int, int]]
) -> None:
    found = missing(span(0, 10), [span(*each) for each in known])
    assert found == tuple(span(*each) for each in holes)


@given(SPANS)
def test_merging_keeps_every_moment_and_leaves_no_two_spans_that_touch(spans: list[Span]) -> None:
    whole = merged(spans)
    assert moments(whole) == set().union(*(moments((each,)) for each in spans))
    assert all(a.end < b.begin for a, b in itertools.pairwise(whole))


@given(SPANS)
def test_missing_and_known_share_no_moment_and_make_up_the_whole(spans: list[Span]) -> None:
    holes = moments(missing(span(0, 50), spans))
    known = moments(merged(spans))
    assert not holes & known
    assert (holes | known) >= set(range(50))
