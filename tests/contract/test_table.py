"""The contract itself: each behaviour says where it stands in the sheet, and who is asked."""

import ast
from pathlib import Path

import pytest

HERE = Path(__file__).parent
DRIVERS = {"trader", "opener", "via", "twins"}
FILES = sorted(path for path in HERE.glob("test_*.py") if path.name != "test_table.py")


def behaviours(path: Path) -> list[ast.AsyncFunctionDef]:
    """The tests of a file."""
    body = ast.parse(path.read_text()).body
    return [
        node
        for node in body
        if isinstance(node, ast.AsyncFunctionDef) and node.name.startswith("test_")
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_behaviour_names_its_section_and_runs_both_ways_or_says_raw_only(path: Path) -> None:
    for node in behaviours(path):
        words = ast.get_docstring(node) or ""
        named = words.startswith(("Section", "Question", "Our own rule"))
        assert named, f"{path.name}: {node.name} does not say where the sheet has it"
        driven = DRIVERS & {argument.arg for argument in node.args.args}
        raw_only = node.name.startswith("test_raw_only_")
        assert bool(driven) != raw_only, f"{path.name}: {node.name} must say whom it asks"


def test_the_table_is_whole() -> None:
    both = raw = 0
    for path in FILES:
        for node in behaviours(path):
            raw_only = node.name.startswith("test_raw_only_")
            both, raw = both + (not raw_only), raw + raw_only
    assert (both, raw) > (70, 30)
