"""Replay on a real Postgres: recorded days come again byte for byte, one flipped bit is named."""

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from click.testing import Result
from recorded_days import DAY_1, DAY_2, next_life, two_days
from typer.testing import CliRunner

from simple_trader import cli
from simple_trader.adapters.store.fresh import set_aside
from simple_trader.adapters.store.retention import cleanup
from simple_trader.app.replaying import Report, Wanted, replay
from simple_trader.core.strategy import ai_strategy
from simple_trader.domain.errors import InvariantBroken, ReplayImpossible

NIGHT = DAY_1 - timedelta(days=1)


@pytest.fixture(scope="module")
def days(recorded: str) -> str:
    """Two lives of two days, written once; tests that change something copy them."""
    first = two_days()
    asyncio.run(first.write(recorded, boot_seconds=1))
    asyncio.run(next_life(first).write(recorded, boot_seconds=1))
    return recorded


def again(dsn: str, **wanted: Any) -> Report:
    """A replay."""
    return asyncio.run(replay(dsn, Wanted(**wanted)))


def run(dsn: str, *statements: str) -> None:
    """Change rows as no program of ours can: without triggers."""

    async def work() -> None:
        connection = await asyncpg.connect(dsn)
        try:
            await connection.execute("SET session_replication_role = replica")
            for statement in statements:
                assert await connection.execute(statement) != "UPDATE 0", statement
        finally:
            await connection.close()

    asyncio.run(work())


def value(dsn: str, query: str) -> Any:
    """One value."""

    async def work() -> Any:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(work())


def said(report: Report) -> str:
    """All that was found, for people."""
    return "\n".join([report.damage, *map(str, report.found), *report.notes])


# ------------------------------------------------------------------------------- the same again


def test_i_43_two_lives_over_midnight_and_a_change_of_configuration_come_again(days: str) -> None:
    report = again(days)
    assert said(report) == ""
    assert report.lives == 2
    assert report.prompts == 5
    assert report.states >= 4  # two starts, a midnight, a change of configuration
    rows = report.counted.rows
    assert rows["ai_decisions"] == value(days, "SELECT count(*) FROM ai_decisions") >= 10
    assert rows["pending_trades"] == value(days, "SELECT count(*) FROM pending_trades") == 3
    assert rows["trades"] == 3
    assert report.events == value(days, "SELECT last_seq FROM writer_epoch")


def test_i_43_a_day_is_replayed_from_the_state_before_its_midnight(days: str) -> None:
    report = again(days, day=DAY_2)
    assert report.damage == ""
    assert report.found == []
    assert report.led_up == 0
    assert report.lives == 1
    count = f"SELECT count(*) FROM ai_decisions WHERE at >= '{DAY_2}'"
    assert report.counted.rows["ai_decisions"] == value(days, count) > 0


@pytest.mark.parametrize(
    "query",
    [
        "SELECT min(decision_id) FROM ai_decisions WHERE verdict = 'approved'",
        "SELECT max(cycle_id) FROM ai_decisions",
        "SELECT min(cl_ord_id) FROM pending_trades",
        "SELECT max(order_id) FROM pending_trades",
        "SELECT min(call_id) FROM llm_calls",
    ],
)
def test_i_43_one_decision_cycle_order_or_call_is_replayed_by_its_id(days: str, query: str) -> None:
    report = again(days, name=value(days, query))
    assert report.found == []
    assert report.damage == ""
    assert report.counted.rows["ai_decisions"] == len(report.decided) == 2
    assert report.prompts == 1


def test_what_is_not_there_is_said_in_one_sentence(days: str) -> None:
    with pytest.raises(ReplayImpossible, match="there is no decision, cycle, call or order d-0"):
        again(days, name="d-0")
    with pytest.raises(ReplayImpossible, match=f"nothing was recorded at {NIGHT}"):
        again(days, day=NIGHT)


def test_an_empty_journal_is_said_in_one_sentence(database: str) -> None:
    with pytest.raises(ReplayImpossible, match="no daemon has run"):
        again(database)


# ------------------------------------------------------------------------- what was changed is told

# What is done to the rows, and what replay must say about it.
CHANGES = {
    "UPDATE ai_decisions SET confidence = confidence - 0.0000000001 WHERE verdict = 'approved'": (
        "confidence: recorded '0.8999999999', replayed '0.9'"
    ),
    "UPDATE ai_decisions SET verdict = 'refused' WHERE verdict = 'approved'": (
        "verdict: recorded 'refused', replayed 'approved'"
    ),
    "UPDATE llm_calls SET prompt = overlay(prompt placing '~' from 701)": (
        "prompt: recorded at character 700: "
    ),
    "UPDATE llm_calls SET reply = replace(reply, 'because', 'becavse')": "reply: recorded at char",
    "UPDATE pending_trades SET stp = 'cancel_both'": "stp: recorded 'cancel_both'",
    "UPDATE pending_trades SET state_reason = 'x'": "state_reason: recorded 'x'",
    "UPDATE trades SET price = (price::text || '0')::numeric WHERE price::text LIKE '%.%'": (
        "price: recorded '50100.50', replayed '50100.5'"
    ),
    "UPDATE trades SET fees = '[]'": "fees: recorded '[]'",
    "UPDATE ai_snapshots SET features = features || 'FORGED'": "features: recorded",
    "UPDATE config_versions SET texts = replace(texts::text, 'Think twice', 'Think')::jsonb": (
        "texts: recorded"
    ),
    "UPDATE audit_log SET result = 'nothing' WHERE action = 'stop'": "result: recorded 'nothing'",
    "DELETE FROM audit_log WHERE action = 'config'": "audit_log before",
    "INSERT INTO ai_decisions SELECT (jsonb_populate_record(d, 'FORGED')).* "
    "FROM ai_decisions AS d LIMIT 1": "ai_decisions d0: row: recorded 'a row', replayed None",
    "DELETE FROM llm_calls WHERE call_id = (SELECT max(call_id) FROM llm_calls)": (
        "row: recorded None, replayed 'a row'"
    ),
}
FORGED = '{"decision_id": "d0", "cycle_id": "c0", "rsi": 0.123}'


def test_i_43_every_change_of_a_row_is_named(days: str, copy_of: Callable[[str], str]) -> None:
    changed = copy_of(days)
    run(changed, *(statement.replace("FORGED", FORGED) for statement in CHANGES))
    report = again(changed)
    missing = [told for told in CHANGES.values() if told not in said(report)]
    assert missing == [], said(report)
    assert "prompt of question" in said(report)  # a template that was changed renders nothing


@pytest.mark.parametrize("statement", list(CHANGES)[:1])
def test_i_43_one_change_alone_is_the_only_difference(
    days: str, copy_of: Callable[[str], str], statement: str
) -> None:
    changed = copy_of(days)
    run(changed, statement)
    found = again(changed).found
    assert {(one.where.split()[0], one.field) for one in found} == {("ai_decisions", "confidence")}
    assert len(found) == 3


def test_templates_that_cannot_be_read_are_a_difference_and_no_crash(
    days: str, copy_of: Callable[[str], str]
) -> None:
    changed = copy_of(days)
    run(changed, "UPDATE config_versions SET texts = texts || '{\"zz\": 1}'")
    report = again(changed, name=value(changed, "SELECT min(call_id) FROM llm_calls"))
    assert report.damage == ""
    found = {(one.where.split()[0], one.field) for one in report.found}
    assert found == {("prompt", "templates"), ("config_versions", "texts")}


FLIP = "UPDATE {0} SET {1} = set_bit({1}, {2}, 1 - get_bit({1}, {2})) WHERE {3}"


def test_i_52_one_flipped_bit_of_the_journal_breaks_its_chain(
    days: str, copy_of: Callable[[str], str]
) -> None:
    flipped = copy_of(days)
    for column in ("payload", "hash", "prev_hash"):
        for bit in (3, 77, 200):
            flip = FLIP.format("engine_journal", column, bit, "first_seq = 6")
            run(flipped, flip)
            report = again(flipped)
            run(flipped, flip)
            assert re.match(r"events \d+ to \d+ of engine_journal", report.damage), (column, bit)
    assert again(flipped).damage == ""


def test_i_43_one_flipped_bit_of_a_kept_state_is_named(
    days: str, copy_of: Callable[[str], str]
) -> None:
    flipped = copy_of(days)
    for why in ("start", "midnight", "config"):
        row = f"id = (SELECT min(id) FROM engine_snapshots WHERE why = '{why}')"
        for bit in (9, 5_000):
            flip = FLIP.format("engine_snapshots", "state", bit, row)
            run(flipped, flip)
            (one,) = again(flipped).found
            run(flipped, flip)
            assert one.where.startswith("state kept at event"), (why, bit)
            assert f"({why})" in one.where
    assert again(flipped).found == []


def test_a_kept_state_of_other_content_is_told_field_by_field(days: str) -> None:
    from simple_trader.app.replay_states import differing_states
    from simple_trader.core.engine import Engine

    desk = two_days()
    recorded = desk.engine.snapshot()
    other = Engine.restore(recorded)
    other.state.tally.fills += 1
    (one,) = differing_states("here", recorded, other.snapshot())
    assert (one.field, one.recorded, one.replayed) == ("tally.fills", "2", "3")


def test_a_journal_that_is_cut_off_at_its_end_is_told(
    days: str, copy_of: Callable[[str], str]
) -> None:
    cut = copy_of(days)
    run(cut, "DELETE FROM engine_journal WHERE at = (SELECT max(at) FROM engine_journal)")
    with pytest.raises(InvariantBroken) as cut_off:
        again(cut)
    assert "rows of engine_journal are missing, restore a backup" in str(cut_off.value)


def test_a_program_that_decides_otherwise_is_found_out(
    days: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = ai_strategy.order_value
    monkeypatch.setattr(ai_strategy, "order_value", lambda *given: honest(*given) * 2)
    report = again(days)
    fields = {(one.where.split()[0], one.field) for one in report.found}
    assert {("ai_decisions", "wanted_value"), ("pending_trades", "qty")} <= fields


# ------------------------------------------------------------------------- what is missing is said


def test_days_that_retention_dropped_are_said_and_the_rest_is_replayed(
    days: str, copy_of: Callable[[str], str]
) -> None:
    database = copy_of(days)
    assert asyncio.run(cleanup(database, {"engine_journal": 0}, dry_run=False))
    first_kept = "SELECT min(seq) >= (SELECT min(first_seq) - 1 FROM engine_journal)"
    assert value(database, f"{first_kept} FROM engine_snapshots")
    report = again(database)
    assert report.found == []
    assert report.damage == ""
    assert report.counted.rows["pending_trades"] == 2
    begin = value(database, "SELECT min(first_seq) FROM engine_journal")
    assert f"Retention has dropped the journal before event {begin}" in said(report)
    with pytest.raises(ReplayImpossible, match="dropped by retention: the journal begins at"):
        again(database, day=DAY_1)
    with pytest.raises(ReplayImpossible, match="dropped by retention"):
        again(database, name=value(database, "SELECT min(decision_id) FROM ai_decisions"))


def test_a_world_that_was_moved_aside_is_replayed_by_its_name(
    days: str, copy_of: Callable[[str], str]
) -> None:
    database = copy_of(days)
    name = asyncio.run(set_aside(database, "20260303"))
    report = again(database, world=name)
    assert said(report) == ""
    assert report.counted.rows["pending_trades"] == 3
    with pytest.raises(ReplayImpossible, match="no world world_x"):
        again(database, world="world_x")


# ------------------------------------------------------------------------------- as people see it


def command(dsn: str, folder: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    """The command line on this database."""
    monkeypatch.setenv("POSTGRES_DSN", dsn)
    return CliRunner().invoke(cli.app, ["replay", *words, "--state-dir", str(folder)])


def test_the_command_tells_what_it_compared_and_ends_with_1_when_something_differs(
    days: str, copy_of: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = command(days, tmp_path, monkeypatch, "--day", "all")
    assert done.exit_code == 0, done.output
    assert "every record is the same, byte for byte" in done.output
    decided = value(days, "SELECT count(*) FROM ai_decisions")
    assert f"compared   {decided} decisions, 3 orders, 5 calls" in done.output
    changed = copy_of(days)
    run(changed, "UPDATE ai_decisions SET detail = E'\\x1b[2J' WHERE verdict = 'approved'")
    done = command(changed, tmp_path, monkeypatch, "--day", str(DAY_1))
    assert done.exit_code == 1
    assert "\x1b" not in done.output
    assert re.search(
        r"^ai_decisions \S+: detail: recorded .*, replayed ", done.output, re.MULTILINE
    )
    assert "result     1 differences" in done.output


def test_the_command_wants_an_id_or_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for words in ((), ("d1", "--day", "all"), ("--day", "2026-13-01")):
        done = command("", tmp_path, monkeypatch, *words)
        assert done.exit_code == 2
        assert "2026-01-05" in done.output
