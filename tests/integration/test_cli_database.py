"""The commands that read the database, on a real one."""

import asyncio
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from simple_trader.adapters.store.facts import open_lots, pnl_days, read_facts
from simple_trader.cli import app
from simple_trader.domain.errors import ConfigError, TraderError
from simple_trader.telemetry.presence import DaemonInfo, present

ROOT = Path(__file__).resolve().parents[2]
AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)

ROWS = """
INSERT INTO world (mode, identity, detail, at) VALUES ('sim', 'seed 1', 'generated, seed 1', $1)
"""
SNAPSHOT = """
INSERT INTO ai_snapshots
    (snapshot_id, cycle_id, pair, position, as_of, newest_event_at, mid, bid, ask, spread_bps,
     features, feature_times, balances, tradable, limits, probabilities, texts, config_hash, at)
VALUES ('s1', 'c1', 'BTC/USD', 0, $1, $1, 64000, 63999, 64001, 0.3, '{"rsi_14": 55.5}', '{}', '{}',
        true, '{}', '[]', '[]', 'h', $1)
"""
DECISION = """
INSERT INTO ai_decisions
    (decision_id, cycle_id, pair, snapshot_id, decided_at, action, confidence, risk_level,
     rationale, verdict, reason, detail, config_hash, at)
VALUES ('d1', 'c1', 'BTC/USD', 's1', $1, 'hold', 0.5, 'low', E'first line\\nsecond \\x1b[2Jline',
        'hold', 'advised_hold', '', 'h', $1)
"""
LOT = """
INSERT INTO holding_lots
    (lot_id, owner, pair, base, quote, opened_exec_id, opened_at, qty, left_qty, price, cost,
     realised_pnl, at)
VALUES ('lot-E1', 'ai', 'BTC/USD', 'BTC', 'USD', 'E1', $1, 0.02, 0.01, 64000, 1285.12, 0, $1)
"""
PRICE = """
INSERT INTO price_history (pair, ts, last, bid, ask, volume, vwap)
VALUES ('BTC/USD', $1, 64999.9, 64998.5, 65000.5, 1, 64000)
"""


@pytest.fixture
async def filled(database: str) -> str:
    """A migrated database with one decision in it."""
    connection = await asyncpg.connect(database)
    for statement in (ROWS, SNAPSHOT, DECISION):
        await connection.execute(statement, AT)
    await connection.close()
    return database


async def invoke(dsn: str, state: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
    monkeypatch.setenv("POSTGRES_DSN", dsn)
    whole = [*arguments, "--state-dir", str(state)]
    return await asyncio.to_thread(CliRunner().invoke, app, whole)


async def test_the_facts_are_read_in_one_look(filled: str) -> None:
    facts = await read_facts(filled)
    assert facts.world_mode == "sim"
    assert facts.decisions == 1
    assert facts.snapshots == 1
    assert facts.newest_decision == AT
    assert facts.newest_price is None
    assert facts.realised_pnl == "0"
    assert abs((facts.database_now - datetime.now(UTC)).total_seconds()) < 60


async def test_the_lists_are_read(filled: str) -> None:
    assert await pnl_days(filled, 10) == []
    assert await open_lots(filled) == []


async def test_status_decisions_and_pnl_say_what_is_there(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = await invoke(filled, tmp_path, monkeypatch, "status")
    assert status.exit_code == 0, status.output
    assert "generated, seed 1" in status.output
    assert "none runs on" in status.output
    listed = await invoke(filled, tmp_path, monkeypatch, "decisions")
    assert "advised_hold" in listed.output
    one = await invoke(filled, tmp_path, monkeypatch, "decisions", "d1")
    assert "second \\x1b[2Jline" in one.output
    assert "\x1b" not in one.output
    pnl = await invoke(filled, tmp_path, monkeypatch, "pnl")
    assert "No trade yet." in pnl.output
    unknown = await invoke(filled, tmp_path, monkeypatch, "decisions", "d2")
    assert isinstance(unknown.exception, TraderError)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("mode: demo\n", "line 1: mode"),
        ("mode: [\n", "this is not YAML"),
        ("templates_dir: gone\n", "templates_dir names"),
        ("mode: live\nno_such_key: 1\n", "no_such_key is no key of this file"),
    ],
)
async def test_status_and_the_lists_need_no_valid_config(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, fault: str
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(text)
    chosen = ("--config", str(config))
    status = await invoke(filled, tmp_path, monkeypatch, "status", *chosen)
    assert status.exit_code == 0, status.exception
    (line,) = [line for line in status.output.splitlines() if line.startswith("config ")]
    assert fault in line
    assert line.endswith("It is invalid: no daemon starts with it.")
    assert "generated, seed 1" in status.output
    assert "last training" in status.output
    with present(tmp_path) as presence:
        presence.announce(
            DaemonInfo(pid=1, mode="sim", world="w", health_url="http://127.0.0.1:1", log_dir="")
        )
        beside = await invoke(filled, tmp_path, monkeypatch, "status", *chosen)
    assert "It is invalid: the daemon keeps its old version." in beside.output
    listed = await invoke(filled, tmp_path, monkeypatch, "decisions", *chosen)
    assert "advised_hold" in listed.output, listed.exception
    dsn = await invoke(filled, tmp_path, monkeypatch, "db", "dsn", *chosen)
    assert dsn.exit_code == 0, dsn.exception


async def test_a_dsn_of_a_config_that_is_invalid_elsewhere_is_used(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("mode: demo\ndatabase:\n  dsn: postgresql://bob@127.0.0.1:1/elsewhere\n")
    found = await invoke("", tmp_path, monkeypatch, "db", "dsn", "--config", str(config))
    assert found.exit_code == 0, found.exception
    assert found.output == "postgresql://bob@127.0.0.1:1/elsewhere\n"
    config.write_text("mode: [\n")
    hidden = await invoke("", tmp_path, monkeypatch, "db", "dsn", "--config", str(config))
    assert isinstance(hidden.exception, ConfigError)  # no database is begun in a place unknown
    assert not (tmp_path / "postgres").exists()


@pytest.mark.parametrize("text", ["mode: [\n", "mode: live\n"])
async def test_the_embedded_database_that_was_begun_is_found_whatever_config_says_now(
    state_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("mode: sim\n")
    chosen = ("--config", str(config))
    begun = await invoke("", state_dir, monkeypatch, "db", "upgrade", *chosen)
    assert begun.exit_code == 0, begun.exception
    config.write_text(text)
    status = await invoke("", state_dir, monkeypatch, "status", *chosen)
    assert status.exit_code == 0, status.exception
    assert "0 open, 0 trades" in status.output


async def test_pnl_values_what_is_held_like_the_daemon_and_in_plain_figures(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = await asyncpg.connect(filled)
    await connection.execute(LOT, AT)
    await connection.execute("SELECT ensure_day_partition('price_history', $1)", AT.date())
    await connection.execute(PRICE, AT)
    await connection.close()
    (lot,) = await open_lots(filled)
    assert lot["unrealised_pnl"] == Decimal("64999.5") * Decimal("0.01") - Decimal("642.56")
    pnl = await invoke(filled, tmp_path, monkeypatch, "pnl")
    assert " 64999.5 " in pnl.output
    assert "7.435" in pnl.output
    assert "e+" not in pnl.output


async def test_doctor_looks_at_the_rows_and_names_a_fix(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("enable_public_feed: false\nstop_loss_percent: 0.3\n")
    found = await invoke(filled, tmp_path, monkeypatch, "doctor", "--config", str(config))
    assert found.exit_code == 0, found.output
    assert "WARN  enable_public_feed: is off" in found.output
    assert "WARN  stop_loss_percent: 0.3 percent is less than the fees" in found.output
    assert f"fix: raise stop_loss_percent in {config}" in found.output
    assert "price_history: no data: enable_public_feed is off" in found.output
    assert f"fix: set it to true in {config}" in found.output
    assert "ok    clock" in found.output


async def test_doctor_fails_with_the_sentence_when_the_database_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = "postgresql://nobody:canary-pw@127.0.0.1:1/none"
    found = await invoke(dsn, tmp_path, monkeypatch, "doctor")
    assert found.exit_code == 1
    assert "FAIL  database" in found.output
    assert "canary-pw" not in found.output


def test_db_psql_passes_its_arguments_and_exit_code_on_with_any_config(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTGRES_DSN", filled)

    broken = tmp_path / "config.yaml"
    broken.write_text("mode: [\n")

    def psql(query: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "simple_trader", "db", "psql"]
        options = ["--config", str(broken), "--state-dir", str(tmp_path)]
        options += ["--", "-X", "-At", "-v", "ON_ERROR_STOP=1"]
        return subprocess.run(
            [*command, *options, "-c", query],
            cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    good = psql("SELECT decision_id, pair FROM v_decision_audit")
    assert good.returncode == 0, good.stderr
    assert good.stdout == "d1|BTC/USD\n"
    bad = psql("SELECT nothing FROM nowhere")
    assert bad.returncode == 1
    assert "nowhere" in bad.stderr
    assert "Traceback" not in bad.stderr


async def test_db_dsn_upgrade_and_cleanup(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = await invoke(filled, tmp_path, monkeypatch, "db", "dsn")
    assert dsn.output.strip().startswith("postgresql://")
    upgraded = await invoke(filled, tmp_path, monkeypatch, "db", "upgrade")
    assert upgraded.exit_code == 0
    assert upgraded.output.startswith("schema: ")
    cleaned = await invoke(filled, tmp_path, monkeypatch, "db", "cleanup", "--dry-run")
    assert cleaned.exit_code == 0, cleaned.exception
    assert cleaned.output.endswith("partitions.\n")


async def test_db_backup_writes_a_dump_without_the_rows_of_the_market(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out.dump"
    done = await invoke(filled, tmp_path, monkeypatch, "db", "backup", str(target))
    assert done.exit_code == 0, done.exception
    assert target.read_bytes().startswith(b"PGDMP")
