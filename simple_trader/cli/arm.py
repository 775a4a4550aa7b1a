"""`arm` and `disarm`: a person lets `live` place orders for one account, and takes it back."""

import getpass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simple_trader.cli.common import (
    ConfigOption,
    EnvFileOption,
    StateDirOption,
    options,
    run_async,
    seconds,
)
from simple_trader.config.options import RunOptions
from simple_trader.domain.errors import LockHeld, ModeError

if TYPE_CHECKING:
    from simple_trader.app.arming import Bond
    from simple_trader.app.worlds import World

_DEFAULT_TERM = "7d"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("arm")(arm)
    app.command("disarm")(disarm)


def arm(
    term: Annotated[
        str, typer.Option("--for", metavar="DURATION", help="How long, at most 30d.")
    ] = _DEFAULT_TERM,
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Let mode live place orders: shows account and limits, and wants them confirmed by hand."""
    chosen = options(config, env_file, state_dir)
    run_async(arm_account(chosen, timedelta(seconds=seconds(term))))


def disarm(
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Take the arming back; a running live daemon is halted as well."""
    from simple_trader.app.arming import remove_arm
    from simple_trader.cli.operator import halt
    from simple_trader.cli.places import state_directory
    from simple_trader.telemetry.presence import who_runs

    state = state_directory(options(config, env_file, state_dir))
    there = remove_arm(state)
    typer.echo("Disarmed." if there else f"{state} was not armed.")
    daemon = who_runs(state)
    if daemon is not None and daemon.mode == "live":
        halt("disarmed", config=config, env_file=env_file, state_dir=state_dir)


async def arm_account(
    chosen: RunOptions, term: timedelta, *, stand_in: "World | None" = None
) -> Path:
    """Check everything, ask the person, write the arm file; raises ModeError and VenueError.

    `stand_in` is a test's seam: an exchange on this machine in place of Kraken.
    """
    from simple_trader.app.account_facts import ask_account
    from simple_trader.app.arming import LONGEST
    from simple_trader.app.live_rules import (
        LIVE_ADDRESSES,
        bond_of,
        refuse_account,
        refuse_setup,
    )
    from simple_trader.app.places import read_setup
    from simple_trader.app.worlds import open_world
    from simple_trader.core.risk.ceilings import CEILINGS
    from simple_trader.runtime.clocks import SystemClock
    from simple_trader.telemetry.presence import running

    if term > LONGEST:
        raise ModeError(f"an arming lasts at most {LONGEST.days} days: name a shorter --for.")
    setup = read_setup(chosen)
    refuse_setup(setup, CEILINGS)
    setup.places.make()
    if running(setup.places.state):
        raise LockHeld(
            f"a daemon runs on {setup.places.state} with this key: stop it, arm, start it again."
        )
    world = stand_in or await open_world(setup)
    clock = SystemClock()
    facts = await ask_account(world, setup.places.state, clock)
    addresses = LIVE_ADDRESSES
    if stand_in is not None:
        addresses = (world.rest_url, world.public_url, world.private_url)
    refuse_account(setup, world, facts, addresses)
    bond = bond_of(setup, world, facts, clock.wall())
    _confirm(world, bond, term)
    return _write(setup.places.state, world, bond, term)


def _confirm(world: "World", bond: "Bond", term: timedelta) -> None:
    """Show what is about to be allowed, and want it typed."""
    word = bond.fingerprint[:8]
    typer.echo(f"Account      {world.detail}, fingerprint {bond.fingerprint}")
    typer.echo(f"Pairs        {', '.join(bond.pairs)}")
    for name, value in bond.limits.items():
        typer.echo(f"Limit        {name}: {value}")
    typer.echo(f"Until        {bond.at + term:%Y-%m-%d %H:%M} UTC, for version {bond.program} only")
    said = typer.prompt(f"Real money. To arm this account with these limits type: arm {word}")
    if said.split() != ["arm", word]:
        raise ModeError(f"not armed: what was typed is not: arm {word}.")


def _write(state: Path, world: "World", bond: "Bond", term: timedelta) -> Path:
    from simple_trader.app.arming import FORMAT, ArmFile, sealed, write_arm

    arm_file = ArmFile(
        format=FORMAT,
        program=bond.program,
        mode="live",
        world=bond.world,
        fingerprint=bond.fingerprint,
        pairs=bond.pairs,
        limits=dict(bond.limits),
        armed_by=getpass.getuser(),
        armed_at=bond.at,
        expires_at=bond.at + term,
    )
    path = write_arm(state, sealed(arm_file, world.secret))
    typer.echo(f"Armed: {path}. It takes effect at the next start; simple-trader disarm undoes it.")
    return path
