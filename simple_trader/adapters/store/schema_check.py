"""Whether tables, columns and guards in a database are those this version was written for."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import CheckConstraint, Table

from simple_trader.adapters.store.tables import METADATA
from simple_trader.domain.errors import SchemaError

# Everything of the schema that unqualified names mean, so that a moved copy is judged by itself:
# (table, name) of columns, of checks and unique keys in force, and of triggers that are switched
# off, which are told by a dash.
PARTS = """
SELECT c.relname AS place, a.attname AS name FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
  AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT c.relname, k.conname FROM pg_constraint AS k
JOIN pg_class AS c ON c.oid = k.conrelid
WHERE c.relnamespace = current_schema()::regnamespace AND k.contype = 'c' AND k.convalidated
UNION ALL
SELECT c.relname, i.relname FROM pg_index AS x
JOIN pg_class AS i ON i.oid = x.indexrelid
JOIN pg_class AS c ON c.oid = x.indrelid
WHERE c.relnamespace = current_schema()::regnamespace AND x.indisunique AND x.indisvalid
UNION ALL
SELECT c.relname, '-' || t.tgname FROM pg_trigger AS t
JOIN pg_class AS c ON c.oid = t.tgrelid
WHERE c.relnamespace = current_schema()::regnamespace AND t.tgenabled = 'D' AND NOT t.tgisinternal
"""


def refuse_gaps(found: set[tuple[Any, Any]]) -> None:
    """Raise SchemaError unless every part of our tables is among `found`, the rows of PARTS.

    A guard that somebody took away and forgot lets rows in that no start should trust (D10, D11).
    """
    for table in METADATA.tables.values():
        names = {name for place, name in found if place == table.name}
        what = next(_gaps(table, names), None)
        if what is not None:
            raise SchemaError(
                f"the database says it has the schema of this version, but {what}: restore a "
                "backup, or name another --state-dir."
            )


def _gaps(table: Table, names: set[str]) -> Iterator[str]:
    """What is wrong with a table, in words."""
    if not names:
        yield f"table {table.name} is missing"
    for column in table.columns:
        if column.name not in names:
            yield f"table {table.name} has no column {column.name}"
    checks = [one for one in table.constraints if isinstance(one, CheckConstraint)]
    keys = [index.name for index in table.indexes if index.unique]
    for guard in [*(one.name for one in checks), table.primary_key.name, *keys]:
        if guard is not None and str(guard) not in names and table.primary_key.columns:
            yield f"table {table.name} has lost its guard {guard}"
    for name in names:
        if name.startswith("-"):
            yield f"trigger {name[1:]} of table {table.name} is switched off"
