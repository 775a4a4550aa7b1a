"""A DSN becomes libpq's variables, and a pg_dump that is too old is not used."""

from pathlib import Path

import pytest

from simple_trader.adapters.store.postgres_tools import (
    client_environment,
    pg_dump_call,
    pg_restore_call,
    psql_call,
)
from simple_trader.domain.errors import StoreSetupError


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+asyncpg", "postgres"])
def test_every_part_of_a_dsn_reaches_libpq(scheme: str) -> None:
    dsn = f"{scheme}://me:p%40ss%2F@db.example:6543/trade%20r?sslmode=require"
    assert client_environment(dsn) == {
        "PGHOST": "db.example",
        "PGPORT": "6543",
        "PGUSER": "me",
        "PGPASSWORD": "p@ss/",
        "PGDATABASE": "trade r",
        "PGSSLMODE": "require",
    }


def test_a_socket_folder_is_a_host() -> None:
    found = client_environment("postgresql://me:pw@/db?host=/run/a%20b")
    assert found["PGHOST"] == "/run/a b"
    assert "PGPORT" not in found


@pytest.mark.parametrize(
    "dsn", ["", "mysql://me:geheim@host/db", "postgresql://me:geheim@h:port/d"]
)
def test_another_address_is_refused_without_repeating_its_password(dsn: str) -> None:
    with pytest.raises(StoreSetupError, match="postgresql://user:password@host") as refused:
        client_environment(dsn)
    assert "geheim" not in str(refused.value)


def test_the_environment_of_a_call_is_not_in_its_text(tmp_path: Path) -> None:
    tool = tmp_path / "psql"
    tool.touch(mode=0o755)
    call = psql_call("postgresql://me:geheim@h/d", ["-l"], bin_dir=tmp_path)
    assert call.argv == [str(tool), "-l"]
    assert "geheim" not in repr(call)


def test_a_pg_dump_older_than_the_server_is_refused_with_the_remedy(tmp_path: Path) -> None:
    tool = tmp_path / "pg_dump"
    tool.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 98.1'\n")
    tool.chmod(0o755)
    with pytest.raises(StoreSetupError, match="newest pg_dump here is 98.*postgresql-client-99"):
        pg_dump_call("postgresql://h/d", 99, bin_dir=tmp_path)
    assert pg_dump_call("postgresql://h/d", 98, bin_dir=tmp_path).argv == [str(tool)]


def test_the_newest_pg_restore_reads_every_dump_and_an_old_one_is_refused(tmp_path: Path) -> None:
    tool = tmp_path / "pg_restore"
    tool.write_text("#!/bin/sh\necho 'pg_restore (PostgreSQL) 98.1'\n")
    tool.chmod(0o755)
    assert pg_restore_call(15, bin_dir=tmp_path).argv == [str(tool)]
    with pytest.raises(StoreSetupError, match="no pg_restore of PostgreSQL 99.*client-99"):
        pg_restore_call(99, bin_dir=tmp_path)
