"""`halt`, `resume` and `limits accept`: what only a person may ask for.

A request is a file in STATE/control, so that it needs neither database nor network: the daemon
takes it within a tenth of a second, or at its next start.
"""

import asyncio
import getpass
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from simple_trader.cli.common import (
    ConfigOption,
    EnvFileOption,
    StateDirOption,
    finish,
    options,
    run_async,
)
from simple_trader.domain.errors import TraderError

_TAKEN_WITHIN_S = 5.0
_LOOK_EVERY_S = 0.05
_WANTED = {"halt": ("HALT",), "resume": ("RUN", "REDUCE")}

ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="For the audit log.")]

limits = typer.Typer(help="Limits that protect capital.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("halt")(halt)
    app.command("resume")(resume)
    app.add_typer(limits, name="limits")


def halt(
    reason: ReasonOption = "",
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Stop trading now: cancel what is open and send nothing until `resume`."""
    from simple_trader.cli.places import state_directory

    place = state_directory(options(config, env_file, state_dir))
    finish(run_async(_request("halt", place, reason)))


def resume(
    reason: ReasonOption = "",
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Lift a halt or a daily loss stop."""
    from simple_trader.cli.places import state_directory

    place = state_directory(options(config, env_file, state_dir))
    finish(run_async(_request("resume", place, reason)))


@limits.command("accept")
def accept(
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Accept the limits of config.yaml: a raised one takes effect."""
    from simple_trader.cli.places import state_directory
    from simple_trader.config.limits import LimitBook, limits_of
    from simple_trader.config.loader import find_config, load
    from simple_trader.telemetry.presence import running

    chosen = options(config, env_file, state_dir)
    place = state_directory(chosen)
    found = limits_of(load(find_config(chosen.config_path)).settings)
    book = LimitBook(place)
    try:
        before = book.accepted() or {}
    except TraderError as error:
        typer.echo(str(error), err=True)
        before = {}
    book.accept(found)
    for name, value in found.items():
        was = before.get(name)
        typer.echo(f"{name}: {value}" + ("" if was in {None, value} else f" (was {was})"))
    at = "takes them now" if running(place) else "takes them at its next start"
    typer.echo(f"Accepted; the daemon {at}.")


async def _request(name: str, state_dir: Path, reason: str) -> int:
    """Leave the request, wait until the daemon has taken it, say what became of it."""
    from simple_trader.config.files import write_whole
    from simple_trader.telemetry.presence import running

    folder = state_dir / "control"
    path = folder / f"{name}.json"
    other = folder / f"{'resume' if name == 'halt' else 'halt'}.json"
    body = {"actor": actor_of_request(), "reason": reason or f"simple-trader {name}"}
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        other.unlink(missing_ok=True)  # the later request is the one that counts
        write_whole(path, json.dumps(body).encode() + b"\n")
    except OSError as error:
        raise TraderError(f"{path}: cannot be written ({error.strerror}).") from error
    if not running(state_dir):
        typer.echo(f"No daemon runs on {state_dir}; its next start takes the {name} first.")
        return 0
    try:
        async with asyncio.timeout(_TAKEN_WITHIN_S):
            while path.exists():
                await asyncio.sleep(_LOOK_EVERY_S)
            return await _outcome(name, state_dir)
    except TimeoutError:
        if path.exists():
            raise TraderError(
                f"the daemon did not take the {name} within {_TAKEN_WITHIN_S:.0f} s; the request "
                "stays there. If it hangs, stop it: its next start takes the request first."
            ) from None
    health = await asyncio.to_thread(_health, state_dir)
    state = health.get("trading_state", "unknown") if health else "unknown"
    typer.echo(f"The daemon took the {name}; its trading state is {state}" + _reasons(health))
    return 0


async def _outcome(name: str, state_dir: Path) -> int:
    """Wait for the trading state that was asked for; the caller's time-out ends this."""
    while True:
        health = await asyncio.to_thread(_health, state_dir)
        if health and health.get("trading_state") in _WANTED[name]:
            typer.echo(f"Trading state: {health['trading_state']}" + _reasons(health))
            return 0
        await asyncio.sleep(_LOOK_EVERY_S)


def _health(state_dir: Path) -> dict[str, Any] | None:
    from simple_trader.cli.places import ask_health
    from simple_trader.telemetry.presence import who_runs

    return ask_health(who_runs(state_dir))


def _reasons(health: dict[str, Any] | None) -> str:
    reasons = ", ".join(health.get("reasons", ())) if health else ""
    return f" ({reasons})." if reasons else "."


def actor_of_request() -> str:
    """Who asked, for the audit log."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
