"""`simple-trader train`: by the daemon where one runs, else on the rows of the database."""

import asyncio
import json
import random
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from simple_trader.adapters.learner.checkpoint import fault_of
from simple_trader.adapters.store.recovery import Recovery
from simple_trader.cli import app
from simple_trader.domain.events import Event, OperatorTrain
from simple_trader.runtime.control import OperatorDesk
from simple_trader.telemetry.presence import present

AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
CYCLE = timedelta(seconds=900)
SNAPSHOT = """
INSERT INTO ai_snapshots
    (snapshot_id, cycle_id, pair, position, as_of, newest_event_at, mid, bid, ask, spread_bps,
     features, feature_times, balances, tradable, limits, probabilities, texts, config_hash, at)
VALUES ($1, $1, 'BTC/USD', 0, $2, $2, $3, $3, $3, 0.3, $4, '{}', '{}',
        true, '{}', '[]', '[]', 'h', $2)
"""
ASKED = """
INSERT INTO audit_log (actor, origin, action, object, before, after, result, at)
VALUES ('ada', 'cli', 'train', 'model', '', '', $1, $2)
"""


async def fill(dsn: str, count: int) -> None:
    """A market whose next move is told by one feature in nine of ten cases."""
    dice, mid, rows = random.Random(7), Decimal(50_000), []
    for number in range(count):
        rises = dice.random() < 0.5
        says = rises if dice.random() < 0.9 else not rises
        features = json.dumps({"roc_1_pct": 1.0 if says else -1.0, "rsi_14": None, "price": 1.0})
        rows.append((f"s{number}", AT + number * CYCLE, mid, features))
        mid += 10 if rises else -10
    connection = await asyncpg.connect(dsn)
    await connection.executemany(SNAPSHOT, rows)
    await connection.close()


async def train(
    dsn: str, state: Path, monkeypatch: pytest.MonkeyPatch, config: Path | None = None
) -> Any:
    monkeypatch.setenv("POSTGRES_DSN", dsn)
    arguments = ["train", "--state-dir", str(state)]
    if config is not None:
        arguments += ["--config", str(config)]
    return await asyncio.to_thread(CliRunner().invoke, app, arguments)


async def test_without_a_daemon_the_model_is_kept_for_the_next_start(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(database, 300)
    result = await train(database, tmp_path, monkeypatch)
    assert result.exit_code == 0, result.output
    assert "trained on 299 rows" in result.output
    assert "brier_skill_9000s" in result.output
    assert re.search(r"^  leaked_rows: 0$", result.output, re.MULTILINE)
    assert re.search(r"^  scored_rows: [1-9][0-9]+$", result.output, re.MULTILINE)
    assert re.search(r"^  brier: 0[.][0-9]{4}$", result.output, re.MULTILINE)
    recovered = await Recovery(database, boot_seconds=1, fault_of_model=fault_of).recover()
    assert recovered.model is not None
    assert recovered.learned.model_id in result.output
    assert recovered.last_training_at == AT + 299 * CYCLE


async def test_too_little_history_makes_no_model_and_says_why(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = await train(database, tmp_path, monkeypatch)
    assert (empty.exit_code, "too_few_rows" in empty.output) == (1, True)
    await fill(database, 20)
    result = await train(database, tmp_path, monkeypatch)
    assert (result.exit_code, "50 are needed" in result.output) == (1, True)


async def test_a_model_that_no_start_would_use_is_not_made(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(database, 300)
    config = tmp_path / "config.yaml"
    config.write_text("enable_model: false\n")
    result = await train(database, tmp_path, monkeypatch, config)
    assert result.exit_code == 1
    assert result.output == (
        "No new model: enable_model is false, so no start would use it. "
        f"Set it to true in {config}, then run train again.\n"
    )
    assert (
        await Recovery(database, boot_seconds=1, fault_of_model=fault_of).recover()
    ).model is None


@pytest.mark.parametrize(
    ("result", "code"),
    [("trained: logreg-1 on 300 rows", 0), ("refused: enable_model is false", 1)],
)
async def test_a_running_daemon_is_asked_and_what_came_of_it_is_said(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, result: str, code: int
) -> None:
    taken: list[Event] = []
    connection = await asyncpg.connect(database)
    await connection.execute(ASKED, "trained: an older one", AT)
    with present(tmp_path):
        async with asyncio.TaskGroup() as group:
            desk = group.create_task(OperatorDesk(tmp_path / "control", taken.append).run())
            run = group.create_task(train(database, tmp_path, monkeypatch))
            async with asyncio.timeout(30):
                while not taken:
                    await asyncio.sleep(0.01)
            await connection.execute(ASKED, result, AT)
            said = await run
            desk.cancel()
    await connection.close()
    (event,) = taken
    assert isinstance(event, OperatorTrain)
    assert said.exit_code == code
    assert said.output == f"The daemon's training was {result}.\n"
