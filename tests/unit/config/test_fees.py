"""Exits within the fees of a round trip are named, with the figure."""

from decimal import Decimal

import pytest

from simple_trader.config.fees import fee_notes
from simple_trader.config.schema import Settings


@pytest.mark.parametrize("key", ["stop_loss_percent", "take_profit_percent"])
@pytest.mark.parametrize(
    ("percent", "told"), [("0", False), ("0.1", True), ("0.79", True), ("0.80", False)]
)
def test_an_exit_below_the_fees_of_a_round_trip_is_told_unless_it_is_off(
    key: str, percent: str, told: bool
) -> None:
    notes = fee_notes(Settings.model_validate({key: Decimal(percent)}))
    assert set(notes) == ({key} if told else set())
    for sentence in notes.values():
        assert sentence.startswith(f"{key}: {percent} percent is less than the fees")
        assert "0.80 percent at Kraken's entry tier (2 x 0.40 percent as a taker)" in sentence


def test_the_defaults_are_above_the_fees() -> None:
    assert fee_notes(Settings()) == {}
