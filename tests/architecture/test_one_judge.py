"""Check and reservation are one step without a pause, and there is one judge (I-19, I-20)."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "simple_trader"
JUDGE = PACKAGE / "core" / "reactions" / "trade.py"
PAUSES = (ast.Await, ast.AsyncFor, ast.AsyncWith, ast.AsyncFunctionDef)


def functions(path: Path) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    """Functions of a module by name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.name: node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def builders(tree: ast.AST, name: str) -> list[int]:
    """Lines that call `name`, by whatever module it is reached."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            own = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
            if own == name:
                found.append(node.lineno)
    return found


def pauses_in(room: Path) -> list[str]:
    """Every place of a room at which something else could run."""
    return [
        f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
        for path in sorted(room.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, PAUSES)
    ]


def test_i_19_nothing_in_the_brain_can_pause_between_check_and_reservation() -> None:
    assert pauses_in(PACKAGE / "core") == []


def test_i_19_the_search_finds_the_pauses_of_the_body() -> None:
    assert pauses_in(PACKAGE / "runtime")


def test_i_19_the_judge_looks_reviews_and_reserves_in_one_plain_function() -> None:
    judge = functions(JUDGE)["judge_intent"]
    assert isinstance(judge, ast.FunctionDef)
    calls = [
        node.func.id
        for node in ast.walk(judge)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    order = [calls.index(name) for name in ("case_of", "review", "_reserve")]
    assert set(calls) >= {"case_of", "review", "_reserve"}
    assert sorted(order) == order


def test_i_20_only_the_risk_manager_builds_an_approval_and_only_the_judge_asks_it() -> None:
    approvals, reviews, places = set(), set(), set()
    for path in sorted(PACKAGE.rglob("*.py")):
        tree, name = ast.parse(path.read_text(encoding="utf-8")), str(path.relative_to(PACKAGE))
        approvals |= {name} if builders(tree, "Approved") else set()
        reviews |= {name} if builders(tree, "review") else set()
        places |= {name} if builders(tree, "PlaceOrder") else set()
    assert approvals == {"core/risk/risk_manager.py"}
    assert reviews == {"core/reactions/trade.py"}
    assert places == {"core/reactions/trade.py"}
