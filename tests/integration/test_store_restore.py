"""Backup and restore: whole or not at all, examined before it counts, the old rows kept."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from database_parts import execute
from store_parts import AT
from store_story import batches, running, story
from typer.testing import CliRunner

from simple_trader.adapters.store import db_manager
from simple_trader.adapters.store.fresh import set_aside
from simple_trader.adapters.store.journal_reader import verify_journal
from simple_trader.adapters.store.lane_connection import AsyncpgLedgerConnection
from simple_trader.adapters.store.postgres_backup import dump_database
from simple_trader.adapters.store.postgres_restore import restore_database
from simple_trader.adapters.store.recovery import Recovery
from simple_trader.cli import app
from simple_trader.domain.errors import (
    InvariantBroken,
    LockHeld,
    SchemaError,
    StoreError,
    StoreSetupError,
    WorldMismatch,
)
from simple_trader.telemetry.presence import present

STAMP = "20261121_080000"
WORLD = {"mode": "sim", "identity": "seed 1", "detail": "generated market, seed 1", "at": AT}
LEDGER_TABLES = (
    "pending_trades executions trades holding_lots kraken_balances kraken_balance_history "
    "kraken_ledgers risk_states engine_journal ai_decisions llm_calls model_snapshots"
).split()


async def trade(dsn: str, cycles: int, *, first: int = 1) -> int:
    """Trade some cycles; the last event."""
    await db_manager.check_world(dsn, **WORLD)
    async with running(dsn, boot_seconds=1000) as (lane, ticks, recovered):
        parts = list(story(cycles, recovered.epoch, first=first))
        for batch in batches(parts, recovered.last_seq):
            lane.put(batch)
        await ticks.reach(batch.seq)
        await lane.close()
    return batch.seq


async def contents(dsn: str, schema: str = "public") -> dict[str, Any]:
    """The rows of the ledger's tables, as text, and where the sequences stand."""
    connection = await asyncpg.connect(dsn)
    try:
        found: dict[str, Any] = {}
        for table in LEDGER_TABLES:
            rows = await connection.fetch(f"SELECT t::text FROM {schema}.{table} AS t ORDER BY 1")
            found[table] = [row[0] for row in rows]
        return found
    finally:
        await connection.close()


async def schemas(dsn: str) -> set[str]:
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_|^info'")
    await connection.close()
    return {row[0] for row in rows}


async def test_d12_i_02_a_backup_comes_back_equal_and_what_was_there_is_kept(
    database: str, tmp_path: Path
) -> None:
    dump = tmp_path / "a.dump"
    last = await trade(database, 4)
    await dump_database(database, dump)
    before = await contents(database)
    await trade(database, 3, first=10)
    later = await contents(database)
    assert later != before
    epoch = (await Recovery(database, boot_seconds=9000).recover()).epoch
    done = await restore_database(database, dump, STAMP)
    assert (done.aside, done.last_seq, done.notes) == (f"world_{STAMP}", last, ())
    assert await contents(database) == before
    assert await contents(database, done.aside) == later
    assert await schemas(database) == {"public", done.aside}
    # I-02: the epoch goes on from the higher of the two, whatever the clock says then.
    assert done.epoch == epoch == 9000
    assert (await Recovery(database, boot_seconds=5).recover()).epoch == 9001
    assert (await verify_journal(database)).last_seq == last
    # It is a database like any other: the lane goes on where the backup ended.
    assert await trade(database, 2, first=10) > last
    await db_manager.check_schema(database)


async def test_a_backup_goes_into_an_empty_database_and_over_a_fresh_world(
    database: str, empty_database: str, tmp_path: Path
) -> None:
    dump = tmp_path / "a.dump"
    await trade(database, 2)
    await dump_database(database, dump)
    done = await restore_database(empty_database, dump, STAMP)
    assert done.aside is None
    assert await contents(empty_database) == await contents(database)
    assert await schemas(empty_database) == {"public"}
    # A dump that holds an older world that was set aside brings back the present one alone.
    await set_aside(database, "older")
    await db_manager.upgrade(database)
    await trade(database, 1)
    await dump_database(database, dump)
    before = await contents(database)
    await restore_database(database, dump, STAMP)
    assert await contents(database) == before
    assert await schemas(database) == {"public", "world_older", f"world_{STAMP}"}


async def test_d12_d10_a_restore_keeps_what_is_damaged_or_of_somebody_else(
    database: str, tmp_path: Path
) -> None:
    dump = tmp_path / "a.dump"
    await trade(database, 4)
    epoch = (await Recovery(database, boot_seconds=9000).recover()).epoch
    await dump_database(database, dump)
    before = await contents(database)
    await execute(database, "DROP TABLE world", "CREATE TABLE notes (words TEXT)")
    found = await restore_database(database, dump, STAMP)
    assert found.aside == f"world_{STAMP}"
    assert found.epoch >= epoch
    assert await contents(database, f"world_{STAMP}") == before == await contents(database)
    await execute(database, f"SELECT words FROM world_{STAMP}.notes")


def spoil_journal(dsn: str) -> Awaitable[None]:
    return execute(dsn, "UPDATE engine_journal SET hash = sha256(hash)")


def spoil_reason(dsn: str) -> Awaitable[None]:
    return execute(dsn, "UPDATE risk_states SET halt_reason = 'because'")


def lose_column(dsn: str) -> Awaitable[None]:
    return execute(dsn, "ALTER TABLE risk_states DROP COLUMN day_stopped")


def change_world(dsn: str) -> Awaitable[None]:
    return execute(dsn, "UPDATE world SET identity = 'seed 2'")


@pytest.mark.parametrize(
    ("spoil", "kind", "words"),
    [
        (spoil_journal, InvariantBroken, "hash"),
        (spoil_reason, InvariantBroken, "no valid RiskMemory"),
        (lose_column, SchemaError, "risk_states has no column day_stopped"),
        (change_world, WorldMismatch, "another world"),
    ],
)
async def test_d11_d10_a_backup_that_no_start_would_take_changes_nothing(
    databases: Callable[[], str],
    tmp_path: Path,
    spoil: Callable[[str], Awaitable[None]],
    kind: type[Exception],
    words: str,
) -> None:
    mine, other, dump = databases(), databases(), tmp_path / "a.dump"
    await trade(mine, 3)
    await trade(other, 2)
    await spoil(other)
    await dump_database(other, dump)
    before = await contents(mine)
    with pytest.raises(kind, match=words):
        await restore_database(mine, dump, STAMP)
    assert await contents(mine) == before
    assert await schemas(mine) == {"public"}


async def test_a_dump_that_is_cut_off_or_is_none_changes_nothing(
    database: str, tmp_path: Path
) -> None:
    dump = tmp_path / "a.dump"
    await trade(database, 3)
    await dump_database(database, dump)
    whole = dump.read_bytes()
    before = await contents(database)
    half = len(whole) // 2  # among the rows: the list of contents stands before and after them
    cuts = [whole[:size] for size in (0, 400, half)]
    for damaged in (*cuts, whole[:half] + b"not what was there" + whole[half + 18 :]):
        dump.write_bytes(damaged)
        with pytest.raises(StoreError, match="the database is as it was") as refusal:
            await restore_database(database, dump, STAMP)
        assert "\n" not in str(refusal.value)
        assert await contents(database) == before
        assert await schemas(database) == {"public"}
    with pytest.raises(StoreSetupError, match="there is no backup"):
        await restore_database(database, tmp_path / "gone", STAMP)


async def test_i_26_no_restore_and_no_fresh_start_while_a_daemon_trades(
    database: str, tmp_path: Path
) -> None:
    dump = tmp_path / "a.dump"
    await trade(database, 1)
    await dump_database(database, dump)
    daemon = AsyncpgLedgerConnection(database)
    await daemon.connect(None)
    for attempt in (restore_database(database, dump, STAMP), set_aside(database, STAMP)):
        with pytest.raises(LockHeld, match="stop it first"):
            await attempt
    await daemon.close()
    await restore_database(database, dump, STAMP)


async def test_a_restore_leaves_its_sequences_ahead_of_its_tables(
    databases: Callable[[], str], tmp_path: Path
) -> None:
    mine, other, dump = databases(), databases(), tmp_path / "a.dump"
    await trade(other, 3)
    await execute(other, "SELECT setval('executions_id_seq', 1, false)")
    await dump_database(other, dump)
    (note,) = (await restore_database(mine, dump, STAMP)).notes
    assert note.startswith("executions.id stood at 0, now at 2")
    await trade(mine, 1, first=20)


async def test_the_commands_say_what_they_did(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTGRES_DSN", database)
    dump = tmp_path / "a.dump"
    last = await trade(database, 2)

    async def run(*words: str) -> Any:
        whole = ["db", *words, "--state-dir", str(tmp_path)]
        return await asyncio.to_thread(CliRunner().invoke, app, whole)

    assert (await run("backup", str(dump))).exit_code == 0
    assert not list(tmp_path.glob("*.part"))
    assert dump.stat().st_mode & 0o777 == 0o600
    with present(tmp_path):
        beside = await run("restore", str(dump))
    assert isinstance(beside.exception, LockHeld)
    done = await run("restore", str(dump))
    assert done.exit_code == 0, done.exception
    assert f"2 fills, to event {last}." in done.output
    assert "kept as schema world_" in done.output
    assert "reads from the exchange what happened since" in done.output
