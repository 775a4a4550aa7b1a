"""The relay's own connection to the public feed: opened, read, kept alive, opened again."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import WSMsgType

from simple_trader.sandbox.relay.budget import ConnectBudget
from simple_trader.sandbox.relay.feed import Feed
from simple_trader.sandbox.relay.news import News
from simple_trader.sandbox.relay.public_rest import USER_AGENT, why
from simple_trader.sandbox.relay.pump import CONNECT_S, MAX_FRAME

if TYPE_CHECKING:
    Line = aiohttp.ClientWebSocketResponse[bool]

QUICK_TRIES = 2
PAUSE_FIRST_S, PAUSE_MAX_S = 5.0, 30.0  # section 1: after a longer trouble one try each 5 s at most
LOOK_S = 0.5
CLOSE_S = 2.0


class Caller:
    """Runs a `Feed` over one socket at a time and tells what it learns, in order."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        feed: Feed,
        tell: Callable[[News], None],
        budget: ConnectBudget,
    ) -> None:
        self._http = http
        self._budget = budget
        self._url = url
        self._feed = feed
        self._tell = tell
        self._asked = asyncio.Event()
        self.trouble: str | None = f"{url} is not connected yet"

    def want(self, symbol: str) -> bool:
        """Follow a pair from now on; False when it is not known."""
        known = self._feed.want(symbol, _now())
        self._asked.set()
        return known

    async def run(self) -> None:
        """Keep a connection up until cancelled."""
        failures = 0
        while True:
            if not self._budget.take(_now(), own=True):
                self.trouble = "too many connections in ten minutes: Kraken would ban this address"
                await asyncio.sleep(PAUSE_FIRST_S)
                continue
            try:
                async with asyncio.timeout(CONNECT_S):
                    line = await self._http.ws_connect(
                        self._url,
                        headers={"User-Agent": USER_AGENT},
                        max_msg_size=MAX_FRAME,
                        timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_S),
                    )
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                self.trouble = f"{self._url} cannot be reached ({why(error)})"
                failures += 1
            else:
                failures = 0 if await self._live(line) else failures + 1
            if failures <= QUICK_TRIES:
                await asyncio.sleep(0.1)
            else:
                doubled = PAUSE_FIRST_S * 2.0 ** min(8, failures - QUICK_TRIES - 1)
                await asyncio.sleep(min(PAUSE_MAX_S, doubled))

    async def _live(self, line: "Line") -> bool:
        """Carry one connection to its end; says whether it ever told anything."""
        self._feed.opened(_now())
        self.trouble = None
        heard = False
        try:
            async with asyncio.TaskGroup() as group:
                writer = group.create_task(self._write(line))
                async for message in line:
                    if message.type is not WSMsgType.TEXT:
                        break
                    heard = True
                    self._take(message.data)
                writer.cancel()
        finally:
            self.trouble = f"{self._url} closed the connection"
            for item in self._feed.closed(self.trouble):
                self._tell(item)
            await line.close()
        return heard

    def _take(self, frame: str) -> None:
        for item in self._feed.receive(frame, _now()):
            self._tell(item)
        if self._feed.has_requests:
            self._asked.set()

    async def _write(self, line: "Line") -> None:
        """Write requests as they come, ask again for what is missing, end a dead line."""
        looked = _now()
        while True:
            for request in self._feed.outgoing():
                try:
                    await line.send_str(request)
                except (ConnectionError, aiohttp.ClientError, RuntimeError):
                    return  # the reader ends, a new connection asks for everything again
            self._asked.clear()
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._asked.wait()
            except TimeoutError:
                pass  # nothing to write: a look at the clock is due all the same
            if _now() - looked < LOOK_S:
                continue
            looked = _now()
            for item in self._feed.check(looked):
                self._tell(item)
            if self._feed.is_dead(looked):
                await line.close()
                return


def _now() -> float:
    return asyncio.get_running_loop().time()
