"""The exchange: orders, reads, feeds, and the market that a sandbox moves."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from simple_trader.domain.actions import (
    AskOrders,
    AskReconcile,
    CancelOrder,
)
from simple_trader.domain.events import (
    CancelRejected,
    Event,
    NotSent,
    OrderAcked,
    OrderRejected,
    SendUnknown,
)
from simple_trader.domain.fills import Fill, LedgerEntry
from simple_trader.domain.instruments import AssetRules, FeeRates, PairRules, VenueStatus
from simple_trader.domain.orders import AmendRequest, OrderRequest
from simple_trader.domain.quotes import Candle
from simple_trader.domain.records import VenueOrderRow
from simple_trader.domain.venue_replies import AmendOutcome, SwitchOutcome


class Venue(Protocol):
    """The exchange as the body uses it: one send per order, reads that may be retried."""

    def encode_order(self, request: OrderRequest) -> bytes:
        """The wire parameters of an order, without token and request id: a pure function."""
        ...

    def decode_order(self, wire: bytes) -> OrderRequest:
        """Read wire parameters back, for the egress audit; raises ValueError."""
        ...

    @property
    def can_place(self) -> bool:
        """Whether `place` would send at this very instant: the private connection is up."""
        ...

    def no_room(self, request: OrderRequest, *, new_risk: bool) -> str | None:
        """Why the exchange's order counter leaves no room for this order now, or None."""
        ...

    async def place(
        self, request: OrderRequest, wire: bytes
    ) -> OrderAcked | OrderRejected | NotSent | SendUnknown:
        """Send once (before the first suspension); wait for the reply until deadline + margin."""
        ...

    async def cancel(self, action: CancelOrder) -> CancelRejected | None:
        """Cancel one order; by the private socket, else by REST."""
        ...

    async def cancel_all(self) -> int:
        """Cancel everything on the account; returns the count."""
        ...

    async def amend(self, change: AmendRequest) -> AmendOutcome:
        """Change a resting order in place: one send, never repeated; raises ValueError for a change
        that says nothing.
        """
        ...

    async def arm_switch(self, timeout_s: int) -> SwitchOutcome:
        """Cancel the account's orders after `timeout_s` without another call; 0 disarms it."""
        ...

    def recycle(self, detail: str) -> None:
        """End the private connection, which opens itself anew; nothing where it is down."""
        ...

    async def stay_away(self, detail: str) -> None:
        """Close the connections until the exchange says, by REST, that it is back."""
        ...

    async def look(self, action: AskOrders) -> Sequence[Event]:
        """Resolve orders: fills found as ExecutionReports, then one OrderLooked for each id."""
        ...

    async def reconcile(self, action: AskReconcile) -> Sequence[Event]:
        """Open orders, fills since, balances and ledger as events, then Reconciled."""
        ...


class VenueReads(Protocol):
    """REST reads of the exchange, normalised to v2 names; raise VenueError."""

    async def server_time(self) -> datetime:
        """The exchange's clock."""
        ...

    async def system_status(self) -> VenueStatus:
        """The state of the exchange."""
        ...

    async def assets(self) -> tuple[AssetRules, ...]:
        """All assets."""
        ...

    async def pairs(self) -> tuple[PairRules, ...]:
        """All pairs."""
        ...

    async def balances(self) -> dict[str, str]:
        """Balance totals by v2 asset name, as exact text."""
        ...

    async def fees(self, pairs: Sequence[str]) -> tuple[FeeRates, ...]:
        """The account's fee tier per pair."""
        ...

    async def open_orders(self) -> tuple[VenueOrderRow, ...]:
        """Open orders of the whole account."""
        ...

    async def closed_orders(self, since: datetime | None) -> tuple[VenueOrderRow, ...]:
        """Closed orders, newest first, paged with overlap."""
        ...

    async def trades(self, since: datetime | None) -> tuple[Fill, ...]:
        """Own trades, oldest first, paged with overlap and deduped."""
        ...

    async def ledgers(self, since: datetime | None) -> tuple[LedgerEntry, ...]:
        """Ledger entries, oldest first."""
        ...

    async def candles(self, pair: str, interval_s: int, count: int) -> tuple[Candle, ...]:
        """The last finished candles, oldest first."""
        ...


class FeedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Which feeds shall run, for which pairs."""

    pairs: tuple[str, ...]
    public: bool
    private: bool
    book: bool
    book_depth: int
    trades: bool = False  # the public tape, for whoever keeps it


class FeedClock(msgspec.Struct, frozen=True, kw_only=True):
    """How late one connection is, and its clock minus ours, in seconds; None: not known (yet)."""

    lateness_s: float | None
    clock_offset_s: float | None


class Feeds(Protocol):
    """The live connections; they emit events and count the frames they handled."""

    def apply(self, plan: FeedPlan) -> None:
        """Start, stop or change feeds to match the plan."""
        ...

    def handled(self) -> Mapping[int, int]:
        """Frames handled so far per live connection id (the stepper waits for these)."""
        ...

    def counts(self) -> Mapping[str, int]:
        """`feed.reason` -> frames that could not be used, or only in part, since the start."""
        ...

    def clocks(self) -> Mapping[str, FeedClock]:
        """Lateness and clock offset of each live connection, by the name of its feed."""
        ...

    async def run(self) -> None:
        """Connect and reconnect until cancelled."""
        ...


Emit = Callable[[Event], None]


class Advanced(msgspec.Struct, frozen=True, kw_only=True):
    """The sandbox's answer to a step of market time."""

    at: datetime
    written: dict[int, int]  # connection id -> frames written since it opened
    next_at: datetime | None
    ended: bool


class MarketDriver(Protocol):
    """The control line to our own sandbox; raises VenueUnreachable when the sandbox is gone."""

    async def hello(self) -> Advanced:
        """Where the market stands."""
        ...

    async def advance(self, to: datetime) -> Advanced:
        """Let the sandbox do all its work up to `to`."""
        ...
