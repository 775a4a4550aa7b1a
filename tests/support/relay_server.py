"""A relay in this process on a real port, and an upstream that says what a test tells it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import faulty_sandbox
from aiohttp import web
from faulty_sandbox import There
from waiting import until

from simple_trader.sandbox.relay.exchange import RelayExchange
from simple_trader.sandbox.relay.live_book import LiveBook
from simple_trader.sandbox.relay.opening import open_relay
from simple_trader.sandbox.server import listening, wall_clock
from simple_trader.sandbox.settings import SandboxOptions

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


def live(there: There, symbol: str = PAIR) -> LiveBook | None:
    """The relay's own book of a pair, while it is trusted."""
    assert isinstance(there.exchange, RelayExchange)
    return there.exchange.live(symbol)


async def trusted(there: There, symbol: str = PAIR) -> None:
    """Wait for the relay's own book of a pair."""
    await until(lambda: live(there, symbol) is not None)


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


@asynccontextmanager
async def stub_upstream(http: aiohttp.ClientSession) -> AsyncIterator[Stub]:
    """A stub on a real port."""
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
    """A relay of a stub, its own connection up."""
    async with relay_of(stub.url, f"{stub.url.replace('http', 'ws')}/v2", **options) as relay:
        await until(lambda: stub.sockets == 1)  # the relay's own connection
        yield relay
