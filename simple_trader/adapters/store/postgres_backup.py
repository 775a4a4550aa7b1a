"""Dumps of the database: one a night of everything but the market tables, seven kept."""

import asyncio
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import asyncpg

from simple_trader.adapters.store.postgres_tools import pg_dump_call, pg_restore_call
from simple_trader.domain.errors import StoreSetupError

MARKET_TABLES = ("price_history*", "order_book_metrics*", "market_*")
KEPT = 7
_DUMP_WITHIN_S = 3600.0


async def dump_database(
    dsn: str,
    path: Path,
    *,
    exclude_rows: Sequence[str] = MARKET_TABLES,
    bin_dir: Path | None = None,
) -> None:
    """Write a custom-format dump of `dsn` to `path` (mode 0600), whole or not at all.

    Tables that match a pattern of `exclude_rows` keep their definition and lose their rows.
    It is read back once before it takes its name. Raises StoreSetupError with the reason.
    """
    major = await _server_major(dsn)
    call = pg_dump_call(dsn, major, bin_dir=bin_dir)
    unfinished = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StoreSetupError(
            f"no backup was written to {path}: {error.strerror or error}."
        ) from error
    arguments = ["--format=custom", "--no-owner", "--no-password"]
    arguments += [f"--exclude-table-data={pattern}" for pattern in exclude_rows]
    try:
        process = await asyncio.create_subprocess_exec(
            *call.argv,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=handle,
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": os.defpath, "LC_ALL": "C", **call.env},
        )
        words = await _finished(process)
        os.fsync(handle)
    except TimeoutError:
        words = f"pg_dump did not end within {_DUMP_WITHIN_S:g} s"
    finally:
        os.close(handle)
    words = words or await _unreadable(unfinished, major, bin_dir)
    if words is not None:
        unfinished.unlink(missing_ok=True)
        raise StoreSetupError(f"no backup was written to {path}: {words}.")
    unfinished.replace(path)
    _sync_folder(path.parent)


async def _unreadable(path: Path, major: int, bin_dir: Path | None) -> str | None:
    """Read the whole dump once, to its last byte: None when pg_restore understands all of it."""
    call = pg_restore_call(major, bin_dir=bin_dir)
    process = await asyncio.create_subprocess_exec(
        *call.argv,
        "--file=/dev/null",
        str(path),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.defpath, "LC_ALL": "C"},
    )
    try:
        words = await _finished(process)
    except TimeoutError:
        words = f"pg_restore did not read it within {_DUMP_WITHIN_S:g} s"
    return None if words is None else f"it cannot be read back ({words})"


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power loss."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


async def _finished(process: asyncio.subprocess.Process) -> str | None:
    """Wait for the program: None when it succeeded, else its last words; never leave it running."""
    try:
        async with asyncio.timeout(_DUMP_WITHIN_S):
            _, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == 0:
        return None
    lines = errors.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"it ended with code {process.returncode}"


async def nightly_backup(
    dsn: str, backup_dir: Path, now: datetime, *, bin_dir: Path | None = None
) -> Path | None:
    """Write the dump of the day of `now` (aware, UTC) unless there is one; keep the last seven.

    Gives the new file, or None when the day already has one. Raises StoreSetupError.
    """
    path = backup_dir / f"simple_trader-{now:%Y-%m-%d}.dump"
    if path.exists():
        return None
    await dump_database(dsn, path, bin_dir=bin_dir)
    _keep_newest(backup_dir)
    return path


def _keep_newest(backup_dir: Path) -> None:
    for old in sorted(backup_dir.glob("simple_trader-????-??-??.dump"))[:-KEPT]:
        old.unlink(missing_ok=True)


async def _server_major(dsn: str) -> int:
    plain = dsn.replace("postgresql+asyncpg://", "postgresql://", 1)
    try:
        connection = await asyncpg.connect(plain, timeout=30)
    except (OSError, asyncpg.PostgresError, TimeoutError, ValueError) as error:
        raise StoreSetupError(
            f"no backup was written: the database does not answer ({error})."
        ) from error
    try:
        return int(connection.get_server_version().major)
    finally:
        await connection.close()
