"""The kill switch with only the key does not give up at what passes, and says what does not."""

from pathlib import Path

import pytest
from kraken_parts import RealClock, ScriptedHttp, Shown

from simple_trader.adapters.kraken.auth import Credentials
from simple_trader.app import stand_alone
from simple_trader.app.stand_alone import cancel_everything
from simple_trader.domain.errors import VenueRefused, VenueUnreachable

KEY = Credentials(Shown("key"), Shown("c2FuZGJveC1zZWNyZXQ="))


class Scripted(ScriptedHttp):
    """Answers of the exchange, in the place of its HTTP client."""

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def http(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    made = Scripted()
    monkeypatch.setattr(stand_alone, "HttpClient", lambda _agent: made)
    monkeypatch.setattr(stand_alone, "PAUSE_S", 0.0)
    return made


async def halt(folder: Path, try_for_s: float = 30.0) -> int:
    return await cancel_everything("http://127.0.0.1:1", KEY, folder, RealClock(), try_for_s)


@pytest.mark.parametrize(
    "word",
    ["EAPI:Invalid nonce", "EAPI:Rate limit exceeded", "EService:Market in cancel_only mode"],
)
async def test_i_28_pt7_what_passes_is_asked_again(
    http: Scripted, tmp_path: Path, word: str
) -> None:
    http.will("CancelAll", word, {"count": 3}, {"count": 0})
    assert await halt(tmp_path) == 3


async def test_x19_a_nonce_that_stays_refused_is_said_after_three_leaps(
    http: Scripted, tmp_path: Path
) -> None:
    http.will("CancelAll", "EAPI:Invalid nonce")
    with pytest.raises(VenueRefused, match="nonce"):
        await halt(tmp_path)
    assert len(http.asked) == 3


async def test_x20_a_wrong_key_is_asked_once(http: Scripted, tmp_path: Path) -> None:
    http.will("CancelAll", "EAPI:Invalid key")
    with pytest.raises(VenueRefused, match="Invalid key"):
        await halt(tmp_path)
    assert len(http.asked) == 1


async def test_orders_that_keep_coming_end_in_a_sentence_and_not_never(
    http: Scripted, tmp_path: Path
) -> None:
    http.will("CancelAll", {"count": 1})
    with pytest.raises(VenueUnreachable, match="stop every program"):
        await halt(tmp_path, 0.0)
