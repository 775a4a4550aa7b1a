"""Editing config.yaml while the real daemon runs: a valid edit counts, a broken one does not."""

import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.system
LINE_WITHIN_S = 60


class Daemon:
    """A daemon as a user starts it, and its lines."""

    def __init__(self, config: Path, state: Path) -> None:
        self.config, self.state = config, state
        self._lines: queue.Queue[str] = queue.Queue()
        self.seen: list[str] = []
        command = [sys.executable, "main.py", "--mode", "sim", "--speed", "60", "--no-tui"]
        self.process = subprocess.Popen(
            [*command, "--config", str(config), "--state-dir", str(state)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def until(self, words: str) -> str:
        """Wait for a line with these words."""
        while True:
            try:
                line = self._lines.get(timeout=LINE_WITHIN_S)
            except queue.Empty:
                raise AssertionError(f"no {words!r} in:\n{''.join(self.seen)}") from None
            self.seen.append(line)
            if words in line:
                return line

    def rewrite(self, old: str, new: str) -> None:
        text = self.config.read_text(encoding="utf-8")
        assert old in text
        draft = self.config.with_suffix(".new")
        draft.write_text(text.replace(old, new), encoding="utf-8")
        draft.replace(self.config)

    def sql(self, query: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-m", "simple_trader", "db", "psql", "--config",
             str(ROOT / "config.yaml"), "--state-dir", str(self.state), "--", "-XAtc", query],
            cwd=ROOT, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return done.stdout.splitlines()


def test_each_feed_switch_of_the_file_takes_effect_without_a_restart(daemon: Daemon) -> None:
    daemon.until(" ready")
    daemon.rewrite("enable_private_feed: true", "enable_private_feed: false")
    assert "switched off in config.yaml" in daemon.until("Trading state REDUCE")
    daemon.rewrite("enable_private_feed: false", "enable_private_feed: true")
    daemon.until("Trading state RUN")
    daemon.rewrite("enable_order_book_feed: true", "enable_order_book_feed: false")
    daemon.until("no longer subscribed")
    daemon.rewrite(
        "enable_minimal_order_book_feed: false\n\n# Levels of the shallower book. One of: 10, 25, "
        "100, 500, 1000.\nminimal_order_book_depth: 10",
        "enable_minimal_order_book_feed: true\n\n# Levels of the shallower book. One of: 10, 25, "
        "100, 500, 1000.\nminimal_order_book_depth: 25",
    )
    query = "SELECT DISTINCT depth FROM order_book_metrics ORDER BY depth"
    while daemon.sql(query) != ["10", "25"]:
        daemon.until("cycles")
    daemon.rewrite("enable_public_feed: true", "enable_public_feed: false")
    assert "switched off in config.yaml" in daemon.until("Trading state REDUCE")


@pytest.fixture
def daemon(state_dir: Path) -> Iterator[Daemon]:
    state_dir.parent.mkdir(exist_ok=True)
    config = state_dir.parent / "config.yaml"
    shutil.copy(ROOT / "config.yaml", config)
    found = Daemon(config, state_dir)
    yield found
    found.process.terminate()
    found.process.wait(timeout=30)


def test_a_valid_edit_counts_from_the_next_cycle_and_a_broken_one_does_not(daemon: Daemon) -> None:
    daemon.until(" ready")
    daemon.rewrite("base_order: 1000", "base_order: -1")
    refused = daemon.until("The configuration was not changed")
    assert "base_order should be greater than 0" in refused
    daemon.rewrite("base_order: -1", "base_order: 50")
    daemon.until("The configuration changed")
    daemon.rewrite("mode: sim", "mode: live")
    assert "is ignored while the daemon runs" in daemon.until("mode: the change from sim to live")

    while not (cycles := daemon.sql(
        "SELECT DISTINCT config_hash FROM ai_decisions WHERE config_hash <> "
        "(SELECT config_hash FROM config_versions ORDER BY at LIMIT 1)"
    )):  # fmt: skip
        daemon.until("cycles")
    versions = daemon.sql("SELECT config_hash FROM config_versions ORDER BY at, recorded_at")
    assert len(versions) >= 2
    assert set(cycles) <= set(versions)
    (wrong,) = daemon.sql(
        "SELECT count(*) FROM pending_trades WHERE config_hash <> "
        f"'{versions[0]}' AND qty * limit_price > 50"
    )
    assert wrong == "0"
    sources = daemon.sql(
        "SELECT count(*) FROM config_versions WHERE source LIKE '%base_order: -1%'"
    )
    assert sources == ["0"]
    daemon.process.terminate()
    assert daemon.process.wait(timeout=30) == 0
