"""The house rules hold in every file, and each rule catches what it is there for."""

import ast
import re
import subprocess
from pathlib import Path

import pytest
import tidy

ROOT = Path(__file__).resolve().parents[2]
MIRRORED = ("core", "domain", "simulator")
CAPTION = '"""A file of the house."""\n'


def rules_broken(code: str, path: str = "simple_trader/core/planted.py") -> set[str]:
    """The rules that `code` breaks when it stands in `path`."""
    findings, _ = tidy.check(tidy.parse(path, CAPTION + code))
    return {finding.rule for finding in findings}


# ------------------------------------------------------------------------- the house itself


def test_no_file_breaks_a_house_rule() -> None:
    findings, _ = tidy.check_all()
    assert not findings, "\n" + "\n".join(map(str, findings))


def test_the_rules_look_at_every_python_file_that_runs() -> None:
    seen = {source.path for source in tidy.sources()}
    assert {"main.py", "scripts/tidy.py", "simple_trader/__init__.py"} <= seen
    assert len(seen) > 10


def test_a_test_file_that_is_too_long_is_found_and_nothing_else_of_it(tmp_path: Path) -> None:
    (tmp_path / "tests" / "unit").mkdir(parents=True)
    (tmp_path / "tests" / "unit" / "test_long.py").write_text("x = f()  # 1\n" * 401)
    (tmp_path / "tests" / "unit" / "test_short.py").write_text("import time\ntime.sleep(1)\n" * 200)
    findings, escapes = tidy.check_all(tmp_path)
    assert [(found.rule, found.path) for found in findings] == [
        ("length", "tests/unit/test_long.py")
    ]
    assert escapes == []


def _module_of(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def unused_modules(sources: list[tidy.Source]) -> set[str]:
    """Modules of the package that no other file imports or names (as for `python -m`)."""
    modules = {_module_of(s.path) for s in sources if s.path.startswith("simple_trader/")}
    used = {"simple_trader", "simple_trader.__main__"}
    for source in sources:
        here = _module_of(source.path)
        for node in ast.walk(source.tree):
            found: set[str] = set()
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [alias.name for alias in node.names]
                if isinstance(node, ast.ImportFrom) and node.module:
                    names = [node.module, *(f"{node.module}.{name}" for name in names)]
                found.update(names)
            elif isinstance(node, ast.Constant) and node.value in modules:
                found.add(str(node.value))
            used.update(found - {here})
    # Importing simple_trader.a.b runs simple_trader.a too.
    used |= {name.rsplit(".", n)[0] for name in used for n in range(1, name.count(".") + 1)}
    return modules - used


def test_every_file_is_imported_by_something() -> None:
    unused = unused_modules(list(tidy.sources()))
    assert not unused, f"nothing imports {sorted(unused)}: use it or delete it"


def test_a_file_that_nothing_imports_is_found() -> None:
    texts = {
        "simple_trader/__init__.py": "",
        "simple_trader/a.py": "import simple_trader.b",
        "simple_trader/b.py": "import simple_trader.b",
        "main.py": "COMMAND = 'simple_trader.c'",
        "simple_trader/c.py": "",
    }
    assert unused_modules([tidy.parse(p, t) for p, t in texts.items()]) == {"simple_trader.a"}


def _own_tests(room: str) -> tuple[set[Path], set[Path]]:
    """(test files that ought to be, test files that are) of a mirrored room."""
    package = ROOT / "simple_trader" / room
    wanted = set()
    for path in package.rglob("*.py"):
        inside = path.relative_to(package)
        if path.name != "__init__.py":
            wanted.add(inside.with_name(f"test_{path.name}"))
    tests = ROOT / "tests" / "unit" / room
    return wanted, {path.relative_to(tests) for path in tests.rglob("test_*.py")}


@pytest.mark.parametrize("room", MIRRORED)
def test_every_file_of_the_pure_rooms_has_its_own_test_file(room: str) -> None:
    wanted, there = _own_tests(room)
    assert wanted, f"simple_trader/{room} is empty"
    missing = sorted(map(str, wanted - there))
    assert not missing, f"tests/unit/{room} lacks {missing}"


def _strays(wanted: set[Path], there: set[Path]) -> list[str]:
    """Test files of no file; `test_venue_crowd.py` is a theme of `test_venue.py`, its own file."""
    stems = {one.with_suffix("").as_posix() + "_" for one in wanted & there}
    stray = {one.as_posix() for one in there - wanted}
    return sorted(one for one in stray if not any(one.startswith(stem) for stem in stems))


@pytest.mark.parametrize("room", MIRRORED)
def test_every_test_file_of_the_pure_rooms_has_its_file(room: str) -> None:
    wanted, there = _own_tests(room)
    stray = _strays(wanted, there)
    assert not stray, f"tests/unit/{room} tests files that are not there: {stray}"


def test_a_test_file_of_no_file_is_found_and_a_theme_of_one_is_not() -> None:
    wanted = {Path("a/test_x.py"), Path("a/test_y.py")}
    there = {Path(f"a/test_{name}.py") for name in ("x", "x_late", "xylophone", "y_late", "z")}
    there.add(Path("b/test_x_late.py"))
    assert _strays(wanted, there) == [
        *("a/test_xylophone.py", "a/test_y_late.py", "a/test_z.py", "b/test_x_late.py")
    ]


# ------------------------------------------------------------------------ tracked files

# Spelled in two halves, so that this file does not find itself.
MACHINE_PATH = re.compile(r"(?<![\w.+/=}-])/(?:wo" + r"rk|ro" + r"ot|t" + r"mp|o" + r"pt)(?:/|\b)")
REGISTRY_HOST = re.compile(
    r"(?:py" + r"pi\.org|python" + r"hosted\.org|registry\.np" + r"mjs\.org|deb\.deb" + r"ian\.org)"
)


def tracked_texts() -> dict[str, str]:
    """Every text file that git tracks (or, in an unpacked archive, every file that is there)."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip(f"not a git checkout that this user may read: {listed.stderr.strip()}")
    texts = {}
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file():
            raw = path.read_bytes()
            if b"\0" not in raw[:8192]:
                texts[name] = raw.decode(errors="replace")
    return texts


@pytest.mark.parametrize(
    ("pattern", "instead"),
    [
        (MACHINE_PATH, "a path of one machine: take it from a setting or the temporary folder"),
        (REGISTRY_HOST, "a package registry's host: the client knows its own"),
    ],
    ids=["machine path", "registry host"],
)
def test_no_tracked_file_names_one_machine_or_registry(
    pattern: re.Pattern[str], instead: str
) -> None:
    found = [
        f"{name}:{number}: {line.strip()[:80]}"
        for name, text in tracked_texts().items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, f"{instead}\n" + "\n".join(found)


@pytest.mark.parametrize("path", ["work", "root", "tmp", "opt"])
def test_the_machine_path_check_sees_paths_and_not_parts_of_words(path: str) -> None:
    assert MACHINE_PATH.search(f"cd /{path}/main")
    assert MACHINE_PATH.search(f'"/{path}"')
    assert not MACHINE_PATH.search(f"https://example.org/{path}/main")
    assert not MACHINE_PATH.search(f"see/{path}ing /{path}ing")


def test_no_secret_and_no_lock_with_hosts_is_tracked() -> None:
    names = tracked_texts().keys()
    assert not {name for name in names if Path(name).name in {".env", "uv.lock"}}


# ------------------------------------------------------- each rule catches what it is for

IN_MATCH = "class Red: pass\ndef f(x):\n    match x:\n        case Red():\n            pass\n"
PLANTED = [
    ("syntax", "def f(:"),
    ("length", "x = 1\n" * 400),
    ("length", "def f():\n" + "    x = 1\n" * 70),
    ("length", "x = '" + "y" * 100 + "'"),
    ("clock", "import datetime\nx = datetime.datetime.now()"),
    ("clock", "from datetime import datetime\nx = datetime.utcnow"),
    ("clock", "from datetime import date\nx = date.today()"),
    ("clock", "import time\nx = time.monotonic()"),
    ("clock", "import time\ntime.sleep(1)"),
    ("clock", "from time import time"),
    ("dice", "import random"),
    ("dice", "from random import Random"),
    ("dice", "import secrets"),
    ("dice", "import uuid\nx = uuid.uuid4()"),
    ("dice", "from uuid import uuid4"),
    ("tasks", "import asyncio\nasyncio.create_task(f())"),
    ("tasks", "import asyncio\nasyncio.get_running_loop().create_task(f())"),
    ("tasks", "def f(loop):\n    loop.create_task(g())"),
    ("tasks", "from asyncio import ensure_future"),
    ("broad-except", "try:\n    f()\nexcept Exception:\n    raise"),
    ("broad-except", "try:\n    f()\nexcept:\n    raise"),
    ("broad-except", "try:\n    f()\nexcept (OSError, BaseException):\n    raise"),
    ("sql", "f(f'SELECT a FROM {table}')"),
    ("sql", "f('DELETE FROM a WHERE b = ' + b)"),
    ("sql", "f('UPDATE a SET b = %s' % b)"),
    ("sql", "f('DROP TABLE {}'.format(b))"),
    ("environment", "import os\nx = os.environ['A']"),
    ("environment", "import os\nx = os.getenv('A')"),
    ("environment", "from os import environ"),
    ("prints", "print('a')"),
    ("words", "x = 1  # FIX" + "ME: later"),
    ("words", "x = 1  # TO" + "DO: later"),
    ("words", "x = 1  # no" + "qa"),
    ("words", "x = 1  # type: " + "ignore[misc]"),
    ("words", "x = 1  # pragma: no " + "cover"),
    ("exhaustive", IN_MATCH),
    ("exhaustive", IN_MATCH + "        case _:\n            pass\n"),
    (
        "exhaustive",
        "def f(x):\n    match x:\n        case Colour.RED | Colour.BLUE:\n            x",
    ),
    ("approved", "x = Approved(intent)"),
    ("approved", "x = verdicts.Approved(intent)"),
]


@pytest.mark.parametrize(
    ("rule", "code"), PLANTED, ids=[f"{r}-{n}" for n, (r, _) in enumerate(PLANTED)]
)
def test_a_planted_violation_is_caught(rule: str, code: str) -> None:
    assert rules_broken(code) == {rule}


@pytest.mark.parametrize("place", ["domain", "core/portfolio", "core/risk", "simulator"])
def test_i_16_a_float_of_money_is_caught(place: str) -> None:
    assert rules_broken("x = float(y)", f"simple_trader/{place}/planted.py") == {"float-on-money"}
    assert rules_broken("x = float(y)", "simple_trader/core/market/planted.py") == set()


@pytest.mark.parametrize(
    "text", ["x = 1\n", '"""Two\nlines."""\n', '"""No stop"""\n', "# first\n" + CAPTION, '""""""\n']
)
def test_a_module_without_a_caption_is_caught(text: str) -> None:
    findings, _ = tidy.check(tidy.parse("simple_trader/planted.py", text))
    assert {finding.rule for finding in findings} == {"caption"}


@pytest.mark.parametrize(
    ("code", "path"),
    [
        ("import time\nx = time.monotonic()", "simple_trader/runtime/clocks.py"),
        ("import random", "simple_trader/app.py"),
        ("import asyncio\nasyncio.create_task(f())", "simple_trader/runtime/supervisor.py"),
        ("import os\nx = os.environ", "simple_trader/config/env.py"),
        ("print('a')", "simple_trader/cli/status.py"),
        ("x = Approved(intent)", "simple_trader/core/risk/risk_manager.py"),
        ("async def f(group):\n    group.create_task(g())", "simple_trader/planted.py"),
        ("x = f'Select a pair from {pairs}'", "simple_trader/planted.py"),
        ("def f(x):\n    match x:\n        case str():\n            pass", "simple_trader/a.py"),
        (IN_MATCH + "        case _:\n            assert_never(x)\n", "simple_trader/a.py"),
    ],
)
def test_what_is_allowed_is_not_caught(code: str, path: str) -> None:
    assert rules_broken(code, path) == set()


def test_an_excuse_with_a_reason_covers_its_line_and_is_listed() -> None:
    code = CAPTION + "import random  # tidy: allow dice, the seeds of a test market\n"
    findings, escapes = tidy.check(tidy.parse("simple_trader/planted.py", code))
    assert findings == []
    assert [(e.rule, e.line, e.reason) for e in escapes] == [
        ("dice", 2, "the seeds of a test market")
    ]


@pytest.mark.parametrize(
    "comment",
    ["# tidy: allow dice", "# tidy: allow clock, another rule", "# tidy: dice, wrong form"],
)
def test_an_excuse_without_reason_or_of_another_rule_covers_nothing(comment: str) -> None:
    assert "dice" in rules_broken(f"import random  {comment}")
    assert "escape" in rules_broken(f"import random  {comment}")


def test_an_excuse_that_excuses_nothing_is_a_finding() -> None:
    assert rules_broken("x = 1  # tidy: allow dice, no dice here") == {"escape"}
