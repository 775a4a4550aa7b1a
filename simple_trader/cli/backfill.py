"""`backfill`: history of the market, from the exchange or from Kraken's download files."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Self

import typer

from simple_trader.cli.common import (
    ConfigOption,
    EnvFileOption,
    StateDirOption,
    options,
    run_async,
)
from simple_trader.config.options import RunOptions
from simple_trader.domain.errors import MarketDataError, ModeError

if TYPE_CHECKING:
    from rich.progress import TaskID

    from simple_trader.adapters.store.market_history import MarketHistory
    from simple_trader.app.backfill import Report

_MINUTES = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)
_SETTLED = timedelta(minutes=1)  # REST may lag behind the market by about that much
_DEFAULT_CANDLES = 720
_HOLES_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("backfill")(backfill)


def backfill(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILES]", help="Kraken's downloads (csv, csv.gz, zip) to import."),
    ] = None,
    pair: Annotated[
        list[str] | None,
        typer.Option("--pair", metavar="PAIR", help="Repeatable; default: traded_pairs."),
    ] = None,
    minutes: Annotated[
        int, typer.Option("--minutes", metavar="N", help="Interval of the candles.")
    ] = 1,
    since: Annotated[
        datetime | None,
        typer.Option("--since", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="From then on, UTC."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="Before then, UTC."),
    ] = None,
    trades: Annotated[
        bool, typer.Option("--trades", help="Keep the trades as well as the candles.")
    ] = False,
    gaps: Annotated[
        bool, typer.Option("--gaps", help="Only report what is missing; fetch nothing.")
    ] = False,
    url: Annotated[
        str | None,
        typer.Option("--url", metavar="URL", help="Exchange to ask (default: Kraken)."),
    ] = None,
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Fetch missing candles and trades, or import Kraken's downloads; then report the gaps.

    Without --since it looks at the last 720 candles. Candles older than those are made of trades,
    about a thousand a second: for years, import Kraken's downloads first.
    """
    if minutes not in _MINUTES:
        listed = ", ".join(map(str, _MINUTES))
        raise typer.BadParameter(f"--minutes must be one of {listed}")
    chosen = options(config, env_file, state_dir)
    if files:
        reports = run_async(_import(chosen, files, pair or [], url))
    else:
        span = (_utc(since), _utc(until))
        reports = run_async(
            _fetch(chosen, pair or [], minutes * 60, span, url, trades=trades, gaps=gaps)
        )
    for report in reports:
        _print(report)


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


async def _fetch(
    chosen: RunOptions,
    pairs: list[str],
    interval_s: int,
    span: tuple[datetime | None, datetime | None],
    url: str | None,
    *,
    trades: bool,
    gaps: bool,
) -> "list[Report]":
    from simple_trader.app.backfill import Backfill
    from simple_trader.app.history_source import open_history_source
    from simple_trader.app.places import read_setup
    from simple_trader.domain.history import Span
    from simple_trader.runtime.clocks import SystemClock

    settings = read_setup(chosen).config.settings
    now = SystemClock().wall() - _SETTLED
    end = min(span[1] or now, now)
    begin = span[0] or end - timedelta(seconds=interval_s * _DEFAULT_CANDLES)
    if begin >= end:
        raise MarketDataError("--since must lie before --until, and both before now.")
    if not gaps:
        _require_url(settings.mode, url)
    wanted = Span(begin, end)
    reports: list[Report] = []
    async with _history(chosen) as history:
        with _Bars() as bars:
            work = Backfill(history, bars)
            if gaps:
                for name in pairs or settings.traded_pairs:
                    reports.append(await work.report(name, interval_s, wanted))
                    if trades:
                        reports.append(await work.report(name, 0, wanted))
                return reports
            async with open_history_source(url) as (source, symbols):
                for name in pairs or settings.traded_pairs:
                    if symbols.rules(name) is None:
                        raise MarketDataError(
                            f"the exchange has no pair {name}: name it as Kraken's WebSocket "
                            "does, such as BTC/USD."
                        )
                    reports += await work.fetch(source, name, interval_s, wanted, trades=trades)
    return reports


def _require_url(mode: str, url: str | None) -> None:
    if mode == "sim" and url is None:
        raise ModeError(
            "a sim world has a market of its own, and Kraken's prices are not its history: "
            "name its exchange with --url, import files, or use a paper or live state directory."
        )


async def _import(
    chosen: RunOptions, files: Sequence[Path], pairs: list[str], url: str | None
) -> "list[Report]":
    from simple_trader.adapters.downloads.kraken_files import find_downloads
    from simple_trader.app.backfill import Backfill
    from simple_trader.app.history_source import open_history_source
    from simple_trader.app.places import read_setup

    tables = [table for file in files for table in find_downloads(file)]
    wanted = set(pairs or read_setup(chosen).config.settings.traded_pairs)
    reports: list[Report] = []
    async with _history(chosen) as history:
        names = await history.altnames()
        if not names and len(wanted) == 1 and len({table.altname for table in tables}) == 1:
            names = {tables[0].altname: next(iter(wanted))}  # the person says which pair it is
        if not names:
            async with open_history_source(url) as (_, symbols):
                listed = {table.altname: symbols.pair(table.altname) for table in tables}
            names = {alt: name for alt, name in listed.items() if symbols.rules(name) is not None}
        found = [(table, names.get(table.altname)) for table in tables]
        mine = [(table, name) for table, name in found if name is not None and name in wanted]
        if not mine:
            held = ", ".join(sorted({table.altname for table in tables})[:10])
            raise MarketDataError(
                f"the files hold {held}, which is none of {', '.join(sorted(wanted))}: "
                "name the pair with --pair."
            )
        with _Bars() as bars:
            work = Backfill(history, bars)
            for table, name in mine:
                reports.append(await work.load(table, name))
    return reports


@asynccontextmanager
async def _history(chosen: RunOptions) -> "AsyncIterator[MarketHistory]":
    from simple_trader.adapters.store.db_manager import upgrade
    from simple_trader.adapters.store.market_history import MarketHistory
    from simple_trader.app import database

    async with database(chosen) as dsn:
        await upgrade(dsn)
        async with MarketHistory(dsn) as history:
            yield history


class _Bars:
    """Progress bars on a terminal; nothing where the output is no terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import Progress

        console = Console(stderr=True)
        self._progress = Progress(console=console, disable=not console.is_terminal)
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def begin(self, what: str, total: float) -> None:
        """A piece of work begins."""
        self._task = self._progress.add_task(what, total=total)

    def advance(self, units: float) -> None:
        """A part of it is done."""
        if self._task is not None:
            self._progress.advance(self._task, units)


def _print(report: "Report") -> None:
    what = f"{report.interval_s // 60}-minute candles" if report.interval_s else "trades"
    wanted = report.wanted
    typer.echo(
        f"{report.pair} {what}, {wanted.begin:%Y-%m-%d %H:%M} to {wanted.end:%Y-%m-%d %H:%M} UTC: "
        f"{report.rows:,} rows written, {_missing(report)}"
    )
    for hole in report.holes[:_HOLES_SHOWN]:
        typer.echo(f"  missing {hole.begin:%Y-%m-%d %H:%M:%S} to {hole.end:%Y-%m-%d %H:%M:%S}")
    if len(report.holes) > _HOLES_SHOWN:
        typer.echo(f"  and {len(report.holes) - _HOLES_SHOWN} more")


def _missing(report: "Report") -> str:
    if not report.holes:
        return "no gap"
    total = sum(hole.seconds for hole in report.holes)
    share = 100 * total / max(report.wanted.seconds, 1.0)
    return f"{len(report.holes)} gaps, {share:.2f} % of the time"
