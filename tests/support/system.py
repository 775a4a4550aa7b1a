"""Runs the daemon as its user does, as real processes, and reads both sides of its books."""

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import asyncpg
import yaml

from simple_trader.adapters.store.embedded_postgres import EmbeddedPostgres
from simple_trader.sandbox.opening import open_exchange
from simple_trader.sandbox.relay.opening import open_relay
from simple_trader.sandbox.settings import SandboxOptions
from simple_trader.sandbox.truth import truth_of

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 60.0
STOP_WITHIN_S = 30.0  # patience on a crowded machine; what is promised is PROMISED_STOP_S
PROMISED_STOP_S = 10.0
STATE = "state"

# Orders both ways, dozens a minute: short cycles and candles, small orders, near exits.
BUSY: dict[str, Any] = {
    "aggregator_interval_seconds": 30,
    "candle_minutes": 1,
    "quantity_of_price_history": 60,
    "base_order": 60,
    "max_flips_per_day": 288,
    "stop_loss_percent": 0.05,
    "take_profit_percent": 0.05,
    "risk_manager_interval_seconds": 5,
    "daily_loss_limit": 0.9,
    "training_interval_seconds": 600,
    "min_training_rows": 20,
}


@dataclass(frozen=True)
class Place:
    """A folder of one test: config.yaml and the state directory; nothing of the user's own."""

    folder: Path

    @property
    def state(self) -> Path:
        """The state directory."""
        return self.folder / STATE

    @property
    def config(self) -> Path:
        """The configuration that the daemon is started with."""
        return self.folder / "config.yaml"

    def configure(self, **changes: Any) -> None:
        """Write config.yaml: the shipped one with `changes` (nested dicts are laid over)."""
        values = yaml.safe_load((ROOT / "config.yaml").read_text())
        for name, value in changes.items():
            if isinstance(value, dict):
                values[name] |= value
            else:
                values[name] = value
        self.write_config(yaml.safe_dump(values, explicit_end=True, sort_keys=False))

    def write_config(self, text: str) -> None:
        """Replace config.yaml as an editor does that saves safely."""
        draft = self.folder / "config.yaml.new"
        draft.write_text(text)
        draft.replace(self.config)


@contextmanager
def place() -> Iterator[Place]:
    """A fresh folder that a database server of another user may pass through (0711)."""
    folder = Path(tempfile.mkdtemp(prefix="st-"))
    folder.chmod(0o711)
    found = Place(folder)
    found.configure()
    try:
        yield found
    finally:
        _end_leftovers(found)
        shutil.rmtree(folder, ignore_errors=True)


def _end_leftovers(where: Place) -> None:
    """A test that failed may leave its server; nothing may outlive the test."""
    pid = postmaster_of(where)
    if pid is not None:
        signal_process(pid, signal.SIGQUIT)
        wait_until(lambda: not alive(pid), 20)


def environment() -> dict[str, str]:
    """The environment without anything that would change what the daemon does."""
    private = {
        "POSTGRES_DSN",
        "KRAKEN_API_KEY",
        "KRAKEN_SECRET_API_KEY",
        "OPENAI_API_KEY",
        "SIMPLE_TRADER_STATE_DIR",
        "NOTIFY_SOCKET",
    }
    kept = {k: v for k, v in os.environ.items() if k not in private}
    # A user's Python keeps bytecode: without it each start compiles a thousand modules anew.
    if kept.pop("PYTHONDONTWRITEBYTECODE", None):
        kept["PYTHONPYCACHEPREFIX"] = str(Path(tempfile.gettempdir()) / "simple-trader-bytecode")
    return kept


class Daemon:
    """A running daemon: its process and what it says."""

    def __init__(self, where: Place, *flags: str, env: dict[str, str] | None = None) -> None:
        """Start `main.py --no-tui` on `where`."""
        self.where = where
        command = [
            sys.executable, str(ROOT / "main.py"), "--no-tui",
            "--config", str(where.config), "--state-dir", str(where.state), *flags,
        ]  # fmt: skip
        self.process = subprocess.Popen(
            command,
            cwd=where.folder,
            env=environment() | (env or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self.lines: list[str] = []
        self.with_faults = False  # whoever starts it with faults of the sandbox says so
        self._news = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    @property
    def text(self) -> str:
        """Everything it said."""
        return "\n".join(self.lines)

    def wait_for(self, pattern: str, within_s: float, *, since: int = 0) -> str:
        """The first line from number `since` on that matches; fails with what was said instead."""
        wanted = re.compile(pattern)
        deadline = time.monotonic() + within_s
        seen = since
        with self._news:
            while True:
                for line in self.lines[seen:]:
                    if wanted.search(line):
                        return line
                seen = len(self.lines)
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    why = "it ended" if self._ended else f"not within {within_s:g} s"
                    raise AssertionError(f"no line {pattern!r} ({why}):\n{self.text}")
                self._news.wait(left)

    def ready(self) -> Self:
        """Wait for the word."""
        self.wait_for(r"INFO    ready$", READY_WITHIN_S)
        return self

    def stop(self, number: int = signal.SIGINT, *, within_s: float = STOP_WITHIN_S) -> int:
        """Ask it to stop as Ctrl-C does; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait(within_s)

    def wait(self, within_s: float) -> int:
        """The exit code; kills and fails when it does not come."""
        try:
            code = self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still alive after {within_s:g} s:\n{self.text}") from None
        self._reader.join(10)
        return code

    def kill(self) -> None:
        """`kill -9`: it may not say a last word."""
        self.process.kill()
        self.process.wait(20)
        self._reader.join(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()

    def sandbox_pid(self) -> int | None:
        """The process of its sandbox, if it runs."""
        for pid in _children(self.process.pid):
            if "simple_trader.sandbox.child_main" in _command(pid):
                return pid
        return None


def command(
    where: Place, *words: str, env: dict[str, str] | None = None, timeout_s: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run one command line of the program to its end, in the folder of `where`."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=where.folder,
        env=environment() | (env or {}),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def fetch(url: str, within_s: float) -> Any:
    """The JSON behind a URL, waiting for the server to come up."""
    found: list[Any] = []

    def answers() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                found.append(json.load(answer))
        except OSError:
            return False
        return True

    if not wait_until(answers, within_s):
        raise TimeoutError(f"nothing answered at {url} within {within_s:g} s")
    return found[0]


# -- processes ----------------------------------------------------------------------------------


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(entry.name))
    return found


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def signal_process(pid: int, number: int) -> None:
    """Signal one process of ours that may have ended."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass  # it ended between the look and the signal


def postmaster_of(where: Place) -> int | None:
    """The process of the embedded server of this place, if it runs."""
    for path in where.state.glob("postgres/*/data/postmaster.pid"):
        try:
            pid = int(path.read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            continue
        if alive(pid) and str(path.parent) in _command(pid):
            return pid
    return None


def wait_until(fits: Callable[[], bool], within_s: float) -> bool:
    """Poll until `fits` or the time is over; what it said last."""
    deadline = time.monotonic() + within_s
    while not fits():
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.02)
    return True


# -- both sides of the books --------------------------------------------------------------------


def truth(where: Place) -> dict[str, Any]:
    """What really happened on the exchange, read from its own journal; nothing is changed."""
    if (where.state / "paper").is_dir():
        return _paper_truth(where)
    options = SandboxOptions(state=where.state / "sandbox", frozen=True)
    exchange = open_exchange(options, lambda: datetime.now(UTC))
    try:
        return truth_of(exchange.venue)
    finally:
        exchange.close()


def _paper_truth(where: Place) -> dict[str, Any]:
    """The same of a paper account, read from a copy: to open a relay is to begin a gap."""
    nowhere = {"relay_rest": "http://127.0.0.1:1", "relay_public": "ws://127.0.0.1:1/v2"}
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(where.state / "paper", folder, dirs_exist_ok=True)
        options = SandboxOptions(relay=True, state=Path(folder), counters=False, **nowhere)
        exchange = asyncio.run(open_relay(options, lambda: datetime.now(UTC)))
        try:
            return truth_of(exchange.venue)
        finally:
            exchange.close()


def rows(where: Place, *statements: str) -> list[list[dict[str, Any]]]:
    """The rows of each statement; starts the server of `where` where none runs."""

    async def work() -> list[list[dict[str, Any]]]:
        async with EmbeddedPostgres(where.state) as server:
            connection = await asyncpg.connect(server.dsn)
            try:
                return [[dict(row) for row in await connection.fetch(s)] for s in statements]
            finally:
                await connection.close()

    return asyncio.run(work())


def select(where: Place, statement: str) -> list[dict[str, Any]]:
    """The rows of one statement."""
    return rows(where, statement)[0]
