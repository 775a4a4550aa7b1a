"""Writes docs/RELIABILITY.md anew: what must hold, where it is checked, and the last figures.

Checks are found by the ids in the names of tests and of the checker's rules; figures come from
docs/reliability_figures.yaml. `make docs` runs it, a test checks that the page is current.
"""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "RELIABILITY.md"
IDS = ROOT / "docs" / "reliability_ids.yaml"
FIGURES = ROOT / "docs" / "reliability_figures.yaml"

# `i_07`, `i07`, `n04`, `pt3` as words of a name; what follows may be the next id.
_ID = re.compile(r"(?<![a-z0-9])(?:i_?(\d{2})|(pt)(\d{1,2})|([cdlmnpx])(\d{2}))(?![a-z0-9])")
# These hold the maker of faults to its word; surviving them is another matter.
MAKERS = (
    "tests/integration/test_sandbox_",
    "tests/unit/sandbox/",
    "tests/contract/",
    "tests/clients/",
)
INTRODUCTION = """# Reliability

<!-- Made by `make docs` from names of tests, docs/reliability_ids.yaml and
docs/reliability_figures.yaml; do not edit. -->

What must hold (I), what must be survived (N, X, D, P, L, M, C) and the controls before each order
(PT), and where each is checked. A test carries the ids it proves in its name. "checker" is the
independent checker (`tests/checker`): it judges every run of the deterministic simulation
(`make simulate`) and of the campaign with real processes (`make chaos`) by its own SQL, the wire
record and the exchange's own ledger, and imports nothing of the program. Planted bugs
(`make planted`) show that it is not blind.

Where a fault cannot be made as an ordinary user, the test makes the nearest and says which.
"""


def required() -> tuple[str, ...]:
    """The ids that must have a check: those that this version promises."""
    numbers = (*range(1, 21), *range(23, 30), *range(37, 45), *range(47, 53))
    families = {"N": 17, "X": 34, "D": 14, "P": 15, "C": 10, "L": 21, "M": 5}
    faults = [f"{name}{n:02}" for name, most in families.items() for n in range(1, most + 1)]
    return (*(f"I-{n:02}" for n in numbers), *faults)


def ids_in(name: str) -> set[str]:
    """The ids that a name carries."""
    found = set()
    for match in _ID.finditer(name.replace("__", "_").replace("_", " ").replace("i ", "i_")):
        invariant, control, number, family, fault = match.groups()
        if invariant:
            found.add(f"I-{invariant}")
        elif control:
            found.add(f"PT{int(number)}")
        else:
            found.add(f"{family.upper()}{fault}")
    return found


@cache
def checks() -> dict[str, dict[str, int]]:
    """Where each id is checked: file -> how many tests, or `checker`."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for path in sorted((ROOT / "tests").rglob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        if place.startswith("tests/checker/rules_"):
            for name in functions(path):
                if re.fullmatch(r"i_\d{2}", name):
                    found[f"I-{name[2:]}"]["checker"] += 1
        elif path.name.startswith("test_") and not place.startswith(MAKERS):
            names = [name for name in functions(path) if name.startswith("test_")]
            for each in (each for name in names for each in ids_in(name)):
                found[each][place] += 1
    return {name: dict(places) for name, places in found.items()}


def functions(path: Path) -> Iterator[str]:
    """Names of all functions of a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


def gaps() -> list[str]:
    """Promised ids without a check."""
    known = checks()
    return [name for name in required() if name not in known]


def page() -> str:
    """The whole page."""
    known = checks()
    parts = [INTRODUCTION]
    sections: Mapping[str, Mapping[str, str]] = yaml.safe_load(IDS.read_text(encoding="utf-8"))
    for title, rows in sections.items():
        parts.append(f"\n## {title}\n\n| id | what | checked by |\n|---|---|---|\n")
        for name, sentence in rows.items():
            parts.append(f"| {name} | {sentence} | {_places(known.get(name, {}))} |\n")
    parts.append("\n## Last figures\n\n")
    parts += list(_figures())
    return "".join(parts)


def _places(places: Mapping[str, int]) -> str:
    said = ["checker"] if "checker" in places else []
    for place in sorted(set(places) - {"checker"}):
        count = f" ({places[place]})" if places[place] > 1 else ""
        said.append(f"[{Path(place).stem.removeprefix('test_')}](../{place}){count}")
    return ", ".join(said) or "no test by this id yet"


def _figures() -> Iterator[str]:
    if not FIGURES.exists():
        yield "None yet.\n"
        return
    rows = yaml.safe_load(FIGURES.read_text(encoding="utf-8")) or []
    yield "| command | date | figure |\n|---|---|---|\n"
    for row in rows:
        figure = " ".join(str(row["figure"]).split())
        yield f"| `{row['command']}` | {row['date']} | {figure} |\n"


def main() -> int:
    """Write the page; say what has no check."""
    PAGE.write_text(page(), encoding="utf-8")
    missing = gaps()
    print(
        f"wrote docs/RELIABILITY.md; promised ids without a check: {', '.join(missing) or 'none'}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
