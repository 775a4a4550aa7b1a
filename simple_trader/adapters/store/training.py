"""Training rows: what the learner may learn from, read from ai_snapshots."""

from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.adapters.store.db_manager import READER_PATIENCE, session
from simple_trader.domain.errors import StoreError

_ROWS = (
    "SELECT pair, as_of, newest_event_at, mid, features::text AS features FROM ai_snapshots "
    "WHERE as_of >= $1 AND as_of < $2 ORDER BY as_of, pair"
)
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
    """Snapshots with `as_of` in [since, until), oldest first; raises StoreError."""
    async with session(
        dsn, application="simple-trader training", doing=_DOING, settings=_PATIENCE
    ) as connection:
        rows = await connection.fetch(_ROWS, since, until)
    try:
        return [
            StoredSnapshot(
                pair=row["pair"],
                as_of=row["as_of"],
                newest_event_at=row["newest_event_at"],
                mid=row["mid"],
                features=_FEATURES.decode(row["features"]),
            )
            for row in rows
        ]
    except msgspec.MsgspecError as error:
        raise StoreError(f"{_DOING}: {error}.") from error
