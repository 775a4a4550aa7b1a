"""REST requests: signed, one at a time, reads tried again, the rest sent once."""

import asyncio
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from kraken_parts import ScriptedHttp, SetClock
from rest_parts import SECRET, client_on

from simple_trader.adapters.kraken import rest_rows
from simple_trader.adapters.kraken.auth import sign
from simple_trader.adapters.kraken.errors import KrakenRefused, trouble_of
from simple_trader.adapters.kraken.hall_monitor import FileCount, Lockout
from simple_trader.adapters.kraken.rest_client import RestClient
from simple_trader.domain.errors import VenueRefused, VenueUnreachable
from simple_trader.ports import HttpFailed, HttpReply

pytestmark = pytest.mark.usefixtures("quick")


async def test_a_private_request_carries_key_nonce_and_signature() -> None:
    http = ScriptedHttp()
    http.will("Balance", {"ZUSD": "1.0"})
    assert bytes(await client_on(http).private("Balance", {"a": "b c+d"})) == b'{"ZUSD": "1.0"}'
    _, body, headers = http.asked[0]
    nonce = parse_qs(body)["nonce"][0]
    assert parse_qs(body)["a"] == ["b c+d"]
    assert headers["API-Key"] == "key"
    assert headers["API-Sign"] == sign(SECRET, "/0/private/Balance", nonce, body)
    assert len(nonce) == 19  # nanoseconds


async def test_nonces_of_requests_at_once_arrive_in_order() -> None:
    http = ScriptedHttp()
    http.will("Balance", {})
    made = client_on(http)
    await asyncio.gather(*(made.private("Balance") for _ in range(20)))
    nonces = [int(parse_qs(body)["nonce"][0]) for _, body, _ in http.asked]
    assert nonces == sorted(set(nonces))


@pytest.mark.parametrize(
    "trouble",
    [
        HttpFailed("reset"),
        HttpReply(502, b"<html>bad gateway</html>"),
        HttpReply(200, b"<html>maintenance</html>"),
        HttpReply(200, b'{"error":[],"result":null}'),
        "EService:Unavailable",
        "EGeneral:Internal error",
        "EAPI:Rate limit exceeded",
    ],
)
async def test_a_read_is_tried_again_after_trouble_that_passes(trouble: object) -> None:
    http = ScriptedHttp()
    http.will("Balance", trouble, trouble, {"ZUSD": "1"})
    assert await client_on(http).private("Balance")
    http.will("Time", trouble, {"unixtime": 1})
    assert await client_on(http).public("Time")


async def test_a_read_gives_up_after_four_tries() -> None:
    http = ScriptedHttp()
    http.will("Balance", HttpFailed("reset"))
    with pytest.raises(VenueUnreachable, match="Balance"):
        await client_on(http).private("Balance")
    assert len(http.asked) == 4


@pytest.mark.parametrize(
    "error", ["EAPI:Rate limit exceeded", "EService:Market in maintenance mode"]
)
async def test_x18_a_read_that_is_not_taken_now_is_an_outage_and_no_refusal(error: str) -> None:
    """A start waits for an outage; a refusal ends it."""
    http = ScriptedHttp()
    http.will("Balance", error)
    http.will("Time", error)
    with pytest.raises(VenueUnreachable, match=error):
        await client_on(http).private("Balance")
    with pytest.raises(VenueUnreachable, match=error):
        await client_on(http).public("Time")


async def test_x03_a_request_that_acts_is_sent_once_and_its_outcome_is_unknown() -> None:
    for trouble in (HttpFailed("reset"), HttpReply(502, b"<html>"), "EService:Busy"):
        http = ScriptedHttp()
        http.will("CancelAll", trouble)
        with pytest.raises(VenueUnreachable):
            await client_on(http).private("CancelAll", read=False)
        assert len(http.asked) == 1


async def test_a_definitive_error_is_not_asked_for_again() -> None:
    http = ScriptedHttp()
    http.will("Balance", "EGeneral:Invalid arguments:ordertype")
    with pytest.raises(KrakenRefused) as error:
        await client_on(http).private("Balance")
    assert error.value.error == "EGeneral:Invalid arguments:ordertype"
    assert len(http.asked) == 1


async def test_x19_an_invalid_nonce_leaps_once_and_then_stops() -> None:
    http = ScriptedHttp()
    http.will("Balance", "EAPI:Invalid nonce", {"ZUSD": "1"})
    await client_on(http).private("Balance")
    first, second = (int(parse_qs(body)["nonce"][0]) for _, body, _ in http.asked)
    assert second - first >= 10_000_000_000

    stubborn = ScriptedHttp()
    stubborn.will("Balance", "EAPI:Invalid nonce")
    with pytest.raises(VenueRefused, match="Invalid nonce"):
        await client_on(stubborn).private("Balance")
    assert len(stubborn.asked) == 2


async def test_x20_a_lockout_stops_all_private_calls() -> None:
    http = ScriptedHttp()
    http.will("Balance", "EGeneral:Temporary lockout")
    made = client_on(http)
    for _ in range(5):
        with pytest.raises(KrakenRefused, match="lockout"):
            await made.private("Balance")
    assert len(http.asked) == 1


async def test_x20_a_lockout_holds_over_a_restart_and_a_wrong_key_does_not(tmp_path: Path) -> None:
    clock, count = SetClock(), FileCount(tmp_path / "rest_count")

    def start(http: ScriptedHttp) -> RestClient:
        return client_on(http, clock=clock, tier="pro", count=count)

    for error, asked in (("EAPI:Invalid key", 1), ("EGeneral:Temporary lockout", 0)):
        http = ScriptedHttp()
        http.will("Balance", error)
        with pytest.raises(KrakenRefused):
            await start(http).private("Balance")
        again = ScriptedHttp()
        again.will("Balance", error)
        with pytest.raises(KrakenRefused, match=error):
            await start(again).private("Balance")
        assert len(again.asked) == asked
    clock.seconds += 901.0
    http = ScriptedHttp()
    http.will("Balance", {"ZUSD": "1"})
    assert await start(http).private("Balance")


async def test_a_lockout_that_ends_in_another_year_holds_no_longer_than_a_lockout(
    tmp_path: Path,
) -> None:
    clock, count = SetClock(), FileCount(tmp_path / "rest_count")
    count.save_lockout(Lockout(clock.wall() + timedelta(days=400), "EGeneral:Temporary lockout"))
    http = ScriptedHttp()
    http.will("Balance", {"ZUSD": "1"})
    made = client_on(http, clock=clock, tier="pro", count=count)
    clock.seconds += 901.0
    assert await made.private("Balance")


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 520, 525])
async def test_a_page_of_a_proxy_proves_nothing(status: int) -> None:
    http = ScriptedHttp()
    http.will("CancelAll", HttpReply(status, b"<html><body>cloudflare</body></html>"))
    with pytest.raises(VenueUnreachable, match=str(status)):
        await client_on(http).private("CancelAll", read=False)


async def test_without_a_key_nothing_private_is_sent() -> None:
    http = ScriptedHttp()
    with pytest.raises(KrakenRefused, match="no API key"):
        await client_on(http, signed=False).private("Balance")
    assert http.asked == []


async def test_a_warning_beside_a_result_is_no_error() -> None:
    http = ScriptedHttp()
    http.will("Time", HttpReply(200, b'{"error":["WGeneral:careful"],"result":{"unixtime":1}}'))
    assert await client_on(http).public("Time")


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":["\xff\xfe"],"result":{}}',
        b'{"error":[],"result":{"\xff":1}}',
        b'{"error":[],"result":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
async def test_an_answer_that_is_no_text_or_nested_too_deeply_is_no_answer(body: bytes) -> None:
    http = ScriptedHttp()
    http.will("Time", HttpReply(200, body))
    with pytest.raises(VenueUnreachable):
        rest_rows.decode(await client_on(http).public("Time"), dict[str, int], "Time")


def test_x20_what_a_refusal_means_is_named() -> None:
    kinds = {
        "EAPI:Invalid nonce": "nonce",
        "EAPI:Invalid key": "invalid_key",
        "EAPI:Invalid signature": "invalid_key",
        "EGeneral:Permission denied": "permission",
        "EAccount:Invalid permissions:x": "permission",
        "ETrade:User Locked": "permission",
        "EGeneral:Temporary lockout": "lockout",
        "EGeneral:Too many requests": "lockout",
    }
    assert {error: trouble_of("x", error).kind for error in kinds} == kinds


async def test_x19_nonces_that_stay_invalid_stop_all_private_calls_and_are_told() -> None:
    http, told = ScriptedHttp(), []
    http.will("Balance", *["EAPI:Invalid nonce"] * 9)
    made = client_on(http)
    made.on_trouble = told.append
    for _ in range(4):
        with pytest.raises(KrakenRefused, match="nonce"):
            await made.private("Balance")
    assert [(one.kind, one.persistent) for one in told] == [
        ("nonce", False),
        ("nonce", False),
        ("nonce", True),
    ]
    assert len(http.asked) == 3  # nothing more is asked


async def test_x19_an_invalid_nonce_now_and_then_is_not_persistent() -> None:
    http, told = ScriptedHttp(), []
    http.will("Balance", *["EAPI:Invalid nonce", {"ZUSD": "1"}] * 5)
    made = client_on(http)
    made.on_trouble = told.append
    for _ in range(5):
        assert await made.private("Balance")
    assert [one.persistent for one in told] == [False] * 5


async def test_x20_a_missing_permission_is_told_once_and_its_endpoint_not_asked_again() -> None:
    http, told = ScriptedHttp(), []
    http.will("Ledgers", "EGeneral:Permission denied")
    http.will("CancelAll", {"count": 2})
    made = client_on(http)
    made.on_trouble = told.append
    for _ in range(3):
        with pytest.raises(KrakenRefused, match="Permission"):
            await made.private("Ledgers")
    assert [one.kind for one in told] == ["permission"]
    assert len(http.asked) == 1
    assert await made.private("CancelAll", read=False)  # the kill switch still works
