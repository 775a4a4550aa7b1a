"""A sandbox in this process on a real port whose faults a test sets, stops and counts by code.

    async with faulty_sandbox(seed=3) as there:
        there.fault("N02 on=private")          # as on the command line
        there.do("fill", share=0.5)            # as with the control socket's `do`
        there.url, there.public, there.private # addresses for any client
        there.fired("N02")                     # how often it acted
        there.stop_fault("N02")

By default the market is generated, stepped and stands still: `await there.step(5)` moves it by five
market seconds (which is also how delays in market time pass). With `stepped=False` it moves with
the wall clock and delays are real.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiohttp
import sandbox_parts as parts

from simple_trader.sandbox.exchange import Exchange
from simple_trader.sandbox.faults.spec import read_line
from simple_trader.sandbox.listener import Listener
from simple_trader.sandbox.opening import open_exchange
from simple_trader.sandbox.server import Server, listening, wall_clock
from simple_trader.sandbox.settings import DEFAULT_KEY, DEFAULT_SIGNING_TEXT, SandboxOptions

SOON = 20.0  # what comes at all comes within seconds, on a busy machine too


class There:
    """The running sandbox."""

    def __init__(self, server: Server, listener: Listener) -> None:
        self.server = server
        self.exchange: Exchange = server.exchange
        self.script = server.script
        self.nonce = 1000
        self._listener = listener

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._listener.port

    @property
    def listening(self) -> str:
        """What the port is now: open, closed, tls or garbage."""
        return self._listener.now

    @property
    def url(self) -> str:
        """The REST address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def public(self) -> str:
        """The public WebSocket address."""
        return f"ws://127.0.0.1:{self.port}/v2"

    @property
    def private(self) -> str:
        """The private WebSocket address."""
        return f"ws://127.0.0.1:{self.port}/auth/v2"

    def fault(self, line: str) -> int:
        """Set a fault, written as on the command line; gives its number."""
        return self.script.start(read_line(line)).number

    def stop_fault(self, which: str | int = "all") -> None:
        """Stop a fault by number, id or name, or all."""
        self.script.stop(str(which))

    def do(self, name: str, **args: Any) -> Any:
        """Do an operator's deed: system, pair, transfer, volume, place, trade, fill, cancel ..."""
        return self.script.desk.do(name, args)

    def fired(self, ident: str) -> int:
        """How often the faults of an id acted."""
        return sum(armed.fired for armed in self.script.armed if armed.kind.id == ident)

    async def step(self, seconds: float = 1.0) -> None:
        """Move a stepped market, one second at a time, and let everything out."""
        end = self.exchange.now + timedelta(seconds=seconds)
        while self.exchange.now < end:
            await self.server.move(min(end, self.exchange.now + timedelta(seconds=1)))


@asynccontextmanager
async def faulty_sandbox(**options: Any) -> AsyncIterator[There]:
    """Run a sandbox while inside; options as `SandboxOptions` has them."""
    values: dict[str, Any] = {"seed": 7, "stepped": True, "port": 0, "advisor": False, **options}
    if values["stepped"]:
        values.setdefault("start", parts.START)
        values.setdefault("history_bars", 30)
    chosen = SandboxOptions(**values)
    exchange = open_exchange(chosen, wall_clock)
    try:
        async with listening(exchange, chosen) as (server, listener):
            yield There(server, listener)
            assert server.failure is None, server.failure
    finally:
        exchange.close()


class Raw:
    """A WebSocket client without any opinion: JSON in, frames out."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.token = ""
        self._requests = 0

    async def ask(self, method: str, **params: Any) -> int:
        """Send a request; gives its req_id."""
        self._requests += 1
        if self.token:
            params.setdefault("token", self.token)
        message = {"method": method, "params": params, "req_id": self._requests}
        await self.socket.send_json(message)
        return self._requests

    async def frame(self, timeout_s: float = SOON) -> dict[str, Any]:
        """Read the next frame that is no heartbeat."""
        while True:
            frame: dict[str, Any] = await self.socket.receive_json(timeout=timeout_s)
            if frame != {"channel": "heartbeat"}:
                return frame

    async def until(self, **wanted: Any) -> dict[str, Any]:
        """Read until a frame carries all these top-level fields, or its first row does."""
        while True:
            frame = await self.frame()
            rows = frame.get("data")
            row = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
            if all(frame.get(k, row.get(k)) == v for k, v in wanted.items()):
                return frame

    async def answer(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a request and give its response."""
        return await self.until(req_id=await self.ask(method, **params))

    async def drained(self) -> list[dict[str, Any]]:
        """Give all frames up to the pong of a ping sent now."""
        self._requests += 1
        await self.socket.send_json({"method": "ping", "req_id": self._requests})
        frames: list[dict[str, Any]] = []
        while True:
            frame = await self.frame()
            if frame.get("method") == "pong" and frame.get("req_id") == self._requests:
                return frames
            frames.append(frame)


class Rest:
    """A signing REST client without any opinion."""

    def __init__(self, http: aiohttp.ClientSession, there: There) -> None:
        self._http = http
        self._there = there

    async def raw(self, name: str, **fields: Any) -> tuple[int, bytes]:
        """Give (status, body) of a private request."""
        self._there.nonce += 1
        path = f"/0/private/{name}"
        pairs = [("nonce", self._there.nonce), *fields.items()]
        body = "&".join(f"{key}={value}" for key, value in pairs).encode()
        headers = {
            "API-Key": DEFAULT_KEY,
            "API-Sign": parts.sign(DEFAULT_SIGNING_TEXT, path, str(self._there.nonce), body),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        async with self._http.post(self._there.url + path, data=body, headers=headers) as response:
            return response.status, await response.read()

    async def ask(self, name: str, **fields: Any) -> dict[str, Any]:
        """Give the envelope of a private request."""
        _, body = await self.raw(name, **fields)
        envelope: dict[str, Any] = json.loads(body)
        return envelope


@asynccontextmanager
async def raw_public(http: aiohttp.ClientSession, there: There) -> AsyncIterator[Raw]:
    """Connect to the public feed; the status frame is read."""
    async with http.ws_connect(there.public, max_msg_size=0) as socket:
        client = Raw(socket)
        await client.until(channel="status")
        yield client


@asynccontextmanager
async def raw_private(
    http: aiohttp.ClientSession, there: There, *channels: str
) -> AsyncIterator[Raw]:
    """Connect to the private feed with a token, and subscribe to channels."""
    envelope = await Rest(http, there).ask("GetWebSocketsToken")
    async with http.ws_connect(there.private, max_msg_size=0) as socket:
        client = Raw(socket)
        await client.until(channel="status")
        client.token = envelope["result"]["token"]
        for channel in channels:
            await client.answer("subscribe", channel=channel)
            await client.until(channel=channel, type="snapshot")
        yield client


async def ended(client: Raw) -> aiohttp.WSMsgType:
    """Read until the connection ends, however it ends."""
    async with asyncio.timeout(SOON):
        while True:
            message = await client.socket.receive()
            if message.type in (
                *(aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR),
                aiohttp.WSMsgType.CLOSING,
            ):
                return message.type
