"""All planted bugs by name, and the file that says which seed shows each of them."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from planted import bugs_of_books, bugs_of_orders, bugs_of_writers
from planted.patching import Bug

SEEDS = Path(__file__).with_name("seeds.json")
BUGS: dict[str, Bug] = {
    bug.name: bug for bug in (*bugs_of_orders.BUGS, *bugs_of_books.BUGS, *bugs_of_writers.BUGS)
}


@dataclass(frozen=True)
class Known:
    """Where a bug shows: the seed and its length in minutes, by which ids, and what it took.

    `by_chance` is the number of seeds of `make simulate` (three minutes each) that the last search
    needed; None where it was not shown so, or not looked for.
    """

    seed: int
    minutes: float
    ids: tuple[str, ...]
    seconds: float
    by_chance: int | None = None


def load() -> dict[str, Known]:
    """What the last search found."""
    if not SEEDS.exists():
        return {}
    rows = json.loads(SEEDS.read_text("utf-8"))
    return {name: Known(**{**row, "ids": tuple(row["ids"])}) for name, row in rows.items()}


def save(found: dict[str, Known]) -> None:
    """Keep what a search found, in the order of the catalogue."""
    rows = {name: asdict(found[name]) for name in BUGS if name in found}
    SEEDS.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
