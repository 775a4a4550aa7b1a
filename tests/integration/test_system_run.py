"""A user starts the daemon, watches it trade, stops it and starts it again."""

import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import books
import pytest
import system
from system import BUSY, Daemon, Place

pytestmark = [pytest.mark.system, pytest.mark.timeout(150)]

ROOT = Path(__file__).resolve().parents[2]
MOMENTS = (
    "SELECT max(at) AS at, max(epoch) AS epoch FROM engine_journal",
    "SELECT cl_ord_id FROM pending_trades",
    "SELECT identity FROM world",
    "SELECT lot_id, left_qty FROM holding_lots WHERE left_qty > 0 AND NOT deleted ORDER BY lot_id",
    "SELECT last_seq, first_seq, at, at_to FROM engine_journal ORDER BY last_seq",
)


@pytest.fixture
def where() -> Iterator[Place]:
    with system.place() as found:
        yield found


def test_a_fresh_run_fills_within_a_minute_and_ends_cleanly_and_goes_on(where: Place) -> None:
    with Daemon(where) as first:
        first.ready()
        began = time.monotonic()
        first.wait_for("Filled ", 60)
        assert time.monotonic() - began < 60
        url = first.wait_for("health: ", 5).split("health: ")[1]
        with urllib.request.urlopen(url, timeout=5) as answer:
            health = json.load(answer)
        assert health["ready"] is True
        assert health["trading_state"] == "RUN"
        asks = system.command(
            where, "-m", "simple_trader", "prompt", "--pair", "BTC/USD",
            "--state-dir", str(where.state), "--config", str(where.config),
            env={"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert asks.returncode == 0, asks.stderr
        assert "nothing was sent" in asks.stderr
        assert "### BTC/USD\nMid price " in asks.stdout
        assert "### ETH/USD" not in asks.stdout
        asked = time.monotonic()
        assert first.stop(signal.SIGINT) == 0
        assert time.monotonic() - asked < system.PROMISED_STOP_S
    assert "Traceback" not in first.text
    assert "ERROR" not in first.text
    assert system.postmaster_of(where) is None, "the embedded server outlived the daemon"
    before = books.compare(where)
    assert before.differences == []
    assert before.fills >= 1
    lines_before = system.rows(where, *MOMENTS)
    (seen,) = system.select(where, "SELECT max(ts) AS at, count(*) FROM price_history")
    assert seen["at"] <= lines_before[4][-1]["at_to"], "a price was stored that no journal tells"

    with Daemon(where) as second:
        second.ready()
        since = len(second.lines)
        second.wait_for(r"cycles \| last: .* at ", 60, since=since)
        assert second.stop(signal.SIGTERM) == 0
    assert "Traceback" not in second.text
    after = books.compare(where)
    assert after.differences == []
    lines_after = system.rows(where, *MOMENTS)
    assert lines_after[2] == lines_before[2], "the world changed"
    assert lines_after[0][0]["epoch"] > lines_before[0][0]["epoch"]
    assert lines_after[0][0]["at"] > lines_before[0][0]["at"]
    old_ids = {row["cl_ord_id"] for row in lines_before[1]}
    assert old_ids <= {row["cl_ord_id"] for row in lines_after[1]}
    assert {row["lot_id"] for row in lines_before[3]} <= {
        row["lot_id"] for row in system.select(where, "SELECT lot_id FROM holding_lots")
    }
    steps = lines_after[4]
    for one, other in pairwise(steps):
        assert other["first_seq"] == one["last_seq"] + 1
        assert other["at"] >= one["at_to"], "market time went back"


def test_the_sandbox_command_serves_what_the_daemon_left_behind(where: Place) -> None:
    where.configure(**BUSY)
    with Daemon(where, "--speed", "120", "--for", "6s") as daemon:
        daemon.ready()
        assert daemon.wait(60) == 0
    daemon.wait_for(r"reached \d+\.\d times real time \(speed asked: 120\)", 0)
    kept = system.truth(where)
    port = system.free_port()
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "simple_trader",
            "sandbox",
            "--state",
            str(where.state / "sandbox"),
            "--port",
            str(port),
        ],
        cwd=system.ROOT,
        env=system.environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        told = [system.fetch(f"http://127.0.0.1:{port}/sandbox/truth", within_s=20)]
        time.sleep(1)  # a frozen market must not move in real time
        told.append(system.fetch(f"http://127.0.0.1:{port}/sandbox/truth", within_s=5))
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(10) == 0
    assert told[0] == told[1], "a frozen exchange moved"
    for name in ("orders", "trades", "balances", "ledger"):
        assert told[0][name] == kept[name]
    assert books.compare(where).differences == []


def test_market_time_asked_for_ends_the_run_at_that_moment(where: Place) -> None:
    where.configure(enable_model=False)
    with Daemon(where, "--speed", "max", "--for-market", "30m") as daemon:
        daemon.ready()
        assert daemon.wait(60) == 0
    begun, ended = (
        system.select(where, f"SELECT {f}(at) AS at FROM engine_journal")[0]["at"]
        for f in ("min", "max")
    )
    assert timedelta(minutes=30) <= ended - begun < timedelta(minutes=31)
