"""The Kraken room wired to a sandbox process, with market time as its control line moves it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from kraken_parts import Even, RealClock
from rest_parts import rest_on
from sandbox_parts import Child
from waiting import PATIENCE_S, until

from simple_trader.adapters.kraken.connection import open_wire
from simple_trader.adapters.kraken.http_client import HttpClient
from simple_trader.adapters.kraken.rest_manager import KrakenRest
from simple_trader.adapters.kraken.session import Timing
from simple_trader.adapters.kraken.ws_manager import KrakenVenue
from simple_trader.adapters.venue_link.control import ControlLine
from simple_trader.domain.events import Event, FeedDown, FeedUp, QuoteSeen
from simple_trader.domain.history import PublicTrade
from simple_trader.domain.money import floor_to_step
from simple_trader.domain.orders import OrderRequest, OrderType, Side, TimeInForce
from simple_trader.ports import FeedPlan, OpenWire
from simple_trader.sandbox.settings import DEFAULT_KEY, DEFAULT_SIGNING_TEXT

PAIRS = ("BTC/USD", "ETH/USD", "SOL/USD")
PLAN = FeedPlan(pairs=PAIRS, public=True, private=True, book=True, book_depth=10)


class MarketClock(RealClock):
    """Market time as the control line moves it."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """Market time."""
        return self.at


@dataclass
class Desk:
    """A venue that runs against a sandbox."""

    venue: KrakenVenue
    rest: KrakenRest
    clock: MarketClock
    line: ControlLine
    events: list[Event] = field(default_factory=list)
    trades: list[PublicTrade] = field(default_factory=list)

    async def until(self, wanted: Callable[[], bool], limit_s: float = PATIENCE_S) -> None:
        """Let the loop turn until it is so."""
        await until(wanted, limit_s)

    def ups(self) -> list[tuple[str, bool]]:
        """Feeds going up (true) and down, in order."""
        return [
            (e.feed, isinstance(e, FeedUp)) for e in self.events if isinstance(e, FeedUp | FeedDown)
        ]

    async def up(self) -> None:
        """Until all three feeds are up."""
        await self.until(lambda: {"public", "private", "book"} <= {n for n, on in self.ups() if on})

    async def step(self, seconds: int) -> None:
        """Market time moves on second by second; every frame is handled before the next."""
        for _ in range(seconds):
            self.clock.at += timedelta(seconds=1)
            written = (await self.line.advance(self.clock.at)).written
            await self.until(
                lambda w=written: all(
                    count >= w.get(conn, 0) for conn, count in self.venue.handled().items()
                )
            )

    def last_quote(self, pair: str) -> Any:
        """The newest quote."""
        return [e.quote for e in self.events if isinstance(e, QuoteSeen) and e.quote.pair == pair][
            -1
        ]

    def order(self, number: int, price: Decimal, **more: Any) -> OrderRequest:
        """A limit order to buy bitcoin."""
        values: dict[str, Any] = {
            "cl_ord_id": f"st7-{number}",
            "pair": "BTC/USD",
            "side": Side.BUY,
            "order_type": OrderType.LIMIT,
            "qty": Decimal("0.001"),
            "limit_price": floor_to_step(price, Decimal("0.1")),
            "time_in_force": TimeInForce.IOC,
            "post_only": False,
            "expire_at": None,
            "deadline": self.clock.now() + timedelta(seconds=5),
        }
        return OrderRequest(**values | more)

    async def place(self, request: OrderRequest) -> object:
        """Send it as the gate would."""
        wire = self.venue.encode_order(request)
        assert self.venue.decode_order(wire) == request
        return await self.venue.place(request, wire)


@asynccontextmanager
async def desk_at(
    there: Child,
    url: str | None = None,
    opener: OpenWire = open_wire,
    *,
    plan: FeedPlan = PLAN,
    candle_minutes: tuple[int, ...] = (1,),
    **timing: float,
) -> AsyncIterator[Desk]:
    """Everything of the room, wired to a sandbox; `url` puts something in between."""
    http = HttpClient("simple-trader/test")
    line = ControlLine(lambda: f"ws://127.0.0.1:{there.announced['port']}/sandbox/control")
    clock = MarketClock((await line.hello()).at)
    rest = rest_on(http, url=there.url, key=DEFAULT_KEY, secret=DEFAULT_SIGNING_TEXT, clock=clock)
    events: list[Event] = []
    trades: list[PublicTrade] = []

    async def room() -> None:
        return

    ws = (url or there.url).replace("http", "ws", 1)
    venue = KrakenVenue(
        public_url=f"{ws}/v2",
        private_url=f"{ws}/auth/v2",
        rest=rest,
        clock=clock,
        dice=Even(),
        open_wire=opener,
        emit=events.append,
        room=room,
        timing=Timing(**timing),
        timed=False,
        candle_minutes=candle_minutes,
        on_trades=trades.extend,
    )
    venue.apply(plan)
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(venue.run())
            yield Desk(venue, rest, clock, line, events, trades)
            task.cancel()
    finally:
        await line.close()
        await http.close()
