"""A venue of ours over wires in memory: what the exchange answers is up to the test."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from kraken_parts import (
    AT,
    BALANCES_SNAPSHOT,
    EXECUTIONS_SNAPSHOT,
    STATUS,
    TICKER,
    Even,
    Mark,
    MemoryWire,
    ScriptedHttp,
    SetClock,
    Shown,
    ack,
)

from simple_trader.adapters.kraken.auth import Credentials
from simple_trader.adapters.kraken.rest_client import RestClient
from simple_trader.adapters.kraken.rest_manager import KrakenRest
from simple_trader.adapters.kraken.session import Timing
from simple_trader.adapters.kraken.ws_manager import KrakenVenue
from simple_trader.domain.actions import CancelOrder
from simple_trader.domain.events import Event, FeedDown, FeedUp
from simple_trader.domain.orders import OrderRequest, OrderType, Side, TimeInForce
from simple_trader.domain.reasons import Reason
from simple_trader.ports import FeedPlan, Wire

PRIVATE_STATUS = STATUS.replace("11043817702341890007", "22")
PLAN = FeedPlan(pairs=("BTC/USD",), public=True, private=True, book=False, book_depth=10)
REQUEST = OrderRequest(
    cl_ord_id="st7-1",
    pair="BTC/USD",
    side=Side.BUY,
    order_type=OrderType.LIMIT,
    qty=Decimal("0.001"),
    limit_price=Decimal("61000.0"),
    time_in_force=TimeInForce.IOC,
    post_only=False,
    expire_at=None,
    deadline=AT + timedelta(seconds=0.05),
)
CANCEL = CancelOrder(cl_ord_id="st7-1", order_id="O1", pair="BTC/USD", reason=Reason.OPERATOR)
Answer = Callable[[dict[str, Any]], Iterable[str]]


@dataclass
class Desk:
    """A venue over wires in memory."""

    venue: KrakenVenue
    http: ScriptedHttp
    clock: SetClock
    events: list[Event] = field(default_factory=list)
    wires: dict[str, list[MemoryWire]] = field(default_factory=dict)
    orders: Answer = lambda _message: ()
    room_open: asyncio.Event = field(default_factory=asyncio.Event)
    refused_token: str = ""

    @property
    def private(self) -> MemoryWire:
        """The newest private wire."""
        return self.wires["private"][-1]

    @property
    def public(self) -> MemoryWire:
        """The newest public wire."""
        return self.wires["public"][-1]

    async def until(self, wanted: Callable[[], bool]) -> None:
        """Let the loop turn until it is so."""
        async with asyncio.timeout(5):
            while not wanted():
                await asyncio.sleep(0)

    async def up(self) -> None:
        """Until both feeds are up."""
        await self.until(lambda: {"public", "private"} <= self.feeds())

    def feeds(self) -> set[str]:
        """The feeds that are up by the events."""
        state: dict[str, bool] = {}
        for event in self.events:
            if isinstance(event, FeedUp | FeedDown):
                state[event.feed] = isinstance(event, FeedUp)
        return {name for name, is_up in state.items() if is_up}

    def sent(self, method: str) -> list[dict[str, Any]]:
        """Requests of a kind, over all private wires."""
        return [m for wire in self.wires["private"] for m in wire.sent if m["method"] == method]


def answers(desk: Desk, name: str) -> Answer:
    def answer(message: dict[str, Any]) -> Iterable[str]:
        if desk.refused_token and message["params"].get("token") == desk.refused_token:
            yield reply(message, success=False, error="Token(s) not found")
        elif message["method"] == "subscribe":
            channel = message["params"]["channel"]
            for symbol in message["params"].get("symbol", [None]):
                yield ack(channel, message["req_id"], symbol)
            yield from {
                "ticker": [TICKER],
                "executions": [EXECUTIONS_SNAPSHOT],
                "balances": [BALANCES_SNAPSHOT],
            }.get(channel, [])
        elif name == "private":
            yield from desk.orders(message)

    return answer


@asynccontextmanager
async def running(plan: FeedPlan | None = PLAN, **timing: float) -> AsyncIterator[Desk]:
    http, clock = ScriptedHttp(), SetClock()
    http.will("Assets", {"XXBT": {"altname": "XBT", "decimals": 10, "display_decimals": 5}})
    pair = {
        "altname": "XBTUSD",
        "wsname": "XBT/USD",
        "base": "XXBT",
        "quote": "USD",
        "pair_decimals": 1,
        "lot_decimals": 8,
    }
    http.will("AssetPairs", {"XXBTZUSD": pair})
    http.will("GetWebSocketsToken", {"token": "TOK", "expires": 900})
    rest = KrakenRest(
        RestClient(
            url="http://127.0.0.1:1",
            http=http,
            clock=clock,
            dice=Even(),
            credentials=Credentials(Shown("k"), Shown("c2VjcmV0")),
            high_water=Mark(),
        )
    )

    async def open_wire(url: str) -> Wire:
        name = url.rsplit("/", 1)[-1]
        wire = MemoryWire()
        desk.wires.setdefault(name, []).append(wire)
        wire.answer = answers(desk, name)
        wire.push(STATUS if name == "public" else PRIVATE_STATUS)
        return wire

    async def room() -> None:
        await desk.room_open.wait()

    events: list[Event] = []
    venue = KrakenVenue(
        public_url="ws://127.0.0.1:1/public",
        private_url="ws://127.0.0.1:1/private",
        rest=rest,
        clock=clock,
        dice=Even(),
        open_wire=open_wire,
        emit=events.append,
        room=room,
        timing=Timing(**{"order_margin_s": 0.05, "reply_s": 0.05} | timing),
    )
    desk = Desk(venue, http, clock, events)
    desk.room_open.set()
    if plan is not None:
        venue.apply(plan)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(venue.run())
        yield desk
        task.cancel()


def reply(message: dict[str, Any], **body: object) -> str:
    return json.dumps({"method": message["method"], "req_id": message["req_id"]} | body)
