"""Identity sequences against the highest number in their tables: no number is given out twice."""

import msgspec

from simple_trader.adapters.store.db_manager import RawConnection

# Every identity column of the schema that unqualified names mean, and the two questions about it:
# the server writes them, as it alone knows how to quote its names.
_COLUMNS = """
SELECT c.relname AS place, a.attname AS name, s.sequence,
       format('SELECT max(%I) FROM %I', a.attname, c.relname) AS ask_highest,
       format('SELECT last_value - (NOT is_called)::int FROM %s', s.sequence) AS ask_reached
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
CROSS JOIN LATERAL (
    SELECT pg_get_serial_sequence(
        format('%I.%I', c.relnamespace::regnamespace, c.relname), a.attname
    ) AS sequence
) AS s
WHERE c.relnamespace = current_schema()::regnamespace
  AND c.relkind IN ('r', 'p') AND a.attidentity <> ''
ORDER BY c.relname
"""


class Mended(msgspec.Struct, frozen=True, kw_only=True):
    """A sequence that would have given out numbers that are taken: where, and from what to what."""

    table: str
    column: str
    behind_at: int
    now_at: int

    def __str__(self) -> str:
        """For people."""
        return f"{self.table}.{self.column} stood at {self.behind_at}, now at {self.now_at}"


async def mend_sequences(connection: RawConnection) -> tuple[Mended, ...]:
    """Move each identity sequence that is behind its table to the highest number there.

    A sequence never goes back, also when the transaction around this is undone.
    """
    mended: list[Mended] = []
    for row in await connection.fetch(_COLUMNS):
        highest = await connection.fetchval(row["ask_highest"])
        reached = await connection.fetchval(row["ask_reached"])
        if highest is None or reached >= highest:
            continue
        move = "SELECT setval($1::text::regclass, $2)"
        await connection.execute(move, row["sequence"], highest)
        place, name = row["place"], row["name"]
        mended.append(Mended(table=place, column=name, behind_at=reached, now_at=highest))
    return tuple(mended)
