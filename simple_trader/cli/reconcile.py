"""`reconcile`: how each balance is explained, and `--accept` for what a person answers for."""

import asyncio
import json
import re
from pathlib import Path
from typing import Annotated

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
from simple_trader.domain.errors import TraderError

_ASSET = re.compile(r"[A-Z0-9]{1,16}(?:\.[A-Z0-9]{1,8})?")
_TAKEN_WITHIN_S = 5.0
_LOOK_EVERY_S = 0.05


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reconcile")(reconcile)


def reconcile(
    accept: Annotated[
        str,
        typer.Option("--accept", metavar="ASSET", help="Answer for what differs of it now."),
    ] = "",
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why, for the audit log.")
    ] = "",
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Show how each balance is explained; with --accept book a difference as explained."""
    from simple_trader.cli.places import state_directory

    chosen = options(config, env_file, state_dir)
    if not accept:
        finish(run_async(_show(chosen)))
        return
    if not _ASSET.fullmatch(accept):
        raise TraderError(f"{accept!r} is no asset: name it as Kraken does, such as USD or ETH.S.")
    if not reason.strip():
        raise TraderError("--accept needs --reason: it is written into the audit log.")
    finish(run_async(_accept(state_directory(chosen), accept, reason.strip())))


async def _accept(state_dir: Path, asset: str, reason: str) -> int:
    """Leave the request and wait until the daemon took it."""
    from simple_trader.cli.requests import actor_of_request
    from simple_trader.config.files import write_whole
    from simple_trader.telemetry.presence import running

    if not running(state_dir):
        raise TraderError(
            f"no daemon runs on {state_dir}: start it, let it reconcile, and accept then."
        )
    path = state_dir / "control" / f"explain-{asset}.json"
    body = {"actor": actor_of_request(), "reason": reason}
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, json.dumps(body).encode() + b"\n")
    except OSError as error:
        raise TraderError(f"{path}: cannot be written ({error.strerror}).") from error
    try:
        async with asyncio.timeout(_TAKEN_WITHIN_S):
            while path.exists():
                await asyncio.sleep(_LOOK_EVERY_S)
    except TimeoutError:
        path.unlink(missing_ok=True)
        raise TraderError(
            f"the daemon did not take the request within {_TAKEN_WITHIN_S:.0f} s; it was taken back"
        ) from None
    typer.echo(f"{asset}: taken; `simple-trader reconcile` shows what came of it.")
    return 0


async def _show(chosen: RunOptions) -> int:
    """The table of v_reconciliation; exit code 1 while something is unexplained."""
    from simple_trader.adapters.store.facts import balances_explained, unexplained
    from simple_trader.app import database
    from simple_trader.cli.reports import require_schema, show_table

    async with database(chosen) as dsn:
        await require_schema(dsn)
        rows, standing = await balances_explained(dsn), await unexplained(dsn)
    show_table(rows, empty="Nothing was reconciled yet: the daemon does it at its first start.")
    for row in standing:
        typer.echo(f"UNEXPLAINED {row['subject']}: {row['detail']}")
    return 1 if standing else 0
