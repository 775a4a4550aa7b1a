"""The relay over real sockets, against a second sandbox that plays Kraken, and against a stub."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import faulty_sandbox
import pytest
from aiohttp import WSMsgType, web
from faulty_sandbox import Raw, Rest, There, raw_private

from simple_trader.sandbox.relay.exchange import RelayExchange
from simple_trader.sandbox.relay.live_book import LiveBook
from simple_trader.sandbox.relay.opening import open_relay
from simple_trader.sandbox.server import listening, wall_clock
from simple_trader.sandbox.settings import SandboxOptions

pytestmark = pytest.mark.timeout(60)
PAIR = "BTC/USD"


@asynccontextmanager
async def relay_of(rest: str, public: str, **options: Any) -> AsyncIterator[There]:
    """A relay in this process on a real port."""
    values: dict[str, Any] = {
        "relay": True, "relay_rest": rest, "relay_public": public, "port": 0,
        "relay_latency_ms": (1, 5), "advisor": False, **options,
    }  # fmt: skip
    chosen = SandboxOptions(**values)
    exchange = await open_relay(chosen, wall_clock)
    try:
        async with listening(exchange, chosen) as (server, listener):
            yield There(server, listener)
            assert server.failure is None, server.failure
    finally:
        exchange.close()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def until(fits: Callable[[], Any], within_s: float = 15.0) -> None:
    """Wait for something that sockets bring about."""
    async with asyncio.timeout(within_s):
        while not fits():
            await asyncio.sleep(0.01)


def live(there: There, symbol: str = PAIR) -> LiveBook | None:
    """The relay's own book of a pair, while it is trusted."""
    assert isinstance(there.exchange, RelayExchange)
    return there.exchange.live(symbol)


async def trusted(there: There, symbol: str = PAIR) -> None:
    """Wait for the relay's own book of a pair."""
    await until(lambda: live(there, symbol) is not None)


# ------------------------------------------------------------------------------ verbatim


def recorded(path: Path, connection: str, way: str) -> list[str]:
    """What a sandbox recorded of one connection."""
    rows = [json.loads(line) for line in path.read_bytes().splitlines()]
    return [
        row["text"] for row in rows if row.get("connection") == connection and row.get("way") == way
    ]


SAID = [
    '{"method":"subscribe","params":{"channel":"instrument"},"req_id":1}',
    '{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD","NO/PAIR"],"depth":10}}',
    ' {"method":"subscribe","params":{"channel":"ticker","symbol":["ETH/USD"],"snapshot":true}} ',
    '{"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USD"],"snapshot":true}}',
    '{"method":"subscribe","params":{"channel":"ohlc","symbol":["BTC/USD"],"interval":5}}',
    '{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD"],"depth":11}}',
    '{"method":"unsubscribe","params":{"channel":"trade","symbol":["SOL/USD"]},"req_id":3}',
    '{"method":"nonsense","req_id":2}',
    "this is no JSON, and not ASCII: \u20bf \U0001f4b6",
    '{"method":"ping","params":{}}',
]


async def test_every_public_frame_passes_byte_for_byte_both_ways(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    record = tmp_path / "upstream.jsonl"
    async with (
        faulty_sandbox.faulty_sandbox(record=record) as upstream,
        relay_of(upstream.url, upstream.public, pairs=(PAIR,)) as relay,
        http.ws_connect(relay.public, max_msg_size=0, decode_text=False) as socket,
    ):
        got: list[str] = [bytes((await socket.receive()).data).decode()]
        connection = str(json.loads(got[0])["data"][0]["connection_id"])
        for text in SAID:
            await socket.send_frame(text.encode(), WSMsgType.TEXT)
        # An own order rests and one takes, in the middle of it all: no public frame may tell.
        await trusted(relay)
        async with raw_private(http, relay, "executions") as own:
            for side, price in (("buy", {"limit_price": 10_000}), ("sell", None)):
                kind = "limit" if price else "market"
                if side == "sell":
                    relay.do("transfer", asset="BTC", amount="1", kind="deposit")
                await own.answer(
                    "add_order", order_type=kind, side=side, symbol=PAIR, order_qty=0.001,
                    **(price or {}),
                )  # fmt: skip
            await own.until(exec_type="trade")
        await upstream.step(10)
        while got[-1] != '{"channel":"heartbeat"}':
            got.append(bytes((await socket.receive()).data).decode())
        await socket.send_frame(b'{"method":"ping","req_id":99}', WSMsgType.TEXT)
        while not got[-1].startswith('{"method":"pong","req_id":99'):
            got.append(bytes((await socket.receive()).data).decode())
        sent = recorded(record, connection, "out")
        assert got == sent[: len(got)]
        assert recorded(record, connection, "in") == [*SAID, '{"method":"ping","req_id":99}']
        kinds = {json.loads(text).get("channel") for text in got}
        assert kinds >= {"status", "heartbeat", "instrument", "book", "ticker", "trade", "ohlc"}


REST = [
    "/0/public/Time", "/0/public/SystemStatus", "/0/public/Assets?asset=XBT,ETH",
    "/0/public/AssetPairs", "/0/public/Ticker?pair=XBTUSD", "/0/public/Depth?pair=XBTUSD&count=3",
    "/0/public/OHLC?pair=BTC%2FUSD&interval=5", "/0/public/OHLC?pair=BTC/USD&since=0",
    "/0/public/Trades?pair=XBTUSD&count=20", "/0/public/Spread?pair=XBTUSD",
    "/0/public/Ticker?pair=NOPE", "/0/public/Unheard",
]  # fmt: skip


async def test_public_rest_passes_status_type_and_body(http: aiohttp.ClientSession) -> None:
    async with (
        faulty_sandbox.faulty_sandbox() as upstream,
        relay_of(upstream.url, upstream.public) as relay,
    ):
        for path in REST:
            answers = []
            for base in (upstream.url, relay.url):
                async with http.get(base + path) as response:
                    kind = response.headers["Content-Type"]
                    answers.append((response.status, kind, await response.read()))
            assert answers[0] == answers[1], path


# --------------------------------------------------------------- a stub that says anything


class Stub:
    """An upstream that answers reference data from a sandbox and says what a test tells it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.frames: list[bytes] = []
        self.say: Callable[[web.WebSocketResponse], Awaitable[None]] | None = None
        self.sockets = 0
        self.transports: list[asyncio.Transport] = []
        self.bodies: dict[str, bytes] = {}
        self.url = ""

    async def rest(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.asked.append((request.method, request.raw_path, dict(request.headers), body))
        known = self.bodies.get(request.path)
        if known is not None:
            return web.Response(body=known, content_type="application/json")
        headers = {"Content-Type": "text/html; charset=latin-1"}
        return web.Response(status=520, body=b"<b>\xe9</b>", headers=headers)

    async def socket(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.method, request.raw_path, dict(request.headers), b""))
        socket = web.WebSocketResponse(compress=False, decode_text=False, max_msg_size=0)
        await socket.prepare(request)
        self.sockets += 1
        assert isinstance(request.transport, asyncio.Transport)
        self.transports.append(request.transport)
        try:
            if self.say is not None:
                await self.say(socket)
            async for message in socket:
                self.frames.append(message.data)
        finally:
            self.sockets -= 1
        return socket


@pytest.fixture
async def stub(http: aiohttp.ClientSession) -> AsyncIterator[Stub]:
    made = Stub()
    async with faulty_sandbox.faulty_sandbox() as upstream:
        for name in ("AssetPairs", "Assets"):
            async with http.get(f"{upstream.url}/0/public/{name}") as response:
                made.bodies[f"/0/public/{name}"] = await response.read()
    app = web.Application()
    app.router.add_get("/v2", made.socket)
    app.router.add_route("*", "/{rest:.*}", made.rest)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@asynccontextmanager
async def relay_of_stub(stub: Stub, **options: Any) -> AsyncIterator[There]:
    async with relay_of(stub.url, f"{stub.url.replace('http', 'ws')}/v2", **options) as relay:
        await until(lambda: stub.sockets == 1)  # the relay's own connection
        yield relay


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


async def test_no_key_no_token_and_no_private_request_ever_leaves(
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


# -------------------------------------------------------------------------------- own fills


async def test_a_market_order_fills_one_latency_later_at_the_upstreams_prices(
    http: aiohttp.ClientSession,
) -> None:
    async with (
        faulty_sandbox.faulty_sandbox() as upstream,
        relay_of(upstream.url, upstream.public, relay_latency_ms=(150, 200)) as relay,
        raw_private(http, relay, "executions") as own,
    ):
        # The first order of a pair nobody followed: its book is fetched while it is on its way.
        began = asyncio.get_running_loop().time()
        answer = await own.answer(
            "add_order", order_type="market", side="buy", symbol=PAIR, order_qty=0.01
        )
        assert answer["success"], answer
        assert asyncio.get_running_loop().time() - began >= 0.15
        trade = (await own.until(exec_type="trade"))["data"][0]
        async with http.get(f"{upstream.url}/0/public/Depth?pair=XBTUSD&count=1") as response:
            asks = (await response.json())["result"]["XXBTZUSD"]["asks"]
        assert trade["last_price"] == float(asks[0][0])
        assert trade["liquidity_ind"] == "t"
        assert upstream.exchange.truth()["trades"] == []


async def test_a_resting_order_fills_when_the_upstream_trades_through_it(
    http: aiohttp.ClientSession,
) -> None:
    async with (
        faulty_sandbox.faulty_sandbox(regime="chop") as upstream,
        relay_of(upstream.url, upstream.public, pairs=(PAIR,)) as relay,
        raw_private(http, relay, "executions") as own,
    ):
        await trusted(relay)
        book = live(relay)
        assert book is not None
        bid = max(book.sides[0]) / 10
        answer = await own.answer(
            "add_order", order_type="limit", side="buy", symbol=PAIR, order_qty=0.01,
            limit_price=bid,
        )  # fmt: skip
        assert answer["success"], answer
        for _ in range(600):
            await upstream.step(1)
            await asyncio.sleep(0)
            if relay.exchange.truth()["trades"]:
                break
        (trade, *_) = relay.exchange.truth()["trades"]
        assert trade["liquidity"] == "m"
        assert float(trade["price"]) == bid


async def test_a_bad_checksum_costs_its_pair_its_fills_until_it_is_subscribed_anew(
    http: aiohttp.ClientSession,
) -> None:
    async with (
        faulty_sandbox.faulty_sandbox() as upstream,
        relay_of(upstream.url, upstream.public, pairs=(PAIR, "ETH/USD")) as relay,
        raw_private(http, relay, "executions") as own,
    ):
        await trusted(relay)
        await trusted(relay, "ETH/USD")
        upstream.fault("X13 pair=BTC/USD")
        while live(relay) is not None:
            await upstream.step(1)
            await asyncio.sleep(0.01)
        order = {"order_type": "market", "side": "buy", "order_qty": 0.02}
        refused = await own.answer("add_order", symbol=PAIR, **order)
        assert refused["error"] == "EService:Unavailable"
        assert (await own.answer("add_order", symbol="ETH/USD", **order))["success"]
        upstream.stop_fault()
        await trusted(relay)
        assert (await own.answer("add_order", symbol=PAIR, **order))["success"]


async def test_a_relay_goes_on_by_itself_when_its_upstream_comes_back(
    http: aiohttp.ClientSession,
) -> None:
    async with (
        faulty_sandbox.faulty_sandbox() as upstream,
        relay_of(upstream.url, upstream.public, pairs=(PAIR,)) as relay,
        raw_private(http, relay, "executions") as own,
    ):
        await trusted(relay)
        resting = await own.answer(
            "add_order", order_type="limit", side="buy", symbol=PAIR, order_qty=0.01,
            limit_price=10_000,
        )  # fmt: skip
        assert resting["success"]
        upstream.fault("N10")
        await until(lambda: live(relay) is None)
        market = {"order_type": "market", "side": "buy", "symbol": PAIR, "order_qty": 0.01}
        assert (await own.answer("add_order", **market))["error"] == "EService:Unavailable"
        assert (await own.answer("cancel_all"))["result"]["count"] == 1
        upstream.stop_fault()
        await trusted(relay)
        assert (await own.answer("add_order", **market))["success"]


async def test_a_half_open_upstream_is_found_and_left(http: aiohttp.ClientSession) -> None:
    async with (
        faulty_sandbox.faulty_sandbox() as upstream,
        relay_of(upstream.url, upstream.public, pairs=(PAIR,)) as relay,
    ):
        await trusted(relay)
        upstream.fault("N02 on=public")
        await until(lambda: live(relay) is None)
        upstream.stop_fault()
        await trusted(relay)


async def test_orders_are_on_their_way_together_and_arrive_in_their_order(
    http: aiohttp.ClientSession,
) -> None:
    async with (
        faulty_sandbox.faulty_sandbox() as upstream,
        relay_of(
            upstream.url, upstream.public, pairs=(PAIR,), relay_latency_ms=(200, 400)
        ) as relay,
        raw_private(http, relay, "executions") as own,
    ):
        await trusted(relay)
        began = asyncio.get_running_loop().time()
        for number in range(8):
            await own.ask(
                "add_order", order_type="limit", side="buy", symbol=PAIR, order_qty=0.001,
                limit_price=10_000 + number,
            )  # fmt: skip
        last = await own.ask("cancel_all")
        answer = await own.until(req_id=last)
        assert answer["result"]["count"] == 8
        assert 0.2 <= asyncio.get_running_loop().time() - began < 1.2
        prices = [order["limit_price"] for order in relay.exchange.truth()["orders"]]
        assert prices == [str(10_000 + number) for number in range(8)]


async def test_the_upstreams_maintenance_is_followed(http: aiohttp.ClientSession) -> None:
    async with (
        faulty_sandbox.faulty_sandbox() as upstream,
        relay_of(upstream.url, upstream.public, pairs=(PAIR,)) as relay,
        raw_private(http, relay, "executions") as own,
    ):
        await trusted(relay)
        upstream.do("system", status="maintenance")
        await upstream.server.flush_all()
        assert (await own.until(channel="status"))["data"][0]["system"] == "maintenance"
        answer = await own.answer(
            "add_order", order_type="market", side="buy", symbol=PAIR, order_qty=0.01
        )
        assert answer["success"] is False
