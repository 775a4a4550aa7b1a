"""Family N is really produced on real sockets: what a client without any opinion sees of each."""

import asyncio
import json
import ssl
import struct
from datetime import timedelta
from itertools import pairwise
from typing import Any

import aiohttp
import pytest
from faulty_sandbox import SOON, Raw, Rest, There, ended, faulty_sandbox, raw_private, raw_public

pytestmark = pytest.mark.timeout(30)


async def buy(client: Raw, kind: str = "market", **more: Any) -> dict[str, Any]:
    """Buy a little BTC at the market, or rest far below it."""
    order: dict[str, Any] = {"order_type": kind, "side": "buy", "symbol": "BTC/USD"}
    order |= {"order_qty": 0.001, **more}
    return await client.answer("add_order", **order)


async def events(client: Raw) -> list[dict[str, Any]]:
    """Give the execution frames that are on their way."""
    return [frame for frame in await client.drained() if frame.get("channel") == "executions"]


async def _bytes_of_a_torn_frame(there: There, how: str) -> bytes:
    """Give all bytes after the upgrade, read by hand, of a connection whose first frame tears."""
    there.fault(f"N01 on=public how={how}")
    reader, writer = await asyncio.open_connection("127.0.0.1", there.port)
    writer.write(
        b"GET /v2 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    async with asyncio.timeout(SOON):
        await reader.readuntil(b"\r\n\r\n")
        got = b""
        try:
            while chunk := await reader.read(4096):
                got += chunk
        except ConnectionResetError:
            got += b"<reset>"
    writer.close()
    return got


@pytest.mark.parametrize("how", ["torn", "fragment"])
async def test_n01_torn_frame_ends_in_the_middle_and_by_reset(there: There, how: str) -> None:
    got = await _bytes_of_a_torn_frame(there, how)
    assert got.endswith(b"<reset>")
    assert (got[0] & 0x80 == 0) is (how == "fragment")
    size = got[1] if got[1] < 126 else struct.unpack("!H", got[2:4])[0]
    head, body = (2, got[2:-7]) if got[1] < 126 else (4, got[4:-7])
    assert (len(body) < size) is (how == "torn"), "a torn frame lacks some of its bytes"
    assert body.startswith(b'{"channel":"status"')
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)
    assert head + len(body) == len(got) - 7
    assert there.fired("N01") == 1


async def test_n01_close_in_the_middle_of_a_burst(
    there: There, http: aiohttp.ClientSession
) -> None:
    async with raw_public(http, there) as client:
        await client.answer("subscribe", channel="ticker", symbol=["BTC/USD"])
        there.fault("N01 how=close channel=ticker")
        await there.step(20)
        assert await ended(client) is aiohttp.WSMsgType.CLOSE


async def test_n02_half_open_answers_nothing_and_never_closes(
    there: There, http: aiohttp.ClientSession
) -> None:
    async with raw_public(http, there) as client:
        await client.answer("subscribe", channel="ticker", symbol=["BTC/USD"])
        await client.drained()
        there.fault("N02 on=public")
        async with asyncio.timeout(SOON):
            while not there.fired("N02"):
                await asyncio.sleep(0)
        await client.socket.send_json({"method": "ping", "req_id": 99})
        await there.step(5)
        last: dict[str, Any] = {}
        try:
            while True:  # what was on its way may still come, then there is nothing, not even pong
                last = await client.socket.receive_json(timeout=1.5)
                assert last.get("method") != "pong"
        except TimeoutError:
            assert last in ({}, {"channel": "heartbeat"})
        assert not client.socket.closed
        there.stop_fault("N02")
        async with raw_public(http, there) as second:
            assert await second.drained() == []


async def test_n03_silent_stall_answers_pings_only(
    there: There, http: aiohttp.ClientSession
) -> None:
    async with raw_public(http, there) as client:
        await client.answer("subscribe", channel="ticker", symbol=["BTC/USD"])
        await client.drained()
        there.fault("N03")
        await there.step(30)
        assert await client.drained() == []
        with pytest.raises(TimeoutError):
            await client.socket.receive(timeout=1.5)  # no heartbeat either
        there.stop_fault("N03")
        await there.step(30)
        assert await client.drained()


async def test_n04_channel_stops_while_heartbeats_and_balances_flow(
    there: There, http: aiohttp.ClientSession
) -> None:
    async with raw_private(http, there, "executions", "balances") as client:
        there.fault("N04")
        assert (await buy(client))["success"]
        frames = await client.drained()
        assert {frame.get("channel") for frame in frames} == {"balances"}
        assert (await client.socket.receive_json(timeout=SOON)) == {"channel": "heartbeat"}


@pytest.mark.parametrize(("sequence", "gap"), [("kept", True), ("closed", False)])
async def test_n05_fill_frame_lost_with_or_without_a_gap(
    there: There, http: aiohttp.ClientSession, sequence: str, gap: bool
) -> None:
    async with raw_private(http, there, "executions") as client:
        there.fault(f"N05 sequence={sequence}")
        await client.ask(
            "add_order", order_type="market", side="buy", symbol="BTC/USD", order_qty=0.001
        )
        first = await events(client)
        assert "trade" not in [frame["data"][0]["exec_type"] for frame in first]
        assert first[-1]["data"][0]["exec_type"] == "filled"
        numbers = [frame["sequence"] for frame in first]
        steps = {after - before for before, after in pairwise(numbers)}
        assert (2 in steps) is gap
        await buy(client)
        more = [f["sequence"] for f in await events(client)]
        assert not more or more[0] == numbers[-1] + 1


async def test_n06_reconnect_storm_accepts_then_closes(
    there: There, http: aiohttp.ClientSession
) -> None:
    there.fault("N06 count=3")
    for _ in range(3):
        async with http.ws_connect(there.public) as socket:
            message = await socket.receive(timeout=SOON)
            assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1001)
    async with raw_public(http, there) as client:
        assert await client.drained() == []
    assert there.fired("N06") == 3


async def test_n07_refused_resets_all_and_comes_back_on_the_same_port(
    there: There, http: aiohttp.ClientSession
) -> None:
    port = there.port
    async with raw_public(http, there) as client:
        there.fault("N07")
        assert await ended(client) is not None
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    there.stop_fault("N07")
    async with asyncio.timeout(SOON):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                break
            except ConnectionRefusedError:
                await asyncio.sleep(0)
    writer.close()


@pytest.mark.parametrize("how", ["self-signed", "garbage"])
async def test_n08_tls_broken_fails_every_verified_handshake(
    there: There, http: aiohttp.ClientSession, how: str
) -> None:
    there.fault(f"N08 how={how}")
    async with asyncio.timeout(SOON):
        while there.listening not in ("tls", "garbage"):
            await asyncio.sleep(0)
    expected = ssl.SSLCertVerificationError if how == "self-signed" else ssl.SSLError
    with pytest.raises(expected):
        await asyncio.open_connection("127.0.0.1", there.port, ssl=ssl.create_default_context())
    if how == "self-signed":
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        async with http.get(
            there.url.replace("http", "https") + "/0/public/Time", ssl=trusting
        ) as response:
            assert response.status == 200


async def test_tls_self_signed_serves_wss_to_those_who_look_away(
    http: aiohttp.ClientSession,
) -> None:
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    async with (
        faulty_sandbox(tls_self_signed=True) as there,
        http.ws_connect(there.public.replace("ws", "wss"), ssl=trusting) as socket,
    ):
        assert (await socket.receive_json(timeout=SOON))["channel"] == "status"


@pytest.mark.parametrize(("ident", "down"), [("N09", "private"), ("N10", "public")])
async def test_n09_n10_one_side_is_down_the_other_up(
    there: There, http: aiohttp.ClientSession, ident: str, down: str
) -> None:
    async with raw_private(http, there) as private, raw_public(http, there) as public:
        there.fault(ident)
        gone, stays = (private, public) if down == "private" else (public, private)
        assert await ended(gone) is not None
        assert await stays.drained() == []
    address = {"private": there.private, "public": there.public}
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await http.ws_connect(address[down])
    assert refused.value.status == 503
    assert (await Rest(http, there).ask("Balance"))["error"] == []
    other = address["public" if down == "private" else "private"]
    async with http.ws_connect(other) as socket:
        assert (await socket.receive_json(timeout=SOON))["channel"] == "status"


async def test_n11_latency_holds_frames_in_order_until_their_moment(
    there: There, http: aiohttp.ClientSession
) -> None:
    async with raw_public(http, there) as client:
        await client.answer("subscribe", channel="trade", symbol=["BTC/USD"], snapshot=False)
        there.fault("N11 delay_s=5 jitter_s=2 loss=0.2 stall_s=1")
        line = next(iter(there.server.lines.values()))
        written = line.written
        await there.step(2)
        assert line.written == written, "nothing may come before the shortest delay of 3 s"
        await there.step(60)
        there.stop_fault()
        await there.step(10)
        trades = [row for f in await client.drained() for row in f.get("data", [])]
        ids = [row["trade_id"] for row in trades if "trade_id" in row]
        assert len(ids) > 5
        assert ids == sorted(ids)
        assert ids[-1] - ids[0] == len(ids) - 1, "TCP delays, it never loses"


async def test_n11_latency_holds_requests_and_rest(
    there: There, http: aiohttp.ClientSession
) -> None:
    async with raw_private(http, there) as client:
        there.fault("N11 delay_s=3 jitter_s=0 loss=0")
        await client.ask(
            "add_order", order_type="market", side="buy", symbol="BTC/USD", order_qty=0.001
        )
        asking = asyncio.ensure_future(Rest(http, there).ask("Balance"))
        await there.step(1)
        assert there.exchange.venue.state.orders == {}
        while there.fired("N11") < 2:
            await asyncio.sleep(0)
        await there.step(10)
        answer = await asking
        assert len(there.exchange.venue.state.orders) == 1
        assert answer["error"] == []


async def test_n07_refused_leaves_the_control_socket_to_those_who_steer(
    there: There, http: aiohttp.ClientSession
) -> None:
    async with http.ws_connect(there.url + "/sandbox/control") as line:
        await line.send_json({"op": "fault", "start": "N07 for_s=5"})
        await line.receive_json(timeout=SOON)
        async with asyncio.timeout(SOON):
            while there.listening != "closed":
                await asyncio.sleep(0)
        to = (there.exchange.now + timedelta(seconds=6)).isoformat()
        await line.send_json({"op": "advance", "to": to})
        assert "error" not in await line.receive_json(timeout=SOON)
        async with asyncio.timeout(SOON):
            while there.listening != "open":
                await asyncio.sleep(0)
