"""Stored snapshots: rows of ai_snapshots as the records they were, digit for digit."""

from typing import Any

import msgspec

from simple_trader.adapters.store.db_manager import READER_PATIENCE, session
from simple_trader.adapters.store.named_sql import named
from simple_trader.domain.errors import StoreError
from simple_trader.domain.records import SnapshotRow

_DOING = "the snapshots could not be read"
_DOCUMENTS = ("features", "feature_times", "balances", "limits", "probabilities", "texts")


async def snapshots_of_cycle(dsn: str, cycle_id: str | None = None) -> tuple[SnapshotRow, ...]:
    """What was shown in a cycle, None: in the newest, in the order of the prompt; may be empty.

    Raises StoreError where the database or a row cannot be read.
    """
    async with session(
        dsn, application="simple-trader prompt", doing=_DOING, settings=READER_PATIENCE
    ) as connection:
        rows = await connection.fetch(named("snapshots_of_cycle"), cycle_id)
    try:
        return tuple(_snapshot(dict(row)) for row in rows)
    except msgspec.MsgspecError as error:
        raise StoreError(f"{_DOING}: {error}.") from error


def _snapshot(row: dict[str, Any]) -> SnapshotRow:
    """A row as it was remembered: the documents are JSON text, which keeps each float as it was."""
    for name in _DOCUMENTS:
        row[name] = msgspec.json.decode(row[name])
    return msgspec.convert(row, SnapshotRow)
