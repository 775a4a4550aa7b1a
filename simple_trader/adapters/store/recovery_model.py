"""Recovery of the online model: the newest good checkpoint, its skill, what is not settled yet."""

import hashlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

import asyncpg
import msgspec

from simple_trader.adapters.store.db_manager import RawConnection
from simple_trader.adapters.store.named_sql import named
from simple_trader.domain.errors import InvariantBroken
from simple_trader.domain.predictions import ModelMemory, ModelSkill, PendingPrediction

_log = logging.getLogger("simple_trader.store")
_OPEN_FOR = timedelta(days=2)  # as long as core/scoring/labels waits for a price

_T = TypeVar("_T", bound=msgspec.Struct)
FaultOf = Callable[[bytes, str], str]
Model = tuple[str, str, bytes]


def hash_fault(blob: bytes, sha256: str) -> str:
    """Why a checkpoint is not what was written, empty where it is."""
    return "" if hashlib.sha256(blob).hexdigest() == sha256 else "it does not have its hash"


async def newest_model(connection: RawConnection, fault_of: FaultOf) -> Model | None:
    """The newest checkpoint in which `fault_of(blob, sha256)` finds nothing: a bad one is told and
    left aside, and the last good one is used (C08).
    """
    names = await connection.fetch(
        # of one moment the trained one: it was swapped in for the other
        "SELECT model_id FROM model_snapshots ORDER BY trained_at DESC, kind DESC, model_id DESC"
    )
    for name in names:
        row = await connection.fetchrow(
            "SELECT model_id, sha256, blob FROM model_snapshots WHERE model_id = $1",
            name["model_id"],
        )
        if row is None:
            continue
        fault = fault_of(row["blob"], row["sha256"])
        if not fault:
            return row["model_id"], row["sha256"], row["blob"]
        _log.error("model %s is not used: %s", name["model_id"], fault)
    return None


async def recover_learned(
    connection: RawConnection, newest_at: datetime, model: Model | None
) -> tuple[tuple[PendingPrediction, ...], ModelMemory]:
    """Predictions whose outcome is not known yet, and what goes with them; raises
    InvariantBroken for a row that is no valid value.
    """
    rows = await connection.fetch(named("recover_predictions"), newest_at - _OPEN_FOR)
    skills = await connection.fetch("SELECT * FROM model_skills ORDER BY pair, horizon_s")
    saved = await connection.fetchval("SELECT max(trained_at) FROM model_snapshots")
    memory = ModelMemory(
        model_id="" if model is None else model[0],
        features={
            row["snapshot_id"]: msgspec.json.decode(row["features"])
            for row in rows
            if row["features"] is not None
        },
        skills=tuple(_value(row, ModelSkill) for row in skills),
        last_checkpoint_at=saved,
    )
    return tuple(_value(row, PendingPrediction) for row in rows), memory


def _value(row: asyncpg.Record, kind: type[_T]) -> _T:
    values = {field.name: row[field.name] for field in msgspec.structs.fields(kind)}
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise InvariantBroken(
            f"a row of the database is no valid {kind.__name__} ({error}): correct it by hand."
        ) from error
