"""Key safety: a key that may withdraw, or cannot be shown not to, is refused, or passes loudly."""

import asyncio
import logging

import pytest
from kraken_parts import ScriptedHttp
from rest_parts import rest_on

from simple_trader.adapters.kraken import rest_client
from simple_trader.adapters.kraken.rest_manager import KrakenRest
from simple_trader.app import key_safety
from simple_trader.app.key_safety import require_safe_key
from simple_trader.domain.errors import ModeError, VenueRefused
from simple_trader.ports import HttpFailed

SAFE = [
    "query-funds", "query-open-trades", "query-closed-trades", "modify-trades", "close-trades",
    "query-ledger", "access-websockets",
]  # fmt: skip


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest_client, "_FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr(key_safety, "RETRY_FIRST_S", 0.0)


def rest(*answers: object) -> tuple[KrakenRest, ScriptedHttp]:
    http = ScriptedHttp()
    http.will("GetApiKeyInfo", *answers)
    return rest_on(http), http


async def test_a_key_that_cannot_withdraw_passes_in_silence(
    caplog: pytest.LogCaptureFixture,
) -> None:
    await require_safe_key(rest({"permissions": SAFE})[0], allowed=False)
    assert caplog.records == []


@pytest.mark.parametrize(
    "answer",
    [
        {"permissions": [*SAFE, "withdraw-funds"]},
        {"name": "bot"},
        {"permissions": []},
        "EGeneral:Unknown method",
        "EGeneral:Permission denied",
    ],
)
async def test_a_key_that_may_withdraw_is_refused_unless_the_file_says_otherwise(
    answer: object, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ModeError, match="allow_withdrawal_key") as refused:
        await require_safe_key(rest(answer)[0], allowed=False)
    assert refused.value.exit_code
    caplog.clear()
    await require_safe_key(rest(answer)[0], allowed=True)
    assert any("allow_withdrawal_key" in record.message for record in caplog.records)
    assert all(record.levelno == logging.WARNING for record in caplog.records)


async def test_missing_permissions_are_named_one_by_one(caplog: pytest.LogCaptureFixture) -> None:
    await require_safe_key(rest({"permissions": ["query-funds"]})[0], allowed=False)
    named = [record.message for record in caplog.records]
    assert len(named) == 6
    assert any("create and modify orders" in line for line in named)
    assert any("WebSocket token" in line for line in named)


@pytest.mark.parametrize("error", ["EAPI:Invalid key", "EGeneral:Temporary lockout"])
async def test_a_wrong_key_is_told_as_such(error: str) -> None:
    with pytest.raises(VenueRefused, match=error):
        await require_safe_key(rest(error)[0], allowed=True)


async def test_an_exchange_that_does_not_answer_is_waited_for() -> None:
    made, http = rest(*[HttpFailed("reset")] * 9, {"permissions": SAFE})
    async with asyncio.timeout(5):
        await require_safe_key(made, allowed=False)
    assert len(http.asked) == 10
