"""Whether a stored value is the one a record says, digit for digit, and how it is told if not."""

import json
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import JSONB

_AROUND = 40  # characters shown on either side of where two long texts part
_LONG = 160


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was recorded otherwise than the replay makes it."""

    where: str  # a table and the name of its row, a snapshot, a prompt, an event
    field: str
    recorded: str
    replayed: str

    def __str__(self) -> str:
        """The difference as one line."""
        return f"{self.where}: {self.field}: recorded {self.recorded}, replayed {self.replayed}"


@cache
def documents_of(table: Table) -> frozenset[str]:
    """The columns of `table` that hold JSON."""
    return frozenset(column.name for column in table.columns if isinstance(column.type, JSONB))


def canonical(value: Any, *, is_document: bool = False) -> Any:
    """A value as it can be compared: exact numbers by their digits, JSON by what it says."""
    if is_document:
        found = json.loads(value, parse_float=_number, parse_int=_number)
        return json.dumps(found, sort_keys=True)
    if isinstance(value, Decimal):
        return f"{abs(value) if value.is_zero() else value:f}"  # NUMERIC has no -0
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, memoryview | bytearray):
        return bytes(value)
    return value


def _number(text: str) -> float:
    """JSONB writes numbers its own way (1e2 is 100, -0.0 is 0.0): what they say is compared."""
    return float(text) + 0.0


def difference(where: str, field: str, recorded: Any, replayed: Any) -> Difference:
    """Two values that are not the same, cut to where they part when they are long."""
    first, second = _shown(recorded), _shown(replayed)
    if isinstance(recorded, str) and isinstance(replayed, str):
        first, second = _parting(recorded, replayed)
    return Difference(where=where, field=field, recorded=first, replayed=second)


def _shown(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"{len(value)} bytes {value[:16].hex()}..."
    text = repr(value)
    return text if len(text) <= _LONG else f"{text[:_LONG]}... ({len(text)} characters)"


def _parting(first: str, second: str) -> tuple[str, str]:
    """Long texts from a little before the place where they part."""
    if max(len(first), len(second)) <= _LONG:
        return repr(first), repr(second)
    at = next(
        (i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b),
        min(len(first), len(second)),
    )
    begin, end = max(0, at - _AROUND), at + _AROUND
    place = f"at character {at}: "
    return place + repr(first[begin:end]), place + repr(second[begin:end])
