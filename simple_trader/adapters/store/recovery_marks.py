"""Recovery of the marks: those still open, and the counts that calibration is made of."""

import asyncpg
import msgspec

from simple_trader.adapters.store.db_manager import RawConnection
from simple_trader.adapters.store.named_sql import named
from simple_trader.domain.errors import InvariantBroken
from simple_trader.domain.marks import MarkMemory, MarkSource, MarkTally, OpenMark


async def recover_marks(connection: RawConnection) -> MarkMemory:
    """Read them inside the transaction of the recovery; raises InvariantBroken for a bad row."""
    waiting = await connection.fetch(named("recover_open_marks"))
    tallies = await connection.fetch(named("recover_mark_tallies"))
    return MarkMemory(
        open=tuple(_mark(row) for row in waiting),
        tallies=tuple(
            MarkTally(source=_source(row), bin=row["bin"], marks=row["marks"], right=row["hits"])
            for row in tallies
        ),
    )


def _source(row: asyncpg.Record, advisor: str = "") -> MarkSource:
    return MarkSource(
        provider=row["provider"],
        model=row["model"],
        template_hash=row["template_hash"],
        advisor=advisor,
    )


def _mark(row: asyncpg.Record) -> OpenMark:
    values = {field.name: row[field.name] for field in _COLUMNS}
    try:
        return msgspec.convert(
            values | {"source": msgspec.structs.asdict(_source(row, row["advisor"]))}, OpenMark
        )
    except msgspec.ValidationError as error:
        raise InvariantBroken(
            f"a row of decision_marks is no valid mark ({error}): correct it by hand."
        ) from error


_COLUMNS = tuple(field for field in msgspec.structs.fields(OpenMark) if field.name != "source")
