"""Events of the daemon's own life: start, stop, settings, people, store, timers."""

from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.domain.fills import Fill, Lot
from simple_trader.domain.instruments import AssetRules, FeeRates, PairRules, VenueStatus
from simple_trader.domain.marks import MarkMemory
from simple_trader.domain.memory import RiskMemory, Turned
from simple_trader.domain.orders import Order
from simple_trader.domain.predictions import ModelMemory, PendingPrediction
from simple_trader.domain.quotes import Candle
from simple_trader.domain.reasons import Reason
from simple_trader.domain.recovered import LedgerMemory, Undecided
from simple_trader.domain.settings import TradingSettings


class Started(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The daemon is up: all state that was recovered from rows and the exchange's mirrors."""

    epoch: int
    mode: str
    world: str
    settings: TradingSettings
    config_hash: str
    assets: tuple[AssetRules, ...]
    pairs: tuple[PairRules, ...]
    fees: tuple[FeeRates, ...]
    orders: tuple[Order, ...]
    lots: tuple[Lot, ...]
    fills: tuple[Fill, ...]  # fills since the oldest open lot of each key: the fold can be redone
    seen_exec_ids: tuple[str, ...]  # booked of late (two minutes of overlap and more)
    balances: dict[str, Decimal]
    risk: RiskMemory
    candles: tuple[Candle, ...]
    turned: tuple[Turned, ...] = ()  # our orders of the last 24 hours, for the rolling limits
    last_cycle_at: datetime | None = None
    last_training_at: datetime | None = None
    pending_predictions: tuple[PendingPrediction, ...] = ()
    learned: ModelMemory = ModelMemory()
    last_trade_at: datetime | None = None  # newest fill booked: the watermark of reconciliation
    realised_pnl: Decimal = Decimal(0)  # of all fills so far
    realised_today: Decimal = Decimal(0)  # of the UTC day of `last_trade_at`
    fills_booked: int = 0
    cycles_run: int = 0
    undecided: tuple[Undecided, ...] = ()  # of a cycle that the last end cut off
    ledger: LedgerMemory = LedgerMemory()
    marks: MarkMemory = MarkMemory()  # decisions whose outcome is open, and what is known of others
    source: str = ""  # the text of the configuration, for config_versions (it holds no secrets)
    texts: dict[str, str] = {}  # templates and tool schemas of that version, by name
    program: str = ""  # the version of this program and the hash of the code that decides
    venue: VenueStatus = VenueStatus.ONLINE  # SystemStatus, before the first word of a stream


class Stopping(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The daemon will stop: no new intents."""

    reason: str


class SettingsChanged(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """config.yaml, a template or a tool schema changed: a version valid from the next cycle."""

    settings: TradingSettings
    config_hash: str
    before: str
    after: str
    source: str  # the text of the configuration, for config_versions (it holds no secrets)
    texts: dict[str, str] = {}  # templates and tool schemas of that version, by name


class SettingsRejected(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """An edit of config.yaml was refused; the old version stays."""

    detail: str


class OperatorHalt(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Someone pressed stop: HALT, latched."""

    actor: str
    detail: str


class OperatorResume(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Someone deliberately lifted HALT or a daily stop."""

    actor: str
    detail: str


class StoreHealth(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The ledger lane is slow, down or well again."""

    ok: bool
    reason: Reason | None
    oldest_age_s: float


class ClockSkewSeen(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The exchange's clock minus ours, by the stamps of its replies; told when it passes a limit,
    either way.
    """

    skew_s: float


class LoopLagSeen(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The event loop comes late to everything (99th percentile), or no longer (`over`)."""

    p99_ms: float
    over: bool


class LoopGapSeen(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The process stood still (SIGSTOP, suspend, a blocking call): queued orders have fallen."""

    gap_s: float


class AuthTrouble(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The exchange refuses our key; `kind` is nonce, lockout, permission or invalid_key.

    Private calls have stopped where it is `persistent`.
    """

    kind: str
    persistent: bool
    detail: str


class TimerFired(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A timer of the schedule is due; `name` is one of core.schedule's names."""

    name: str
    due: datetime
