"""Named queries: each file of `sql/` is one query."""

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent / "sql"


@cache
def named(name: str) -> str:
    """The text of query `name` (the file's name without `.sql`)."""
    return (_FOLDER / name).with_suffix(".sql").read_text(encoding="utf-8")
