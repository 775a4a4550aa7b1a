"""Ports: the seams between the asyncio body and the outside world, injected by `app`.

Each is a small Protocol; the real part lives in `adapters`, a virtual twin for deterministic
simulation lives in tests. Spans are transport seconds unless a name says market.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from simple_trader.domain.actions import (
    AskAdvice,
    AskOrders,
    AskPredictions,
    AskReconcile,
    AskTraining,
    CancelOrder,
    UseModel,
)
from simple_trader.domain.events import (
    AdviceArrived,
    AdviceFailed,
    CancelRejected,
    Event,
    ModelTrained,
    NotSent,
    OrderAcked,
    OrderRejected,
    PredictionsArrived,
    PredictionsFailed,
    SendUnknown,
    TrainingSkipped,
)
from simple_trader.domain.fills import Fill, LedgerEntry
from simple_trader.domain.instruments import AssetRules, FeeRates, PairRules, VenueStatus
from simple_trader.domain.orders import AmendRequest, OrderRequest
from simple_trader.domain.quotes import Candle
from simple_trader.domain.records import LedgerRecord, MarketRecord, VenueOrderRow
from simple_trader.domain.recovered import Recovered
from simple_trader.domain.venue_replies import AmendOutcome, SwitchOutcome

# -- time and chance ---------------------------------------------------------------------


class Clock(Protocol):
    """Market time and transport time, never mixed (ARCHITECTURE, time)."""

    def now(self) -> datetime:
        """Market time: candles, cycles, quote age, wire deadlines, `at` columns."""
        ...

    def wall(self) -> datetime:
        """Real time: nonces, token life, recorded_at."""
        ...

    def monotonic(self) -> float:
        """Transport time in seconds: time-outs, liveness, back-off."""
        ...


class Dice(Protocol):
    """A named, seeded stream of chance."""

    def random(self) -> float:
        """A float in [0, 1)."""
        ...

    def uniform(self, a: float, b: float) -> float:
        """A float in [a, b]."""
        ...


# -- bytes -------------------------------------------------------------------------------


class WireClosed(Exception):
    """The connection is gone; what was sent on it and not answered has an unknown outcome."""


class Wire(Protocol):
    """One WebSocket: text frames in order. `send` hands the frame over before its first
    suspension.
    """

    async def send(self, text: str) -> None:
        """Send one text frame; raises WireClosed."""
        ...

    async def recv(self) -> str | bytes:
        """The next frame; raises WireClosed."""
        ...

    async def close(self) -> None:
        """Close; never raises."""
        ...


OpenWire = Callable[[str], Awaitable[Wire]]  # url -> open connection; raises WireClosed


class HttpReply(msgspec.Struct, frozen=True):
    """Status and body of one HTTP answer."""

    status: int
    body: bytes


class HttpFailed(Exception):
    """No usable HTTP answer came; whether the request was acted on is unknown."""


class Http(Protocol):
    """One HTTP request: no redirects, no cookies."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout_s: float,
    ) -> HttpReply:
        """Send and wait; raises HttpFailed."""
        ...


# -- the store ---------------------------------------------------------------------------


class Batch(msgspec.Struct, frozen=True):
    """All that one event caused, written in one transaction and never split.

    `event` is the msgspec JSON of the Stamped event. `urgent` asks for a commit at once (the batch
    carries an action that waits for it, or an execution).
    """

    seq: int
    at: datetime
    event: bytes
    records: tuple[LedgerRecord, ...]
    urgent: bool


class Lane(Protocol):
    """The ledger lane: FIFO, one transaction for what is queued, unknown commits resolved by
    itself.

    After each commit it calls the `on_commit(last_seq)` it was built with. `run` ends only by
    cancellation (after flushing on `close`) or by an error that must end the daemon.
    """

    def put(self, batch: Batch) -> None:
        """Queue a batch; never blocks, never drops."""
        ...

    @property
    def idle(self) -> bool:
        """Whether everything put is committed."""
        ...

    @property
    def full(self) -> bool:
        """Whether the private socket should not be read for now."""
        ...

    @property
    def alive(self) -> bool:
        """Whether the lock session and epoch were held at the last look; false stops sending."""
        ...

    @property
    def oldest_age_s(self) -> float:
        """Transport seconds since the oldest uncommitted batch was put; 0 when idle."""
        ...

    async def run(self) -> None:
        """Work until cancelled."""
        ...

    async def close(self) -> None:
        """Commit what is queued (bounded), release the lock."""
        ...


class MarketRows(Protocol):
    """The market lane: COPY in batches, drop-oldest with a counter."""

    def put(self, record: MarketRecord) -> None:
        """Queue a row."""
        ...

    @property
    def idle(self) -> bool:
        """Whether everything put is written."""
        ...

    @property
    def dropped(self) -> int:
        """Rows dropped so far."""
        ...

    async def run(self) -> None:
        """Work until cancelled."""
        ...

    async def close(self) -> None:
        """Write what is queued (bounded)."""
        ...


class Boot(Protocol):
    """Recovery: what stands in the database at a start."""

    async def recover(self) -> Recovered:
        """Take a new epoch and read everything the brain needs."""
        ...

    async def mirror(self, records: Sequence[LedgerRecord], *, at: datetime) -> None:
        """Upsert mirror rows (assets, pairs, balances, orders, trades, ledgers), in one
        transaction.
        """
        ...

    async def snapshot(self, seq: int, at: datetime, state: bytes, why: str) -> None:
        """Keep a state snapshot of the engine."""
        ...


# -- the exchange ------------------------------------------------------------------------


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


# -- advice and learning -----------------------------------------------------------------


class Advisor(Protocol):
    """Whoever gives advice; always answers, also with a failure, within the question's deadline."""

    async def ask(self, request: AskAdvice) -> AdviceArrived | AdviceFailed:
        """Render, ask, return the raw answer."""
        ...


class Learner(Protocol):
    """The online model in its worker process; always answers within the question's deadline."""

    async def predict(self, request: AskPredictions) -> PredictionsArrived | PredictionsFailed:
        """Learn the lessons, then predict."""
        ...

    async def train(self, request: AskTraining) -> ModelTrained | TrainingSkipped:
        """Train a fresh model from history."""
        ...

    async def use(self, action: UseModel) -> None:
        """Predict with this model from now on."""
        ...

    async def close(self) -> None:
        """End the worker."""
        ...
