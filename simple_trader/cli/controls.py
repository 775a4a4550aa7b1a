"""`controls`: each trading control, its limit in force and where it is tested (PT20)."""

import typer

from simple_trader.cli.common import ConfigOption, EnvFileOption, StateDirOption, options


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(controls)


def controls(
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Print each trading control, its limit in force and where it is tested."""
    from simple_trader.cli.places import state_directory
    from simple_trader.config.limits import LimitBook, hold_raised
    from simple_trader.config.loader import find_config, load, trading_settings, with_settings
    from simple_trader.core.risk.controls import lines

    chosen = options(config, env_file, state_dir)
    found = load(find_config(chosen.config_path))
    accepted = LimitBook(state_directory(chosen)).accepted() or {}
    settings, notes = hold_raised(found.settings, accepted)
    for name, title, limit, tests in lines(trading_settings(with_settings(found, settings))):
        typer.echo(f"{name:5} {title}: {limit}\n      tested in {tests}")
    for note in notes:
        typer.echo(note)
