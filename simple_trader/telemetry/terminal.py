"""The terminal: a compact live card on a TTY, a periodic one-line status elsewhere."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import StringIO
from typing import TYPE_CHECKING, TextIO

from simple_trader.domain.views import DecisionView, StatusView
from simple_trader.telemetry.screen import Screen, ScreenGone

if TYPE_CHECKING:
    from rich.table import Table

log = logging.getLogger(__name__)

LIVE_EVERY_S = 0.5
LINE_EVERY_S = 10.0
_ORDERS_SHOWN = 6
_CENT = Decimal("0.01")
_STATE_COLOURS = {"RUN": "green", "REDUCE": "yellow", "HALT": "red"}


@dataclass(frozen=True, kw_only=True)
class Fixtures:
    """What does not change during a run."""

    health_url: str
    psql_line: str
    advisor: str  # "stand-in advisor, not an LLM" or the model's name
    speed_asked: float  # 1 on the system clock, inf for max
    log_dir: str


class Terminal:
    """Shows the brain's state until cancelled; what goes wrong here never ends the daemon."""

    def __init__(
        self,
        *,
        view: Callable[[], StatusView],
        speed: Callable[[], float | None],
        fixtures: Fixtures,
        stream: TextIO,
        live: bool,
        notes: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        """`speed` is the reached one, None before it is known; `notes` are recent warnings.

        `live` asks for the card; it needs `stream` to be a terminal.
        """
        self._view, self._speed, self._fixtures = view, speed, fixtures
        self._stream, self._notes = stream, notes
        self._live = live

    async def run(self) -> None:
        """Show until cancelled."""
        if self._live:
            await self._run_live()
        await self._run_lines()

    async def _run_lines(self) -> None:
        """A line every ten seconds, through the log like everything else."""
        while True:
            log.info("%s", status_line(self._view(), self._speed()))
            await asyncio.sleep(LINE_EVERY_S)

    async def _run_live(self) -> None:
        """The card, redrawn in place; ends when the terminal goes away."""
        screen = Screen(self._stream)
        try:
            while True:
                screen.draw(self._card(screen.size[0]))
                await asyncio.sleep(LIVE_EVERY_S)
        except ScreenGone as error:
            log.warning("the terminal went away (%s); the log goes on", error)
        finally:
            screen.close()

    def _card(self, width: int) -> str:
        """The card as text with colours."""
        from rich.console import Console

        out = StringIO()
        console = Console(
            file=out,
            width=width,
            force_terminal=True,
            color_system="standard",
            legacy_windows=False,
        )
        console.print(
            card(
                self._view(),
                self._speed(),
                self._fixtures,
                notes=tuple(self._notes()),
                width=width,
            )
        )
        return out.getvalue()


def status_line(view: StatusView, speed: float | None) -> str:
    """The state in one line."""
    prices = " ".join(f"{p.pair} {p.last}" for p in view.prices) or "no prices yet"
    parts = [
        f"{view.mode} {view.trading_state}" + _because(view),
        view.at.strftime("%Y-%m-%d %H:%M:%SZ"),
        prices,
        f"equity {_money(view.equity)} pnl {_money(view.realised_pnl, sign=True)}{_open_pnl(view)}",
        f"{len(view.orders)} open orders, {view.fills} fills, {view.cycles} cycles",
        "last: " + (_decision(view.decisions[-1]) if view.decisions else "none since the start"),
    ]
    if speed is not None:
        parts.append(f"speed {_speed_text(speed)}")
    return " | ".join(parts)


def card(
    view: StatusView,
    speed: float | None,
    fixtures: Fixtures,
    *,
    notes: tuple[str, ...] = (),
    width: int = 100,
) -> "Table":
    """The live card: label and text, nothing that scrolls."""
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2), expand=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(max_width=max(width - 14, 40))

    def row(label: str, text: "str | Text") -> None:
        table.add_row(label, text if isinstance(text, Text) else Text(text))

    state = Text()
    state.append(view.trading_state, style=_STATE_COLOURS.get(view.trading_state, "bold"))
    state.append(_because(view))
    row("state", state)
    row("mode", f"{view.mode}   world {view.world}   {view.at:%Y-%m-%d %H:%M:%SZ}")
    asked = "max" if fixtures.speed_asked == float("inf") else f"{fixtures.speed_asked:g} x"
    reached = "not known yet" if speed is None else _speed_text(speed)
    row("speed", f"asked {asked}, reached {reached}")
    row("health", fixtures.health_url)
    row("psql", fixtures.psql_line)
    row("logs", fixtures.log_dir)
    row("advisor", fixtures.advisor)
    row("model", view.model)
    prices = "\n".join(
        f"{p.pair:<10} {p.last!s:>14}   bid {p.bid}  ask {p.ask}  {p.age_s:.0f} s old"
        for p in view.prices
    )
    row("prices", prices or "none yet")
    row("decision", _decision(view.decisions[-1]) if view.decisions else _next_cycle(view))
    orders = [
        f"{o.pair} {o.side} {o.left_qty} of {o.qty} at {o.price or 'market'}  {o.state}  "
        f"{o.cl_ord_id}"
        for o in view.orders[:_ORDERS_SHOWN]
    ]
    if len(view.orders) > _ORDERS_SHOWN:
        orders.append(f"and {len(view.orders) - _ORDERS_SHOWN} more")
    row("orders", "\n".join(orders) or "none open")
    row(
        "equity",
        f"{_money(view.equity)}   realised {_money(view.realised_pnl, sign=True)} "
        f"(today {_money(view.realised_today, sign=True)}){_open_pnl(view)}   "
        f"{view.fills} fills   {view.cycles} cycles",
    )
    if notes:
        row("notes", Text.from_markup(escape("\n".join(notes[-3:])), style="yellow"))
    return table


def _because(view: StatusView) -> str:
    return f" ({', '.join(view.reasons)})" if view.reasons else ""


def _next_cycle(view: StatusView) -> str:
    if view.next_cycle_at is None:
        return "none since the start"
    return f"none since the start; the next cycle is at {view.next_cycle_at:%H:%M:%SZ}"


def _decision(decision: DecisionView) -> str:
    sure = "" if decision.confidence is None else f" {decision.confidence:.2f}"
    detail = f": {decision.detail}" if decision.detail else ""
    return (
        f"{decision.pair} {decision.action}{sure} -> {decision.verdict} "
        f"({decision.reason}{detail}) at {decision.at:%H:%M:%SZ}"
    )


def _money(value: Decimal | None, *, sign: bool = False) -> str:
    if value is None:
        return "unknown"
    return f"{value.quantize(_CENT):{'+' if sign else ''},f}"


def _open_pnl(view: StatusView) -> str:
    if view.unrealised_pnl is None:
        return ""
    return f" open {_money(view.unrealised_pnl, sign=True)}"


def _speed_text(speed: float) -> str:
    return f"{speed:.1f} x"
