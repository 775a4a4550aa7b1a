"""Writes docs/reference/schema.md from the code: every table, view and column with its comment."""

import re
from collections.abc import Iterator

from sqlalchemy import Table

from simple_trader.adapters.store.statements import DIALECT
from simple_trader.adapters.store.tables import METADATA, PARTITIONED
from simple_trader.assets import asset_path

_COMMENT = re.compile(r"COMMENT ON (VIEW|COLUMN) (\S+) IS\s+'((?:[^']|'')*)';")
_HEAD = (
    "# Schema\n\n<!-- Made by `make docs` from the code; do not edit. -->\n\n"
    "Money is `numeric`, market\nobservations are `double precision`, moments are `timestamptz` in "
    "UTC. `at` is market time, `recorded_at` wall time.\nQueries to start from: "
    "[SQL.md](../SQL.md).\n"
)


def render_schema() -> str:
    """The whole page as Markdown."""
    parts = [_HEAD]
    tables = (METADATA.tables[name] for name in sorted(METADATA.tables))
    parts.extend("\n".join(_table(table)) + "\n" for table in tables)
    parts.append("\n".join(_views()).lstrip("\n") + "\n")
    return "\n".join(parts)


def _table(table: Table) -> Iterator[str]:
    yield f"## {table.name}"
    yield ""
    yield table.comment or ""
    if table.name in PARTITIONED:
        yield ""
        yield f"One partition for each UTC day of `{PARTITIONED[table.name]}`."
    yield ""
    yield "| column | type | null | what |"
    yield "|---|---|---|---|"
    keys = {column.name for column in table.primary_key.columns}
    for column in table.columns:
        kind = column.type.compile(dialect=DIALECT).lower()
        kind = kind.replace("timestamp with time zone", "timestamptz")
        name = f"**{column.name}**" if column.name in keys else column.name
        null = "yes" if column.nullable else ""
        yield f"| {name} | {kind} | {null} | {column.comment} |"


def _views() -> Iterator[str]:
    """The views and their columns, by the comments in their SQL file."""
    script = (asset_path("migrations") / "sql" / "0001_views.sql").read_text(encoding="utf-8")
    for kind, name, quoted in _COMMENT.findall(script):
        text = quoted.replace("''", "'")
        if kind == "VIEW":
            yield from ("", f"## {name}", "", f"View: {text}", "", "| column | what |", "|---|---|")
        else:
            yield f"| {name.partition('.')[2]} | {text} |"
