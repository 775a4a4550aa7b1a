"""The Kraken room against a scripted exchange over real sockets: torn frames, floods, lost acks."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from kraken_parts import (
    BALANCES_SNAPSHOT,
    EXECUTIONS_SNAPSHOT,
    HEARTBEAT,
    STATUS,
    TICKER,
    Even,
    RealClock,
    ScriptedHttp,
    ack,
)
from rest_parts import rest_on
from waiting import until
from websockets.asyncio.server import ServerConnection, serve

from simple_trader.adapters.kraken.connection import open_wire
from simple_trader.adapters.kraken.session import Timing
from simple_trader.adapters.kraken.ws_manager import KrakenVenue
from simple_trader.domain.events import Event, FeedDown, FeedUp, NotSent, QuoteSeen, SendUnknown
from simple_trader.domain.orders import OrderRequest, OrderType, Side, TimeInForce
from simple_trader.ports import FeedPlan

PLAN = FeedPlan(pairs=("BTC/USD",), public=True, private=True, book=False, book_depth=10)
PAIR = {
    "altname": "XBTUSD",
    "wsname": "XBT/USD",
    "base": "XXBT",
    "quote": "USD",
    "pair_decimals": 1,
    "lot_decimals": 8,
}
Script = Callable[[ServerConnection, dict[str, Any]], Awaitable[None]]


@dataclass
class Exchange:
    """A server that answers subscriptions and does as it is told with everything else."""

    connections: list[ServerConnection] = field(default_factory=list)
    received: list[dict[str, Any]] = field(default_factory=list)
    script: Script | None = None

    async def serve(self, connection: ServerConnection) -> None:
        """One connection."""
        self.connections.append(connection)
        await connection.send(STATUS.replace("11043817702341890007", str(len(self.connections))))
        async for text in connection:
            message = json.loads(text)
            self.received.append(message)
            if message["method"] != "subscribe":
                if self.script is not None:
                    await self.script(connection, message)
                continue
            channel = message["params"]["channel"]
            for symbol in message["params"].get("symbol", [None]):
                await connection.send(ack(channel, message["req_id"], symbol))
            answers = {
                "ticker": TICKER,
                "executions": EXECUTIONS_SNAPSHOT,
                "balances": BALANCES_SNAPSHOT,
            }
            if channel in answers:
                await connection.send(answers[channel])

    def newest(self, path: str) -> ServerConnection:
        """The newest connection to a path."""
        return [c for c in self.connections if c.request and c.request.path == path][-1]


@dataclass
class Desk:
    """A venue at the scripted exchange."""

    venue: KrakenVenue
    exchange: Exchange
    events: list[Event]

    async def until(self, wanted: Callable[[], bool]) -> None:
        """Let the loop turn until it is so."""
        await until(wanted)

    def count(self, kind: type[Event], feed: str) -> int:
        """How often a feed went up or down."""
        return sum(isinstance(e, kind) and getattr(e, "feed", "") == feed for e in self.events)


@asynccontextmanager
async def running() -> AsyncIterator[Desk]:
    exchange, events, http = Exchange(), list[Event](), ScriptedHttp()
    http.will("Assets", {"XXBT": {"altname": "XBT", "decimals": 10, "display_decimals": 5}})
    http.will("AssetPairs", {"XXBTZUSD": PAIR})
    http.will("GetWebSocketsToken", {"token": "TOK", "expires": 900})
    async with serve(exchange.serve, "127.0.0.1", 0, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        rest = rest_on(http)

        async def room() -> None:
            return

        venue = KrakenVenue(
            public_url=f"ws://127.0.0.1:{port}/v2",
            private_url=f"ws://127.0.0.1:{port}/auth/v2",
            rest=rest,
            clock=RealClock(),
            dice=Even(),
            open_wire=open_wire,
            emit=events.append,
            room=room,
            timing=Timing(order_margin_s=0.2),
        )
        venue.apply(PLAN)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(venue.run())
            desk = Desk(venue, exchange, events)
            await desk.until(
                lambda: desk.count(FeedUp, "public") == 1 and desk.count(FeedUp, "private") == 1
            )
            yield desk
            task.cancel()


async def test_n01_a_torn_frame_leaves_nothing_behind_and_the_feed_returns() -> None:
    async with running() as desk:
        quotes = sum(isinstance(event, QuoteSeen) for event in desk.events)
        connection = desk.exchange.newest("/v2")
        half = TICKER.encode()[:100]
        connection.transport.write(b"\x81\x7e" + len(TICKER).to_bytes(2, "big") + half)
        connection.transport.abort()
        await desk.until(lambda: desk.count(FeedUp, "public") == 2)
        assert desk.count(FeedDown, "public") == 1
        assert sum(isinstance(event, QuoteSeen) for event in desk.events) == quotes + 1


@pytest.mark.parametrize(
    "frame",
    [
        "CloudFlare WebSocket proxy restarting",
        b"\x00\xff\xfe",
        "[" * 1_000_000,
        '{"channel":"oracle","data":[{"buy":true}]}',
        '{"Error":"Exceeded msg rate"}',
    ],
    ids=["text", "binary", "nested", "unknown", "error"],
)
async def test_n13_a_frame_nobody_understands_is_counted_and_survived(frame: str | bytes) -> None:
    async with running() as desk:
        connection = desk.exchange.newest("/v2")
        number = desk.exchange.connections.index(connection) + 1
        before = desk.venue.handled()[number]
        await connection.send(frame)
        await connection.send(HEARTBEAT)
        await connection.send(TICKER)
        await desk.until(lambda: desk.venue.handled().get(number, 0) == before + 3)
        assert desk.count(FeedDown, "public") == 0


async def test_n13_a_frame_beyond_the_limit_closes_and_the_feed_returns() -> None:
    async with running() as desk:
        connection = desk.exchange.newest("/v2")
        await connection.send("x" * (17 * 1024 * 1024))
        await desk.until(lambda: desk.count(FeedUp, "public") == 2)
        assert connection.close_code == 1009


async def test_n13_invalid_utf8_does_not_end_the_daemon() -> None:
    async with running() as desk:
        connection = desk.exchange.newest("/v2")
        connection.transport.write(b"\x81\x02\xff\xfe")
        await connection.send(TICKER)
        seen = sum(isinstance(event, QuoteSeen) for event in desk.events)
        await desk.until(lambda: sum(isinstance(event, QuoteSeen) for event in desk.events) > seen)


def order() -> OrderRequest:
    """An order that is due in a second."""
    deadline = datetime.now(UTC) + timedelta(seconds=1)
    return OrderRequest(
        cl_ord_id="st7-1",
        pair="BTC/USD",
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        qty=Decimal("0.001"),
        limit_price=Decimal("61000.0"),
        time_in_force=TimeInForce.IOC,
        post_only=False,
        expire_at=None,
        deadline=deadline.replace(microsecond=0),
    )


async def test_x01_an_ack_lost_with_the_connection_is_unknown_and_there_is_one_send() -> None:
    async with running() as desk:

        async def abort(connection: ServerConnection, _message: dict[str, Any]) -> None:
            connection.transport.abort()

        desk.exchange.script = abort
        request = order()
        outcome = await desk.venue.place(request, desk.venue.encode_order(request))
        assert isinstance(outcome, SendUnknown)
        await desk.until(lambda: desk.count(FeedUp, "private") == 2)
        sent = [m for m in desk.exchange.received if m["method"] == "add_order"]
        assert len(sent) == 1
        assert sent[0]["params"]["cl_ord_id"] == "st7-1"


async def test_an_order_while_the_connection_is_down_is_not_sent() -> None:
    async with running() as desk:
        desk.exchange.newest("/auth/v2").transport.abort()
        await desk.until(lambda: desk.count(FeedDown, "private") == 1)
        request = order()
        outcome = await desk.venue.place(request, desk.venue.encode_order(request))
        assert isinstance(outcome, NotSent)
        await desk.until(lambda: desk.count(FeedUp, "private") == 2)
        assert not [m for m in desk.exchange.received if m["method"] == "add_order"]
