"""The import contract of pyproject.toml holds, and it can be broken."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINT_IMPORTS = "import sys; from importlinter.cli import lint_imports_command as c; sys.exit(c())"


def lint_imports(checkout: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on a checkout, its cache off."""
    return subprocess.run(
        [sys.executable, "-c", LINT_IMPORTS, "--no-cache"],
        cwd=checkout,
        env={"PYTHONPATH": str(checkout), "PATH": "/usr/bin:/bin", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_import_contract_holds() -> None:
    answer = lint_imports(ROOT)
    assert answer.returncode == 0, answer.stdout + answer.stderr


ROOMS = (
    *("cli", "app", "config", "runtime", "sandbox", "ports", "telemetry", "simulator", "domain"),
    *("web", "core", "core/engine", "core/state", "core/risk", "core/market"),
    *("adapters", "adapters/kraken", "adapters/store", "adapters/llm", "adapters/learner"),
)


@pytest.fixture
def skeleton(tmp_path: Path) -> Path:
    """A house with our contract and empty rooms, in which imports can be planted."""
    package = tmp_path / "simple_trader"
    for room in ROOMS:
        (package / room).mkdir(parents=True, exist_ok=True)
        (package / room / "__init__.py").touch()
    for name in ("__init__", "__main__", "assets"):
        (package / f"{name}.py").touch()
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_empty_house_keeps_the_contract(skeleton: Path) -> None:
    answer = lint_imports(skeleton)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize(
    ("place", "line", "contract"),
    [
        ("domain/planted.py", "import simple_trader.core", "The floors of the house"),
        ("adapters/store/planted.py", "import simple_trader.config", "The floors of the house"),
        ("sandbox/planted.py", "import simple_trader.runtime", "The floors of the house"),
        ("core/planted.py", "import simple_trader.simulator", "The floors of the house"),
        ("core/market/planted.py", "import simple_trader.core.risk", "The floors of the brain"),
        ("web/planted.py", "import simple_trader.core", "The dashboard never reaches"),
        ("runtime/planted.py", "import simple_trader.runtime.gate", "No circle anywhere"),
        ("planted/__init__.py", "", "The floors of the house"),
        (
            "adapters/store/planted.py",
            "import simple_trader.adapters.kraken",
            "No room of adapters",
        ),
        ("core/planted.py", "import asyncio", "Brain, exchange and words"),
        ("domain/planted.py", "import numpy", "Brain, exchange and words"),
        ("runtime/planted.py", "import asyncpg", "live in adapters.store"),
        ("runtime/planted.py", "import openai", "live in adapters.llm"),
        ("app_parts.py", "import river", "lives in adapters.learner"),
        ("runtime/planted.py", "import aiohttp", "live where a socket is"),
    ],
)
def test_a_planted_import_breaks_its_contract(
    skeleton: Path, place: str, line: str, contract: str
) -> None:
    planted = skeleton / "simple_trader" / place
    planted.parent.mkdir(exist_ok=True)
    planted.write_text(f'"""Planted."""\n\n{line}\n')
    # The other half of a circle; alone it breaks nothing.
    gate = skeleton / "simple_trader" / "runtime" / "gate.py"
    gate.write_text("import simple_trader.runtime.planted\n" if "gate" in line else "")
    answer = lint_imports(skeleton)
    assert answer.returncode == 1, answer.stdout + answer.stderr
    broken = [row for row in answer.stdout.splitlines() if row.rstrip().endswith("BROKEN")]
    assert any(contract in row for row in broken), answer.stdout
