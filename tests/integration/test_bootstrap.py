"""The set-up script: what a person reads when it cannot go on, and how it hands over."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the set-up script and the lock only."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "bootstrap.py", tmp_path / "scripts")
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    return tmp_path


def bootstrap(checkout: Path, *arguments: str, first: str = "") -> subprocess.CompletedProcess[str]:
    """Run the script in `checkout`; `first` is Python that runs before it in its process."""
    code = (
        f"import sys, runpy; sys.argv = ['bootstrap.py', *{arguments!r}]\n{first}\n"
        "runpy.run_path('scripts/bootstrap.py', run_name='__main__')"
    )
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=checkout,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def plant_ready_venv(checkout: Path) -> None:
    """A `.venv` that counts as set up; its Python shows its process id and arguments."""
    python = checkout / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$$ $*"\n')
    python.chmod(0o755)
    code = (
        "import sys; sys.path.insert(0, 'scripts'); import bootstrap as b\n"
        "for kind in ('run', 'test'): b.stamp_file(kind).write_text(b.stamp_of(kind))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=checkout, check=True)


def test_help_names_every_subcommand_of_the_makefile(checkout: Path) -> None:
    text = bootstrap(checkout, "help").stdout
    makefile = (ROOT / "Makefile").read_text()
    called = {
        line.split("$(BOOTSTRAP) ")[1].split()[0]
        for line in makefile.splitlines()
        if "$(BOOTSTRAP) " in line
    }
    listed = {line.split()[0] for line in text.splitlines()[2:]}
    assert called == listed


def test_an_unknown_subcommand_is_a_usage_error(checkout: Path) -> None:
    answer = bootstrap(checkout, "rnu")
    assert answer.returncode == 2
    assert "no subcommand 'rnu'" in answer.stderr


def test_a_python_that_is_too_old_is_named_with_the_remedy(checkout: Path) -> None:
    answer = bootstrap(checkout, "run", first="sys.version_info = (3, 9, 2)")
    assert answer.returncode == 1
    assert "Python 3.11 or newer is needed" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_python_without_its_venv_module_is_named_with_the_remedy(checkout: Path) -> None:
    hide = (
        "import importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'ensurepip' else find(name, *rest)"
    )
    answer = bootstrap(checkout, "run", first=hide)
    assert answer.returncode == 1
    assert "apt install python3-venv" in answer.stderr
    assert not (checkout / ".venv").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_checkout_of_somebody_else_is_told_in_one_sentence(checkout: Path) -> None:
    checkout.chmod(0o555)
    answer = bootstrap(checkout, "run")
    checkout.chmod(0o755)
    assert answer.returncode == 1
    assert "cannot be written" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_failed_installation_ends_in_one_sentence_and_is_tried_again(checkout: Path) -> None:
    for name in ("uv", "run"):
        lock = checkout / "requirements" / f"{name}.txt"
        lock.write_text("no-such-package-of-ours==1 --hash=sha256:" + "0" * 64 + "\n")
    # No index is asked: the empty folder is the only place to look.
    first = f"import os; os.environ.update(PIP_NO_INDEX='1', PIP_FIND_LINKS={str(checkout)!r})"
    answer = bootstrap(checkout, "setup", "run", first=first)
    assert answer.returncode == 1
    assert "the packages could not be installed" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not (checkout / ".venv" / ".ready-run").exists()


@pytest.mark.parametrize(
    ("arguments", "handed_on"),
    [
        (["run", "--speed", "10"], "main.py --speed 10"),
        (["run", "--", "--for", "1s"], "main.py --for 1s"),
        (["sandbox", "--port", "8900"], "-m simple_trader sandbox --port 8900"),
        (["cli", "db", "psql", "--", "-l"], "-m simple_trader db psql -- -l"),
        (["test", "-n0", "tests/unit"], "-m pytest -n0 tests/unit"),
    ],
)
def test_the_arguments_are_handed_on_and_the_process_becomes_the_program(
    checkout: Path, arguments: list[str], handed_on: str
) -> None:
    plant_ready_venv(checkout)
    with subprocess.Popen(
        [sys.executable, "scripts/bootstrap.py", *arguments],
        cwd=checkout,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        output, _ = process.communicate()
    # The same process id: Ctrl-C and SIGTERM reach the program itself.
    assert output == f"{process.pid} {handed_on}\n"


def test_tests_run_on_several_workers_unless_told_otherwise(checkout: Path) -> None:
    plant_ready_venv(checkout)
    assert " -m pytest -n " in bootstrap(checkout, "test", "tests/unit").stdout


def test_a_changed_lock_is_set_up_again(checkout: Path) -> None:
    plant_ready_venv(checkout)
    with (checkout / "requirements" / "run.txt").open("a") as file:
        file.write("# newer\n")
    ready = (
        "import sys; sys.path.insert(0, 'scripts'); import bootstrap as b; print(b.is_ready({}))"
    )
    answers = [
        subprocess.run(
            [sys.executable, "-c", ready.format(repr(kind))],
            cwd=checkout,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for kind in ("run", "test")
    ]
    assert answers == ["False", "False"]


def test_what_holds_the_test_set_is_ready_to_run(checkout: Path) -> None:
    plant_ready_venv(checkout)
    (checkout / ".venv" / ".ready-run").unlink()
    assert bootstrap(checkout, "run").stdout.endswith(" main.py\n")
