"""Moments are aware, exact to the microsecond, and cut the day where UTC does."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from simple_trader.domain.moments import (
    EPOCH,
    floor_to,
    from_unix,
    next_multiple,
    parse_rfc3339,
    seconds,
    to_rfc3339,
    to_unix,
    utc_day,
)

NOON = datetime(2026, 3, 2, 12, 0, 1, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("2026-03-02T12:00:01Z", 0),
        ("2026-03-02T12:00:01.5Z", 500_000),
        ("2026-03-02T12:00:01.123456Z", 123_456),
        ("2026-03-02T12:00:01.123456789Z", 123_456),
    ],
)
def test_any_number_of_fractional_digits_is_read(text: str, micros: int) -> None:
    assert parse_rfc3339(text) == datetime(2026, 3, 2, 12, 0, 1, micros, tzinfo=UTC)


def test_another_zone_is_read_as_utc() -> None:
    assert parse_rfc3339("2026-03-02T14:00:01.5+02:00") == NOON


@pytest.mark.parametrize(
    "bad", ["2026-03-02T12:00:01", "yesterday", "2026-03-02T12:00:01.xZ", "2026-03-02T1+01:00Z"]
)
def test_naive_or_malformed_moments_are_refused(bad: str) -> None:
    with pytest.raises(ValueError):
        parse_rfc3339(bad)


@pytest.mark.parametrize(("digits", "tail"), [(0, "01Z"), (3, "01.500Z"), (6, "01.500000Z")])
def test_moments_are_written_with_the_digits_asked_for(digits: int, tail: str) -> None:
    there = NOON.astimezone(timezone(timedelta(hours=5)))
    assert to_rfc3339(there, digits=digits) == f"2026-03-02T12:00:{tail}"


def test_unix_time_there_and_back() -> None:
    assert from_unix(to_unix(NOON)) == NOON
    assert from_unix(0) == EPOCH


def test_multiples_count_from_the_epoch() -> None:
    quarter = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    assert floor_to(NOON, 900) == quarter
    assert next_multiple(NOON, 900) == quarter + timedelta(minutes=15)
    assert next_multiple(quarter, 900) == quarter + timedelta(minutes=15)
    assert utc_day(NOON) == datetime(2026, 3, 2, tzinfo=UTC)


def test_seconds_make_a_span() -> None:
    assert seconds(1.5) == timedelta(milliseconds=1500)
