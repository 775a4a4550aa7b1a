"""The relay as the server sees it: the public side proxied, orders held for one latency each."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import WSMsgType, web

from simple_trader.sandbox.exchange import Exchange
from simple_trader.sandbox.relay.addresses import Upstream, read_upstream
from simple_trader.sandbox.relay.budget import ConnectBudget
from simple_trader.sandbox.relay.caller import Caller
from simple_trader.sandbox.relay.exchange import RelayExchange
from simple_trader.sandbox.relay.feed import Feed
from simple_trader.sandbox.relay.gate import PRIVATE_METHODS
from simple_trader.sandbox.relay.news import BookMoved, News
from simple_trader.sandbox.relay.public_rest import Answer, PublicRest, public_client
from simple_trader.sandbox.relay.pump import Pump
from simple_trader.sandbox.settings import SandboxError, SandboxOptions
from simple_trader.simulator.instruments import find_pair

BOOK_WAIT_S = 4.0  # how long the first order of a pair waits for its book
BUSY_S = 0.01
WAITING = 256  # frames of one connection that are on their way at once
ORDER_PATHS = frozenset(
    f"/0/private/{name}"
    for name in (
        "AddOrder", "AddOrderBatch", "AmendOrder", "EditOrder", "CancelOrder", "CancelAll",
        "CancelAllOrdersAfter", "CancelOrderBatch",
    )
)  # fmt: skip


class RelayFront:
    """Everything of the relay that needs a loop; `fail` ends the server with a sentence."""

    def __init__(
        self,
        exchange: RelayExchange,
        http: aiohttp.ClientSession,
        upstream: Upstream,
        *,
        depth: int,
        fail: Callable[[SandboxError], None],
    ) -> None:
        self._exchange = exchange
        self.fail = fail
        self._feed = Feed(exchange.pairs.get, depth)
        self._rest = PublicRest(http, upstream.rest)
        budget = ConnectBudget()
        self._pump = Pump(http, upstream.public, exchange.now_us, budget)
        self._caller = Caller(http, upstream.public, self._feed, self._hear, budget)
        self._met: set[str] = set()
        self._news = asyncio.Event()
        exchange.live = self._feed.book

    async def follow(self, pairs: Iterable[str]) -> None:
        """Follow the upstream until cancelled: these pairs, and what the accounts have."""
        for symbol in dict.fromkeys((*pairs, *self._exchange.busy_pairs)):
            self._caller.want(symbol)
        await self._caller.run()

    @property
    def trouble(self) -> str | None:
        """Why there is no upstream right now; None when all is well."""
        return self._caller.trouble

    def _hear(self, item: News) -> None:
        if isinstance(item, BookMoved):
            self._met.add(item.symbol)
        try:
            self._exchange.follow_wall()
            self._exchange.hear(item)
        except SandboxError as error:
            self.fail(error)
        self._news.set()

    # --- the public side ----------------------------------------------------------------------

    async def public_socket(self, request: web.Request) -> web.StreamResponse:
        """Give a client a connection of its own to the public feed."""
        return await self._pump.serve(request)

    async def rest(self, request: web.Request, body: bytes) -> web.Response | None:
        """Answer what is public; hold what concerns orders; None: the exchange here answers."""
        if not request.path.startswith("/0/public/"):
            await self._hold(request.path, body)
            return None
        given: Answer = await self._rest.answer(request.method, request.raw_path, body)
        headers = {"Content-Type": given.content_type} if given.content_type else {}
        return web.Response(status=given.status, body=given.body, headers=headers)

    # --- orders -------------------------------------------------------------------------------

    def frame_latency_s(self, text: str) -> float:
        """Draw how long a private frame is on its way; also asks for the book it will need."""
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            return 0.0
        method = message.get("method") if isinstance(message, dict) else None
        if not isinstance(method, str) or method not in PRIVATE_METHODS:
            return 0.0
        params = message.get("params")
        symbol = params.get("symbol") if isinstance(params, dict) else None
        if isinstance(symbol, str):
            self._want(symbol)
        return self._exchange.latency_s()

    async def carry(
        self, socket: web.WebSocketResponse, deliver: Callable[[str], Awaitable[None]]
    ) -> None:
        """Read a private connection to its end; each frame is delivered when it has arrived."""
        arrivals = Arrivals(self, deliver)
        async with asyncio.TaskGroup() as group:
            group.create_task(arrivals.run())
            try:
                async for message in socket:
                    if message.type is not WSMsgType.TEXT:
                        break
                    await arrivals.put(message.data)
            finally:
                arrivals.close()

    async def _hold(self, path: str, body: bytes) -> None:
        if path not in ORDER_PATHS:
            return
        pair = _form_pair(body)
        found = None if pair is None else find_pair(pair, self._exchange.pairs)
        if found is not None:
            self._want(found.symbol)
        await asyncio.sleep(self._exchange.latency_s())
        if found is not None:
            await self.wait_for_book(found.symbol)

    def _want(self, symbol: str) -> None:
        if self._feed.book(symbol) is None:
            self._caller.want(symbol)

    async def wait_for_book(self, symbol: str) -> None:
        """Wait a little while for the first book of a pair; without it the order is refused.

        In a later gap nothing waits: a cancel may stand behind.
        """
        if symbol in self._met or symbol not in self._exchange.pairs:
            return
        try:
            async with asyncio.timeout(BOOK_WAIT_S):
                while symbol not in self._met and self.trouble is None:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return


class Arrivals:
    """The frames of one private connection on their way: in order, each one latency later."""

    def __init__(self, front: RelayFront, deliver: Callable[[str], Awaitable[None]]) -> None:
        """`deliver` hands one frame to the exchange."""
        self._front = front
        self._deliver = deliver
        self._queue: deque[tuple[float, str]] = deque()
        self._moved = asyncio.Event()
        self._closed = False

    async def put(self, text: str) -> None:
        """Send a frame on its way; waits while too many are."""
        while len(self._queue) >= WAITING:
            await asyncio.sleep(BUSY_S)
        due = asyncio.get_running_loop().time() + self._front.frame_latency_s(text)
        self._queue.append((due, text))
        self._moved.set()

    def close(self) -> None:
        """No more will come; what is on its way arrives all the same."""
        self._closed = True
        self._moved.set()

    async def run(self) -> None:
        """Deliver what has arrived, to the last frame."""
        loop = asyncio.get_running_loop()
        while self._queue or not self._closed:
            if not self._queue:
                self._moved.clear()
                await self._moved.wait()
                continue
            due, text = self._queue.popleft()
            await asyncio.sleep(max(0.0, due - loop.time()))
            symbol = _frame_symbol(text)
            if symbol is not None:
                await self._front.wait_for_book(symbol)
            try:
                await self._deliver(text)
            except SandboxError as error:
                self._front.fail(error)
                return


@asynccontextmanager
async def relayed(
    exchange: Exchange, options: SandboxOptions, fail: Callable[[SandboxError], None]
) -> AsyncIterator[RelayFront | None]:
    """Relay while inside, if this exchange is one that does."""
    if not isinstance(exchange, RelayExchange):
        yield None
        return
    upstream = read_upstream(options.relay_rest, options.relay_public)
    async with public_client() as http:
        front = RelayFront(exchange, http, upstream, depth=options.relay_depth, fail=fail)
        try:
            async with asyncio.TaskGroup() as group:
                following = group.create_task(front.follow(options.pairs))
                try:
                    yield front
                finally:
                    following.cancel()
        except ExceptionGroup as group_error:
            # What the body raised (a port that is taken) is for people: not as a group.
            first = group_error.exceptions[0]
            if len(group_error.exceptions) == 1 and isinstance(first, SandboxError):
                raise first from None
            raise


def _frame_symbol(text: str) -> str | None:
    """Give the pair of an order that needs a book; None for anything else."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or message.get("method") not in _NEED_BOOK:
        return None
    params = message.get("params")
    symbol = params.get("symbol") if isinstance(params, dict) else None
    return symbol if isinstance(symbol, str) else None


_NEED_BOOK = ("add_order", "batch_add", "edit_order")


def _form_pair(body: bytes) -> str | None:
    """Give the `pair` of a form or JSON body."""
    try:
        text = body.decode()
        if text.lstrip().startswith("{"):
            value = json.loads(text).get("pair")
        else:
            value = dict(parse_qsl(text)).get("pair")
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, str) else None
