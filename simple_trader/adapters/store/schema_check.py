"""Whether the tables in a database are those this version was written for, column by column."""

from typing import Any

from simple_trader.adapters.store.tables import METADATA
from simple_trader.domain.errors import SchemaError

# Of the schema that unqualified names mean, so that a moved copy is judged by itself.
COLUMNS = (
    "SELECT c.relname AS place, a.attname AS name FROM pg_attribute AS a "
    "JOIN pg_class AS c ON c.oid = a.attrelid "
    "WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') "
    "AND a.attnum > 0 AND NOT a.attisdropped"
)


def refuse_gaps(found: set[tuple[Any, Any]]) -> None:
    """Raise SchemaError unless every (table, column) of ours is among `found` (D10)."""
    for table in METADATA.tables.values():
        names = {name for place, name in found if place == table.name}
        missing = [column.name for column in table.columns if column.name not in names]
        if not names:
            what = f"table {table.name} is missing"
        elif missing:
            what = f"table {table.name} has no column {missing[0]}"
        else:
            continue
        raise SchemaError(
            f"the database says it has the schema of this version, but {what}: restore a backup, "
            "or name another --state-dir."
        )
