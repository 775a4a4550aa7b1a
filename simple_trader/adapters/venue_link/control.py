"""Control line to the sandbox: one WebSocket that steps market time (architecture section 5)."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import websockets
from websockets.asyncio.client import ClientConnection

from simple_trader.domain.errors import VenueUnreachable
from simple_trader.domain.moments import to_rfc3339
from simple_trader.ports import Advanced

ANSWER_LIMIT_S = 30.0


class ControlLine:
    """Implements ports.MarketDriver; reconnects on the next call after a loss."""

    def __init__(self, url: Callable[[], str]) -> None:
        """`url` gives the control address of the sandbox that runs now."""
        self._url = url
        self._line: ClientConnection | None = None

    async def hello(self) -> Advanced:
        """Where the market stands."""
        return await self._ask({"op": "hello"})

    async def advance(self, to: datetime) -> Advanced:
        """Let the sandbox work up to `to`."""
        return await self._ask({"op": "advance", "to": to_rfc3339(to)})

    async def _ask(self, request: dict[str, Any]) -> Advanced:
        try:
            line = await self._connected()
            await line.send(json.dumps(request))
            async with asyncio.timeout(ANSWER_LIMIT_S):
                reply = json.loads(await line.recv())
        except (OSError, TimeoutError, websockets.WebSocketException) as error:
            await self.close()
            detail = str(error) or type(error).__name__
            raise VenueUnreachable(f"the sandbox does not answer ({detail})") from None
        if "error" in reply:
            raise VenueUnreachable(f"the sandbox refused a step: {reply['error']}")
        reply["written"] = {int(key): count for key, count in reply.get("written", {}).items()}
        return msgspec.convert(reply, Advanced)

    async def _connected(self) -> ClientConnection:
        if self._line is None:
            self._line = await websockets.connect(
                self._url(), compression=None, ping_interval=None, proxy=None, open_timeout=5
            )
        return self._line

    async def close(self) -> None:
        """Hang up; the next call dials again."""
        line, self._line = self._line, None
        if line is not None:
            await line.close()
