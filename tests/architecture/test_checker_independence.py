"""The checker shares no code with the daemon: a bug of the one cannot hide in the other."""

import ast
import sys
from pathlib import Path

import pytest

CHECKER = Path(__file__).resolve().parents[1] / "checker"
ALLOWED = {"checker", "asyncpg"}
FILES = [
    file
    for file in sorted(CHECKER.glob("*.py"))
    if not file.name.startswith("test_") and file.name != "conftest.py"
]


def imported(text: str) -> set[str]:
    """The top-level packages that a file imports, in functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def test_there_is_a_checker_to_look_at():
    assert {"check.py", "rules_orders.py", "rules_money.py", "rows.py"} <= {f.name for f in FILES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_checker_imports_nothing_of_the_daemon(file):
    text = file.read_text("utf-8")
    foreign = imported(text) - ALLOWED - set(sys.stdlib_module_names)
    assert not foreign, f"{file.name} imports {sorted(foreign)}"
    assert "importlib" not in text
    assert "__import__" not in text


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_of_the_checker_has_less_than_400_lines(file):
    assert len(file.read_text("utf-8").splitlines()) < 400


def test_an_import_of_the_daemon_would_be_seen():
    assert "simple_trader" in imported("def f():\n    from simple_trader.core import engine\n")
