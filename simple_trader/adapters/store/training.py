"""Training: what the learner may learn from, and what came of a training that a person wanted."""

from datetime import datetime
from decimal import Decimal

import asyncpg
import msgspec

from simple_trader.adapters.store.db_manager import (
    LOCK_SPACE,
    READER_PATIENCE,
    WRITER_LOCK,
    session,
)
from simple_trader.adapters.store.rows import runs_of
from simple_trader.adapters.store.statements import TRY_LOCK
from simple_trader.domain.errors import StoreError
from simple_trader.domain.records import ModelRow

_ROWS = (
    "SELECT * FROM ("
    "SELECT pair, as_of, newest_event_at, mid, features::text AS features FROM ai_snapshots "
    "WHERE as_of >= $1 AND as_of < $2 ORDER BY as_of DESC, pair DESC LIMIT $3"
    ") AS newest ORDER BY as_of, pair"
)
MAX_ROWS = 100_000  # the newest; more would take the daemon's memory, and tell of older markets
_ROWS_AT_ONCE = 500  # decoded between two looks at the loop, which trades meanwhile
_RESULT = "SELECT result FROM audit_log WHERE id > $1 AND action = 'train' ORDER BY id DESC LIMIT 1"
_DOING = "the training rows could not be read"
_PATIENCE = {**READER_PATIENCE, "statement_timeout": "60000"}
_FEATURES = msgspec.json.Decoder(dict[str, float | None])


class StoredSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One row of ai_snapshots, as far as a model may see it; `mid` in quote units."""

    pair: str
    as_of: datetime
    newest_event_at: datetime
    mid: Decimal
    features: dict[str, float | None]


async def training_rows(dsn: str, since: datetime, until: datetime) -> list[StoredSnapshot]:
    """Snapshots with `as_of` in [since, until), oldest first, the newest MAX_ROWS of them.

    Raises StoreError.
    """
    found: list[StoredSnapshot] = []
    try:
        async with (
            session(
                dsn, application="simple-trader training", doing=_DOING, settings=_PATIENCE
            ) as connection,
            connection.transaction(readonly=True),
        ):
            cursor = await connection.cursor(_ROWS, since, until, MAX_ROWS)
            while rows := await cursor.fetch(_ROWS_AT_ONCE):
                found += map(_snapshot, rows)
    except msgspec.MsgspecError as error:
        raise StoreError(f"{_DOING}: {error}.") from error
    return found


def _snapshot(row: asyncpg.Record) -> StoredSnapshot:
    return StoredSnapshot(
        pair=row["pair"],
        as_of=row["as_of"],
        newest_event_at=row["newest_event_at"],
        mid=row["mid"],
        features=_FEATURES.decode(row["features"]),
    )


async def newest_snapshot(dsn: str) -> datetime | None:
    """Moment of the newest row to learn from, None where there is none; raises StoreError."""
    async with session(dsn, application="simple-trader training", doing=_DOING) as connection:
        found: datetime | None = await connection.fetchval("SELECT max(as_of) FROM ai_snapshots")
    return found


async def keep_model(dsn: str, row: ModelRow, at: datetime) -> None:
    """Write a model that no daemon made, under the writer's lock; raises StoreError."""
    doing = "the model could not be kept"
    async with session(dsn, application="simple-trader training", doing=doing) as connection:
        if not await connection.fetchval(TRY_LOCK, LOCK_SPACE, WRITER_LOCK):
            raise StoreError(f"{doing}: a daemon has begun to run on it; run train again.")
        async with connection.transaction():
            for statement, rows in runs_of([(at, [row])]):
                await connection.executemany(statement.sql, rows)


async def newest_audit(dsn: str) -> int:
    """Id of the newest audit row, 0 where there is none; raises StoreError."""
    async with session(dsn, application="simple-trader training", doing=_DOING) as connection:
        return int(await connection.fetchval("SELECT coalesce(max(id), 0) FROM audit_log"))


async def training_result(dsn: str, after_id: int) -> str | None:
    """What came of the training that a person asked for; None while it runs. Raises StoreError."""
    async with session(dsn, application="simple-trader training", doing=_DOING) as connection:
        found: str | None = await connection.fetchval(_RESULT, after_id)
    return found
