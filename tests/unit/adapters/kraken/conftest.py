"""What the tests of the Kraken room share."""

import pytest

from simple_trader.adapters.kraken import rest_client


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause before a read is tried again."""
    monkeypatch.setattr(rest_client, "_FIRST_PAUSE_S", 0.0)
