"""Spans of history."""

from datetime import UTC, datetime, timedelta

from simple_trader.domain.history import Span

ZERO = datetime(2026, 1, 5, tzinfo=UTC)


def test_a_span_has_a_length_and_an_empty_one_has_none() -> None:
    span = Span(ZERO, ZERO + timedelta(minutes=2))
    assert (span.seconds, span.empty) == (120.0, False)
    assert Span(ZERO, ZERO).empty
    assert Span(ZERO + timedelta(1), ZERO).empty


def test_spans_sort_by_their_begin() -> None:
    later, sooner = Span(ZERO + timedelta(1), ZERO + timedelta(2)), Span(ZERO, ZERO + timedelta(9))
    assert sorted([later, sooner]) == [sooner, later]
