"""Recovered: what the database knows when the daemon boots."""

from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.domain.fills import Fill, LedgerEntry, Lot
from simple_trader.domain.marks import MarkMemory
from simple_trader.domain.memory import RiskMemory, Turned
from simple_trader.domain.orders import Order
from simple_trader.domain.predictions import ModelMemory, PendingPrediction


class Undecided(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot of the newest cycle that has no decision: the daemon ended before the advice."""

    cycle_id: str
    pair: str
    snapshot_id: str
    config_hash: str


class AssetLedger(msgspec.Struct, frozen=True, kw_only=True):
    """Reconciliation of one asset as the rows tell it, in units of the asset (I-13).

    `ledger_sum` is of the entries stamped after the opening.
    """

    asset: str
    opening: Decimal
    ledger_sum: Decimal
    explained: Decimal
    short: Decimal


class OpenDoubt(msgspec.Struct, frozen=True, kw_only=True):
    """What stood UNEXPLAINED when the daemon ended."""

    subject: str
    asset: str
    detail: str
    residual: Decimal


class Unmet(msgspec.Struct, frozen=True, kw_only=True):
    """A trade whose ledger entries and fill do not meet yet: what is left over of one asset.

    `gross` is the same without fees; `foreign`: its fill is booked, and not ours.
    """

    ref_id: str
    asset: str
    amount: Decimal
    gross: Decimal
    foreign: bool
    at: datetime


class LedgerMemory(msgspec.Struct, frozen=True, kw_only=True):
    """All that reconciliation goes on from; `since` None: this world has no opening yet.

    `looked_from` is the begin of the newest clean full look, `seen` the ledger entries that a look
    from there may bring again, `lost_fills` (exec id, base asset) fills of ours without an order.
    """

    since: datetime | None = None
    assets: tuple[AssetLedger, ...] = ()
    doubts: tuple[OpenDoubt, ...] = ()
    unmet: tuple[Unmet, ...] = ()
    lost_fills: dict[str, str] = {}
    early: tuple[LedgerEntry, ...] = ()  # so close to the opening that it may hold them
    seen: tuple[str, ...] = ()
    looked_from: datetime | None = None


class Recovered(msgspec.Struct, frozen=True, kw_only=True):
    """What the database knows at boot; DISPATCHING orders already read as UNKNOWN.

    `epoch` is new and already stored; `last_seq` and `chain` continue the journal.
    """

    epoch: int
    last_seq: int
    chain: bytes
    orders: tuple[Order, ...]
    lots: tuple[Lot, ...]
    fills: tuple[Fill, ...]
    seen_exec_ids: tuple[str, ...]
    balances: dict[str, str]
    risk: RiskMemory
    turned: tuple[Turned, ...] = ()
    last_cycle_at: datetime | None
    last_training_at: datetime | None
    last_trade_at: datetime | None
    newest_at: datetime | None
    pending_predictions: tuple[PendingPrediction, ...]
    model: tuple[str, str, bytes] | None  # model_id, sha256, blob: verified
    learned: ModelMemory = ModelMemory()
    realised_pnl: Decimal = Decimal(0)  # of all fills booked so far
    realised_today: Decimal = Decimal(0)  # of the UTC day of `last_trade_at`
    fills_booked: int = 0
    cycles_run: int = 0
    undecided: tuple[Undecided, ...] = ()
    ledger: LedgerMemory = LedgerMemory()
    marks: MarkMemory = MarkMemory()
