"""psql, pg_dump and pg_restore: found, and told where to connect by their environment alone."""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from simple_trader.adapters.store.postgres_binaries import installed_builds, tool_version
from simple_trader.domain.errors import StoreSetupError

# libpq's environment variables, by the parameter's name in a DSN.
_VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "database": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "ssl": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "passfile": "PGPASSFILE",
    "options": "PGOPTIONS",
    "application_name": "PGAPPNAME",
}


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A program, its arguments, and the variables to add to the environment.

    The password is only in the environment: other users cannot read it from the process list.
    """

    argv: list[str]
    env: dict[str, str] = field(repr=False)


def client_environment(dsn: str) -> dict[str, str]:
    """libpq's variables for `dsn` (`postgresql://` or `postgresql+asyncpg://`).

    Raises StoreSetupError, without repeating the password, for anything else.
    """
    try:
        parts = urlsplit(dsn)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme.partition("+")[0] not in {"postgresql", "postgres"}:
        raise StoreSetupError(
            "the database address is not understood: write POSTGRES_DSN as "
            "postgresql://user:password@host:5432/database."
        )
    found = {
        "host": parts.hostname or "",
        "port": str(port or ""),
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "dbname": unquote(parts.path.lstrip("/")),
        **dict(parse_qsl(parts.query)),
    }
    return {_VARIABLES[name]: text for name, text in found.items() if text and name in _VARIABLES}


def psql_call(dsn: str, arguments: Sequence[str] = (), *, bin_dir: Path | None = None) -> ToolCall:
    """How to run psql on `dsn`; raises StoreSetupError when there is no psql."""
    for tool in _tools("psql", bin_dir):
        return ToolCall([str(tool), *arguments], client_environment(dsn))
    raise StoreSetupError("psql was not found: `apt install postgresql-client`, then try again.")


def pg_dump_call(dsn: str, server_major: int, *, bin_dir: Path | None = None) -> ToolCall:
    """How to run a pg_dump that reads a server of `server_major` (an older one refuses to)."""
    newest = 0
    for tool in _tools("pg_dump", bin_dir):
        version = tool_version(tool)
        if version is not None and version[0] >= server_major:
            return ToolCall([str(tool)], client_environment(dsn))
        newest = max(newest, version[0] if version is not None else 0)
    found = f"the newest pg_dump here is {newest}" if newest else "no pg_dump was found"
    raise StoreSetupError(
        f"no backup was written: the database is PostgreSQL {server_major}, and {found}; "
        f"`apt install postgresql-client-{server_major}`, or set database.bin_dir."
    )


def pg_restore_call(server_major: int, *, bin_dir: Path | None = None) -> ToolCall:
    """How to run the newest pg_restore there is: it reads the files of every older pg_dump."""
    found = [(tool_version(tool) or (0, 0), tool) for tool in _tools("pg_restore", bin_dir)]
    newest, tool = max(found, key=lambda one: one[0], default=((0, 0), Path()))
    if newest[0] < server_major:
        raise StoreSetupError(
            f"no pg_restore of PostgreSQL {server_major} or newer was found: "
            f"`apt install postgresql-client-{server_major}`, or set database.bin_dir."
        )
    return ToolCall([str(tool)], {})


def _tools(name: str, bin_dir: Path | None) -> Iterator[Path]:
    """Candidates, best first: `bin_dir`, PATH (it speaks TLS), then every installed build."""
    if bin_dir is not None and os.access(bin_dir / name, os.X_OK):
        yield bin_dir / name
    on_path = shutil.which(name)
    if on_path is not None:
        yield Path(on_path)
    for build in installed_builds():
        if os.access(build.bin_dir / name, os.X_OK):
            yield build.bin_dir / name
