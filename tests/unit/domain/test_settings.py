"""Settings are one value: frozen, encodable, equal when they say the same."""

import msgspec
import pytest
from brain_desk import settings

from simple_trader.domain.settings import TradingSettings


def test_a_version_cannot_be_changed() -> None:
    version = settings()
    name = "min_confidence"
    with pytest.raises(AttributeError):
        setattr(version, name, 0.1)
    assert version == settings()


def test_a_version_survives_the_journal() -> None:
    version = settings(max_slippage_bps=7)
    coded = msgspec.json.encode(version)
    assert msgspec.json.decode(coded, type=TradingSettings) == version
