"""`halt`: by the daemon where one listens, else by this very command with only the key."""

import asyncio
import os
import signal
from pathlib import Path

import typer

from simple_trader.cli.requests import leave, not_taken, outcome, taken, tell_state
from simple_trader.config.options import RunOptions
from simple_trader.domain.errors import ConfigError, TraderError

TAKEN_WITHIN_S = 2.0
TOLD_WITHIN_S = 5.0


async def halt_all(options: RunOptions, reason: str, *, direct: bool) -> int:
    """Leave the request for the daemon, see to it that orders are cancelled, say what was done."""
    from simple_trader.cli.places import state_directory
    from simple_trader.telemetry.presence import running, who_runs

    state_dir = state_directory(options)
    path: Path | None = None
    try:
        path = leave("halt", state_dir, reason)
    except TraderError as error:  # a full disk: the exchange can still be asked
        typer.echo(str(error), err=True)
    daemon, runs = who_runs(state_dir), running(state_dir)
    if runs and path is not None and not direct:
        if await _was_taken(path):
            return await _told(state_dir)
        typer.echo(f"The daemon did not take the halt within {TAKEN_WITHIN_S:g} s.", err=True)
    # By a signal where files do not reach it; one that stands still gets it when it goes on.
    told = daemon is not None and not direct and _signal(daemon.pid)
    if not runs and path is not None:
        typer.echo(f"No daemon runs on {state_dir}; its next start takes the halt first.")
    mode = daemon.mode if daemon else None
    left = told or path is not None
    return await _by_ourselves(options, state_dir, mode, direct=direct, left=left)


def _signal(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGUSR1)
    except OSError as error:
        typer.echo(f"process {pid} could not be told by SIGUSR1: {error.strerror}.", err=True)
        return False
    typer.echo(f"Told the daemon (process {pid}) by SIGUSR1.")
    return True


async def _was_taken(path: Path) -> bool:
    try:
        async with asyncio.timeout(TAKEN_WITHIN_S):
            await taken(path)
    except TimeoutError:
        return False
    return True


async def _told(state_dir: Path) -> int:
    """Say that trading is halted, or what the daemon says instead."""
    try:
        async with asyncio.timeout(TOLD_WITHIN_S):
            return await outcome("halt", state_dir)
    except TimeoutError:
        return await tell_state("halt", state_dir)


async def _by_ourselves(
    options: RunOptions, state_dir: Path, mode: str | None, *, direct: bool, left: bool
) -> int:
    """Cancel everything at Kraken, if it is Kraken that holds our orders (I-44).

    `left` says that the request lies there for the daemon, or that it was told by a signal.
    """
    from simple_trader.adapters.kraken.auth import Credentials
    from simple_trader.app import worlds
    from simple_trader.app.stand_alone import cancel_everything
    from simple_trader.config.env import read_environment
    from simple_trader.config.loader import find_config, find_env_file
    from simple_trader.runtime.clocks import SystemClock

    mode = mode or _mode_of(options)
    if mode in {"sim", "paper"}:
        if direct:
            raise TraderError(
                f"--direct is for live: in {mode} the orders rest in our own sandbox, which no "
                "command reaches without its daemon. The halt is left for its next start."
            )
        if not left:
            raise TraderError(
                f"the halt was not left in {state_dir}: mend what stands in its way, halt again."
            )
        if (state_dir / "control" / "halt.json").exists() and _hangs(state_dir):
            raise TraderError(not_taken("halt", TAKEN_WITHIN_S))
        return 0
    config = find_config(options.config_path)
    secrets = read_environment(find_env_file(options.env_file, config)).secrets
    if not (secrets.kraken_api_key and secrets.kraken_secret_api_key):
        if mode is None and left and not direct:
            return 0  # neither a mode nor a key that could be read: the halt is left, no more
        raise TraderError(
            "no Kraken key is in .env, so this command cannot cancel: cancel at kraken.com, or put "
            "KRAKEN_API_KEY and KRAKEN_SECRET_API_KEY into .env and halt again."
        )
    credentials = Credentials(secrets.kraken_api_key, secrets.kraken_secret_api_key)
    count = await cancel_everything(worlds.KRAKEN_REST, credentials, state_dir, SystemClock())
    typer.echo(
        f"Cancelled {count} orders at Kraken by this command, without a daemon; nothing is left "
        "open on the account."
    )
    return 0


def _hangs(state_dir: Path) -> bool:
    from simple_trader.telemetry.presence import running

    return running(state_dir)


def _mode_of(options: RunOptions) -> str | None:
    """The mode of config.yaml; None where it cannot be read, which must not hold up a halt."""
    from simple_trader.config.loader import find_config, load

    try:
        return options.mode or load(find_config(options.config_path)).settings.mode
    except ConfigError as error:
        typer.echo(f"{error} The halt goes on without it.", err=True)
        return None
