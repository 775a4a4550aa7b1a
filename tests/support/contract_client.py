"""The contract's driver through our own client: KrakenVenue and KrakenRest, over TCP."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from contract_client_facts import (
    candle_facts,
    fill_facts,
    line_facts,
    pair_facts,
    row_facts,
    told_facts,
)
from contract_facts import (
    CandleFacts,
    Change,
    Fill,
    Levels,
    Line,
    OrderRow,
    PairFacts,
    Print,
    Public,
    Refused,
    Told,
    Wanted,
    Watch,
)
from contract_world import World, secret_of
from kraken_parts import Even, Mark, RealClock, Shown

from simple_trader.adapters.kraken.auth import Credentials
from simple_trader.adapters.kraken.connection import open_wire
from simple_trader.adapters.kraken.http_client import HttpClient
from simple_trader.adapters.kraken.rest_client import RestClient
from simple_trader.adapters.kraken.rest_manager import KrakenRest
from simple_trader.adapters.kraken.session import Timing
from simple_trader.adapters.kraken.ws_manager import KrakenVenue
from simple_trader.domain.actions import CancelOrder
from simple_trader.domain.events import (
    BalancesSeen,
    BookLost,
    CandleSeen,
    Event,
    ExecutionReport,
    FeedUp,
    InstrumentSeen,
    LedgerSeen,
    OrderAcked,
    OrderRejected,
    QuoteSeen,
    SendUnknown,
    VenueStatusSeen,
)
from simple_trader.domain.history import PublicTrade
from simple_trader.domain.orders import (
    AmendRequest,
    FeePreference,
    OrderRequest,
    OrderType,
    PriceType,
    SelfTrade,
    Side,
    TimeInForce,
    Trigger,
    TriggerReference,
)
from simple_trader.domain.reasons import Reason
from simple_trader.domain.venue_replies import AmendAcked, AmendRejected, OrderChecked, SwitchArmed
from simple_trader.ports import FeedPlan


class WorldClock(RealClock):
    """Market time as the world tells it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> datetime:
        """Market time."""
        return self._world.at


class ClientDriver:
    """Our client, wired as the daemon wires it, and its events turned into facts."""

    def __init__(self, world: World, key: str, watch: Watch | None) -> None:
        self.world, self.account = world, key
        self.public = Public()
        self.events: list[Event] = []
        self._watch = watch
        clock = WorldClock(world)
        self._http = HttpClient("simple-trader/contract")
        client = RestClient(
            url=world.url,
            http=self._http,
            clock=clock,
            dice=Even(),
            credentials=Credentials(Shown(key), Shown(secret_of(key))),
            high_water=Mark(),
        )
        self.rest = KrakenRest(client)
        self.venue = KrakenVenue(
            public_url=f"{world.ws}/v2",
            private_url=f"{world.ws}/auth/v2",
            rest=self.rest,
            clock=clock,
            dice=Even(),
            open_wire=open_wire,
            emit=self._take,
            room=_no_room,
            timing=Timing(),
            timed=False,
            candle_minutes=watch.minutes if watch else (1,),
            book_summary_s=0.0,
            on_trades=self._take_trades,
        )
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect and wait until all that was asked for is there."""
        watch = self._watch
        plan = FeedPlan(
            pairs=watch.pairs if watch else (),
            public=watch is not None,
            private=True,
            book=watch is not None,
            book_depth=watch.depth if watch else 10,
            trades=watch is not None,
        )
        self.venue.apply(plan)
        self._task = asyncio.get_running_loop().create_task(self.venue.run())
        wanted = {"private"} | ({"public", "book"} if watch else set())
        async with asyncio.timeout(20):
            while not wanted <= {e.feed for e in self.events if isinstance(e, FeedUp)}:
                await asyncio.sleep(0.001)
        await self.settle()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        await self._http.close()

    async def settle(self) -> None:
        written = self.world.written()
        async with asyncio.timeout(20):
            while any(n < written.get(name, 0) for name, n in self.venue.handled().items()):
                await asyncio.sleep(0.001)

    async def step(self, seconds: float = 1) -> None:
        await self.settle()
        self.world.advance(seconds)
        await self.settle()

    # -- orders --------------------------------------------------------------------------

    async def place(self, order: Wanted) -> str | Refused:
        request = self._request(order)
        wire = self.venue.encode_order(request)
        assert self.venue.decode_order(wire) == request
        outcome = await self.venue.place(request, wire)
        if isinstance(outcome, OrderRejected):
            return Refused(outcome.error)
        if isinstance(outcome, SendUnknown):
            return Refused(outcome.detail, sure=False)
        assert isinstance(outcome, OrderAcked), outcome
        return outcome.order_id

    async def check(self, order: Wanted) -> Refused | None:
        request = self._request(order)
        outcome = await self.venue.check(request, self.venue.encode_order(request))
        if isinstance(outcome, OrderRejected):
            return Refused(outcome.error)
        assert isinstance(outcome, OrderChecked), outcome
        return None

    async def amend(self, change: Change) -> Refused | None:
        outcome = await self.venue.amend(
            AmendRequest(
                cl_ord_id=change.cl_ord_id,
                pair=change.pair,
                order_id=change.order_id,
                qty=change.qty,
                limit_price=change.price,
                trigger_price=change.trigger,
                post_only=change.post_only,
                deadline=self.world.at + timedelta(seconds=5),
            )
        )
        if isinstance(outcome, AmendRejected):
            return Refused(outcome.error)
        assert isinstance(outcome, AmendAcked), outcome
        assert outcome.amend_id.startswith("T")
        return None

    async def cancel(self, cl_ord_id: str, order_id: str | None = None) -> Refused | None:
        action = CancelOrder(
            cl_ord_id=cl_ord_id, order_id=order_id, pair="BTC/USD", reason=Reason.OPERATOR
        )
        refused = await self.venue.cancel(action)
        return None if refused is None else Refused(refused.error)

    async def cancel_all(self) -> int:
        return await self.venue.cancel_all()

    async def arm_switch(self, timeout_s: int) -> float | None:
        outcome = await self.venue.arm_switch(timeout_s)
        assert isinstance(outcome, SwitchArmed), outcome
        assert outcome.current_at is not None
        if outcome.trigger_at is None:
            return None
        return (outcome.trigger_at - outcome.current_at).total_seconds()

    async def told(self, cl_ord_id: str | None = None) -> list[Told]:
        await self.settle()
        reports = [e for e in self.events if isinstance(e, ExecutionReport)]
        return [told_facts(e) for e in reports if cl_ord_id in (None, e.cl_ord_id)]

    async def lines_told(self) -> list[Line]:
        await self.settle()
        return [line_facts(e.entry) for e in self.events if isinstance(e, LedgerSeen)]

    async def totals_told(self) -> dict[str, Decimal]:
        await self.settle()
        totals: dict[str, Decimal] = {}
        for event in self.events:
            if isinstance(event, BalancesSeen):
                totals = dict(event.balances)
            elif isinstance(event, LedgerSeen):
                totals[event.entry.asset] = event.entry.balance
        return totals

    async def rate_count(self, pair: str) -> Decimal:
        await self.settle()
        assert self.venue.counter.higher_there == 0, "the exchange counted more than our model"
        assert self.venue.counter.told > 0, "the exchange told no count"
        return Decimal(str(self.venue.counter.worst(pair, self.world.at)))

    # -- reads ---------------------------------------------------------------------------

    async def balances(self) -> dict[str, Decimal]:
        return {asset: Decimal(text) for asset, text in (await self.rest.balances()).items()}

    async def open_orders(self) -> list[OrderRow]:
        return [row_facts(row) for row in await self.rest.open_orders()]

    async def closed_orders(self) -> list[OrderRow]:
        return [row_facts(row) for row in await self.rest.closed_orders(None)]

    async def orders(self, order_ids: Sequence[str]) -> list[OrderRow]:
        return [row_facts(row) for row in await self.rest.orders_by_id(order_ids)]

    async def fills(self) -> list[Fill]:
        return [fill_facts(fill) for fill in await self.rest.trades(None)]

    async def lines(self) -> list[Line]:
        return [line_facts(entry) for entry in await self.rest.ledgers(None)]

    async def fee_rates(self, pair: str) -> tuple[Decimal, Decimal]:
        (rates,) = await self.rest.fees([pair])
        assert rates.pair == pair
        return rates.maker, rates.taker

    async def pairs(self) -> dict[str, PairFacts]:
        return {rules.pair: pair_facts(rules) for rules in await self.rest.pairs()}

    async def candles(self, pair: str, minutes: int, count: int) -> list[CandleFacts]:
        return [candle_facts(row) for row in await self.rest.candles(pair, minutes * 60, count)]

    async def system(self) -> str:
        return (await self.rest.system_status()).value

    async def server_time(self) -> datetime:
        return await self.rest.server_time()

    async def permissions(self) -> set[str]:
        return set((await self.rest.key_info()).permissions or ())

    def book(self, pair: str) -> tuple[Levels, Levels] | None:
        session = self.venue._public.session
        book = session.books.get(pair) if session is not None else None
        if book is None or not book.trusted:
            return None
        return book.levels("bids"), book.levels("asks")

    # -- parts ---------------------------------------------------------------------------

    def _request(self, order: Wanted) -> OrderRequest:
        trigger = None
        if order.trigger is not None:
            trigger = Trigger(
                price=order.trigger,
                price_type=PriceType(order.trigger_type),
                reference=TriggerReference(order.reference),
            )
        return OrderRequest(
            cl_ord_id=order.cl_ord_id,
            pair=order.pair,
            side=Side(order.side),
            order_type=OrderType(order.kind),
            qty=order.qty,
            limit_price=order.price,
            limit_price_type=PriceType(order.price_type),
            time_in_force=TimeInForce("ioc" if order.kind == "market" else order.force),
            post_only=order.post_only,
            expire_at=order.expire_at,
            deadline=order.deadline or self.world.at + timedelta(seconds=5),
            trigger=trigger,
            fee_preference=FeePreference(order.fee),
            stp=SelfTrade(order.stp),
        )

    def _take(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, QuoteSeen):
            quote = event.quote
            self.public.quotes.setdefault(quote.pair, []).append((quote.bid, quote.ask))
        elif isinstance(event, CandleSeen):
            candle = candle_facts(event.candle)
            kept = self.public.candles.setdefault((event.candle.pair, candle.minutes), {})
            kept[candle.begin] = candle
        elif isinstance(event, InstrumentSeen):
            self.public.pairs.setdefault(event.rules.pair, []).append(pair_facts(event.rules))
        elif isinstance(event, VenueStatusSeen):
            self.public.system.append(event.status.value)
        elif isinstance(event, BookLost):
            self.public.books_lost.append(event.pair)

    def _take_trades(self, trades: tuple[PublicTrade, ...]) -> None:
        for trade in trades:
            seen = Print(
                trade_id=trade.trade_id or 0,
                price=trade.price,
                qty=trade.qty,
                side=trade.side.value if trade.side else "",
            )
            self.public.prints.setdefault(trade.pair, []).append(seen)


async def _no_room() -> None:
    return
