"""What was asked can be made again from stored rows and texts alone, byte for byte (I-43)."""

import asyncio
import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from store_parts import AT, LIMITS
from store_story import batches, running
from typer.testing import CliRunner

from simple_trader.adapters.llm.assets import LlmAssets
from simple_trader.adapters.llm.prompts import render
from simple_trader.adapters.llm.rendered_again import assets_by_hash
from simple_trader.adapters.store.stored_snapshots import snapshots_of_cycle
from simple_trader.app.prompting import Voice, stored_prompt
from simple_trader.cli import app
from simple_trader.core.strategy.aggregator import question_about
from simple_trader.core.strategy.features import NAMES
from simple_trader.domain.actions import Question
from simple_trader.domain.predictions import HorizonView
from simple_trader.domain.records import ConfigRow, SnapshotRow
from simple_trader.domain.shown import OutsideText

ROOT = Path(__file__).resolve().parents[2]
TEXTS = {
    "templates/prompts/aggregator.mustache": (
        ROOT / "templates/prompts/aggregator.mustache"
    ).read_text(),
    "tools/aggregator_function.json": (ROOT / "tools/aggregator_function.json").read_text(),
}
ASSETS = LlmAssets.from_texts(*TEXTS.values())
# Figures that a database might not give back as they went in.
AWKWARD = (
    0.1 + 0.2, -0.0, 0.0, 1e-9, -1.5e-7, 1e16, 123456789.123456789, 5e-324, 1.7976931348623157e308,
    -1 / 3, 2.0, 100.0, 1e22, 3.0000000000000004, None,
)  # fmt: skip


def shown(pair: str, position: int, offset: int) -> SnapshotRow:
    """A snapshot with every feature, none of which has an easy figure."""
    features = {
        name: AWKWARD[(number + offset) % len(AWKWARD)] for number, name in enumerate(NAMES)
    }
    return SnapshotRow(
        snapshot_id=f"s{position}",
        cycle_id="c1",
        pair=pair,
        position=position,
        as_of=AT,
        newest_event_at=AT,
        mid=Decimal("60000.050"),
        bid=Decimal("6.0E+4"),
        ask=Decimal("60000.10"),
        spread_bps=0.1 + 0.7,
        features=features,
        feature_times={"2013-10-06T21:30:00.000000Z": tuple(NAMES)},
        balances={"cash": "0.333333", pair: "0.100000"},
        unrealised_pct=-0.0,
        tradable=position == 0,
        cost_pct=Decimal("0.80200000000000000000012") if position == 0 else None,
        limits=LIMITS,
        probabilities=(
            HorizonView(horizon_s=900, probability=0.1 + 0.2, scored=7),
            HorizonView(horizon_s=1800, probability=1 / 3, skill=-0.0, scored=1200),
            HorizonView(horizon_s=2700, quarantined=True),
        ),
        texts=(OutsideText(source="news", text='"``` \\u0000 é \U0001f600 {{x}} \ufffd\n\t</s>'),),
        config_hash="h",
    )


CHANGE = "UPDATE ai_snapshots SET {} WHERE position = 0"
PUT_BACK = "DELETE FROM ai_snapshots; INSERT INTO ai_snapshots SELECT * FROM kept"
ROWS = (shown("ZEC/USD", 0, 0), shown("BTC/USD", 1, 5))


def asked() -> str:
    """The prompt as it went out, made of what was in memory."""
    question = Question(
        question_id="q1", kind="advice", subject="cycle", asked_at=AT, deadline_s=60,
        config_hash="h",
    )  # fmt: skip
    return render(ASSETS, question_about(question, ROWS)).text


@pytest.fixture
async def filled(database: str) -> str:
    """A cycle whose rows were written out of order, and the texts of its version."""
    config = ConfigRow(config_hash="h", at=AT, source="mode: sim\n", texts=TEXTS)
    async with running(database) as (lane, ticks, _):
        for batch in batches([(config, *ROWS[::-1])]):
            lane.put(batch)
        await ticks.reach(batch.seq)
        await lane.close()
    return database


async def voice(dsn: str) -> Voice:
    """How the version asked, from its row alone."""
    connection = await asyncpg.connect(dsn)
    found: Mapping[str, str] = json.loads(
        await connection.fetchval("SELECT texts FROM config_versions WHERE config_hash = 'h'")
    )
    await connection.close()
    return Voice(assets_by_hash(found)[ASSETS.template_hash], True)


async def test_i_43_the_prompt_is_made_of_stored_rows_alone_byte_for_byte(filled: str) -> None:
    rows = await snapshots_of_cycle(filled)
    assert [row.pair for row in rows] == ["ZEC/USD", "BTC/USD"]
    again = stored_prompt(rows, await voice(filled))
    assert again.prompt.encode() == asked().encode()
    assert again.template_hash == ASSETS.template_hash


async def test_i_43_any_change_of_a_stored_figure_shows_in_the_prompt(filled: str) -> None:
    how = await voice(filled)
    connection = await asyncpg.connect(filled)
    await connection.execute("CREATE TABLE kept AS SELECT * FROM ai_snapshots")
    for change in (
        "bid = bid + 0.1",
        "features = jsonb_set(features, '{rsi_14}', '51.25')",
        "balances = jsonb_set(balances, '{cash}', '\"0.333334\"')",
        "probabilities = jsonb_set(probabilities, '{0,probability}', '0.31')",
        "limits = jsonb_set(limits, '{min_confidence}', '0.71')",
        "texts = '[]'",
        "position = 5",
        "tradable = NOT tradable",
        "cost_pct = 0.9",
        "unrealised_pct = 4",
        "spread_bps = 9",
        "as_of = as_of + interval '1 second'",
    ):
        await connection.execute(CHANGE.format(change))
        rows = await snapshots_of_cycle(filled)
        assert stored_prompt(rows, how).prompt != asked(), change
        await connection.execute(PUT_BACK)
    rows = await snapshots_of_cycle(filled)
    assert stored_prompt(rows, how).prompt == asked()
    await connection.close()


async def test_i_42_the_database_refuses_a_snapshot_that_knows_of_later(filled: str) -> None:
    connection = await asyncpg.connect(filled)
    with pytest.raises(asyncpg.CheckViolationError, match="newest_event_at"):
        await connection.execute(
            "UPDATE ai_snapshots SET newest_event_at = as_of + interval '1 microsecond'"
        )
    await connection.close()


async def test_the_command_prints_the_stored_prompt_and_nothing_else_on_stdout(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def invoke(*words: str) -> Any:
        whole = ["prompt", *words, "--state-dir", str(tmp_path)]
        return await asyncio.to_thread(CliRunner().invoke, app, whole)

    monkeypatch.setenv("POSTGRES_DSN", filled)
    printed = await invoke("--stored")
    assert printed.exit_code == 0, printed.output
    assert printed.stdout == asked() + "\n"
    assert "the stored snapshots of cycle c1" in printed.stderr
    one = (await invoke("--pair", "btc/usd")).stdout  # no daemon runs
    assert "### BTC/USD" in one
    assert "ZEC/USD" not in one
    none = await invoke("--pair", "SOL/USD")
    assert "would not be asked about" in str(none.exception)
    assert msgspec.json.decode(one.rsplit("```json\n")[1].removesuffix("\n```\n"))["pairs"]
