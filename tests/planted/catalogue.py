"""All planted bugs by name, and the file that says which seed shows each of them."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from planted import bugs_of_books, bugs_of_orders, bugs_of_writers
from planted.patching import Bug

# Bugs that no seed tried so far has shown: `--missing` goes on looking. Several are met by a second
# way of the daemon to the same truth (a look by REST after a lost snapshot, and the reverse).
NOT_YET_SHOWN: tuple[str, ...] = (
    "unknown-is-rejected",
    "no-late-evidence",
    "ended-by-its-word",
    "stale-approvals",
    "cancel-is-done",
    "ignores-pending-cancel",
    "no-reconcile-after-reconnect",
    "looks-without-trades",
    "looks-without-ledger",
    "failed-look-is-clean",
    "failed-look-finds-nothing",
    "snapshots-dropped",
    "watermark-without-overlap",
    "resumes-by-itself",
    "nonce-by-the-clock",
)
SEEDS = Path(__file__).with_name("seeds.json")
BUGS: dict[str, Bug] = {
    bug.name: bug for bug in (*bugs_of_orders.BUGS, *bugs_of_books.BUGS, *bugs_of_writers.BUGS)
}


@dataclass(frozen=True)
class Known:
    """Where a bug shows: the seed and its length, how many seeds that needed, and by which ids."""

    seed: int
    minutes: float
    seeds_needed: int
    ids: tuple[str, ...]
    seconds: float


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
