"""The schema: migrations are the tables, an upgrade is safe, the triggers hold."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from store_parts import AT, ROOM, decided, order
from store_story import batches, running, story

from simple_trader.adapters.store import db_manager
from simple_trader.adapters.store.schema_doc import render_schema
from simple_trader.adapters.store.tables import METADATA
from simple_trader.domain.errors import SchemaError, StoreSetupError, WorldMismatch
from simple_trader.domain.order_states import OrderState, may_become
from simple_trader.domain.records import IntentRow, OrderStateRow

ROOT = Path(__file__).resolve().parents[2]
ISSUE_TABLES = set(
    "world price_history order_book_metrics ai_snapshots ai_decisions llm_calls pending_trades "
    "executions trades holding_lots kraken_assets kraken_pairs kraken_balances "
    "kraken_balance_history kraken_orders kraken_trades kraken_ledgers risk_states rate_counters "
    "model_predictions model_snapshots engine_journal engine_snapshots config_versions "
    "audit_log decision_marks counterfactuals shadow_decisions".split()
)
SHAPES = (
    (
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace AND conrelid <> 0 "
        "AND conrelid <> coalesce(to_regclass('alembic_version'), 0)"
    ),
    (
        "SELECT tablename, indexname, indexdef FROM pg_indexes "
        "WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    ),
    (
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, "
        "a.attidentity::text, col_description(c.oid, a.attnum), obj_description(c.oid, 'pg_class') "
        "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') "
        "AND a.attnum > 0 "
        "AND c.relname <> 'alembic_version'"
    ),
    "SELECT partrelid::regclass::text, pg_get_partkeydef(partrelid) FROM pg_partitioned_table",
)

COMMENTS = """
SELECT c.relname, obj_description(c.oid, 'pg_class') AS relation, a.attname,
       col_description(c.oid, a.attnum) AS column
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind::text = ANY($1::text[])
  AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname, a.attnum
"""


async def shape(dsn: str) -> list[set[tuple[Any, ...]]]:
    connection = await asyncpg.connect(dsn)
    try:
        return [{tuple(row) for row in await connection.fetch(query)} for query in SHAPES]
    finally:
        await connection.close()


async def described(
    dsn: str, kinds: str = "rpv"
) -> tuple[dict[str, str | None], dict[tuple[str, str], str | None]]:
    """Comments of tables and views (no partitions), and of their columns in their order."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(COMMENTS, list(kinds))
    finally:
        await connection.close()
    relations = {row["relname"]: row["relation"] for row in rows}
    return relations, {(row["relname"], row["attname"]): row["column"] for row in rows}


async def on_engine(dsn: str, work: Callable[[Connection], Any]) -> Any:
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(dsn)
    )
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


async def test_the_migrations_give_exactly_the_described_tables(
    database: str, empty_database: str
) -> None:
    await on_engine(empty_database, METADATA.create_all)
    assert await shape(database) == await shape(empty_database)

    def differences(connection: Connection) -> Any:
        return compare_metadata(MigrationContext.configure(connection), METADATA)

    assert await on_engine(database, differences) == []


async def test_every_table_and_view_and_each_of_their_columns_has_a_comment(database: str) -> None:
    assert set(METADATA.tables) >= ISSUE_TABLES
    for table in METADATA.tables.values():
        assert table.comment, table.name
        assert all(column.comment for column in table.columns), table.name
    relations, columns = await described(database)
    assert {"v_decision_audit", "v_open_lots", "v_pnl_daily", "alembic_version"} <= set(relations)
    assert [name for name, comment in relations.items() if not comment] == []
    assert [name for name, comment in columns.items() if not comment] == []


async def test_the_schema_page_lists_each_view_with_the_comments_of_its_columns(
    database: str,
) -> None:
    relations, columns = await described(database, kinds="v")
    script = (ROOT / "migrations" / "sql" / "0001_views.sql").read_text(encoding="utf-8")
    assert len(relations) == script.count("CREATE VIEW ") > 8
    page = render_schema()
    for view, comment in relations.items():
        section = page.partition(f"## {view}\n")[2].partition("\n## ")[0]
        assert str(comment) in section
        mine = [(name, words) for (owner, name), words in columns.items() if owner == view]
        rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
        assert rows == [f"| {name} | {words} |" for name, words in mine]


def test_i_16_ledger_money_is_numeric_and_moments_have_a_zone() -> None:
    kinds = {
        str(column.type)
        for table in METADATA.tables.values()
        for column in table.columns
        if re.search(r"qty|price|cost|balance$|pnl|amount|^fee$|equity", column.name)
        and table.name not in {"price_history", "order_book_metrics", "market_trades"}
        and not column.name.endswith(("precision", "price_type"))
    }
    assert kinds == {"NUMERIC"}
    for table in METADATA.tables.values():
        for column in table.columns:
            if str(column.type) == "DATETIME":
                assert column.type.timezone, f"{table.name}.{column.name}"


def test_the_schema_page_is_current() -> None:
    page = (ROOT / "docs" / "reference" / "schema.md").read_text(encoding="utf-8")
    assert page == render_schema(), "run: make docs"


async def test_an_upgrade_can_be_done_twice(empty_database: str) -> None:
    with pytest.raises(SchemaError, match="db upgrade"):
        await db_manager.check_schema(empty_database)
    assert await db_manager.upgrade(empty_database) == db_manager.newest_revision()
    assert await db_manager.upgrade(empty_database) == db_manager.newest_revision()
    await db_manager.check_schema(empty_database)


async def test_a_newer_schema_refuses_in_one_sentence(database: str) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    await connection.close()
    for look in (db_manager.upgrade, db_manager.check_schema):
        with pytest.raises(SchemaError, match="newer than this program") as refusal:
            await look(database)
        assert "\n" not in str(refusal.value)


async def test_another_world_is_refused_and_names_the_way_out(database: str) -> None:
    ours = {"mode": "sim", "identity": "seed 1", "detail": "generated market, seed 1", "at": AT}
    assert await db_manager.read_world(database) is None
    first = await db_manager.check_world(database, **ours)
    assert await db_manager.check_world(database, **ours) == first
    with pytest.raises(WorldMismatch, match=r"--state-dir.*--fresh"):
        await db_manager.check_world(database, **(ours | {"identity": "seed 2"}))
    with pytest.raises(WorldMismatch, match="--state-dir") as refusal:
        await db_manager.check_world(database, **(ours | {"mode": "live"}))
    assert "--fresh" not in str(refusal.value)
    assert await db_manager.read_world(database) == first


async def test_a_connection_that_cannot_be_made_is_one_sentence(
    database: str, tmp_path: Path
) -> None:
    server = database.partition("@")[2]
    socket = server.partition("?")[2]
    name = server.partition("?")[0]
    cases = {
        f"postgresql://simple_trader:wrong@{server}": "refused the user or the password",
        database.replace(name, "/nowhere"): "there is no database",
        "postgresql://u:secret@127.0.0.1:1/db": "cannot be reached",
        f"postgresql://u:secret@/db?host={tmp_path}": "cannot be reached",
        "mysql://u:secret@h/db": "not understood",
        "postgresql://u:secret@h": "names no database",
        "postgresql://u:secret@h:many/db": "not understood",
    }
    assert socket
    for dsn, words in cases.items():
        with pytest.raises(StoreSetupError, match=words) as refusal:
            await db_manager.connect(dsn)
        assert "secret" not in str(refusal.value)
        assert "\n" not in str(refusal.value)
    other = database.replace("postgresql://", "postgresql+asyncpg://")
    connection = await db_manager.connect(other)
    await connection.close()


async def test_the_audit_log_only_grows(database: str) -> None:
    async with running(database) as (lane, ticks, recovered):
        for batch in batches(list(story(1, recovered.epoch))):
            lane.put(batch)
        await ticks.reach(batch.seq)
    connection = await asyncpg.connect(database)
    for change in (
        "UPDATE audit_log SET actor = 'nobody'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
    ):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="append-only"):
            await connection.execute(change)
    assert await connection.fetchval("SELECT count(*) FROM audit_log") == 1
    await connection.close()


async def test_i_39_a_cycle_takes_one_answered_decision_of_a_pair(database: str) -> None:
    async with running(database) as (lane, ticks, _):
        for batch in batches([(decided(1),)]):
            lane.put(batch)
        await ticks.reach(1)
    connection = await asyncpg.connect(database)
    columns = await connection.fetchval(
        "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns "
        "WHERE table_name = 'ai_decisions' AND column_name NOT IN ('decision_id', 'call_id')"
    )
    again = (
        f"INSERT INTO ai_decisions (decision_id, call_id, {columns}) "
        f"SELECT $1, $2, {columns} FROM ai_decisions WHERE decision_id = 'd1'"
    )
    with pytest.raises(asyncpg.UniqueViolationError, match="uq_ai_decisions_advised_once"):
        await connection.execute(again, "d1-again", "q1")
    await connection.execute(again, "d1-exit", None)  # what nobody answered is no second decision
    await connection.close()


async def test_i_03_i_06_i_07_an_order_never_becomes_sendable_again(database: str) -> None:
    """And that what was approved stays as it was approved."""
    async with running(database) as (lane, ticks, recovered):
        unknown = OrderStateRow(order=order(1, OrderState.UNKNOWN))
        whole = order(2).request.qty
        filled = OrderStateRow(order=order(2, OrderState.FILLED, filled_qty=whole))
        parts = [
            (IntentRow(order=order(n), epoch=recovered.epoch, cap_asset=ROOM, cap_total=ROOM),)
            for n in (1, 2)
        ]
        for batch in batches([*parts, (unknown, filled)]):
            lane.put(batch)
        await ticks.reach(3)
    connection = await asyncpg.connect(database)
    changes = (
        ("UPDATE pending_trades SET state = 'DISPATCHING' WHERE cl_ord_id = 'stx-1'", "I-03"),
        ("UPDATE pending_trades SET state = 'DISPATCHING' WHERE cl_ord_id = 'stx-2'", "I-03"),
        ("UPDATE pending_trades SET state = 'OPEN' WHERE cl_ord_id = 'stx-2'", "I-06"),
        ("UPDATE pending_trades SET qty = 5 WHERE cl_ord_id = 'stx-1'", "never change"),
        ("DELETE FROM pending_trades", "append-only"),
        ("UPDATE pending_trades SET filled_qty = 5 WHERE cl_ord_id = 'stx-1'", "at_most"),
        ("UPDATE pending_trades SET filled_qty = 'NaN' WHERE cl_ord_id = 'stx-1'", "filled_qty"),
        ("UPDATE pending_trades SET state = 'MAYBE' WHERE cl_ord_id = 'stx-1'", "become MAYBE"),
        ("UPDATE pending_trades SET state = 'FILLED' WHERE cl_ord_id = 'stx-1'", "when_complete"),
        ("UPDATE pending_trades SET filled_qty = 0 WHERE cl_ord_id = 'stx-2'", "never taken back"),
        ("UPDATE pending_trades SET deadline = now() WHERE cl_ord_id = 'stx-1'", "never change"),
    )
    for change, words in changes:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError, match=words):
            await connection.execute(change)
    await connection.execute("UPDATE pending_trades SET state = 'OPEN' WHERE cl_ord_id = 'stx-1'")
    await connection.close()


async def test_i_03_i_06_the_database_allows_exactly_the_moves_of_the_table(
    database: str,
) -> None:
    """Every cell of domain/order_states.py, by the trigger that guards the rows."""
    numbers = {state: number for number, state in enumerate(OrderState, start=1)}
    async with running(database) as (lane, ticks, recovered):
        rows = []
        for state, number in numbers.items():
            whole = order(number).request.qty
            made = order(number, state, filled_qty=whole)
            rows.append(
                IntentRow(order=made, epoch=recovered.epoch, cap_asset=ROOM, cap_total=ROOM)
            )
        for batch in batches([tuple(rows)]):
            lane.put(batch)
        await ticks.reach(1)
    connection = await asyncpg.connect(database)
    allowed: dict[tuple[OrderState, OrderState], bool] = {}
    said: set[str] = set()
    for old, number in numbers.items():
        for new in OrderState:
            move = connection.transaction()
            await move.start()
            try:
                await connection.execute(
                    "UPDATE pending_trades SET state = $1 WHERE cl_ord_id = $2",
                    new,
                    f"stx-{number}",
                )
                allowed[old, new] = True
            except asyncpg.IntegrityConstraintViolationError as error:
                said.add(str(error))
                allowed[old, new] = False
            finally:
                await move.rollback()
    await connection.close()
    assert all("I-0" in text for text in said)
    assert allowed == {(a, b): may_become(a, b) for a in OrderState for b in OrderState}
