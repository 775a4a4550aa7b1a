"""`decisions`: what was decided, why, and what came of it; one decision in full with its id."""

import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

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
from simple_trader.domain.errors import TraderError

Row = Mapping[str, Any]
WIDTH = 100
VERDICTS = ("approved", "refused", "hold")
_COLOURS = {"approved": "green", "refused": "yellow", "hold": None}
_SPAN = re.compile(r"[0-9.]+\s*(ms|s|m|h|d|)")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("decisions")(decisions)


def decisions(
    name: Annotated[
        str,
        typer.Argument(
            metavar="[ID]", help="One decision in full: by its id, or that of its cycle or order."
        ),
    ] = "",
    pair: Annotated[str, typer.Option("--pair", metavar="PAIR", help="Only this pair.")] = "",
    verdict: Annotated[
        str, typer.Option("--verdict", metavar="WORD", help="approved, refused or hold.")
    ] = "",
    reason: Annotated[
        str, typer.Option("--reason", metavar="REASON", help="Only this reason, as no_funds.")
    ] = "",
    since: Annotated[
        str,
        typer.Option(
            "--since",
            metavar="WHEN",
            help="From then on (UTC, market time): 2026-01-31 or 2026-01-31T10:00, or 2h or 7d "
            "back from the newest decision.",
        ),
    ] = "",
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=100_000, help="At most so many, the newest.")
    ] = 30,
    full: Annotated[
        bool, typer.Option("--full", help="With ID: the whole prompt and the raw reply.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="All fields as JSON.")] = False,
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """List decisions with verdict, reason and outcome, or show one from snapshot to PnL."""
    chosen = options(config, env_file, state_dir)
    if name:
        _show(chosen, name, full=full, as_json=as_json)
        return
    if verdict and verdict not in VERDICTS:
        raise typer.BadParameter(f"--verdict {verdict}: write one of {', '.join(VERDICTS)}")
    moment, last_s = when(since)
    found = run_async(
        _list(chosen, pair.upper() or None, verdict or None, reason or None, moment, last_s, limit)
    )
    if as_json:
        _json(found)
        return
    for line in table(found):
        typer.echo(line)


def when(text: str) -> tuple[datetime | None, float | None]:
    """A moment, or seconds back from the newest decision; raises BadParameter."""
    if not text:
        return None, None
    if _SPAN.fullmatch(text.strip()):
        return None, seconds(text)
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f"--since {text!r}: write a day as 2026-01-31, a moment as 2026-01-31T10:00, or a span "
            "as 90m, 2h or 7d"
        ) from None
    return moment, None


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The list, newest first, under a line for each day; as wide as the terminal."""
    if not rows:
        yield "No such decision."
        return
    cells = [_cells(row) for row in rows]
    widths = [max(len(line[column]) for line in [_HEAD, *cells]) for column in range(len(_HEAD))]
    spare = _columns() - sum(widths) - 2 * (len(widths) - 1)
    widths[_WHY] = max(12, widths[_WHY] + min(0, spare))
    yield typer.style(_line(_HEAD, widths), dim=True)
    day = None
    for row, line in zip(rows, cells, strict=True):
        if row["decided_at"].date() != day:
            day = row["decided_at"].date()
            yield typer.style(f"{day:%A %Y-%m-%d} (UTC, market time)", bold=True)
        yield _coloured(row, _line(line, widths))
    yield ""
    yield from _summary(rows)


_HEAD = ("TIME", "PAIR", "ADVICE", "VERDICT", "FILLED", "MARKET SINCE", "RESULT", "ID")
_WHY = 3


def _cells(row: Row) -> tuple[str, ...]:
    from simple_trader.telemetry.masking import one_line

    return tuple(
        one_line(cell)
        for cell in (
            f"{row['decided_at']:%H:%M}",
            row["pair"],
            advice(row),
            verdict_of(row),
            _filled(row),
            market_since(row),
            result(row),
            row["decision_id"],
        )
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    shown = []
    for column, (text, width) in enumerate(zip(cells, widths, strict=True)):
        cut = text if len(text) <= width else text[: width - 1] + "~"
        shown.append(cut.rjust(width) if _HEAD[column] in _NUMBERS else cut.ljust(width))
    return "  ".join(shown).rstrip()


_NUMBERS = frozenset({"FILLED", "RESULT"})


def advice(row: Row) -> str:
    """`buy 82% low`; what nobody advised is only the action."""
    if row["confidence"] is None:
        return str(row["action"])
    again = "*" if row["reused_from"] else ""
    return f"{row['action']} {row['confidence'] * 100:.0f}% {row['risk_level'] or ''}{again}"


def verdict_of(row: Row) -> str:
    """The reason; of a refusal with that word, of an approved one with where its order stands."""
    if row["verdict"] == "hold":
        return str(row["reason"])
    if row["verdict"] == "refused":
        return f"refused {row['reason']}"
    state = str(row["order_state"] or "no order").lower()
    return f"{row['reason']}, {state}"


def _filled(row: Row) -> str:
    return f"{row['filled_cost']:,.2f}" if row["fills"] else ""


def market_since(row: Row) -> str:
    """What the market did until the horizon, and whether the action was right after fees."""
    if row["horizon_s"] is None:
        return ""
    span = _span(row["horizon_s"])
    if row["outcome_void"]:
        return f"no price, {span}"
    if row["outcome_pct"] is None:
        return f"open, {span}"
    return f"{row['outcome_pct']:+.2f}% {span} {'right' if row['outcome_right'] else 'wrong'}"


def result(row: Row) -> str:
    """Money: what a sale realised, what became of a purchase, what a veto saved or missed."""
    if row["fills"]:
        if row["side"] == "sell":
            return f"{row['realised_pnl']:+,.2f}"
        sold = f"{row['later_pnl']:+,.2f}" if row["later_pnl"] else ""
        return (f"{sold} held" if row["left_qty"] else sold).strip()
    if row["gate_effect"] is None:
        return ""
    return f"{'saved' if row['gate_effect'] >= 0 else 'missed'} {abs(row['gate_effect']):,.2f}"


def _columns() -> int:
    """The columns of the terminal; WIDTH where there is none."""
    return max(shutil.get_terminal_size((WIDTH, 24)).columns, 80)


def _span(horizon_s: int) -> str:
    for unit_s, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if horizon_s % unit_s == 0:
            return f"{horizon_s // unit_s}{unit}"
    return f"{horizon_s}s"


def _coloured(row: Row, line: str) -> str:
    colour = _COLOURS.get(row["verdict"])
    if row["fills"] and row["side"] == "sell" and row["realised_pnl"] < 0:
        colour = "red"
    return typer.style(line, fg=colour) if colour else line


def _summary(rows: Sequence[Row]) -> Iterator[str]:
    """How many of what, what the advice cost, and how to go on."""
    verdicts = Counter(row["verdict"] for row in rows)
    counted = ", ".join(f"{verdicts[word]} {word}" for word in VERDICTS if verdicts[word])
    spent = [row["cost_share_usd"] for row in rows if row["cost_share_usd"] is not None]
    cost = f"; their advice cost {sum(spent, Decimal(0)):,.4f} USD" if spent else ""
    yield f"{len(rows)} decisions: {counted}{cost}."
    if any(row["reused_from"] for row in rows):
        yield "* decided on an earlier answer that was still good."
    yield "`simple-trader decisions ID` shows one in full."


async def _list(
    chosen: RunOptions,
    pair: str | None,
    verdict: str | None,
    reason: str | None,
    since: datetime | None,
    last_s: float | None,
    limit: int,
) -> list[dict[str, Any]]:
    from simple_trader.adapters.store.decision_facts import Sought
    from simple_trader.adapters.store.decision_facts import decisions as read
    from simple_trader.app import database
    from simple_trader.cli.reports import require_schema

    sought = Sought(
        pair=pair, verdict=verdict, reason=reason, since=since, last_s=last_s, limit=limit
    )
    async with database(chosen) as dsn:
        await require_schema(dsn)
        return await read(dsn, sought)


def _show(chosen: RunOptions, name: str, *, full: bool, as_json: bool) -> None:
    from simple_trader.cli.decision_screen import screen

    found = run_async(_stories(chosen, name))
    if not found:
        raise TraderError(
            f"there is no decision, cycle, question or order {name}; `simple-trader decisions` "
            "lists the decisions."
        )
    if as_json:
        _json(found)
        return
    for number, story in enumerate(found):
        if number:
            typer.echo("")
        for line in screen(story, full=full):
            typer.echo(line)


async def _stories(chosen: RunOptions, name: str) -> list[Any]:
    from simple_trader.adapters.store.decision_facts import stories
    from simple_trader.app import database
    from simple_trader.cli.reports import require_schema

    async with database(chosen) as dsn:
        await require_schema(dsn)
        return await stories(dsn, name)


def _json(found: object) -> None:
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
