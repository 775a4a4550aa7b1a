"""The texts that python-kraken-sdk's own tests find in Kraken's live frames stand in ours.

That suite decodes each frame, writes it with `json.dumps` and looks for literal pieces: the order
of keys counts. The pieces here are what it asserted against the exchange between 2023 and 2026.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import sandbox_parts as parts
from clients_parts import sandbox_process

from simple_trader.sandbox.settings import DEFAULT_KEY, DEFAULT_SIGNING_TEXT


@pytest.fixture(scope="module")
def url() -> Any:
    """A sandbox for this file; nothing of other people is needed here."""
    with sandbox_process() as there:
        yield there


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def token(http: aiohttp.ClientSession, url: str) -> str:
    """A WebSocket token of the default account."""
    nonce = str(int(asyncio.get_running_loop().time() * 1_000_000_000))
    path, body = "/0/private/GetWebSocketsToken", f"nonce={nonce}".encode()
    headers = {
        "API-Key": DEFAULT_KEY,
        "API-Sign": parts.sign(DEFAULT_SIGNING_TEXT, path, nonce, body),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    async with http.post(url + path, data=body, headers=headers) as response:
        answer: str = (await response.json())["result"]["token"]
        return answer


async def logged(
    http: aiohttp.ClientSession, url: str, requests: list[dict[str, Any]], enough: str
) -> str:
    """Everything that came, as that suite would have logged it, until `enough` is in it."""
    path = "/auth/v2" if any("token" in r.get("params", {}) for r in requests) else "/v2"
    text = ""
    async with (
        asyncio.timeout(20),
        http.ws_connect(url.replace("http", "ws", 1) + path) as line,
    ):
        for request in requests:
            await line.send_json(request)
        while enough not in text:
            text += json.dumps(await line.receive_json()) + "\n"
    return text


async def test_the_status_frame_is_sorted_at_every_level(
    http: aiohttp.ClientSession, url: str
) -> None:
    text = await logged(http, url, [], enough="status")
    assert '{"channel": "status", "data": [{"api_version": "v2", "connection_id": ' in text
    assert '"system": "online", "version": "2.' in text
    assert text.endswith('"type": "update"}\n')


async def test_a_pong_has_its_number_before_its_times(
    http: aiohttp.ClientSession, url: str
) -> None:
    request = {"method": "ping", "req_id": 123456789}
    text = await logged(http, url, [request], enough="pong")
    assert '{"method": "pong", "req_id": 123456789, "time_in": ' in text


@pytest.mark.parametrize(
    ("params", "subscribed", "unsubscribed"),
    [
        (
            {"channel": "ticker", "symbol": ["BTC/USD"]},
            (
                '"result": {"channel": "ticker", "event_trigger": "trades", "snapshot": true, '
                '"symbol": "BTC/USD"}, "success": true, "time_in": '
            ),
            (
                '"result": {"channel": "ticker", "event_trigger": "trades", "symbol": "BTC/USD"}, '
                '"success": true, "time_in": '
            ),
        ),
        (
            {"channel": "book", "depth": 10, "symbol": ["BTC/USD"]},
            (
                '"result": {"channel": "book", "depth": 10, "snapshot": true, "symbol": "BTC/USD"}'
                ', "success": true, "time_in": '
            ),
            (
                '"result": {"channel": "book", "depth": 10, "symbol": "BTC/USD"}, "success": true, '
                '"time_in": '
            ),
        ),
    ],
    ids=["ticker", "book"],
)
async def test_an_acknowledgement_and_its_counterpart_are_sorted(
    http: aiohttp.ClientSession,
    url: str,
    params: dict[str, Any],
    subscribed: str,
    unsubscribed: str,
) -> None:
    requests = [
        {"method": "subscribe", "params": params, "req_id": 123456789},
        {"method": "unsubscribe", "params": params, "req_id": 987654321},
    ]
    text = await logged(http, url, requests, enough='"method": "unsubscribe"')
    assert '{"method": "subscribe", "req_id": 123456789, ' + subscribed in text
    assert '{"method": "unsubscribe", "req_id": 987654321, ' + unsubscribed in text
    assert '"success": false' not in text


async def test_an_acknowledgement_without_a_number_has_no_place_for_it(
    http: aiohttp.ClientSession, url: str
) -> None:
    params = {"channel": "ticker", "symbol": ["BTC/USD"]}
    text = await logged(http, url, [{"method": "subscribe", "params": params}], enough="snapshot")
    assert '{"method": "subscribe", "result": {"channel": "ticker", ' in text


@pytest.mark.parametrize(
    ("channel", "start"),
    [
        ("ticker", '{"channel": "ticker", "type": "snapshot", "data": [{"symbol": "BTC/USD", '),
        (
            "book",
            '{"channel": "book", "type": "snapshot", "data": [{"symbol": "BTC/USD", "bids": ',
        ),
    ],
)
async def test_a_snapshot_begins_with_channel_type_and_symbol(
    http: aiohttp.ClientSession, url: str, channel: str, start: str
) -> None:
    params = {"channel": channel, "symbol": ["BTC/USD"]}
    request = {"method": "subscribe", "params": params}
    assert start in await logged(http, url, [request], enough='"type": "snapshot"')


async def test_unsubscribing_what_never_was_is_refused_as_a_subscribe(
    http: aiohttp.ClientSession, url: str
) -> None:
    params = {"channel": "ticker", "symbol": ["BTC/USD"]}
    request = {"method": "unsubscribe", "params": params, "req_id": 123456789}
    text = await logged(http, url, [request], enough="error")
    assert (
        '{"error": "Subscription Not Found", "method": "subscribe", "req_id": 123456789, '
        '"success": false, "symbol": "BTC/USD", "time_in": ' in text
    )


async def test_the_executions_acknowledgement_begins_with_the_channel(
    http: aiohttp.ClientSession, url: str
) -> None:
    params = {"channel": "executions", "token": await token(http, url)}
    requests = [
        {"method": "subscribe", "params": params, "req_id": 123456789},
        {"method": "unsubscribe", "params": params, "req_id": 987654321},
    ]
    text = await logged(http, url, requests, enough='"method": "unsubscribe"')
    start = '{"method": "subscribe", "req_id": 123456789, "result": {"channel": "executions", '
    assert start + '"maxratecount": ' in text
    assert (
        '{"method": "unsubscribe", "req_id": 987654321, "result": {"channel": "executions"}, '
        '"success": true, "time_in": ' in text
    )
    assert '"success": false' not in text


async def test_the_last_acknowledgement_can_be_sent_again_to_come_back(
    http: aiohttp.ClientSession, url: str
) -> None:
    # The SDK reconnects by sending the `result` of the acknowledgement back, but these two keys.
    params = {"channel": "executions", "token": await token(http, url)}
    first = await logged(
        http, url, [{"method": "subscribe", "params": params}], enough='"success": true'
    )
    result = json.loads(first.splitlines()[-1])["result"]
    kept = {k: v for k, v in result.items() if k not in {"maxratecount", "warnings"}}
    again = {"method": "subscribe", "params": {**kept, "token": await token(http, url)}}
    text = await logged(http, url, [again], enough='"method": "subscribe"')
    assert '"success": true' in text


async def test_an_unknown_key_is_refused_by_this_very_text(
    http: aiohttp.ClientSession, url: str
) -> None:
    async with http.post(url + "/0/private/AddOrder", headers={"API-Key": "fake"}) as response:
        assert await response.json() == {"error": ["EAPI:Invalid key"]}
