"""Recovery: what stands in the database at a start, read in one transaction."""

import logging
import zlib
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any, TypeVar

import asyncpg
import msgspec

from simple_trader.adapters.store.db_manager import LONG_PATIENCE, RawConnection, session
from simple_trader.adapters.store.journal import GENESIS
from simple_trader.adapters.store.named_sql import named
from simple_trader.adapters.store.recovery_ledger import recover_ledger
from simple_trader.adapters.store.recovery_marks import recover_marks
from simple_trader.adapters.store.recovery_model import (
    FaultOf,
    hash_fault,
    newest_model,
    recover_learned,
)
from simple_trader.adapters.store.rows import runs_of
from simple_trader.adapters.store.sequences import mend_sequences
from simple_trader.adapters.store.statements import INSERT_ENGINE_SNAPSHOT
from simple_trader.core.risk.risk_manager import params_hash
from simple_trader.domain.errors import InvariantBroken
from simple_trader.domain.fills import Fill, Lot
from simple_trader.domain.instruments import base_of, quote_of
from simple_trader.domain.memory import RiskMemory, Turned
from simple_trader.domain.moments import EPOCH
from simple_trader.domain.money import plain
from simple_trader.domain.orders import Order, OrderRequest
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import LedgerRecord
from simple_trader.domain.recovered import Recovered, Undecided

_log = logging.getLogger("simple_trader.store")
_DAY = timedelta(days=1)
_T = TypeVar("_T", bound=msgspec.Struct)


class Recovery:
    """ports.Boot: the writer's lock must be held (by the ledger connection) while it works."""

    def __init__(
        self, dsn: str, *, boot_seconds: int, fault_of_model: FaultOf = hash_fault
    ) -> None:
        """`boot_seconds` is the wall time of this start in Unix seconds; `fault_of_model(blob,
        sha256)` says why a checkpoint cannot be used, empty where it can.
        """
        self._dsn = dsn
        self._fault_of_model = fault_of_model
        self._boot_seconds = boot_seconds

    async def recover(self) -> Recovered:
        """Take a new epoch and read everything the brain needs.

        Raises InvariantBroken when the journal and the writer's row disagree or a row is no valid
        value (no guess is made), StoreError when the database fails.
        """
        async with self._recovery() as connection, connection.transaction():
            return await self._read(connection)

    async def rehearse(self) -> Recovered:
        """Read what `recover` would, and undo what it writes: for a look at a restored backup."""
        async with self._recovery() as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                return await self._read(connection)
            finally:
                await transaction.rollback()

    async def mirror(self, records: Sequence[LedgerRecord], *, at: datetime | None = None) -> None:
        """Upsert mirror rows in one transaction, stamped `at` (else the journal's end)."""
        doing = "the mirrors could not be written"
        async with (
            session(self._dsn, application="simple-trader mirror", doing=doing) as connection,
            connection.transaction(),
        ):
            moment = at or await _newest_at(connection)
            for statement, rows in runs_of([(moment, records)]):
                await connection.executemany(statement.sql, rows)

    async def snapshot(self, seq: int, at: datetime, state: bytes, why: str) -> None:
        """Keep a state of the engine (msgspec bytes), compressed."""
        doing = "the state of the engine could not be kept"
        async with session(
            self._dsn, application="simple-trader snapshot", doing=doing
        ) as connection:
            packed = zlib.compress(state, 1)
            await connection.execute(INSERT_ENGINE_SNAPSHOT, seq, why, packed, at)

    # -- inside ------------------------------------------------------------------------

    def _recovery(self) -> AbstractAsyncContextManager[RawConnection]:
        return session(
            self._dsn,
            application="simple-trader recovery",
            doing="the state could not be read from the database",
            settings=LONG_PATIENCE,
        )

    async def _read(self, connection: RawConnection) -> Recovered:
        epoch, last_seq, chain = await self._journal_end(connection)
        for one in await mend_sequences(connection):
            _log.warning("an identity sequence was behind its table and was mended: %s", one)
        moments = await connection.fetchrow(named("recover_moments"))
        assert moments is not None
        newest_at = moments["newest_at"] or EPOCH
        await connection.execute(named("recover_forget_sends"), newest_at)
        lots = await connection.fetch(named("recover_lots"))
        balances = await connection.fetch("SELECT asset, balance FROM kraken_balances ORDER BY 1")
        exec_ids = await connection.fetch(named("recover_exec_ids"))
        orders = await connection.fetch(named("recover_orders"), newest_at - _DAY)
        turned = await connection.fetch(named("recover_turned"), newest_at - _DAY)
        model = await newest_model(connection, self._fault_of_model)
        pending, learned = await recover_learned(connection, newest_at, model)
        undecided = await connection.fetch(named("recover_undecided"))
        return Recovered(
            epoch=epoch,
            last_seq=last_seq,
            chain=chain,
            orders=tuple(_order(row) for row in orders),
            lots=tuple(_value(row, Lot) for row in lots),
            fills=await _fills(connection, lots),
            seen_exec_ids=tuple(row["exec_id"] for row in exec_ids),
            balances={row["asset"]: plain(row["balance"]) for row in balances},
            risk=await _risk(connection),
            turned=tuple(_value(row, Turned) for row in turned),
            last_cycle_at=moments["last_cycle_at"],
            last_training_at=moments["last_training_at"],
            last_trade_at=moments["last_trade_at"],
            realised_pnl=moments["realised_pnl"],
            realised_today=moments["realised_today"],
            fills_booked=moments["fills_booked"],
            cycles_run=moments["cycles_run"],
            undecided=tuple(_value(row, Undecided) for row in undecided),
            newest_at=moments["newest_at"],
            ledger=await recover_ledger(connection),
            marks=await recover_marks(connection),
            pending_predictions=pending,
            model=model,
            learned=learned,
        )

    async def _journal_end(self, connection: RawConnection) -> tuple[int, int, bytes]:
        """The new epoch, the last event and the chain after it."""
        writer = await connection.fetchrow(named("recover_epoch"), self._boot_seconds)
        assert writer is not None
        end = await connection.fetchrow(named("recover_journal_end"))
        last_seq, chain = (0, GENESIS) if end is None else (end["last_seq"], end["hash"])
        if last_seq != writer["last_seq"]:
            raise InvariantBroken(
                f"the journal ends at event {last_seq}, but event {writer['last_seq']} was "
                "committed: rows of engine_journal are missing, restore a backup."
            )
        return writer["epoch"], last_seq, chain


async def _newest_at(connection: RawConnection) -> datetime:
    moments = await connection.fetchrow(named("recover_moments"))
    assert moments is not None
    found: datetime | None = moments["newest_at"]
    if found is None:
        found = await connection.fetchval("SELECT at FROM world")
    return found or EPOCH


async def _fills(connection: RawConnection, lots: Sequence[asyncpg.Record]) -> tuple[Fill, ...]:
    """For each key with an open lot, or a fill whose fee may still be told otherwise: its fills
    since a moment at which it held nothing older.

    From there the fold over fills can be done again and gives the same lots.
    """
    keys: dict[tuple[str, str, str, str], datetime] = {}
    for lot in lots:
        key = (lot["owner"], lot["base"], lot["quote"], lot["pair"])
        keys[key] = min(keys.get(key, lot["opened_at"]), lot["opened_at"])
    for row in await connection.fetch(named("recover_unpaid")):
        key = (row["owner"], base_of(row["pair"]), quote_of(row["pair"]), row["pair"])
        keys[key] = min(keys.get(key, row["oldest"]), row["oldest"])
    rows: list[asyncpg.Record] = []
    for (owner, base, quote, pair), oldest in sorted(keys.items()):
        since = oldest
        while True:
            older = await connection.fetchval(named("recover_older_lot"), owner, base, quote, since)
            if older is None:
                break
            since = older
        rows += await connection.fetch(named("recover_fills"), owner, pair, since)
    rows.sort(key=lambda row: (row["venue_at"], row["trade_id"]))
    return tuple(_fill(row) for row in rows)


async def _risk(connection: RawConnection) -> RiskMemory:
    row = await connection.fetchrow("SELECT * FROM risk_states WHERE name = 'account'")
    if row is None:
        return RiskMemory()
    documents = {name: msgspec.json.decode(row[name]) for name in ("candle_guard", "strikes")}
    return _value(row, RiskMemory, **documents)


def _value(row: asyncpg.Record, kind: type[_T], **changed: Any) -> _T:
    """The fields of `kind` from a row; raises InvariantBroken for a value that is none."""
    names = [field.name for field in msgspec.structs.fields(kind) if field.name in row]
    values = {name: row[name] for name in names} | changed
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise InvariantBroken(
            f"a row of the database is no valid {kind.__name__} ({error}): correct it by hand."
        ) from error


def _order(row: asyncpg.Record) -> Order:
    trigger = None
    if row["trigger_price"] is not None:
        trigger = {
            "price": row["trigger_price"],
            "price_type": row["trigger_price_type"],
            "reference": row["trigger_reference"],
        }
    request = msgspec.structs.asdict(_value(row, OrderRequest, trigger=trigger))
    if request["trigger"] is not None:
        request["trigger"] = msgspec.structs.asdict(request["trigger"])
    order = _value(row, Order, request=request)
    # One of restored books was approved by a life before them: the exchange told what it is (D12).
    is_imported = order.reason is Reason.ORDER_IMPORTED and order.params_hash == ""
    if params_hash(order.request) != order.params_hash and not is_imported:
        raise InvariantBroken(
            f"order {order.cl_ord_id} does not have the parameters it was approved with: correct "
            "its row by hand."
        )
    return order


def _fill(row: asyncpg.Record) -> Fill:
    return _value(row, Fill, fees=msgspec.json.decode(row["fees"]))
