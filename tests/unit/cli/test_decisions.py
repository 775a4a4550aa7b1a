"""The options of `decisions`: moments and spans, or a sentence."""

from datetime import UTC, datetime

import pytest
import typer

from simple_trader.cli.decisions import when


def test_a_moment_is_utc_unless_it_says_otherwise_and_a_span_counts_seconds() -> None:
    assert when("") == (None, None)
    assert when("2026-01-31") == (datetime(2026, 1, 31, tzinfo=UTC), None)
    assert when("2026-01-31T10:00+02:00") == (datetime(2026, 1, 31, 8, tzinfo=UTC), None)
    assert when("2h") == (None, 7_200.0)


@pytest.mark.parametrize("text", ["abc", "0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00"])
def test_what_is_no_moment_is_told_with_the_option(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="--since"):
        when(text)
