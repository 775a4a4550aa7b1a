"""A small world on virtual time: the real client, resolver and engine against the sandbox.

No database and no decisions: orders are put into the engine's books and sent by the desk, as the
gate does. What happens to each on its way is its fate.
"""

import asyncio
import json
import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from brain_desk import settings, started
from virtual_time import START, VirtualClock, VirtualLoop

from lost_acks.case import Case, intent_of, short_past
from lost_acks.fates import Fate, Weather
from lost_acks.network import MemoryWire, Network, NoMark
from simple_trader.adapters.kraken.auth import Credentials
from simple_trader.adapters.kraken.rest_client import RestClient
from simple_trader.adapters.kraken.rest_manager import KrakenRest
from simple_trader.adapters.kraken.ws_manager import KrakenVenue
from simple_trader.config.env import Secret
from simple_trader.core.engine import Engine
from simple_trader.domain import events as e
from simple_trader.domain.actions import AskOrders, AskReconcile, CancelOrder, Remember
from simple_trader.domain.ids import client_order_id
from simple_trader.domain.money import floor_to_step
from simple_trader.domain.orders import (
    Order,
    OrderRequest,
    OrderType,
    Side,
    TimeInForce,
)
from simple_trader.domain.records import OrderStateRow, TradeRow
from simple_trader.ports import FeedPlan, HttpFailed, HttpReply, WireClosed
from simple_trader.sandbox.exchange import Exchange
from simple_trader.sandbox.faults.desk import Desk
from simple_trader.sandbox.session import Session
from simple_trader.sandbox.settings import DEFAULT_KEY, DEFAULT_SIGNING_TEXT, SandboxOptions

PAIRS = ("BTC/USD", "ETH/USD", "SOL/USD")
STEPS = {"BTC/USD": Decimal("0.1"), "ETH/USD": Decimal("0.01"), "SOL/USD": Decimal("0.01")}
QTY = {"BTC/USD": Decimal("0.004"), "ETH/USD": Decimal("0.05"), "SOL/USD": Decimal(1)}
EPOCH = 1000
DEADLINE_S = 5.0


class FatefulWire(MemoryWire):
    """A wire on which orders and their answers meet their fates."""

    def __init__(self, venue: "FatefulNetwork", session: Session, *, private: bool) -> None:
        super().__init__(venue, session)
        self._fates, self._private = venue, private

    async def send(self, text: str) -> None:
        case = self._fates.case_of(text)
        if case is None or not self._open:
            await super().send(text)
            return
        case.sends += 1
        fate = case.fate
        if fate.way == "lost":
            return
        self._up_at = max(self._up_at, self._fates.arrival())
        # A late order is a wire of its own: what is sent after it does not wait.
        self._fates.later(self._up_at + fate.delay_s, lambda: self._land(text))
        if fate.cuts:
            self._fates.later(self._up_at + fate.delay_s + 0.001, self._fates.cut)

    def _land(self, text: str) -> None:
        """What is on its way arrives, also where our side has hung up meanwhile."""
        if self._open:
            self._session.receive(text)
        else:
            self._fates.carry(text)
        self._fates.flush()

    def pump(self) -> None:
        for frame in self._session.outgoing():
            if not (self._private and self._fates.swallowed(frame)):
                self.put(frame)

    async def recv(self) -> str:
        frame = await super().recv()
        self._fates.shown(frame)
        return frame


class FatefulNetwork(Network):
    """The sandbox behind a network of fates, and a REST with weather."""

    def __init__(
        self,
        loop: VirtualLoop,
        clock: VirtualClock,
        exchange: Exchange,
        seed: int,
        weather: Weather,
    ) -> None:
        super().__init__(loop, clock, exchange, seed)
        self.weather, self._rest_dice = weather, random.Random(f"rest weather {seed}")
        self.cases: dict[str, Case] = {}
        self.down_until = 0.0
        self.untold: set[str] = set()  # orders of which the stream did not tell all

    async def open_wire(self, url: str) -> MemoryWire:
        await asyncio.sleep(self._dice.uniform(0.001, 0.030))
        if self._loop.time() < self.down_until:
            raise WireClosed("refused")
        private = "auth" in url
        session = self.exchange.open_session(private=private)
        wire = FatefulWire(self, session, private=private)
        self._wires.append(wire)
        wire.pump()
        return wire

    def cut(self) -> None:
        """End all connections; for a while no new one comes."""
        self.down_until = self._loop.time() + self.weather.down_s
        for wire in list(self._wires):
            wire.end()

    def carry(self, text: str) -> None:
        """Let what was on its way arrive, though nobody will hear the answer."""
        session = self.exchange.open_session(private=True)
        session.receive(text)
        self.exchange.close_session(session)

    def case_of(self, text: str) -> Case | None:
        """The case whose order a frame carries."""
        if '"add_order"' not in text:
            return None
        return self.cases.get(json.loads(text)["params"].get("cl_ord_id", ""))

    def swallowed(self, frame: str) -> bool:
        """Whether a frame to us never arrives: answers to orders, by their fate."""
        if '"method":"add_order"' in frame:
            message = json.loads(frame)
            name = (message.get("result") or {}).get("cl_ord_id", "")
            case = self.cases.get(name)
            # An error names no order; all orders of these cases lose their answers alike.
            return case is None or not case.fate.acked
        update = '"channel":"executions","type":"update"' in frame
        if not update or self._loop.time() >= self.weather.deaf_until:
            return False
        self.untold.update(row["order_id"] for row in json.loads(frame)["data"])
        return True

    def shown(self, frame: str) -> None:
        """Note when the stream first shows an order."""
        if '"executions"' not in frame:
            return
        for row in json.loads(frame).get("data", []):
            case = self.cases.get(row.get("cl_ord_id", ""))
            if case is not None and case.seen_at is None:
                case.seen_at = self._clock.now()

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout_s: float,
    ) -> HttpReply:
        """REST, which fails as often as the weather says, and shifts its pages."""
        if "/private/" in url and self._rest_dice.random() < self.weather.rest_fails:
            await asyncio.sleep(self._rest_dice.choice((0.05, 1.0, 3.0)))
            raise HttpFailed("reset")
        reply = await super().request(method, url, headers=headers, body=body, timeout_s=timeout_s)
        paged = "ClosedOrders" in url or "TradesHistory" in url
        if paged and self._rest_dice.random() < self.weather.pages_shift:
            Desk(self.exchange).do("trade", {"pair": "SOL/USD", "side": "buy"})
            self.flush()
        return reply


class World:
    """Client, engine and sandbox; `place` sends an order to its fate."""

    def __init__(self, loop: VirtualLoop, seed: int, weather: Weather) -> None:
        self.loop, self.weather = loop, weather
        self.clock = VirtualClock(loop, START)
        options = SandboxOptions(
            seed=seed,
            start=START,
            stepped=True,
            history_bars=5,
            pairs=PAIRS,
            capital=Decimal(10_000_000),
        )
        self.exchange = short_past(options, self.clock)
        desk = Desk(self.exchange)
        for asset, amount in (("BTC", 100), ("ETH", 1000), ("SOL", 10_000)):
            desk.do("transfer", {"asset": asset, "amount": amount})
        self.exchange.set_rest_lag(weather.rest_lag_s)
        self.side = FatefulNetwork(loop, self.clock, self.exchange, seed, weather)
        self.engine = Engine()
        self.seq = self._count = 0
        self.reconciles = self.looks = 0
        self.heard: list[e.ExecutionReport | e.LedgerSeen] = []
        self._group: asyncio.TaskGroup | None = None
        self._woken = asyncio.Event()
        self.rest = KrakenRest(
            RestClient(
                url="http://virtual",
                http=self.side,
                clock=self.clock,
                dice=random.Random(f"rest {seed}"),
                credentials=Credentials(Secret(DEFAULT_KEY), Secret(DEFAULT_SIGNING_TEXT)),
                high_water=NoMark(),
                tier=weather.tier,
                public_pace=False,
            )
        )
        self.venue = KrakenVenue(
            rest=self.rest,
            public_url="ws://virtual/v2",
            private_url="ws://virtual/auth/v2",
            open_wire=self.side.open_wire,
            clock=self.clock,
            dice=random.Random(f"backoff {seed}"),
            emit=self.emit,
            room=self._room,
            timed=False,
        )

    async def _room(self) -> None:
        return

    # --- the body -----------------------------------------------------------------------

    def emit(self, event: e.Event) -> None:
        """Let the engine think, and do what it asks for."""
        self.seq += 1
        at = self.clock.now()
        if isinstance(event, (e.ExecutionReport, e.LedgerSeen)):
            self.heard.append(event)
        if isinstance(event, e.OrderLooked) and event.cl_ord_id in self.side.cases:
            case = self.side.cases[event.cl_ord_id]
            case.looks.append((event.looked_from, at, event.status, event.error))
        for action in self.engine.process(e.Stamped(self.seq, at, event)):
            match action:
                case AskOrders():
                    self.looks += 1
                    self._spawn(self._read(self.venue.look(action)))
                case AskReconcile():
                    self.reconciles += 1
                    self._spawn(self._read(self.venue.reconcile(action)))
                case CancelOrder():
                    self._spawn(self._cancel(action))
                case Remember(record=OrderStateRow(order=order)):
                    self._note_state(order, at)
                case Remember(record=TradeRow(fill=fill)):
                    case = self.side.cases.get(fill.cl_ord_id or "")
                    if case is not None:
                        case.fills.append(fill.exec_id)
        self._woken.set()

    def _note_state(self, order: Order, at: datetime) -> None:
        case = self.side.cases.get(order.cl_ord_id)
        if case is not None and (not case.states or case.states[-1][1] is not order.state):
            case.states.append((at, order.state))

    def _spawn(self, errand) -> None:
        assert self._group is not None
        self._group.create_task(errand)

    async def _read(self, read) -> None:
        for event in await read:
            self.emit(event)

    async def _cancel(self, action: CancelOrder) -> None:
        refused = await self.venue.cancel(action)
        if refused is not None:
            self.emit(refused)

    async def _timers(self) -> None:
        while True:
            self._woken.clear()
            due = self.engine.next_due()
            wait_s = 3600.0 if due is None else (due[0] - self.clock.now()).total_seconds()
            if wait_s <= 0 and due is not None:
                self.emit(e.TimerFired(name=due[1], due=due[0]))
                continue
            try:
                async with asyncio.timeout(wait_s):
                    await self._woken.wait()
            except TimeoutError:
                pass

    # --- orders -------------------------------------------------------------------------

    def case(self, fate: Fate) -> Case:
        """An order in the books, about to be sent."""
        self._count += 1
        pair = PAIRS[self._count % len(PAIRS)]
        market = self.exchange.market(pair)
        near = market.ask if fate.side == "buy" else market.bid
        price = floor_to_step(near * Decimal(fate.factor), STEPS[pair])
        request = OrderRequest(
            cl_ord_id=client_order_id(EPOCH, self._count),
            pair=pair,
            side=Side(fate.side),
            order_type=OrderType.LIMIT,
            qty=QTY[pair] * fate.size,
            limit_price=price,
            time_in_force=TimeInForce.IOC if fate.ioc else TimeInForce.GTC,
            post_only=False,
            expire_at=None,
            deadline=self.clock.now() + timedelta(seconds=DEADLINE_S),
        )
        made = Case(request.cl_ord_id, fate, request)
        self.side.cases[made.name] = made
        return made

    async def send(self, case: Case) -> None:
        """What the gate does after the commit."""
        self.engine.state.orders.put(intent_of(case, self.clock.now()))
        self.emit(e.OrderSent(cl_ord_id=case.name))
        wire = self.venue.encode_order(case.request)
        self.emit(await self.venue.place(case.request, wire))

    async def deed(self, case: Case) -> None:
        """What the exchange does to an order that rests: it fills it, or ends it."""
        fate = case.fate
        if not fate.deed:
            return
        await asyncio.sleep(fate.deed_after_s)
        order = self.exchange.venue.find_open("main", case.name)
        if order is None:
            return
        share = {"fill": 1.0, "part": 0.5, "part, cancel": 0.5}.get(fate.deed)
        desk = Desk(self.exchange)
        if share is not None:
            desk.do("fill", {"cl_ord_id": case.name, "share": share})
        if fate.deed.endswith("cancel"):
            desk.do("cancel", {"cl_ord_id": case.name})
        self.side.flush()

    async def run(self, cases: list[tuple[float, Fate]], calm_s: float) -> list[Case]:
        """Send each order at its second, then wait until all must be settled."""
        made: list[Case] = []

        async def one(at_s: float, fate: Fate) -> None:
            await asyncio.sleep(at_s)
            while not self.venue.can_place:
                await asyncio.sleep(0.1)
            case = self.case(fate)
            made.append(case)
            async with asyncio.TaskGroup() as two:
                two.create_task(self.send(case))
                two.create_task(self.deed(case))

        balances = {name: Decimal(text) for name, text in (await self.rest.balances()).items()}
        async with asyncio.TaskGroup() as group:
            self._group = group
            tasks = [group.create_task(self.side.run_market())]
            tasks += [group.create_task(self.side.run_beats())]
            self.emit(
                started(epoch=EPOCH, balances=balances, settings=settings(enable_aggregator=False))
            )
            tasks += [group.create_task(self._timers()), group.create_task(self.venue.run())]
            self.venue.apply(
                FeedPlan(pairs=PAIRS, public=False, private=True, book=False, book_depth=10)
            )
            async with asyncio.TaskGroup() as all_cases:
                for at_s, fate in cases:
                    all_cases.create_task(one(at_s, fate))
            await asyncio.sleep(calm_s)
            for task in tasks:
                task.cancel()
        return made
