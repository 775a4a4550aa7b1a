"""Requests to a running daemon: files that it takes, and the words that say what became of them."""

import asyncio
import getpass
import json
from pathlib import Path
from typing import Any

import typer

from simple_trader.domain.errors import TraderError

_TAKEN_WITHIN_S = 5.0
_LOOK_EVERY_S = 0.05
_WANTED = {"halt": ("HALT",), "resume": ("RUN", "REDUCE")}


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
