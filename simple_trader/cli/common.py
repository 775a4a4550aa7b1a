"""What all commands share: their options, durations and speeds, exit codes."""

import asyncio
import math
import re
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from simple_trader.config.options import RunOptions

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="config.yaml (default: ./config.yaml, else the shipped one).",
    ),
]
EnvFileOption = Annotated[
    Path | None,
    typer.Option(
        "--env-file", metavar="FILE", help=".env (default: beside config.yaml, else here)."
    ),
]
StateDirOption = Annotated[
    Path | None,
    typer.Option("--state-dir", metavar="DIR", help="Where the daemon keeps its state."),
]

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|d|)")
_UNITS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def options(config: Path | None, env_file: Path | None, state_dir: Path | None) -> RunOptions:
    """The options of a command that has no others."""
    return RunOptions(config_path=config, env_file=env_file, state_dir=state_dir)


def seconds(text: str) -> float:
    """A duration in seconds: `90`, `60s`, `5m`, `2h`, `1d`. Raises BadParameter."""
    found = _DURATION.fullmatch(text.strip())
    if not found or not (value := float(found[1]) * _UNITS[found[2]]) or value > 366 * 86_400:
        raise typer.BadParameter(f"{text!r} is not a duration such as 90, 60s, 5m or 2h")
    return value


def speed(text: str) -> float:
    """A speed: market seconds per real second, or inf for `max`. Raises BadParameter."""
    if text == "max":
        return math.inf
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1_000_000:
        raise typer.BadParameter(f"{text!r} is not a number above 0, or max")
    return value


def run_async(work: Coroutine[Any, Any, Any]) -> Any:
    """Run one command's coroutine to its end."""
    return asyncio.run(work)


def finish(code: int) -> None:
    """End the command with an exit code."""
    if code:
        raise typer.Exit(code)
