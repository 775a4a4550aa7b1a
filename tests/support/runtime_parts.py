"""Hand-made parts for tests of the body: each does the least that its port promises."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from simple_trader.domain.events import OrderAcked
from simple_trader.domain.orders import (
    Intent,
    OrderRequest,
    OrderType,
    Origin,
    Side,
    TimeInForce,
)
from simple_trader.domain.quotes import Quote
from simple_trader.domain.reasons import Reason
from simple_trader.domain.verdicts import Approved

T0 = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@dataclass
class HandClock:
    """A clock moved by hand."""

    at: datetime = T0
    real: float = 100.0

    def now(self) -> datetime:
        return self.at

    def wall(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.real


@dataclass
class ListLane:
    """A lane that keeps what it is given and commits when told."""

    batches: list = field(default_factory=list)
    alive: bool = True
    oldest_age_s: float = 0.0
    full: bool = False

    def put(self, batch) -> None:
        self.batches.append(batch)

    @property
    def idle(self) -> bool:
        return not self.batches

    async def run(self) -> None: ...

    async def close(self) -> None: ...


@dataclass
class RecordingVenue:
    """An exchange that notes every send and acknowledges it."""

    sends: list = field(default_factory=list)
    spoil: bool = False
    connected: bool = True
    crowded: bool = False

    def encode_order(self, request: OrderRequest) -> bytes:
        return request.cl_ord_id.encode()

    @property
    def can_place(self) -> bool:
        return self.connected

    def decode_order(self, wire: bytes) -> OrderRequest:
        found = request(wire.decode())
        return request("other") if self.spoil else found

    def no_room(self, request: OrderRequest, *, new_risk: bool) -> str | None:
        return "the counter is full" if new_risk and self.crowded else None

    async def place(self, request: OrderRequest, wire: bytes):
        self.sends.append(wire)
        return OrderAcked(cl_ord_id=request.cl_ord_id, order_id="O1")


def request(cl_ord_id: str = "st1-1", deadline: datetime = T0 + timedelta(seconds=5)):
    return OrderRequest(
        cl_ord_id=cl_ord_id,
        pair="BTC/USD",
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        qty=Decimal("0.001"),
        limit_price=Decimal("60000.0"),
        time_in_force=TimeInForce.IOC,
        post_only=False,
        expire_at=None,
        deadline=deadline,
    )


def approved(cl_ord_id: str = "st1-1", side: Side = Side.BUY) -> Approved:
    intent = Intent(
        origin=Origin.AI,
        owner="ai",
        pair="BTC/USD",
        side=side,
        order_type=OrderType.LIMIT,
        qty=Decimal("0.001"),
        price=Decimal("60000.0"),
        time_in_force=TimeInForce.IOC,
        post_only=False,
        reason=Reason.BIAS_BUY,
        mid=Decimal("59990.0"),
    )
    return Approved(
        intent=intent,
        request=request(cl_ord_id),
        params_hash="x",
        approved_at=T0,
        send_by=T0 + timedelta(seconds=2),
    )


def quote(last: str = "60000.0", pair: str = "BTC/USD") -> Quote:
    price = Decimal(last)
    return Quote(
        pair=pair,
        bid=price,
        ask=price + 1,
        bid_qty=Decimal(1),
        ask_qty=Decimal(1),
        last=price,
        volume=Decimal(1),
        vwap=price,
        low=price,
        high=price,
        change_pct=Decimal(0),
        venue_at=T0,
        seen_at=T0,
    )
