"""`halt`, `resume` and `limits accept`: what only a person may ask for.

A request is a file in STATE/control, so that it needs neither database nor network: the daemon
takes it within a tenth of a second, or at its next start.
"""

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
from simple_trader.domain.errors import TraderError

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
    from simple_trader.cli.requests import request

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
