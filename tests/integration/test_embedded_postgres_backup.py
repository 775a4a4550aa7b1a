"""Backups of the embedded PostgreSQL, and psql on it."""

import os
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from database_parts import execute

from simple_trader.adapters.store.embedded_postgres import EmbeddedPostgres
from simple_trader.adapters.store.postgres_backup import KEPT, nightly_backup
from simple_trader.domain.errors import StoreSetupError


async def test_psql_connects_without_the_password_in_its_arguments(
    postgres_server: EmbeddedPostgres,
) -> None:
    call = postgres_server.psql_command(["-Atc", "SELECT 6 * 7"])
    assert call.env["PGPASSWORD"] not in " ".join(call.argv)
    answer = subprocess.run(
        call.argv, env={"PATH": os.defpath, **call.env}, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "42"


async def test_a_dump_holds_everything_but_the_rows_of_the_market_tables(
    empty_database: str, postgres_server: EmbeddedPostgres, state_dir: Path
) -> None:
    await execute(
        empty_database,
        "CREATE TABLE trades (n int)",
        "INSERT INTO trades VALUES (1)",
        "CREATE TABLE price_history (day date) PARTITION BY RANGE (day)",
        "CREATE TABLE price_history_2022 PARTITION OF price_history"
        " FOR VALUES FROM ('2022-01-01') TO ('2023-01-01')",
        "INSERT INTO price_history VALUES ('2022-02-02')",
    )
    today = datetime(2026, 11, 21, 2, tzinfo=UTC)
    path = await nightly_backup(
        empty_database, state_dir / "backups", today, bin_dir=postgres_server.bin_dir
    )
    assert path is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    restore = [postgres_server.bin_dir / "pg_restore", "--file=-", path]
    text = subprocess.run(restore, capture_output=True, text=True, check=True).stdout
    assert "CREATE TABLE public.price_history_2022" in text
    assert "2022-02-02" not in text
    assert "COPY public.trades (n) FROM stdin;\n1\n" in text


async def test_one_backup_a_day_and_seven_of_them_are_kept(
    empty_database: str, postgres_server: EmbeddedPostgres, state_dir: Path
) -> None:
    backups = state_dir / "backups"
    backups.mkdir(parents=True)
    first = datetime(2026, 11, 1, tzinfo=UTC)
    for day in range(8):
        (backups / f"simple_trader-{first + timedelta(days=day):%Y-%m-%d}.dump").touch()
    now = first + timedelta(days=8)
    made = await nightly_backup(empty_database, backups, now, bin_dir=postgres_server.bin_dir)
    assert made == backups / "simple_trader-2026-11-09.dump"
    assert await nightly_backup(empty_database, backups, now) is None
    kept = sorted(path.name for path in backups.iterdir())
    assert len(kept) == KEPT
    assert kept[0] == "simple_trader-2026-11-03.dump"


async def test_a_backup_of_a_database_that_is_gone_says_so_and_leaves_no_file(
    postgres_server: EmbeddedPostgres, state_dir: Path
) -> None:
    gone = postgres_server.dsn.replace("@/simple_trader?", "@/nowhere?")
    with pytest.raises(StoreSetupError, match="no backup was written"):
        await nightly_backup(gone, state_dir / "backups", datetime(2026, 1, 1, tzinfo=UTC))
    assert not list(state_dir.glob("backups/*"))
