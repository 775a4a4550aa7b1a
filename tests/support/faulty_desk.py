"""Our venue on a sandbox whose faults the test sets: what the client's part of each fault is."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from faulty_sandbox import There
from kraken_parts import Even, RealClock
from rest_parts import rest_on
from waiting import PATIENCE_S, until

from simple_trader.adapters.kraken.connection import open_wire
from simple_trader.adapters.kraken.http_client import HttpClient
from simple_trader.adapters.kraken.rest_manager import KrakenRest
from simple_trader.adapters.kraken.session import Timing
from simple_trader.adapters.kraken.ws_manager import KrakenVenue
from simple_trader.domain.actions import AskOrders, Question
from simple_trader.domain.events import (
    Event,
    ExecutionReport,
    FeedDown,
    FeedUp,
    OrderLooked,
    QuoteSeen,
    VenueWarned,
)
from simple_trader.domain.history import PublicTrade
from simple_trader.domain.money import floor_to_step
from simple_trader.domain.orders import OrderRequest, OrderType, Side, TimeInForce
from simple_trader.ports import FeedPlan
from simple_trader.sandbox.settings import DEFAULT_KEY, DEFAULT_SIGNING_TEXT

PAIRS = ("BTC/USD", "ETH/USD")
PLAN = FeedPlan(pairs=PAIRS, public=True, private=True, book=True, book_depth=10, trades=True)
QUICK = Timing(
    silence_s=1.0,
    heartbeat_s=2.2,
    ping_after_s=0.3,
    tick_s=0.05,
    ack_s=0.5,
    snapshot_s=1.0,
    reply_s=0.5,
    order_margin_s=0.2,
)


class VenueClock(RealClock):
    """Market time is the exchange's own moment, and `ahead_s` more."""

    def __init__(self, there: There) -> None:
        self.there, self.ahead_s = there, 0.0

    def now(self) -> datetime:
        """Market time."""
        return self.there.exchange.now + timedelta(seconds=self.ahead_s)


@dataclass
class FaultyDesk:
    """A venue of ours that meets faults."""

    venue: KrakenVenue
    rest: KrakenRest
    there: There
    clock: VenueClock
    trades: list[PublicTrade]
    events: list[Event] = field(default_factory=list)

    async def until(self, wanted: Callable[[], bool], limit_s: float = PATIENCE_S) -> None:
        """Let the loop turn until it is so."""
        await until(wanted, limit_s)

    def of(self, kind: type) -> list[Any]:
        """Events of a kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    def ups(self, feed: str) -> list[bool]:
        """The life of a feed: true for up, false for down."""
        return [
            isinstance(event, FeedUp)
            for event in self.events
            if isinstance(event, FeedUp | FeedDown) and event.feed == feed
        ]

    def warned(self, kind: str) -> list[VenueWarned]:
        """Warnings of a kind."""
        return [event for event in self.of(VenueWarned) if event.kind == kind]

    async def up(self) -> None:
        """Until all feeds are up, whatever was before."""
        feeds = ("public", "private", "book")
        await self.until(lambda: all(self.ups(feed)[-1:] == [True] for feed in feeds))

    async def again(self, feed: str) -> None:
        """Until a feed went down and came up again."""
        await self.until(lambda: self.ups(feed)[-2:] == [False, True] and len(self.ups(feed)) > 2)

    async def moving(self, wanted: Callable[[], bool], seconds: int = 60) -> None:
        """Move the market second by second until it is so."""
        for _ in range(seconds):
            if wanted():
                return
            await self.there.step(1)
            await asyncio.sleep(0.02)
        await self.until(wanted)

    def count(self, name: str) -> int:
        """How often frames were counted under a name."""
        return self.venue.counts().get(name, 0)

    def mid(self) -> Decimal:
        """The newest ask of BTC/USD."""
        quotes = [e.quote for e in self.of(QuoteSeen) if e.quote.pair == "BTC/USD"]
        ask: Decimal = quotes[-1].ask
        return ask

    def order(self, number: int, factor: str = "1.01", **more: Any) -> OrderRequest:
        """A limit order to buy a little, by default at the market."""
        values: dict[str, Any] = {
            "cl_ord_id": f"st7-{number}",
            "pair": "BTC/USD",
            "side": Side.BUY,
            "order_type": OrderType.LIMIT,
            "qty": Decimal("0.001"),
            "limit_price": floor_to_step(self.mid() * Decimal(factor), Decimal("0.1")),
            "time_in_force": TimeInForce.GTC,
            "post_only": False,
            "expire_at": None,
            "deadline": self.clock.now() + timedelta(seconds=1),
        }
        return OrderRequest(**values | more)

    async def place(self, request: OrderRequest) -> Any:
        """Send it as the gate would."""
        return await self.venue.place(request, self.venue.encode_order(request))

    def reports(self, number: int) -> list[str]:
        """Kinds of report of an order."""
        name = f"st7-{number}"
        return [e.exec_type for e in self.of(ExecutionReport) if e.cl_ord_id == name]

    def fills(self, number: int) -> set[str]:
        """Ids of the fills of an order."""
        name = f"st7-{number}"
        return {e.fill.exec_id for e in self.of(ExecutionReport) if e.fill and e.cl_ord_id == name}

    def question(self) -> Question:
        """What a look says it was asked for."""
        return Question(
            question_id="q",
            kind="x",
            subject="x",
            asked_at=self.clock.now(),
            deadline_s=30,
            config_hash="",
        )

    async def looked_up(self, number: int) -> tuple[OrderLooked, set[str]]:
        """What a look finds of an order: its state, and the ids of its fills."""
        since = self.clock.now() - timedelta(minutes=5)
        names = (f"st7-{number}",)
        action = AskOrders(question=self.question(), cl_ord_ids=names, since=since)
        found = await self.venue.look(action)
        (looked,) = [event for event in found if isinstance(event, OrderLooked)]
        fills = {e.fill.exec_id for e in found if isinstance(e, ExecutionReport) and e.fill}
        return looked, fills


@asynccontextmanager
async def desk_on(
    there: There, *, plan: FeedPlan = PLAN, timing: Timing = QUICK, wait: bool = True
) -> AsyncIterator[FaultyDesk]:
    """Run our venue on a sandbox while inside; with `wait` from when all feeds are up."""
    http, clock = HttpClient("simple-trader/test"), VenueClock(there)
    rest = rest_on(http, url=there.url, key=DEFAULT_KEY, secret=DEFAULT_SIGNING_TEXT, clock=clock)
    events: list[Event] = []
    trades: list[PublicTrade] = []

    async def room() -> None:
        return

    venue = KrakenVenue(
        public_url=there.public,
        private_url=there.private,
        rest=rest,
        clock=clock,
        dice=Even(),
        open_wire=open_wire,
        emit=events.append,
        room=room,
        timing=timing,
        on_trades=trades.extend,
    )
    venue.apply(plan)
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(venue.run())
            desk = FaultyDesk(venue, rest, there, clock, trades, events)
            if wait:
                await desk.up()
            yield desk
            task.cancel()
    finally:
        await http.close()
