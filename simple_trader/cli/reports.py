"""`status`, `pnl` and `logs`: what the daemon did, from its rows and its log."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from math import isfinite
from typing import Annotated, Any

import typer

from simple_trader.cli.common import (
    ConfigOption,
    EnvFileOption,
    StateDirOption,
    options,
    run_async,
)
from simple_trader.config.options import RunOptions
from simple_trader.domain.errors import ConfigError, TraderError

_CENT = Decimal("0.01")
_WIDEST = 44


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("status")(status)
    app.command("pnl")(pnl)
    app.command("logs")(logs)


def status(
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Say how the daemon and its books stand."""
    run_async(_status(options(config, env_file, state_dir)))


def pnl(
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Profit and loss by day, and the open lots."""
    run_async(_pnl(options(config, env_file, state_dir)))


def logs(
    follow: Annotated[bool, typer.Option("--follow", help="Go on as lines are written.")] = False,
    level: Annotated[
        str, typer.Option("--level", metavar="LEVEL", help="debug, info, warning or error.")
    ] = "debug",
    pair: Annotated[
        str | None, typer.Option("--pair", metavar="PAIR", help="Only lines about this pair.")
    ] = None,
    decision: Annotated[
        str | None, typer.Option("--decision", metavar="ID", help="Only lines of this decision.")
    ] = None,
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Show the log in readable form, the last thousand lines."""
    from simple_trader.cli.log_reader import LEVELS, Wanted, last_lines
    from simple_trader.cli.log_reader import follow as go_on
    from simple_trader.cli.places import state_directory

    if level.lower() not in LEVELS:
        raise typer.BadParameter(f"--level {level}: write one of {', '.join(LEVELS)}")
    wanted = Wanted(
        level=level.lower(), pair=pair.upper() if pair else None, decision=decision or None
    )
    directory = state_directory(options(config, env_file, state_dir)) / "logs"
    if not directory.is_dir() and not follow:
        raise ConfigError(f"{directory}: there is no log yet; has a daemon run there?")
    try:
        for line in last_lines(directory, wanted):
            typer.echo(line)
    except OSError as error:
        raise ConfigError(f"{directory}: cannot be read ({error.strerror}).") from error
    if follow:
        asyncio.run(go_on(directory, wanted, typer.echo))


async def _status(chosen: RunOptions) -> None:
    from simple_trader.adapters.store.db_manager import check_schema, schema_revision
    from simple_trader.adapters.store.facts import read_facts
    from simple_trader.app import database
    from simple_trader.cli.places import ask_health, state_directory
    from simple_trader.telemetry.presence import running, who_runs

    place = state_directory(chosen)
    daemon = who_runs(place)
    health = await asyncio.to_thread(ask_health, daemon)
    if daemon is None:
        starting = running(place)
        _say("daemon", "starting or stopping" if starting else f"none runs on {place}")
    else:
        _say("daemon", f"process {daemon.pid}, mode {daemon.mode}, world {daemon.world}")
        _say("health", f"{health['status'] if health else 'no answer'} at {daemon.health_url}")
    if health:
        reasons = ", ".join(health.get("reasons", ()))
        _say("trading", str(health.get("trading_state")) + (f" ({reasons})" if reasons else ""))
        _say("market time", str(health.get("market_at")))
    trouble = _config_trouble(chosen)
    if trouble:
        keeps = "no daemon starts with it" if daemon is None else "the daemon keeps its old version"
        _say("config", f"{trouble} It is invalid: {keeps}.")
    async with database(chosen) as dsn:
        if await schema_revision(dsn) is None:
            _say("database", "empty: no daemon has run yet")
            return
        await check_schema(dsn)
        facts = await read_facts(dsn)
    if not health:
        _say("trading", f"{facts.trading_state or 'no state yet'} when it was last written")
    _say("world", f"{facts.world_mode or 'none yet'}: {facts.world_detail or '-'}")
    _say("equity", f"{_money(facts.equity)} USD at {_moment(facts.equity_at)}")
    _say("realised", f"{_money(facts.realised_pnl)} USD, net of fees")
    _say("orders", f"{facts.open_orders} open, {facts.trades} trades")
    _say("decisions", f"{facts.decisions}, newest {_moment(facts.newest_decision)}")
    _say("prices", f"newest {_moment(facts.newest_price)}")
    _say("model", f"last training {_moment(facts.newest_model)}")


def _config_trouble(chosen: RunOptions) -> str | None:
    """The sentence about an invalid configuration, templates and tool schemas included."""
    from simple_trader.config.loader import find_config, load

    try:
        load(find_config(chosen.config_path))
    except ConfigError as error:
        return str(error)
    return None


def _say(label: str, text: str) -> None:
    typer.echo(f"{label:<12} {text}")


def _moment(value: datetime | None) -> str:
    return "never" if value is None else f"{value:%Y-%m-%d %H:%M:%SZ}"


def _money(value: str | None) -> str:
    return "unknown" if value is None else f"{Decimal(value).quantize(_CENT):,f}"


async def _pnl(chosen: RunOptions) -> None:
    from simple_trader.adapters.store.facts import open_lots, pnl_days
    from simple_trader.app import database

    async with database(chosen) as dsn:
        await require_schema(dsn)
        days = await pnl_days(dsn, 31)
        lots = await open_lots(dsn)
    show_table(days, empty="No trade yet.")
    typer.echo("")
    show_table(lots, empty="Nothing is held.")


async def require_schema(dsn: str) -> None:
    """Raise TraderError for a database that no daemon has prepared."""
    from simple_trader.adapters.store.db_manager import check_schema, schema_revision

    if await schema_revision(dsn) is None:
        raise TraderError("the database is empty: no daemon has run on it yet.")
    await check_schema(dsn)


def show_table(rows: Sequence[Mapping[str, Any]], *, empty: str) -> None:
    """Columns aligned by their widest value."""
    if not rows:
        typer.echo(empty)
        return
    names = list(rows[0])
    cells = [names, *([_short(_cell(row[name])) for name in names] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(names))]
    for line in cells:
        padded = (text.ljust(width) for text, width in zip(line, widths, strict=True))
        typer.echo("  ".join(padded).rstrip())


def _short(text: str) -> str:
    """A cell that leaves room for its neighbours."""
    return text if len(text) <= _WIDEST else text[: _WIDEST - 3] + "..."


def _cell(value: object) -> str:
    """A value for people; control characters cannot move the cursor of whoever reads it."""
    from simple_trader.telemetry.masking import one_line

    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%SZ}"
    if isinstance(value, float) and isfinite(value):
        value = Decimal(repr(value))
    if isinstance(value, Decimal):
        return f"{round(value, 8).normalize():f}"
    if isinstance(value, list | dict):
        value = json.dumps(value, default=str)
    return one_line(str(value))
