"""`train`: the online model from the snapshots of the database, by the daemon where one runs."""

import asyncio
import json
from pathlib import Path

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

_TAKEN_WITHIN_S = 5.0
_LOOK_EVERY_S = 0.5
_NOT_TRAINED = 1


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train")(train)


def train(
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Train the online model now; a running daemon does it beside its work and uses it at once.

    Without a daemon the model is kept for the next start. Exit code 1 where none was made, as with
    enable_model: false.
    """
    finish(run_async(_train(options(config, env_file, state_dir))))


async def _train(chosen: RunOptions) -> int:
    from simple_trader.app import database
    from simple_trader.app.places import read_setup
    from simple_trader.cli.reports import require_schema
    from simple_trader.telemetry.presence import running

    setup = read_setup(chosen)
    if not setup.config.settings.enable_model and not running(setup.places.state):
        # A daemon says so itself: it may still run with what the file said before.
        typer.echo(
            "No new model: enable_model is false, so no start would use it. "
            f"Set it to true in {setup.config.path}, then run train again."
        )
        return _NOT_TRAINED
    async with database(chosen) as dsn:
        await require_schema(dsn)
        if running(setup.places.state):
            return await _by_daemon(setup.places.state, dsn)
        from simple_trader.app.training import train_now
        from simple_trader.config.loader import trading_settings
        from simple_trader.domain.events import ModelTrained

        event = await train_now(dsn, trading_settings(setup.config))
    if not isinstance(event, ModelTrained):
        typer.echo(f"No new model ({event.reason.value}): {event.detail}.")
        return _NOT_TRAINED
    typer.echo(f"Model {event.model_id} trained on {event.rows} rows; the next start uses it.")
    for name, value in sorted(event.metrics.items()):
        is_count = name.endswith("_rows")
        typer.echo(f"  {name}: {value:.0f}" if is_count else f"  {name}: {value:.4f}")
    return 0


async def _by_daemon(state_dir: Path, dsn: str) -> int:
    """Leave the request, wait until it was taken, then for what came of it."""
    from simple_trader.adapters.store.training import newest_audit, training_result
    from simple_trader.cli.requests import actor_of_request, taken
    from simple_trader.config.files import write_whole
    from simple_trader.telemetry.presence import running

    before = await newest_audit(dsn)
    path = state_dir / "control" / "train.json"
    body = {"actor": actor_of_request(), "reason": "simple-trader train"}
    try:
        write_whole(path, json.dumps(body).encode() + b"\n")
    except OSError as error:
        raise TraderError(f"{path}: cannot be written ({error.strerror}).") from error
    try:
        async with asyncio.timeout(_TAKEN_WITHIN_S):
            await taken(path)
    except TimeoutError:
        path.unlink(missing_ok=True)
        raise TraderError(
            f"the daemon did not take the request within {_TAKEN_WITHIN_S:.0f} s; it was taken back"
        ) from None
    while (result := await training_result(dsn, before)) is None:
        if not running(state_dir):
            raise TraderError("the daemon ended before the training did; run train again.")
        await asyncio.sleep(_LOOK_EVERY_S)
    typer.echo(f"The daemon's training was {result}.")
    return 0 if result.startswith("trained") else _NOT_TRAINED
