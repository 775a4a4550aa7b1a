"""The command line as a user meets it: exit codes, one sentence, requests to a running daemon."""

import asyncio
import json
import resource
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from simple_trader.domain.events import Event, OperatorHalt, OperatorResume
from simple_trader.runtime.control import OperatorDesk
from simple_trader.telemetry.presence import DaemonInfo, present
from simple_trader.web.health import Health, HealthServer, status_of

ROOT = Path(__file__).resolve().parents[2]


def cli(*arguments: str, timeout_s: float = 60) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "simple_trader", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        stdin=subprocess.DEVNULL,
        check=False,
    )


async def cli_beside(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """A command while this loop plays the daemon."""
    return await asyncio.to_thread(cli, *arguments)


# ------------------------------------------------------------------------- help and faults


def _time_of_children_s() -> float:
    """Processor time: how long it takes by the wall says how busy the machine is."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_help_is_fast_and_names_every_command() -> None:
    cli("--help")  # the byte code is there from now on
    before_s = _time_of_children_s()
    result = cli("--help")
    assert result.returncode == 0
    assert _time_of_children_s() - before_s < 2.0, "a heavy library is imported for --help"
    for name in ("init", "run", "sandbox", "db", "status", "decisions", "prompt", "scorecard",
                 "pnl", "logs", "halt", "resume", "config", "doctor"):  # fmt: skip
        assert f"  {name} " in result.stdout


def test_help_imports_no_heavy_library() -> None:
    code = (
        "import sys, simple_trader.cli\n"
        "heavy = {'pandas', 'numpy', 'river', 'openai', 'sqlalchemy', 'asyncpg', 'aiohttp',\n"
        "         'pydantic', 'alembic', 'rich', 'yaml'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout == "[]\n"


EVERY_COMMAND = (
    ("init",), ("run",), ("sandbox",), ("db", "upgrade"), ("db", "dsn"), ("db", "psql"),
    ("db", "backup"), ("db", "cleanup"), ("status",), ("decisions",), ("scorecard",), ("pnl",),
    ("logs",), ("halt",), ("resume",), ("config", "check"), ("doctor",), ("limits", "accept"),
)  # fmt: skip


def test_every_command_takes_config_env_file_and_state_dir_after_its_name() -> None:
    from typer.testing import CliRunner

    from simple_trader.cli import app

    for command in EVERY_COMMAND:
        shown = CliRunner().invoke(app, [*command, "--help"]).output
        for option in ("--config", "--env-file", "--state-dir"):
            assert option in shown, (command, option)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("run", "--mode", "demo"), 2, "mode should be 'sim', 'paper' or 'live'"),
        (("run", "--speed", "fast"), 2, "'fast' is not a number above 0, or max"),
        (("run", "--for", "soon"), 2, "'soon' is not a duration"),
        (("run", "--replay", "no-such-file.csv"), 2, "--replay no-such-file.csv: cannot be read"),
        (("run", "--replay-pair", "BTC/USD"), 2, "--replay-pair needs --replay"),
        (("run", "--config", "no-such.yaml"), 2, "no-such.yaml: the configuration is missing"),
        (("run", "--env-file", "no-such.env"), 2, "no-such.env: no such file"),
        (("config", "check", "--config", "pyproject.toml"), 2, "pyproject.toml: line 1:"),
        (("logs", "--level", "loud"), 2, "--level loud"),
        (("nonsense",), 2, "No such command"),
        (("sandbox", "--replay", "no-such-file.csv"), 2, "cannot be read"),
    ],
)
def test_a_mistake_is_one_sentence_on_stderr_and_an_exit_code(
    arguments: tuple[str, ...], code: int, words: str, tmp_path: Path
) -> None:
    state = () if arguments == ("nonsense",) else ("--state-dir", str(tmp_path / "state"))
    result = cli(*arguments, *state)
    assert result.returncode == code, result.stderr
    assert words in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_an_unreachable_database_is_one_sentence_on_stderr_with_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTGRES_DSN", "postgresql://bob:canary-pw@127.0.0.1:1/none")
    result = cli("run", "--no-tui", "--state-dir", str(tmp_path / "state"))
    assert result.returncode == 3
    (sentence,) = result.stderr.splitlines()
    assert sentence.startswith("simple-trader: the database at ")
    assert "POSTGRES_DSN" in sentence
    assert "canary-pw" not in result.stderr + result.stdout
    log = (tmp_path / "state" / "logs" / "errors.log").read_text()
    assert "cannot be reached" in log
    assert "canary-pw" not in log


def test_a_mode_that_cannot_run_says_so_on_stderr(tmp_path: Path) -> None:
    result = cli("run", "--mode", "live", "--no-tui", "--state-dir", str(tmp_path / "state"))
    assert result.returncode == 2
    (sentence,) = result.stderr.splitlines()
    assert "mode live" in sentence


def test_a_sandbox_that_cannot_reach_what_it_relays_says_so_and_names_the_fix() -> None:
    result = cli(
        "sandbox", "--relay", "--port", "0", "--relay-rest", "http://127.0.0.1:1",
        "--relay-public", "ws://127.0.0.1:1/v2",
    )  # fmt: skip
    assert result.returncode == 1
    (sentence,) = result.stderr.splitlines()
    assert "cannot be reached" in sentence
    assert "--mode sim" in sentence


def test_a_relay_of_anything_but_krakens_public_addresses_is_refused() -> None:
    result = cli(
        "sandbox", "--relay", "--port", "0", "--relay-public", "wss://ws-auth.kraken.com/v2"
    )
    assert result.returncode == 1
    assert "cannot use wss://ws-auth.kraken.com/v2" in result.stderr


# ------------------------------------------------------------------------ halt and resume


@asynccontextmanager
async def daemon(state: Path) -> AsyncIterator[list[Event]]:
    """The parts of a daemon that an operator meets: lock, desk, health."""
    taken: list[Event] = []

    def health() -> Health:
        halted = bool(taken) and isinstance(taken[-1], OperatorHalt)
        trading = "HALT" if halted else "RUN"
        return Health(
            status=status_of(trading_state=trading, ready=True, lane_alive=True),
            mode="sim", world="w", trading_state=trading,
            reasons=("operator",) if halted else (), ready=True, seq=1, lane_age_s=0.0,
            market_dropped=0, log_lines_lost=0, speed=None, market_at="2026-03-02T10:00:00Z",
            uptime_s=1.0, version="0",
        )  # fmt: skip

    desk = OperatorDesk(state / "control", taken.append)
    with present(state) as presence:
        async with HealthServer(health, port=0) as server, asyncio.TaskGroup() as group:
            presence.announce(
                DaemonInfo(pid=1, mode="sim", world="w", health_url=server.url, log_dir="")
            )
            task = group.create_task(desk.run())
            yield taken
            task.cancel()


async def test_halt_and_resume_reach_a_running_daemon_and_say_what_it_did(tmp_path: Path) -> None:
    async with daemon(tmp_path) as taken:
        halted = await cli_beside("halt", "--reason", "testing", "--state-dir", str(tmp_path))
        assert halted.returncode == 0, halted.stderr
        assert halted.stdout == "Trading state: HALT (operator).\n"
        (event,) = taken
        assert isinstance(event, OperatorHalt)
        assert event.detail == "testing"
        assert event.actor
        resumed = await cli_beside("resume", "--reason", "done", "--state-dir", str(tmp_path))
        assert resumed.stdout == "Trading state: RUN.\n"
        assert isinstance(taken[-1], OperatorResume)


async def test_a_halt_without_a_daemon_waits_for_its_next_start(tmp_path: Path) -> None:
    result = await cli_beside("halt", "--state-dir", str(tmp_path))
    assert result.returncode == 0
    assert "next start takes the halt first" in result.stdout
    async with daemon(tmp_path) as taken:
        async with asyncio.timeout(10):
            while not taken:
                await asyncio.sleep(0.01)
    assert isinstance(taken[0], OperatorHalt)


async def test_of_two_requests_that_wait_the_later_one_counts(tmp_path: Path) -> None:
    await cli_beside("halt", "--state-dir", str(tmp_path))
    await cli_beside("resume", "--reason", "done", "--state-dir", str(tmp_path))
    assert [p.name for p in (tmp_path / "control").glob("*.json")] == ["resume.json"]


async def test_halt_resume_and_logs_work_with_a_broken_config(tmp_path: Path) -> None:
    broken = tmp_path / "config.yaml"
    broken.write_text("mode: [\n")
    result = await cli_beside("halt", "--config", str(broken), "--state-dir", str(tmp_path))
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "control" / "halt.json").exists()
    resumed = await cli_beside(
        "resume", "--reason", "x", "--config", str(broken), "--state-dir", str(tmp_path)
    )
    assert resumed.returncode == 0, resumed.stderr
    (tmp_path / "logs").mkdir()
    logs = await cli_beside("logs", "--config", str(broken), "--state-dir", str(tmp_path))
    assert logs.returncode == 0, logs.stderr


async def test_a_halt_needs_no_readable_env_file_where_the_place_is_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("this is no assignment\n")
    (tmp_path / "config.yaml").write_text("mode: sim\n")
    state = tmp_path / "state"
    monkeypatch.setenv("SIMPLE_TRADER_STATE_DIR", str(state))
    result = await cli_beside("halt", "--config", str(tmp_path / "config.yaml"))
    assert result.returncode == 0, result.stderr
    assert (state / "control" / "halt.json").exists()


async def test_a_daemon_that_hangs_is_said_and_the_request_stays(tmp_path: Path) -> None:
    with present(tmp_path):
        result = await cli_beside("halt", "--state-dir", str(tmp_path))
    assert result.returncode == 1
    assert "did not take the halt" in result.stderr
    assert (tmp_path / "control" / "halt.json").exists()


def test_limits_accept_writes_what_config_yaml_says(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("max_total_exposure: 0.9\n")
    result = cli("limits", "accept", "--config", str(config), "--state-dir", str(tmp_path))
    assert result.returncode == 0, result.stderr
    assert "max_total_exposure: 0.9" in result.stdout
    book = json.loads((tmp_path / "control" / "limits.json").read_text())
    assert book["max_total_exposure"] == "0.9"


# -------------------------------------------------------------------------------- sandbox


def test_the_sandbox_alone_announces_its_address_and_answers(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "simple_trader", "sandbox", "--port", "0", "--seed", "3"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        try:
            assert child.stdout is not None
            first = child.stdout.readline()
            address = next(word for word in first.split() if "127.0.0.1:" in word)
            port = address.partition("127.0.0.1:")[2].split("/")[0].rstrip(",.;")
            url = f"http://127.0.0.1:{int(port)}/0/public/SystemStatus"
            with urllib.request.urlopen(url, timeout=10) as answer:
                assert json.load(answer)["result"]["status"] == "online"
        finally:
            child.terminate()
            child.wait(timeout=20)
    assert child.returncode == 0
