"""`db ...`: schema, connection, backup and clean-up of the database."""

import asyncio
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simple_trader.cli.common import (
    ConfigOption,
    EnvFileOption,
    StateDirOption,
    finish,
    options,
    run_async,
)
from simple_trader.config.options import RunOptions
from simple_trader.domain.errors import StoreError

if TYPE_CHECKING:
    from simple_trader.adapters.store.postgres_restore import Restored

db = typer.Typer(help="The database.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(db, name="db")


@db.command("upgrade")
def upgrade(
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Bring the schema to this version."""
    typer.echo(f"schema: {run_async(_upgrade(options(config, env_file, state_dir)))}")


@db.command("dsn")
def dsn(
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Print the connection string, password included (do not paste it anywhere)."""
    typer.echo(run_async(_dsn(options(config, env_file, state_dir))))


@db.command("psql", context_settings={"ignore_unknown_options": True})
def psql(
    arguments: Annotated[list[str] | None, typer.Argument(metavar="[-- ARGS]")] = None,
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Open psql on the database; what follows `--` is passed on to it."""
    finish(run_async(_psql(options(config, env_file, state_dir), arguments or [])))


@db.command("backup")
def backup(
    file: Annotated[Path | None, typer.Argument(help="Where to (default: STATE/backups).")] = None,
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Dump everything but the rows of the market tables, and read it back once."""
    chosen = options(config, env_file, state_dir)
    typer.echo(f"Wrote {run_async(_backup(chosen, file))}")


@db.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `db backup` wrote.")],
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Put a backup in the place of what is there, which is moved aside; no daemon may run."""
    found = run_async(_restore(options(config, env_file, state_dir), file))
    typer.echo(f"Restored {file}: {found.world}, {found.fills} fills, to event {found.last_seq}.")
    for note in found.notes:
        typer.echo(f"An identity sequence was behind its table and was mended: {note}.")
    if found.aside is not None:
        typer.echo(f"What was there before is kept as schema {found.aside}.")
    typer.echo("The next start reads from the exchange what happened since, before it trades.")


@db.command("cleanup")
def cleanup(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Drop the days of high-volume tables that are past retention_days."""
    dropped = run_async(_cleanup(options(config, env_file, state_dir), dry_run=dry_run))
    verb = "would drop" if dry_run else "dropped"
    for name in dropped:
        typer.echo(f"{verb} {name}")
    typer.echo(f"{verb} {len(dropped)} partitions.")


async def _upgrade(chosen: RunOptions) -> str:
    from simple_trader.adapters.store.db_manager import upgrade as bring_up
    from simple_trader.app import database

    async with database(chosen) as found:
        return await bring_up(found)


async def _dsn(chosen: RunOptions) -> str:
    from simple_trader.app import database

    async with database(chosen) as found:
        return found


async def _psql(chosen: RunOptions, arguments: list[str]) -> int:
    from simple_trader.adapters.store.postgres_tools import psql_call
    from simple_trader.app import database
    from simple_trader.config.env import current_environment

    async with database(chosen) as found:
        call = psql_call(found, arguments)
        # Ctrl-C belongs to psql, which cancels its query; we must outlive it to stop the server.
        before = signal.signal(signal.SIGINT, lambda *_: None)
        try:
            done = await asyncio.to_thread(
                subprocess.run, call.argv, env={**current_environment(), **call.env}, check=False
            )
        except OSError as error:
            raise StoreError(f"{call.argv[0]}: cannot be run ({error.strerror}).") from error
        finally:
            signal.signal(signal.SIGINT, before)
        return done.returncode


async def _backup(chosen: RunOptions, file: Path | None) -> Path:
    from simple_trader.adapters.store.postgres_backup import dump_database
    from simple_trader.app import database
    from simple_trader.cli.places import state_directory
    from simple_trader.runtime.clocks import SystemClock

    moment = SystemClock().wall()
    path = file or state_directory(chosen) / "backups" / f"by-hand-{moment:%Y%m%d-%H%M%S}.dump"
    async with database(chosen) as found:
        if file is None:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        await dump_database(found, path)
    return path


async def _restore(chosen: RunOptions, file: Path) -> "Restored":
    from simple_trader.adapters.store.postgres_restore import restore_database
    from simple_trader.app import database
    from simple_trader.cli.places import state_directory
    from simple_trader.runtime.clocks import SystemClock
    from simple_trader.telemetry.presence import present

    stamp = f"{SystemClock().wall():%Y%m%d_%H%M%S}"
    with present(state_directory(chosen)):  # no daemon of this STATE runs, and none starts
        async with database(chosen) as found:
            return await restore_database(found, file, stamp)


async def _cleanup(chosen: RunOptions, *, dry_run: bool) -> list[str]:
    from simple_trader.adapters.store.db_manager import check_schema
    from simple_trader.adapters.store.retention import cleanup as drop_old
    from simple_trader.app import database
    from simple_trader.config.loader import find_config, load

    kept = load(find_config(chosen.config_path)).settings.retention_days.model_dump()
    async with database(chosen) as found:
        await check_schema(found)
        return list(await drop_old(found, kept, dry_run=dry_run))
