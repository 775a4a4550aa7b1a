"""Facts of the exchange's contract, in words that belong to neither client nor wire.

The contract suite states each behaviour in these, and two drivers produce them: one through our own
client (`contract_client`), one from raw frames read by the protocol sheet alone (`contract_raw`).
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

ZERO = Decimal(0)
BTC = "BTC/USD"


@dataclass(frozen=True)
class Refused:
    """The exchange said no, in its own words; `sure` is false where it may have acted all the same.

    Section 9: EService:Unavailable, EService:Busy and EGeneral:Internal error prove nothing.
    """

    error: str
    sure: bool = True


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """An order as a trader thinks of it; `deadline` None is five seconds from now."""

    cl_ord_id: str
    qty: Decimal
    pair: str = BTC
    side: str = "buy"
    kind: str = "limit"
    price: Decimal | None = None
    price_type: str = "static"
    force: str = "gtc"
    post_only: bool = False
    expire_at: datetime | None = None
    deadline: datetime | None = None
    trigger: Decimal | None = None
    trigger_type: str = "static"
    reference: str = "last"
    fee: str = "quote"
    stp: str = "cancel_newest"

    def but(self, **more: Any) -> "Wanted":
        """The same with other values."""
        return replace(self, **more)


@dataclass(frozen=True, kw_only=True)
class Change:
    """An amend; the order is named by `order_id` where that is given."""

    cl_ord_id: str
    pair: str = BTC
    order_id: str | None = None
    qty: Decimal | None = None
    price: Decimal | None = None
    trigger: Decimal | None = None
    post_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Fill:
    """One execution; `fee` by asset."""

    exec_id: str
    trade_id: int
    order_id: str
    pair: str
    side: str
    price: Decimal
    qty: Decimal
    cost: Decimal
    fee: tuple[tuple[str, Decimal], ...]
    maker: bool
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Told:
    """One event of the executions channel; what an event leaves out stands in earlier ones."""

    kind: str
    status: str
    order_id: str
    cl_ord_id: str | None
    pair: str | None
    side: str | None
    qty: Decimal | None
    price: Decimal | None
    cum_qty: Decimal | None
    reason: str
    fill: Fill | None
    snapshot: bool


@dataclass(frozen=True, kw_only=True)
class OrderRow:
    """An order as REST tells it."""

    order_id: str
    cl_ord_id: str | None
    pair: str
    side: str
    kind: str
    status: str
    qty: Decimal
    filled: Decimal
    cost: Decimal
    fee: Decimal
    price: Decimal | None


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the ledger."""

    ledger_id: str
    ref_id: str
    asset: str
    amount: Decimal
    fee: Decimal
    balance: Decimal


@dataclass(frozen=True, kw_only=True)
class PairFacts:
    """What an order of a pair must fit."""

    pair: str
    status: str
    price_increment: Decimal
    price_precision: int
    qty_precision: int
    qty_min: Decimal
    cost_min: Decimal


@dataclass(frozen=True, kw_only=True)
class CandleFacts:
    """One candle of a pair."""

    begin: datetime
    minutes: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    trades: int


@dataclass(frozen=True, kw_only=True)
class Print:
    """One public trade."""

    trade_id: int
    price: Decimal
    qty: Decimal
    side: str


Levels = list[tuple[Decimal, Decimal]]


@dataclass
class Watch:
    """What the public connection shall follow."""

    pairs: tuple[str, ...] = (BTC,)
    depth: int = 10
    minutes: tuple[int, ...] = (1,)


@dataclass
class Public:
    """What a driver saw of the public channels, newest last."""

    system: list[str] = field(default_factory=list)
    quotes: dict[str, list[tuple[Decimal, Decimal]]] = field(default_factory=dict)
    prints: dict[str, list[Print]] = field(default_factory=dict)
    candles: dict[tuple[str, int], dict[datetime, CandleFacts]] = field(default_factory=dict)
    pairs: dict[str, list[PairFacts]] = field(default_factory=dict)
    books_lost: list[str] = field(default_factory=list)


class Driver(Protocol):
    """The verbs of a trader; every answer is in facts."""

    account: str
    public: Public

    async def settle(self) -> None:
        """Everything that the exchange has written until now is read and understood."""

    async def step(self, seconds: float = 1) -> None:
        """Market time moves on, and everything of it is read."""

    async def place(self, order: Wanted) -> str | Refused:
        """Place an order; its id at the exchange."""

    async def check(self, order: Wanted) -> Refused | None:
        """Let an order be checked without making it."""

    async def amend(self, change: Change) -> Refused | None:
        """Change an order in place."""

    async def cancel(self, cl_ord_id: str, order_id: str | None = None) -> Refused | None:
        """Cancel one order, by the exchange's id where it is given."""

    async def cancel_all(self) -> int:
        """Cancel everything; how many that were."""

    async def arm_switch(self, timeout_s: int) -> float | None:
        """Arm the dead man's switch; seconds until it fires, None for never."""

    async def told(self, cl_ord_id: str | None = None) -> list[Told]:
        """All events so far, or those of one order."""

    async def lines_told(self) -> list[Line]:
        """Ledger lines of the balances channel."""

    async def totals_told(self) -> dict[str, Decimal]:
        """Totals by the newest snapshot of the balances channel and what came after it."""

    async def rate_count(self, pair: str) -> Decimal:
        """What this side takes the trading counter of a pair for."""

    async def balances(self) -> dict[str, Decimal]:
        """Totals by REST."""

    async def open_orders(self) -> list[OrderRow]:
        """Open orders by REST."""

    async def closed_orders(self) -> list[OrderRow]:
        """All closed orders by REST, over all pages."""

    async def orders(self, order_ids: Sequence[str]) -> list[OrderRow]:
        """Orders by their ids."""

    async def fills(self) -> list[Fill]:
        """All own trades by REST, over all pages, oldest first."""

    async def lines(self) -> list[Line]:
        """The whole ledger by REST, oldest first."""

    async def fee_rates(self, pair: str) -> tuple[Decimal, Decimal]:
        """(maker, taker) of the account as fractions of cost."""

    async def pairs(self) -> dict[str, PairFacts]:
        """All pairs by REST."""

    async def candles(self, pair: str, minutes: int, count: int) -> list[CandleFacts]:
        """The newest finished candles by REST, oldest first."""

    async def system(self) -> str:
        """The state of the exchange by REST."""

    async def server_time(self) -> datetime:
        """The exchange's clock."""

    async def permissions(self) -> set[str]:
        """What the key may do."""

    def book(self, pair: str) -> tuple[Levels, Levels] | None:
        """(bids, asks) of the followed book, best first; None while it cannot be trusted."""

    async def close(self) -> None:
        """Hang up."""


# Opens a driver: of a fresh account, of one of the special ones, or of a named one.
Opener = Callable[..., Awaitable[Driver]]
