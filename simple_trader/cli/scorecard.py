"""`scorecard`: how good each source of decisions was, what the gates saved, if it counts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simple_trader.cli.common import (
    ConfigOption,
    EnvFileOption,
    StateDirOption,
    options,
    run_async,
)
from simple_trader.config.options import RunOptions

if TYPE_CHECKING:
    from simple_trader.adapters.store.scorecard import MarkFacts
    from simple_trader.domain.marks import MarkSource

DAYS = 30  # the time to read and judge marks grows with them: 30 days are seconds
MOST_DAYS = 36_500
_ALL = "all"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("scorecard")(scorecard)


def scorecard(
    days: Annotated[
        str,
        typer.Option("--days", metavar="N|all", help="The last N days of the world, or all."),
    ] = f"{DAYS}",
    full: Annotated[
        bool, typer.Option("--full", help="Each pair at each horizon, all calibration tables.")
    ] = False,
    price_in: Annotated[
        float | None,
        typer.Option("--price-in", metavar="USD", min=0, help="Say what 1M tokens in would cost."),
    ] = None,
    price_out: Annotated[
        float | None,
        typer.Option("--price-out", metavar="USD", min=0, help="And a million tokens out."),
    ] = None,
    draws: Annotated[
        int,
        typer.Option("--draws", min=100, max=100_000, help="Random deals of the same decisions."),
    ] = 1000,
    seed: Annotated[int, typer.Option("--seed", help="Seed of those deals.")] = 20_261_121,
    as_json: Annotated[bool, typer.Option("--json", help="All figures as JSON.")] = False,
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Mark every source of decisions against what happened, beside its baselines, after fees."""
    from simple_trader.cli.scorecard_text import lines

    found = run_async(_read(options(config, env_file, state_dir), days_of(days)))
    report = make_report(found, draws=draws, seed=seed, full=full or as_json)
    if price_in is not None or price_out is not None:
        report["prices"] = (price_in or 0.0, price_out or 0.0)
    if as_json:
        import msgspec

        typer.echo(msgspec.json.format(msgspec.json.encode(report)).decode())
        return
    for line in lines(report, full=full):
        typer.echo(line)


def days_of(text: str) -> float | None:
    """A number of days above 0; None for all. Raises BadParameter."""
    try:
        days = None if text == _ALL else float(text)
    except ValueError:
        days = 0.0
    if days is None or 0.0 < days <= MOST_DAYS:
        return days
    raise typer.BadParameter(f"--days {text}: write a number of days up to {MOST_DAYS:,}, or all")


async def _read(chosen: RunOptions, days: float | None) -> "MarkFacts":
    from simple_trader.adapters.store.scorecard import read_marks
    from simple_trader.app import database
    from simple_trader.cli.reports import require_schema

    async with database(chosen) as dsn:
        await require_schema(dsn)
        return await read_marks(dsn, days)


def make_report(found: "MarkFacts", *, draws: int, seed: int, full: bool = True) -> dict[str, Any]:
    """All figures as plain values: period, faults, sources, the online model, the gates.

    `full`: also of each pair at each horizon.
    """
    from simple_trader.core.scoring.scorecard import cards, model_cards

    return {
        "days": found.days,
        "from": found.oldest,
        "to": found.newest,
        "waiting": found.waiting,
        "draws": draws,
        "seed": seed,
        "prices": None,
        "faults": found.faults,
        "suspects": found.suspects,
        "sources": [
            {
                "source": source.source,
                "decisions": source.decisions,
                "holds": source.holds,
                "repeats": source.repeats,
                "voided": source.voided,
                "calls": _calls_of(found.calls, source.source),
                "realised": _of(found.realised, source.source),
                "cards": cards(source.marks, draws=draws, seed=seed, full=full),
            }
            for source in found.sources
        ],
        "unanswered": [_call_figures([row]) for row in _strangers(found)],
        "model": model_cards(found.predictions, draws=draws, seed=seed),
        "gate": found.gate,
    }


def _of(rows: Sequence[dict[str, Any]], source: "MarkSource") -> list[dict[str, Any]]:
    """Rows of a source; only what trades has money."""
    if source.advisor:
        return []
    wanted = (source.provider, source.model, source.template_hash)
    return [r for r in rows if (r["provider"], r["model"], r["template_hash"]) == wanted]


def _calls_of(rows: Sequence[dict[str, Any]], source: "MarkSource") -> dict[str, Any] | None:
    """Figures of the calls of a source; None where it was never asked (nobody answered)."""
    wanted = (source.advisor, source.provider, source.model, source.template_hash)
    own = [row for row in rows if _source_of(row) == wanted]
    return _call_figures(own) if own else None


def _source_of(row: dict[str, Any]) -> tuple[str, str, str, str]:
    return row["advisor"], row["provider"], row["model"], row["template_hash"]


def _strangers(found: "MarkFacts") -> list[dict[str, Any]]:
    """Calls that belong to no source with marks: nothing usable ever came of them."""
    known = {
        (item.source.advisor, item.source.provider, item.source.model, item.source.template_hash)
        for item in found.sources
    }
    return [row for row in found.calls if _source_of(row) not in known]


def _call_figures(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    from simple_trader.core.scoring.statistics import quantile

    latencies = [value for row in rows for value in row["latencies_ms"]]
    calls = sum(row["calls"] for row in rows)
    costs = [row["cost_usd"] for row in rows if row["cost_usd"] is not None]
    return {
        "advisor": rows[0]["advisor"],
        "provider": rows[0]["provider"],
        "model": rows[0]["model"],
        "calls": calls,
        "answered": sum(row["answered"] for row in rows),
        "usable": sum(row["usable"] for row in rows),
        "latency_ms": quantile(latencies, 0.5),
        "latency_95_ms": quantile(latencies, 0.95),
        "tokens_in": sum(row["tokens_in"] for row in rows),
        "tokens_out": sum(row["tokens_out"] for row in rows),
        "cost_usd": sum(costs[1:], costs[0]) if costs else None,
        "unpriced": sum(row["unpriced"] for row in rows),
    }
