"""Each bad input ends with one clear sentence and its exit code, or is waited out; no traceback."""

import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import books
import pytest
import system
from system import BUSY, Daemon, Place

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

ROWS = [f"{1641024000 + 60 * n},100.0,101.0,99.0,100.5,1.5,10" for n in range(400)]


@dataclass(frozen=True)
class Case:
    """What is wrong, what the command line says, how it must end and with which words."""

    name: str
    code: int
    words: str
    flags: Callable[[Place], list[str]] = lambda where: []
    env: dict[str, str] | None = None
    spoil: Callable[[Place], None] = lambda where: None


def _half_written(where: Place) -> None:
    text = where.config.read_text()
    where.write_config(text[: text.index("risk_multipliers") + 20])


def _unreadable(where: Place) -> None:
    where.config.unlink()
    where.config.mkdir()  # root may read any file, but no folder


def _own_folder(where: Place, kind: str, missing: str) -> None:
    """The user's own templates or tools, of which one file is missing."""
    folder = where.folder / kind
    shutil.copytree(system.ROOT / kind, folder)
    (folder / missing).unlink()
    where.configure(**{f"{kind}_dir": kind})


def _replay(where: Place, *lines: str) -> list[str]:
    path = where.folder / "replay.csv"
    path.write_text("\n".join([*ROWS, *lines]) + "\n")
    return ["--replay", str(path), "--replay-pair", "BTC/USD"]


def _unlistened() -> str:
    return f"postgresql://nobody@127.0.0.1:{system.free_port()}/nothing"


CASES = [
    Case("a DSN that is none", 3, "POSTGRES_DSN", env={"POSTGRES_DSN": "mysql://x@y/z"}),
    Case("a Postgres that does not answer", 3, "", env={"POSTGRES_DSN": _unlistened()}),
    Case("a half-written config.yaml", 2, "config.yaml", spoil=_half_written),
    Case("a config.yaml that cannot be read", 2, "config.yaml", spoil=_unreadable),
    Case(
        "an unknown key", 2, "did you mean min_confidence",
        spoil=lambda w: w.write_config(w.config.read_text().replace("min_conf", "minn_conf")),
    ),
    Case(
        "a missing template", 2, "prompts/aggregator.mustache",
        spoil=lambda w: _own_folder(w, "templates", "prompts/aggregator.mustache"),
    ),
    Case(
        "a missing tool schema", 2, "aggregator_function.json",
        spoil=lambda w: _own_folder(w, "tools", "aggregator_function.json"),
    ),
    Case(
        "a replay file that is missing", 2, "gone.csv",
        flags=lambda w: ["--replay", str(w.folder / "gone.csv"), "--replay-pair", "BTC/USD"],
    ),
    Case(
        "garbage rows in a replay", 7, "replay.csv, line 401: open 'abc'",
        flags=lambda w: _replay(w, "1641050000,abc,101,99,100,1,1"),
    ),
    Case(
        "a replay whose high is below its low", 7, "line 401",
        flags=lambda w: _replay(w, "1641050000,100,90,99,100,1,1"),
    ),
    Case(
        "mode paper without a network", 6, "Kraken cannot be reached",
        flags=lambda w: ["--mode", "paper"],
        spoil=lambda w: w.configure(
            paper={"rest_url": "http://127.0.0.1:1", "public_url": "ws://127.0.0.1:1/v2"}
        ),
    ),
    Case(
        "mode paper on a stranger's prices", 8, "paper.rest_url",
        flags=lambda w: ["--mode", "paper"],
        spoil=lambda w: w.configure(paper={"rest_url": "https://api.example.com"}),
    ),
    Case(
        "mode paper with a replay", 8, "--replay is for sim",
        flags=lambda w: ["--mode", "paper", "--replay", str(w.config)],
    ),
    Case(
        "mode live without keys", 8, "KRAKEN_API_KEY", flags=lambda w: ["--mode", "live"],
        spoil=lambda w: w.configure(database={"embedded_in_live": True}),
    ),
    Case("an unknown mode", 2, "mode", flags=lambda w: ["--mode", "dream"]),
]  # fmt: skip


@pytest.fixture
def where() -> Iterator[Place]:
    with system.place() as found:
        yield found


def _one_sentence(text: str, words: str) -> str:
    """The one error line; everything else it said must not be alarming."""
    assert "Traceback" not in text, text
    lines = [line for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "ERROR" in line] or lines
    assert len(errors) == 1, f"not one sentence:\n{text}"
    assert words in errors[0], errors[0]
    return errors[0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input_ends_with_one_sentence_and_its_exit_code(case: Case, where: Place) -> None:
    case.spoil(where)
    flags = case.flags(where)
    with Daemon(where, *flags, env=case.env) as daemon:
        code = daemon.wait(60)
    _one_sentence(daemon.text, case.words)
    assert code == case.code, daemon.text
    assert system.postmaster_of(where) is None, "it left a server behind"


def test_p10_another_world_another_daemon_and_a_port_in_use_are_refused(where: Place) -> None:
    with Daemon(where, "--speed", "10") as first:
        first.ready()
        with Daemon(where) as second:
            assert second.wait(30) == 5
        assert str(first.process.pid) in _one_sentence(second.text, "another daemon")
        assert first.stop(signal.SIGTERM) == 0
    with Daemon(where, "--seed", "99") as other:
        assert other.wait(60) == 4
    _one_sentence(other.text, "--fresh")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        where.configure(health={"port": port})
        with Daemon(where) as late:
            assert late.wait(60) != 0
        _one_sentence(late.text, str(port))
    assert books.compare(where).differences == []


def test_a_state_directory_that_is_a_file_is_one_sentence(where: Place) -> None:
    where.state.write_text("")
    with Daemon(where) as daemon:
        assert daemon.wait(30) == 2
    _one_sentence(daemon.text, "--state-dir")


def test_a_sandbox_that_is_gone_for_long_is_waited_for(where: Place) -> None:
    """Not killed but stopped: nothing answers for seconds, then it goes on, and so do we."""
    where.configure(**BUSY)
    with Daemon(where, "--speed", "60") as daemon:
        daemon.ready()
        daemon.wait_for("Filled ", 60)
        pid = daemon.sandbox_pid()
        assert pid is not None
        since = len(daemon.lines)
        os.kill(pid, signal.SIGSTOP)
        daemon.wait_for(r"state REDUCE|stands still|connection .* ended", 40, since=since)
        os.kill(pid, signal.SIGCONT)
        daemon.wait_for("Filled ", 60, since=since)
        assert daemon.stop() == 0
    assert "Traceback" not in daemon.text
    assert books.compare(where).differences == []
