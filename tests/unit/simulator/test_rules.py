"""The switches of the venue."""

import msgspec
import pytest

from simple_trader.simulator.rules import VenueRules


def test_the_defaults_are_valid_and_an_unknown_word_is_refused() -> None:
    assert msgspec.convert({}, VenueRules) == VenueRules()
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"post_only": "perhaps"}, VenueRules)
