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

WhyOption = Annotated[
    str,
    typer.Option("--reason", metavar="TEXT", help="Why it is safe again: for the audit log."),
]
DirectOption = Annotated[
    bool,
    typer.Option(
        "--direct", help="Cancel at the exchange by this command at once, with only the key."
    ),
]

limits = typer.Typer(help="Limits that protect capital.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("halt")(halt)
    app.command("resume")(resume)
    app.add_typer(limits, name="limits")


def halt(
    reason: ReasonOption = "",
    direct: DirectOption = False,
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Stop trading now: cancel what is open and send nothing until `resume`.

    Where no daemon takes it within two seconds, this command itself cancels everything on the live
    account, with only the key.
    """
    from simple_trader.cli.halting import halt_all

    finish(run_async(halt_all(options(config, env_file, state_dir), reason, direct=direct)))


def resume(
    reason: WhyOption,
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Lift a halt or a daily loss stop."""
    from simple_trader.cli.places import state_directory

    place = state_directory(options(config, env_file, state_dir))
    finish(run_async(request("resume", place, reason)))


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


def leave(name: str, state_dir: Path, reason: str) -> Path:
    """Leave the request for the daemon; raises TraderError where it cannot be written."""
    from simple_trader.config.files import write_whole

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
    return path


async def request(name: str, state_dir: Path, reason: str) -> int:
    """Leave the request, wait until the daemon has taken it, say what became of it."""
    from simple_trader.telemetry.presence import running

    path = leave(name, state_dir, reason)
    if not running(state_dir):
        typer.echo(f"No daemon runs on {state_dir}; its next start takes the {name} first.")
        return 0
    try:
        async with asyncio.timeout(_TAKEN_WITHIN_S):
            await taken(path)
            return await outcome(name, state_dir)
    except TimeoutError:
        if path.exists():
            raise TraderError(not_taken(name, _TAKEN_WITHIN_S)) from None
    return await tell_state(name, state_dir)


async def taken(path: Path) -> None:
    """Wait until the daemon has taken a request; the caller's time-out ends this."""
    while path.exists():
        await asyncio.sleep(_LOOK_EVERY_S)


def not_taken(name: str, within_s: float) -> str:
    """What a person does about a daemon that hangs."""
    return (
        f"the daemon did not take the {name} within {within_s:.0f} s; the request stays there. "
        "If it hangs, stop it: its next start takes the request first."
    )


async def tell_state(name: str, state_dir: Path) -> int:
    """The request was taken, and the state is not the one asked for (yet): say which it is."""
    health = await asyncio.to_thread(_health, state_dir)
    state = health.get("trading_state", "unknown") if health else "unknown"
    if name == "resume" and state == "HALT":
        raise TraderError(
            "the daemon took the resume and refused it: an order's outcome is unknown, the account "
            f"not reconciled, or a clock wrong{_reasons(health)} The log says which."
        )
    typer.echo(f"The daemon took the {name}; its trading state is {state}" + _reasons(health))
    return 0


async def outcome(name: str, state_dir: Path) -> int:
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
