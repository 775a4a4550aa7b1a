"""Durations and speeds as people write them."""

import math

import pytest
import typer

from simple_trader.cli.common import seconds, speed


@pytest.mark.parametrize(
    ("text", "value"),
    [("90", 90), ("60s", 60), ("5m", 300), ("2h", 7200), ("1d", 86400), ("1.5h", 5400),
     ("250ms", 0.25)],
)  # fmt: skip
def test_a_duration_is_read_in_seconds(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "0", "0s", "-5", "5x", "1h30m", "nan", "inf", "9999d"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        seconds(text)


def test_a_speed_is_a_number_or_max() -> None:
    assert speed("60") == 60
    assert speed("0.5") == 0.5
    assert speed("max") == math.inf


@pytest.mark.parametrize("text", ["0", "-1", "fast", "nan", "inf", "1e9", ""])
def test_what_is_no_speed_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        speed(text)
