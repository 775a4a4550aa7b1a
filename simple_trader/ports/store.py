"""The store: two lanes of rows, and recovery at a start."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from simple_trader.domain.records import LedgerRecord, MarketRecord
from simple_trader.domain.recovered import Recovered


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
    def queued(self) -> int:
        """Batches that are not committed yet."""
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
