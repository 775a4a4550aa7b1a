"""One client's public socket and one of its own upstream: frames pass as they are, both ways.

Nothing is parsed that comes from Kraken, nothing is added, left out or reordered: status, acks,
heartbeats, errors and text that is no JSON. What a client sends passes the gate first. Each side
is read only as fast as the other one writes, so what waits is bounded by the sockets' buffers and
a slow reader becomes late, as on the real exchange. When one side ends, so does the other: with
its close code, or torn off when it was torn off. Connecting anew is the client's business.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import WSMsgType, web

from simple_trader.sandbox.relay.budget import ConnectBudget
from simple_trader.sandbox.relay.gate import judge_frame
from simple_trader.sandbox.relay.public_rest import USER_AGENT

if TYPE_CHECKING:
    Downstream = web.WebSocketResponse[bool]
    Upside = aiohttp.ClientWebSocketResponse[bool]

CONNECT_S = 10.0
MAX_FRAME = 64 * 1024 * 1024
MAX_CLIENT_FRAME = 1024 * 1024
_WRITER_LIMIT = 256 * 1024
_TORN = 1006


class Pump:
    """Opens a connection of its own to the public feed for each client."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        now_us: Callable[[], int],
        budget: ConnectBudget,
    ) -> None:
        """`url` is the public feed, from `read_upstream`; `now_us` stamps our own refusals."""
        self._http = http
        self._budget = budget
        self._url = url
        self._now_us = now_us
        self.open = 0

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Carry one client's connection until either side ends."""
        if not self._budget.take(asyncio.get_running_loop().time()):
            text = "too many connections in ten minutes: Kraken would ban this address.\n"
            return web.Response(status=503, text=text)
        try:
            async with asyncio.timeout(CONNECT_S):
                upstream = await self._http.ws_connect(
                    self._url,
                    headers={"User-Agent": USER_AGENT},
                    max_msg_size=MAX_FRAME,
                    autoclose=True,
                    decode_text=False,
                )
        except (aiohttp.ClientError, OSError, TimeoutError):
            # As a gateway does: no upgrade, so the client knows it as a refused connection.
            return web.Response(status=502, text="Kraken's public feed cannot be reached.\n")
        downstream = web.WebSocketResponse(
            compress=False,
            max_msg_size=MAX_CLIENT_FRAME,
            writer_limit=_WRITER_LIMIT,
            decode_text=False,
        )
        self.open += 1
        try:
            await downstream.prepare(request)
            await self._carry(request, downstream, upstream)
        finally:
            self.open -= 1
            await upstream.close()
        return downstream

    async def _carry(
        self, request: web.Request, downstream: "Downstream", upstream: "Upside"
    ) -> None:
        """Run both directions; the first that ends, ends the other."""
        async with asyncio.TaskGroup() as group:
            down = group.create_task(_pass_down(upstream, downstream))
            up = group.create_task(self._pass_up(downstream, upstream))
            await asyncio.wait((down, up), return_when=asyncio.FIRST_COMPLETED)
            if down.done():
                await _end_client(request, downstream, upstream.close_code)
                up.cancel()
            else:
                code = downstream.close_code
                await upstream.close(code=code if code and code != _TORN else 1000)
                down.cancel()

    async def _pass_up(self, downstream: "Downstream", upstream: "Upside") -> None:
        async for message in downstream:
            if message.type is WSMsgType.TEXT:
                text = bytes(message.data).decode(errors="replace")
                stays = judge_frame(text)
                if stays is None:
                    await _hand(upstream, message.data, WSMsgType.TEXT)
                else:
                    answer = stays.answer(self._now_us()).encode()
                    await _hand(downstream, answer, WSMsgType.TEXT)
            elif message.type is not WSMsgType.BINARY:
                return
            # A binary frame has no meaning on this protocol and could not be judged: it stays.


async def _pass_down(upstream: "Upside", downstream: "Downstream") -> None:
    async for message in upstream:
        if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            await _hand(downstream, message.data, message.type)
        else:
            return


async def _hand(to: "Upside | Downstream", data: bytes, kind: WSMsgType) -> None:
    """Write one frame and wait until there is room for the next one."""
    try:
        await to.send_frame(data, kind)
    except (ConnectionError, aiohttp.ClientError, RuntimeError):
        # That side is gone; its reader ends and with it this connection.
        return


async def _end_client(request: web.Request, downstream: "Downstream", code: int | None) -> None:
    """End the client's side the way the upstream's ended."""
    if code is None or code == _TORN:
        if request.transport is not None:
            request.transport.abort()
        return
    await downstream.close(code=code)
