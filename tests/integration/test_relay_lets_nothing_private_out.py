"""Any frame passes the relay as it is, and nothing private ever does (I-44), against a stub."""

from collections.abc import AsyncIterator

import aiohttp
import faulty_sandbox
import pytest
from aiohttp import WSMsgType, web
from faulty_sandbox import Raw, Rest, raw_private
from relay_server import PAIR, Stub, relay_of, relay_of_stub, stub_upstream
from waiting import until

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
async def stub(http: aiohttp.ClientSession) -> AsyncIterator[Stub]:
    async with stub_upstream(http) as made:
        yield made


ODD = [b"", b"CloudFlare WebSocket proxy restarting", "\u20bf\u0000\u2028".encode(), b'{"a":1e400}',
       b"x" * 3_000_000, b"\xff\xfe no UTF-8"]  # fmt: skip


async def test_frames_of_any_content_and_size_pass(stub: Stub, http: aiohttp.ClientSession) -> None:
    async def say(socket: web.WebSocketResponse) -> None:
        for frame in ODD:
            await socket.send_frame(frame, WSMsgType.TEXT)
        await socket.send_frame(b"\x00\x01", WSMsgType.BINARY)

    async with relay_of_stub(stub) as relay:
        stub.say = say
        async with http.ws_connect(relay.public, max_msg_size=0, decode_text=False) as socket:
            got = [await socket.receive() for _ in range(len(ODD) + 1)]
    assert [bytes(message.data) for message in got[:-1]] == ODD
    assert got[-1].type is WSMsgType.BINARY


@pytest.mark.parametrize("code", [1000, 1012, 4001])
async def test_a_closed_upstream_closes_its_client_with_the_same_code(
    stub: Stub, http: aiohttp.ClientSession, code: int
) -> None:
    async def say(socket: web.WebSocketResponse) -> None:
        await socket.send_str("bye")
        await socket.close(code=code)

    async with relay_of_stub(stub) as relay:
        stub.say = say
        async with http.ws_connect(relay.public) as socket:
            assert (await socket.receive()).data == "bye"
            assert (await socket.receive()).type is WSMsgType.CLOSE
            assert socket.close_code == code


async def test_a_torn_upstream_tears_its_client_off(
    stub: Stub, http: aiohttp.ClientSession
) -> None:
    async def say(socket: web.WebSocketResponse) -> None:
        await socket.send_str("bye")
        stub.transports[-1].abort()

    async with relay_of_stub(stub) as relay:
        stub.say = say
        async with http.ws_connect(relay.public) as socket:
            assert (await socket.receive()).data == "bye"
            await socket.receive()
            assert socket.close_code == 1006


async def test_each_client_has_an_upstream_of_its_own_and_ends_it(
    stub: Stub, http: aiohttp.ClientSession
) -> None:
    async with relay_of_stub(stub) as relay:
        async with http.ws_connect(relay.public), http.ws_connect(relay.public):
            await until(lambda: stub.sockets == 3)
        await until(lambda: stub.sockets == 1)


async def test_without_an_upstream_a_client_is_refused_as_by_a_gateway(
    http: aiohttp.ClientSession,
) -> None:
    async with faulty_sandbox.faulty_sandbox() as upstream:
        url, public = upstream.url, upstream.public
        async with relay_of(url, public) as relay:
            upstream.fault("N07")
            await until(lambda: upstream.listening == "closed")
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await http.ws_connect(relay.public)
            assert refused.value.status == 502
            async with http.get(f"{relay.url}/0/public/Time") as response:
                assert response.status == 502
                assert await response.json() == {"error": ["EService:Unavailable"]}
            # What is private lives here and goes on.
            assert "result" in await Rest(http, relay).ask("Balance")


# ---------------------------------------------------------------------- nothing private (I-44)


async def test_i_44_no_key_no_token_and_no_private_request_ever_leaves(
    stub: Stub, http: aiohttp.ClientSession
) -> None:
    secrets = {"API-Key": "canary-key", "API-Sign": "canary-sign", "Cookie": "canary-cookie"}
    async with relay_of_stub(stub) as relay:
        for path in ("/0/public/Time", "/0/public/Ticker?pair=XBTUSD", "/0/public/Time?nonce=1"):
            async with http.get(relay.url + path, headers=secrets) as response:
                await response.read()
        for path, body in (
            ("/0/public/Time", b"pair=XBTUSD"),
            ("/0/public/Time", b"nonce=canary-nonce"),
            ("/0/private/Balance", b"nonce=canary-nonce"),
            ("/0/private/../public/Time", b"nonce=canary-nonce"),
            ("/0/private/NoSuchThing", b"nonce=canary-nonce"),
        ):
            async with http.post(relay.url + path, data=body, headers=secrets) as response:
                await response.read()
        await Rest(http, relay).ask("AddOrder", ordertype="market", type="buy", volume=1)
        async with raw_private(http, relay, "executions", "balances") as own:
            await own.ask("cancel_all")
            canary = own.token
            async with http.ws_connect(relay.public, headers=secrets) as socket:
                client = Raw(socket)
                client.token = canary
                for method, params in (
                    ("add_order", {"symbol": PAIR, "order_qty": 1}),
                    ("subscribe", {"channel": "executions"}),
                    ("subscribe", {"channel": "ticker", "symbol": [PAIR]}),
                ):
                    refused = await client.answer(method, **params)
                    assert refused["success"] is False
                await socket.send_str('{"method":"ping"}')
                await until(lambda: b'{"method":"ping"}' in stub.frames)
    said = repr(stub.asked) + repr(stub.frames)
    assert "canary" not in said
    assert canary not in said
    assert "private" not in said
    assert "API-" not in said.upper()
    paths = {path for _, path, _, _ in stub.asked}
    assert paths <= {
        "/v2", "/0/public/Time", "/0/public/Ticker?pair=XBTUSD", "/0/public/AssetPairs",
        "/0/public/Assets",
    }  # fmt: skip
