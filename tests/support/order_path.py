"""The order path on a real database: lane, dispatcher, gate and store watch as the daemon has them.

The exchange is one that notes what reaches it; the brain is a standing that follows the store.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

import asyncpg
import msgspec
import store_parts
from store_parts import AT, moment, order
from store_story import batches
from waiting import PATIENCE_S, until

from simple_trader.adapters.store.lane_connection import AsyncpgLedgerConnection
from simple_trader.adapters.store.ledger_lane import LaneLimits, LedgerLane
from simple_trader.adapters.store.recovery import Recovery
from simple_trader.domain.actions import CancelAllOrders, PlaceOrder
from simple_trader.domain.events import Event, NotSent, OrderAcked, StoreHealth
from simple_trader.domain.orders import Intent, OrderRequest
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import IntentRow, LedgerRecord
from simple_trader.domain.verdicts import Approved
from simple_trader.ports import Batch
from simple_trader.runtime.daemon import CommitBell
from simple_trader.runtime.dispatcher import Dispatcher
from simple_trader.runtime.gate import Gate, LoopGap
from simple_trader.runtime.supervisor import Supervisor
from simple_trader.runtime.watch import StoreWatch

ROOM = Decimal(1_000_000)


class TransportClock:
    """Market time stands; transport time is the loop's."""

    def now(self) -> datetime:
        """Market time."""
        return AT

    def wall(self) -> datetime:
        """The same."""
        return AT

    def monotonic(self) -> float:
        """Transport seconds."""
        return asyncio.get_running_loop().time()


@dataclass
class NotingExchange:
    """Notes each order and cancel, and whether the order's row was there before its first byte."""

    dsn: str
    requests: dict[str, OrderRequest] = field(default_factory=dict)
    sends: list[str] = field(default_factory=list)
    unwritten: list[str] = field(default_factory=list)
    cancels: int = 0
    can_place: bool = True

    def encode_order(self, request: OrderRequest) -> bytes:
        """The wire of an order: its name."""
        self.requests[request.cl_ord_id] = request
        return request.cl_ord_id.encode()

    def decode_order(self, wire: bytes) -> OrderRequest:
        """What the wire asks for."""
        return self.requests[wire.decode()]

    def no_room(self, request: OrderRequest, *, new_risk: bool) -> str | None:
        """There is always room."""
        return None

    async def place(self, request: OrderRequest, wire: bytes) -> Event:
        """Take the order; look behind the daemon's back whether it was written down (I-01)."""
        self.sends.append(request.cl_ord_id)
        try:
            connection = await asyncpg.connect(self.dsn, timeout=5)
        except (OSError, asyncpg.PostgresError):
            return OrderAcked(cl_ord_id=request.cl_ord_id, order_id="O")  # it went down since
        try:
            there = "SELECT EXISTS (SELECT 1 FROM pending_trades WHERE cl_ord_id = $1)"
            if not await connection.fetchval(there, request.cl_ord_id):
                self.unwritten.append(request.cl_ord_id)
        finally:
            await connection.close()
        return OrderAcked(cl_ord_id=request.cl_ord_id, order_id="O")

    async def cancel_all(self) -> int:
        """Note it."""
        self.cancels += 1
        return 0


class OrderPath:
    """One daemon's way from an approval to the wire."""

    def __init__(self, dsn: str, lane: LedgerLane, epoch: int, last_seq: int) -> None:
        self.dsn, self.lane, self.epoch = dsn, lane, epoch
        self.venue = NotingExchange(dsn)
        self.events: list[Event] = []
        self.health: list[StoreHealth] = []
        self.acked = last_seq
        self._seq = last_seq
        self._number = 0
        self._committed = asyncio.Condition()
        clock = TransportClock()
        self._supervisor = Supervisor()
        self.gap = LoopGap(clock)
        self.dispatcher = Dispatcher(
            supervisor=self._supervisor,
            gate=Gate(
                venue=self.venue,
                lane=lane,
                clock=clock,
                emit=self.events.append,
                halted=lambda: False,
                standing=self._standing,
                venue_refuses=lambda intent: None,
                may_place=lambda: True,
                loop_gap=self.gap,
            ),
            venue=self.venue,
            advisor=None,
            learner=None,
            clock=clock,
            emit=self.events.append,
            pause=asyncio.sleep,
        )
        self.watch = StoreWatch(lane, self._hear)

    def _hear(self, event: Event) -> None:
        assert isinstance(event, StoreHealth)
        self.health.append(event)

    def _standing(self) -> str:
        """REDUCE while the store is not well, as the brain has it."""
        return "RUN" if not self.health or self.health[-1].ok else "REDUCE"

    def committed(self, last_seq: int) -> None:
        """The lane's word."""
        self.acked = last_seq
        self.dispatcher.on_commit(last_seq)

    async def beat(self) -> None:
        """The loop's beat and the look at the store, until cancelled."""
        while True:
            self.gap.beat()
            self.watch.look()
            await asyncio.sleep(0.02)

    def put(self, *records: LedgerRecord, urgent: bool = True) -> int:
        """One more event with these rows; its number."""
        self._seq += 1
        (batch,) = batches([records], self._seq - 1, urgent=urgent)
        self.lane.put(batch)
        return batch.seq

    def offer(self) -> str:
        """Approve the next order, as the engine loop would: hold it for its commit; its name."""
        self._number += 1
        name = f"stx-{self.epoch}-{self._number}"
        request = msgspec.structs.replace(
            order(1).request, cl_ord_id=name, deadline=AT + timedelta(hours=1)
        )
        made = store_parts.order(
            1, request=request, approved_at=AT, send_by=AT + timedelta(seconds=2), changed_at=AT
        )
        intent = Intent(
            origin=made.origin, owner=made.owner, pair=request.pair, side=request.side,
            order_type=request.order_type, qty=request.qty, price=request.limit_price,
            time_in_force=request.time_in_force, post_only=False, reason=made.reason,
            mid=request.limit_price,
        )  # fmt: skip
        approved = Approved(
            intent=intent,
            request=request,
            params_hash=made.params_hash,
            approved_at=AT,
            send_by=made.send_by,
        )
        self._seq += 1
        self.dispatcher.hold(self._seq, PlaceOrder(approved=approved))
        row = IntentRow(order=made, epoch=self.epoch, cap_asset=ROOM, cap_total=ROOM)
        self.lane.put(Batch(self._seq, moment(0), b"{}", (row,), urgent=True))
        return name

    def cancel_everything(self) -> None:
        """What a kill switch does."""
        self.dispatcher.now(CancelAllOrders(reason=Reason.TRADING_HALTED))

    def refusal_of(self, name: str) -> Reason | None:
        """Why the gate did not send it."""
        for event in self.events:
            if isinstance(event, NotSent) and event.cl_ord_id == name:
                return event.reason
        return None

    async def settled(self, name: str, within_s: float = PATIENCE_S) -> bool:
        """Wait until the gate has judged the order; whether it was sent."""
        await until(lambda: name in self.venue.sends or self.refusal_of(name), within_s)
        return name in self.venue.sends

    async def goes_on(self) -> bool:
        """Whether the next order is sent once the store is well again: on a busy machine one late
        commit is an outage of a moment, which the gate rightly answers with REDUCE.
        """
        await until(lambda: not self.health or self.health[-1].ok)
        return await self.settled(self.offer())


@asynccontextmanager
async def order_path(
    dsn: str,
    *,
    connection: AsyncpgLedgerConnection | None = None,
    limits: LaneLimits | None = None,
    boot_seconds: int = 1000,
) -> AsyncIterator[OrderPath]:
    """A recovered lane with everything behind it; it is not closed at the end, as after a crash."""
    session = connection or AsyncpgLedgerConnection(dsn)
    await session.connect(None)
    recovered = await Recovery(dsn, boot_seconds=boot_seconds).recover()
    bell = CommitBell()
    lane = LedgerLane(
        session,
        epoch=recovered.epoch,
        last_seq=recovered.last_seq,
        chain=recovered.chain,
        on_commit=bell.ring,
        monotonic=asyncio.get_running_loop().time,
        limits=limits,
    )
    path = OrderPath(dsn, lane, recovered.epoch, recovered.last_seq)
    bell.answer = path.committed
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(lane.run()), group.create_task(path.beat())]
        yield path
        for task in tasks:
            task.cancel()
