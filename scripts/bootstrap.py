"""Sets up `.venv` from the hash-pinned lock and starts what was asked for; standard library only.

python3 scripts/bootstrap.py SUBCOMMAND [ARGS...]; `help` lists the subcommands. The set-up is done
once and again only when the lock or the Python changes (the stamp inside `.venv` says so).
"""

# So that an old Python reads as far as the sentence that names the one needed.
from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

OLDEST_PYTHON = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
# Other people's Kraken programs, as test subjects: none of their packages may come near ours.
CLIENTS_VENV = ROOT / ".venv-clients"
# The packages that benchmarks/ measures ours beside, with ours.
BENCH_VENV = ROOT / ".venv-bench"
NODE_PROGRAMS = ("tests/clients/node/install.py", str(CLIENTS_VENV / "node"))
LOCKS = ROOT / "requirements"
INSIDE = Path("Scripts" if os.name == "nt" else "bin") / "python"
PYTHON = VENV / INSIDE
# The one package of the clients that comes as source only (pure Python, an old format).
AS_SOURCE = "krakenex"
COMPILED = "bench-source"
BENCHMARKS = ("book", "ws_book", "rows", "order", "lanes", "indicators", "learner")
TREES = ("simple_trader", "main.py", "scripts", "migrations", "tests", "benchmarks")
NOT_YOURS = (
    "{} cannot be written: the set-up was made by another user, or the checkout is not yours. "
    "Remove {} as that user, or clone the repository again as yourself."
)


class SetupError(Exception):
    """Something a person must put right; the message is the sentence they read."""


# ------------------------------------------------------------------------------- set-up


def stamp_of(kind: str) -> str:
    """What a finished set-up of `kind` is named by: lock, Python, place."""
    digest = hashlib.sha256()
    for name in ("uv", "run", kind) if kind == "test" else ("uv", kind):
        digest.update((LOCKS / f"{name}.txt").read_bytes())
    digest.update(f"{sys.version}|{sys.base_prefix}|{ROOT}".encode())
    return digest.hexdigest()


def venv_of(kind: str) -> Path:
    """Where the packages of `kind` (`run`, `test`, `clients` or `bench`) go."""
    return {"clients": CLIENTS_VENV, "bench": BENCH_VENV}.get(kind, VENV)


def stamp_file(kind: str) -> Path:
    """The file inside the environment that holds the stamp of `kind`."""
    return venv_of(kind) / f".ready-{kind}"


def is_ready(kind: str) -> bool:
    """Whether everything of `kind` is already there (the test set holds the run set)."""
    kinds = ("run", "test") if kind == "run" else (kind,)
    return (venv_of(kind) / INSIDE).exists() and any(
        stamp_file(k).exists() and stamp_file(k).read_text() == stamp_of(k) for k in kinds
    )


def set_up(kind: str) -> None:
    """Make an environment hold the packages of `requirements/<kind>.txt`, unless it does."""
    check_python()
    if is_ready(kind):
        return
    venv = venv_of(kind)
    if not os.access(venv if venv.exists() else ROOT, os.W_OK):
        raise SetupError(NOT_YOURS.format(venv if venv.exists() else ROOT, venv.name))
    say(f"setting up {venv.name} for `{kind}` with Python {sys.version.split()[0]} (once) ...")
    try:
        make_venv(venv)
        install(kind, venv / INSIDE)
        if venv == VENV:
            tell_venv_of_checkout()
        stamp_file(kind).write_text(stamp_of(kind))
    except PermissionError as error:
        raise SetupError(NOT_YOURS.format(error.filename, venv.name)) from error
    say("set-up finished")


def check_python() -> None:
    """Refuse a Python that is too old, or one without the venv module."""
    if sys.version_info < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        raise SetupError(
            f"Python {wanted} or newer is needed, this is {sys.version.split()[0]}: "
            f"install python{wanted}, then run `make PYTHON=python{wanted} ...`."
        )
    # Debian takes ensurepip out of the standard library and ships it in python3-venv.
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise SetupError(
            "this Python comes without its venv module: "
            f"`apt install python3-venv` (or python{version}-venv), then run the command again."
        )


def make_venv(venv: Path) -> None:
    """Make `venv` anew when it is missing, half made, or of another Python."""
    marker = venv / ".python"
    wanted = f"{sys.version}|{sys.base_prefix}|{ROOT}"
    if (venv / INSIDE).exists() and marker.exists() and marker.read_text() == wanted:
        return
    if venv.exists():
        shutil.rmtree(venv)
    checked([sys.executable, "-m", "venv", str(venv)], "the virtual environment was not made")
    marker.write_text(wanted)


def install(kind: str, python: Path) -> None:
    """Install the locked wheels with uv; where uv fails, with pip from the same hashed file."""
    lock = str(LOCKS / f"{kind}.txt")
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "-q", "install"]
    hashed = ["--require-hashes", "--only-binary", ":all:", "-r"]
    uv = [str(python.with_name("uv.exe" if os.name == "nt" else "uv")), "pip", "install", "-q"]
    with_uv = run([*pip, *hashed, str(LOCKS / "uv.txt")]) == 0
    if kind == "clients":
        hashed[:0] = ["--no-binary", AS_SOURCE]
        uv += ["--build-constraints", lock]
    with_uv = with_uv and run([*uv, "--python", str(python), *hashed, lock]) == 0
    if not with_uv:
        say("uv did not manage it; once more with pip (this takes longer) ...")
        checked(
            [*pip, *hashed, lock],
            "the packages could not be installed: read the message above "
            "(no network to the package index? a platform without wheels?) and run it again",
        )


def tell_venv_of_checkout() -> None:
    """Let `.venv/bin/python -m simple_trader` work from any directory."""
    found = sorted(VENV.glob("lib/python*/site-packages")) or [VENV / "Lib" / "site-packages"]
    (found[0] / "simple_trader_checkout.pth").write_text(f"{ROOT}\n")
    # The command that messages and documents name, as an installed package would bring it.
    command = PYTHON.with_name("simple-trader")
    command.write_text(f'#!/bin/sh\nexec "{PYTHON}" -m simple_trader "$@"\n')
    command.chmod(0o755)


# ------------------------------------------------------------------------------ helpers


def environment() -> dict[str, str]:
    """Our environment, with uv trusting the certificates of the system as pip does."""
    return {"UV_SYSTEM_CERTS": "1", "UV_LINK_MODE": "copy", **os.environ}


def run(command: list[str]) -> int:
    """Run a step of the set-up without standard input and give its exit code."""
    return subprocess.run(
        command, cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, check=False
    ).returncode


def checked(command: list[str], sentence: str) -> None:
    """Run a step of the set-up; when it fails, stop with `sentence`."""
    if run(command) != 0:
        raise SetupError(sentence)


def say(text: str) -> None:
    """Tell the person what happens, on standard error."""
    print(f"bootstrap: {text}", file=sys.stderr, flush=True)


def become(*arguments: str, extra: Mapping[str, str] | None = None) -> NoReturn:
    """Replace this process by the venv's Python: signals then go straight to it."""
    os.chdir(ROOT)
    os.execve(PYTHON, [str(PYTHON), *arguments], {**os.environ, **(extra or {})})


def module(name: str, *arguments: str) -> int:
    """Run a tool of the venv in the checkout and give its exit code."""
    return subprocess.run(
        [str(PYTHON), "-m", name, *arguments], cwd=ROOT, env=environment(), check=False
    ).returncode


def trees() -> list[str]:
    """The source trees that exist in this checkout."""
    return [name for name in TREES if (ROOT / name).exists()]


# -------------------------------------------------------------------------- subcommands


def do_setup(arguments: list[str]) -> int:
    """Set up only: `setup [run|test|clients]` (default test, which holds run)."""
    kind = arguments[0] if arguments and arguments[0] in {"run", "test", "clients"} else "test"
    set_up(kind)
    return run([sys.executable, *NODE_PROGRAMS]) if kind == "clients" else 0


def do_run(arguments: list[str]) -> int:
    """The daemon: `run [FLAGS]` is `python main.py FLAGS`."""
    set_up("run")
    become("main.py", *arguments)


def do_cli(arguments: list[str]) -> int:
    """Any command of the program: `cli status`, `cli db psql` ..."""
    set_up("run")
    become("-m", "simple_trader", *arguments)


def do_sandbox(arguments: list[str]) -> int:
    """The sandbox exchange alone: `sandbox --port 8900 ...`."""
    return do_cli(["sandbox", *arguments])


def do_test(arguments: list[str]) -> int:
    """Every test, or those named: `test [PYTEST ARGUMENTS]`."""
    set_up("test")
    # One more worker than cores, for the longest tests wait for processes most of their time.
    workers = ["-n", str(min((os.cpu_count() or 1) + 1, 6)), "--dist", "worksteal"]
    if any(a.startswith(("-n", "--pdb", "--numprocesses", "-p")) for a in arguments):
        workers = []
    become("-m", "pytest", *workers, *arguments)


def do_coverage(arguments: list[str]) -> int:
    """The tests with branch coverage; the report is also written to htmlcov."""
    return do_test(["--cov", "--cov-report=term", "--cov-report=html", *arguments])


def do_lint(arguments: list[str]) -> int:
    """ruff: rules and format."""
    set_up("test")
    checks = module("ruff", "check", *trees(), *arguments)
    return module("ruff", "format", "--check", *trees()) or checks


def do_format(arguments: list[str]) -> int:
    """ruff puts the format and the simple findings right."""
    set_up("test")
    return module("ruff", "format", *trees(), *arguments) or module(
        "ruff", "check", "--fix", *trees()
    )


def do_types(arguments: list[str]) -> int:
    """mypy --strict."""
    set_up("test")
    return module("mypy", *arguments)


def do_contract(arguments: list[str]) -> int:
    """The import contract (import-linter)."""
    set_up("test")
    become(str(PYTHON.with_name("lint-imports")), *arguments)


def do_tidy(arguments: list[str]) -> int:
    """The house rules (tests/architecture)."""
    set_up("test")
    become("-m", "pytest", "-q", "tests/architecture", *arguments)


def do_test_system(arguments: list[str]) -> int:
    """The whole daemon as a user runs it, and all that needs programs of the system."""
    run([sys.executable, "scripts/system_programs.py"])
    run([sys.executable, *NODE_PROGRAMS])
    # From here on a missing program is a failure and no skip.
    os.environ["SIMPLE_TRADER_NEED_PROGRAMS"] = "1"
    return do_test(["-m", "system or programs", *arguments])


def do_test_clients(arguments: list[str]) -> int:
    """Other people's Kraken programs on our sandbox, from an environment of their own."""
    do_setup(["clients"])
    return do_test(["tests/clients", *arguments])


def campaign(script: str, what: str) -> Callable[[list[str]], int]:
    """A subcommand that runs a script of tests/, which finds its neighbours there."""

    def start(arguments: list[str]) -> int:
        set_up("test")
        folders = (ROOT, ROOT / "tests", ROOT / "tests" / "support")
        become(script, *arguments, extra={"PYTHONPATH": os.pathsep.join(map(str, folders))})

    start.__doc__ = what
    return start


do_simulate = campaign(
    "tests/dst/simulate.py", "Let seeds live with faults on virtual time and judge each."
)
do_chaos = campaign(
    "tests/campaign/kills.py", "Kill daemon, sandbox and database, then compare the books."
)
do_soak = campaign("tests/campaign/soak.py", "Trade for hours with faults: nothing may grow.")
do_planted = campaign(
    "tests/planted/hunt.py", "Let the simulation catch every planted bug (`--search`: by chance)."
)
do_replay_day = campaign(
    "tests/campaign/replay_day.py", "Record a simulated day, replay it whole, find flipped bits."
)
do_evaluate = campaign("tests/evaluator/run.py", "Judge the scorecard by planted truths.")
do_lost_acks = campaign(
    "tests/lost_acks/run.py", "Lose the replies to many orders on virtual time and judge each."
)

do_fuzz = campaign(
    "tests/hostile/fuzz.py", "Hand hostile answers to the judge and the whole engine."
)


def do_bench(arguments: list[str]) -> int:
    """Every benchmark beside its peers, or those named: `bench [book rows ...]`."""
    set_up("bench")
    compile_peer()
    code = 0
    for script in arguments or BENCHMARKS:
        say(f"benchmarks/{script}.py")
        code = run([str(BENCH_VENV / INSIDE), f"benchmarks/{script}.py"]) or code
    return code


def compile_peer() -> None:
    """Build the peer that comes as source; without a compiler the benchmarks do without it."""
    mark = BENCH_VENV / f".ready-{COMPILED}"
    lock = str(LOCKS / f"{COMPILED}.txt")
    if mark.exists() and mark.read_text() == stamp_of(COMPILED):
        return
    python = BENCH_VENV / INSIDE
    uv = str(python.with_name("uv.exe" if os.name == "nt" else "uv"))
    call = [uv, "pip", "install", "-q", "--python", str(python), "--require-hashes", "-r", lock]
    if run([*call, "--build-constraints", lock]) == 0:
        mark.write_text(stamp_of(COMPILED))
    else:
        say("cryptofeed cannot be built here (it needs a C compiler): its lines are left out")


def do_docs(arguments: list[str]) -> int:
    """Write docs/reference and docs/RELIABILITY.md anew from the code."""
    set_up("test")
    become("scripts/make_reference.py", *arguments)


def do_lock(arguments: list[str]) -> int:
    """Resolve the lock anew from pyproject.toml; pins stay unless `--upgrade` is given."""
    set_up("test")
    become("scripts/resolve_locks.py", *arguments)


# `do_test_system` is the subcommand `test-system`; they are listed as they stand above.
COMMANDS: dict[str, Callable[[list[str]], int]] = {
    name.removeprefix("do_").replace("_", "-"): function
    for name, function in list(globals().items())
    if name.startswith("do_")
}


def usage() -> str:
    """The subcommands, each with the first line of its docstring."""
    lines = ["usage: python3 scripts/bootstrap.py SUBCOMMAND [ARGS...]", ""]
    for name, function in COMMANDS.items():
        lines.append(f"  {name:12} {(function.__doc__ or '').splitlines()[0]}")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Run the subcommand; 2 for a wrong one, 1 with one sentence when the set-up fails."""
    name, rest = (arguments[0], arguments[1:]) if arguments else ("help", [])
    if rest[:1] == ["--"]:
        rest = rest[1:]
    if name in {"help", "-h", "--help"}:
        print(usage())
        return 0
    if name not in COMMANDS:
        say(f"there is no subcommand {name!r}.\n\n{usage()}")
        return 2
    try:
        return COMMANDS[name](rest)
    except SetupError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("stopped by Ctrl-C; run it again to go on")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
