"""The house rules as a check over the syntax tree: `python scripts/tidy.py`, or `make tidy`.

Each rule names what to use instead. `# tidy: allow RULE, REASON` on the line excuses one finding;
the list of excuses is printed, and an excuse that excuses nothing is itself a finding.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TREES = ("simple_trader", "main.py", "scripts", "migrations")
TESTS = "tests"  # only their length is judged here: what they try may break any other rule
LONGEST_FILE, LONGEST_FUNCTION, LONGEST_LINE = 400, 70, 100

_ESCAPE = re.compile(r"#\s*tidy: allow ([a-z-]+), (\S.*)$")
_SQL = re.compile(
    r"^\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE|ALTER|DROP|COPY|TRUNCATE|WITH|GRANT"
    r"|COMMENT ON|LOCK|SET|NOTIFY|LISTEN)\s"
)
_CLOCKS = {
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "time": {
        *("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"),
        *("gmtime", "localtime"),
    },
}
_PLAIN_CLASSES = {"bool", "bytes", "dict", "float", "int", "list", "set", "str", "tuple"}
# Spelled in two halves, so that this file does not catch itself.
_WORDS = ("FIX" + "ME", "TO" + "DO", "type: " + "ignore", "no" + "qa", "pragma: no " + "cover")


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule broken at `path`:`line` (the excuse may stand anywhere up to `last`)."""

    rule: str
    path: str
    line: int
    last: int
    words: str

    def __str__(self) -> str:
        """As compilers write it."""
        return f"{self.path}:{self.line}: {self.rule}: {self.words}"


@dataclass(frozen=True, slots=True)
class Escape:
    """An excuse in the source: which rule, where, why."""

    rule: str
    path: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Source:
    """One parsed file; `path` is relative to the checkout, with slashes."""

    path: str
    text: str
    tree: ast.Module
    comments: tuple[tuple[int, str], ...]
    fault: str = ""

    def within(self, *places: str) -> bool:
        """Whether the file is one of `places` or below one that ends with a slash."""
        return any(self.path == p or (p.endswith("/") and self.path.startswith(p)) for p in places)

    def at(self, rule: str, node: ast.AST, words: str) -> Finding:
        """A finding at a node."""
        first = getattr(node, "lineno", 1)
        last = first if isinstance(node, ast.stmt) else getattr(node, "end_lineno", first)
        return Finding(rule, self.path, first, last, words)


def parse(path: str, text: str) -> Source:
    """Parse one file; `path` decides which rules hold there."""
    try:
        tree = ast.parse(text)
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (SyntaxError, tokenize.TokenError) as error:
        return Source(path, text, ast.Module([], []), (), str(error))
    comments = tuple((t.start[0], t.string) for t in tokens if t.type == tokenize.COMMENT)
    return Source(path, text, tree, comments)


def _dotted(node: ast.expr) -> str:
    """`a.b.c` for a chain of attributes, calls shown as `()`; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    if isinstance(node, ast.Call):
        return f"{_dotted(node.func)}()"
    return ""


def _imports(node: ast.AST) -> set[str]:
    """Every dotted name an import statement could bring in."""
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    if isinstance(node, ast.ImportFrom) and node.module:
        return {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return set()


# --------------------------------------------------------------------------------- rules


def syntax(source: Source) -> Iterator[Finding]:
    """Every file parses."""
    if source.fault:
        yield Finding("syntax", source.path, 1, 1, source.fault)


def file_length(source: Source) -> Iterator[Finding]:
    """Short files: what is longer has two themes."""
    lines = len(source.text.splitlines())
    if lines > LONGEST_FILE:
        words = f"{lines} lines, at most {LONGEST_FILE}: split it by theme"
        yield Finding("length", source.path, 1, 1, words)


def length(source: Source) -> Iterator[Finding]:
    """Short functions and lines: split, push ifs up."""
    for number, line in enumerate(source.text.splitlines(), 1):
        if len(line) > LONGEST_LINE:
            words = f"{len(line)} characters, at most {LONGEST_LINE}"
            yield Finding("length", source.path, number, number, words)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            if size > LONGEST_FUNCTION:
                words = f"{node.name} has {size} lines, at most {LONGEST_FUNCTION}: split it"
                yield source.at("length", node, words)


def caption(source: Source) -> Iterator[Finding]:
    """The first line of a module is a one-sentence docstring: its caption on the map."""
    docstring = ast.get_docstring(source.tree, clean=False) or ""
    first = docstring.split("\n", 1)[0]
    if source.fault:
        return
    starts = source.text.startswith(('"""', 'r"""', "#!"))
    if not starts or not first.strip() or first.rstrip()[-1] not in ".!?":
        words = "the first line must be a one-sentence docstring that ends with a full stop"
        yield Finding("caption", source.path, 1, 1, words)


def clock(source: Source) -> Iterator[Finding]:
    """No wall clock outside runtime/clocks.py: take the event's moment, or a Clock."""
    if source.within("simple_trader/runtime/clocks.py", "scripts/"):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute):
            owner = _dotted(node.value).rpartition(".")[2]
            if node.attr in _CLOCKS.get(owner, ()):
                words = f"{owner}.{node.attr}: take the event's moment, or a Clock handed in"
                yield source.at("clock", node, words)
            if owner == "time" and node.attr == "sleep":
                yield source.at("clock", node, "time.sleep: wait for an event, never for time")
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            yield source.at("clock", node, "from time import ...: write time.x, or take a Clock")


_DICE_MAKERS = (
    "simple_trader/app.py",
    "simple_trader/app/",
    "simple_trader/adapters/kraken/connection.py",
    "simple_trader/sandbox/server.py",
    "simple_trader/sandbox/faults.py",
    "simple_trader/sandbox/main.py",
    "simple_trader/backtest.py",
)


def dice(source: Source) -> Iterator[Finding]:
    """No dice of one's own: they are made by the composition and handed down as Dice."""
    if source.within(*_DICE_MAKERS):
        return
    for node in ast.walk(source.tree):
        names = {name.partition(".")[0] for name in _imports(node)}
        for name in sorted(names & {"random", "secrets"}):
            yield source.at("dice", node, f"import {name}: take a Dice handed in")
        random_ids = {"uuid.uuid1", "uuid.uuid4"}
        found = _imports(node) & random_ids
        if found or (isinstance(node, ast.Attribute) and _dotted(node) in random_ids):
            yield source.at("dice", node, "a random id: ids come from domain/ids.py")


def tasks(source: Source) -> Iterator[Finding]:
    """No task without an owner: a named root task of the supervisor, or a TaskGroup."""
    if source.within("simple_trader/runtime/supervisor.py"):
        return
    for node in ast.walk(source.tree):
        loose = _imports(node) & {"asyncio.create_task", "asyncio.ensure_future"}
        if isinstance(node, ast.Attribute) and node.attr in {"create_task", "ensure_future"}:
            owner = _dotted(node.value)
            loose |= {owner} if owner == "asyncio" or "loop" in owner.lower() else set()
        if loose:
            yield source.at("tasks", node, "use an asyncio.TaskGroup, or accept a spawner")


def broad_except(source: Source) -> Iterator[Finding]:
    """Catch typed errors: a net for everything hides the fault and the cancellation."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            names = {_dotted(kind).rpartition(".")[2] for kind in kinds if kind is not None}
            if node.type is None or names & {"Exception", "BaseException"}:
                finding = source.at("broad-except", node, "catch the typed errors that can come")
                yield Finding("broad-except", source.path, node.lineno, node.lineno, finding.words)


def sql(source: Source) -> Iterator[Finding]:
    """No SQL glued from strings: named SQL and parameters."""
    for node in ast.walk(source.tree):
        glued: ast.expr | None = None
        if isinstance(node, ast.JoinedStr):
            if any(isinstance(part, ast.FormattedValue) for part in node.values):
                glued = node.values[0]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
            glued = node.left
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            glued = node.func.value if node.func.attr == "format" else None
        text = glued.value if isinstance(glued, ast.Constant) else None
        if isinstance(text, str) and _SQL.match(text):
            yield source.at("sql", node, "SQL glued from strings: use named SQL, parameters")


def environment(source: Source) -> Iterator[Finding]:
    """Only config reads the environment, once; others are handed plain values."""
    if source.within("simple_trader/config/", "simple_trader/config.py", "scripts/"):
        return
    names = {"os.environ", "os.environb", "os.getenv"}
    for node in ast.walk(source.tree):
        if (isinstance(node, ast.Attribute) and _dotted(node) in names) or _imports(node) & names:
            yield source.at("environment", node, "take a setting handed down by config")


def prints(source: Source) -> Iterator[Finding]:
    """Only the cli speaks to the terminal; others log."""
    if source.within("simple_trader/cli/", "simple_trader/cli.py", "scripts/"):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and _dotted(node.func) == "print":
            yield source.at("prints", node, "log it, or hand it to the cli")


def words(source: Source) -> Iterator[Finding]:
    """No promise for later and no order to look away."""
    for line, comment in source.comments:
        for word in _WORDS:
            if word in comment:
                yield Finding("words", source.path, line, line, f"{word}: do it now, or file it")


def exhaustive(source: Source) -> Iterator[Finding]:
    """A match over the members of a union or enum ends in assert_never."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Match):
            kinds = [k for case in node.cases[:-1] for k in _alternatives(case.pattern)]
            last = node.cases[-1]
            over_union = any(map(_names_a_member, [*kinds, *_alternatives(last.pattern)]))
            ends_well = "assert_never(" in "".join(ast.unparse(step) for step in last.body)
            if over_union and not ends_well:
                yield source.at("exhaustive", node, "end it with `case _: assert_never(...)`")


def _alternatives(pattern: ast.pattern) -> list[ast.pattern]:
    if isinstance(pattern, ast.MatchOr):
        return [inner for one in pattern.patterns for inner in _alternatives(one)]
    if isinstance(pattern, ast.MatchAs) and pattern.pattern is not None:
        return _alternatives(pattern.pattern)
    return [pattern]


def _names_a_member(pattern: ast.pattern) -> bool:
    if isinstance(pattern, ast.MatchClass):
        return _dotted(pattern.cls) not in _PLAIN_CLASSES
    return isinstance(pattern, ast.MatchValue) and isinstance(pattern.value, ast.Attribute)


def floats(source: Source) -> Iterator[Finding]:
    """Money is Decimal from wire to row; floats live in indicators and learning."""
    money = ("simple_trader/domain/", "simple_trader/core/portfolio/", "simple_trader/core/risk/")
    if not source.within(*money, "simple_trader/simulator/"):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and _dotted(node.func) == "float":
            yield source.at("float-on-money", node, "float(: money is Decimal")


def approved(source: Source) -> Iterator[Finding]:
    """Only the risk manager makes an Approved: there is no side door to an order."""
    if source.within("simple_trader/core/risk/risk_manager.py"):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and _dotted(node.func).rpartition(".")[2] == "Approved":
            yield source.at("approved", node, "ask RiskManager.review")


Rule = Callable[[Source], Iterable[Finding]]
RULES: tuple[Rule, ...] = (
    *(syntax, file_length, length, caption, clock, dice, tasks, broad_except, sql, environment),
    *(prints, words, exhaustive, floats, approved),
)


# --------------------------------------------------------------------------------- check


def check(source: Source) -> tuple[list[Finding], list[Escape]]:
    """The findings that no excuse covers, and the excuses that were needed."""
    excuses = {
        (line, found[1]): Escape(found[1], source.path, line, found[2])
        for line, comment in source.comments
        if (found := _ESCAPE.search(comment)) is not None
    }
    used: set[tuple[int, str]] = set()
    kept: list[Finding] = []
    for finding in (finding for rule in RULES for finding in rule(source)):
        spots = [(line, finding.rule) for line in range(finding.line, finding.last + 1)]
        excused = [spot for spot in spots if spot in excuses]
        used.update(excused)
        if not excused:
            kept.append(finding)
    for line, rule in sorted(excuses.keys() - used):
        kept.append(Finding("escape", source.path, line, line, f"nothing of {rule} to allow here"))
    for line, comment in source.comments:
        if "tidy:" in comment and not _ESCAPE.search(comment):
            form = "an escape is written `# tidy: allow RULE, REASON`"
            kept.append(Finding("escape", source.path, line, line, form))
    return kept, [excuses[spot] for spot in sorted(used)]


def sources(root: Path = ROOT, trees: Iterable[str] = TREES) -> Iterator[Source]:
    """Every Python file of the trees, parsed."""
    for tree in trees:
        top = root / tree
        for path in sorted(top.rglob("*.py")) if top.is_dir() else [top] * top.exists():
            yield parse(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))


def check_all(root: Path = ROOT) -> tuple[list[Finding], list[Escape]]:
    """Findings and needed excuses of the whole checkout."""
    findings: list[Finding] = []
    escapes: list[Escape] = []
    for source in sources(root):
        found, needed = check(source)
        findings += found
        escapes += needed
    for path in sorted((root / TESTS).rglob("*.py")):
        text = path.read_text(encoding="utf-8")  # unparsed: five hundred files for their length
        name = path.relative_to(root).as_posix()
        findings += file_length(Source(name, text, ast.Module([], []), ()))
    return findings, escapes


def main() -> int:
    """Print findings and excuses; 1 when there is a finding."""
    findings, escapes = check_all()
    for finding in findings:
        print(finding)
    for escape in escapes:
        print(f"allowed: {escape.path}:{escape.line}: {escape.rule}: {escape.reason}")
    print(f"tidy: {len(findings)} findings, {len(escapes)} allowed")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
