"""`replay`: recorded decisions again from the journal, and every difference to what is stored."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

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
from simple_trader.domain.errors import InvariantBroken

if TYPE_CHECKING:
    from simple_trader.app.replaying import Report, Wanted

_ALL = "all"
_SHOWN = 100
# What people ask about, in their words; the other tables follow by name.
_WORDS = {
    "ai_decisions": "decisions",
    "pending_trades": "orders",
    "llm_calls": "calls",
    "model_predictions": "predictions",
    "decision_marks": "marks",
    "shadow_decisions": "shadow decisions",
    "trades": "fills",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("replay")(replay)


def replay(
    name: Annotated[
        str, typer.Argument(metavar="[ID]", help="A decision, cycle, call or order.")
    ] = "",
    day: Annotated[
        str,
        typer.Option("--day", metavar="DATE|all", help="A whole UTC day of market time, or all."),
    ] = "",
    world: Annotated[
        str,
        typer.Option("--world", metavar="NAME", help="A world that --fresh has moved aside."),
    ] = "",
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Run recorded decisions again from the journal and compare every record, byte for byte.

    No model is called and nothing is written. Ends with 1 when anything differs.
    """
    from simple_trader.app.replaying import Wanted

    if bool(name) == bool(day):
        raise typer.BadParameter("write an id, or --day with a date such as 2026-01-05 or all")
    wanted = Wanted(name=name, day=_day(day), world=world)
    finish(run_async(_replay(options(config, env_file, state_dir), wanted)))


def _day(text: str) -> date | None:
    """A day; None for all, and where none is given. Raises BadParameter."""
    if text in {"", _ALL}:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"--day {text}: write a date such as 2026-01-05, or all") from None


async def _replay(chosen: RunOptions, wanted: "Wanted") -> int:
    from simple_trader.adapters.store.db_manager import check_schema
    from simple_trader.app.database import database
    from simple_trader.app.replaying import replay as run_again

    async with database(chosen) as dsn:
        if not wanted.world:
            await check_schema(dsn)
        report = await run_again(dsn, wanted)
    _tell(report)
    if report.damage:
        return InvariantBroken.exit_code
    return 1 if report.differences else 0


def _tell(report: "Report") -> None:
    """Differences first, then what was compared, then the verdict."""
    for one in report.found[:_SHOWN]:
        typer.echo(_line(one))
    if report.differences > _SHOWN:
        typer.echo(f"... and {report.differences - _SHOWN} more")
    for row in report.decided:
        order = f", order {row.cl_ord_id}" if row.cl_ord_id else ""
        what = f"{row.pair} {row.action}: {row.verdict} ({row.reason}){order}"
        _say("decision", f"{row.decision_id} {what}")
    span = f"{_moment(report.first_at)} to {_moment(report.last_at)}"
    starts = "start" if report.lives == 1 else "starts"
    _say("events", f"{report.events}, {span}, {report.lives} {starts}")
    if report.led_up:
        _say("led up", f"{report.led_up} events from the state kept before")
    counts = dict(report.counted.rows)
    _say("compared", ", ".join(f"{counts.pop(name, 0)} {word}" for name, word in _WORDS.items()))
    _say("besides", ", ".join(f"{counts[name]} {name}" for name in sorted(counts)) or "nothing")
    _say("prompts", f"{report.prompts} rendered again; states {report.states}")
    done = report.events + report.led_up
    rate = done / report.seconds if report.seconds > 0 else 0.0
    _say("time", f"{report.seconds:.1f} s, {rate:,.0f} events a second")
    for note in report.notes:
        _say("note", note)
    if report.damage:
        _say("damaged", report.damage)
    elif report.differences:
        _say("result", f"{report.differences} differences")
    else:
        _say("result", "every record is the same, byte for byte")


def _line(one: object) -> str:
    """A difference on one line; stored text cannot move the cursor of whoever reads it."""
    from simple_trader.telemetry.masking import one_line

    return one_line(str(one))


def _say(name: str, text: str) -> None:
    typer.echo(f"{name:<10} {text}")


def _moment(at: datetime | None) -> str:
    return "-" if at is None else f"{at:%Y-%m-%d %H:%M:%SZ}"
