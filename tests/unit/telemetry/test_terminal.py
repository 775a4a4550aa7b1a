"""What the terminal shows of a state."""

import asyncio
import logging
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO

import msgspec
import pytest
from rich.console import Console

from simple_trader.domain.views import DecisionView, OrderView, PriceView, StatusView
from simple_trader.telemetry.terminal import Fixtures, Terminal, card, status_line

AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
VIEW = StatusView(
    at=AT,
    mode="sim",
    world="generated market, seed 1",
    trading_state="REDUCE",
    reasons=("public_down",),
    prices=(
        PriceView(
            pair="BTC/USD",
            last=Decimal("64000.10"),
            bid=Decimal("64000.0"),
            ask=Decimal("64000.2"),
            age_s=0.4,
        ),
    ),
    decisions=(
        DecisionView(
            decision_id="d1",
            pair="BTC/USD",
            at=AT,
            action="buy",
            confidence=0.8,
            verdict="refused",
            reason="spread_too_wide",
            detail="31 bps > 25 bps",
            advisor="stand-in advisor, not an LLM",
        ),
    ),
    orders=(
        OrderView(
            cl_ord_id="o1",
            pair="BTC/USD",
            side="buy",
            qty=Decimal("0.1"),
            left_qty=Decimal("0.05"),
            price=Decimal("64000"),
            state="PARTIAL",
        ),
    ),
    balances={"USD": Decimal(900)},
    equity=Decimal("1001.239"),
    realised_pnl=Decimal("-2.5"),
    unrealised_pnl=Decimal("3.739"),
    realised_today=Decimal("-2.5"),
    fills=7,
    cycles=3,
    model="unproven",
    next_cycle_at=None,
)
FIXTURES = Fixtures(
    health_url="http://127.0.0.1:8000/health",
    psql_line="simple-trader db psql",
    advisor="stand-in advisor, not an LLM",
    speed_asked=60.0,
    log_dir="logs",
)


def shown(view: StatusView, notes: tuple[str, ...] = ()) -> str:
    out = StringIO()
    console = Console(file=out, width=140)
    console.print(card(view, 59.7, FIXTURES, width=140, notes=notes))
    return out.getvalue()


def test_the_card_says_everything_a_person_asks_for() -> None:
    text = shown(VIEW)
    for words in (
        "REDUCE (public_down)", "sim", "seed 1", "http://127.0.0.1:8000/health",
        "simple-trader db psql", "64000.10", "BTC/USD buy 0.80 -> refused",
        "spread_too_wide: 31 bps > 25 bps", "0.05 of 0.1", "PARTIAL", "1,001.24", "-2.50",
        "+3.74", "asked 60 x, reached 59.7 x", "not an LLM", "7 fills",
    ):  # fmt: skip
        assert words in text, words


def test_the_card_stands_before_anything_is_known() -> None:
    empty = msgspec.structs.replace(
        VIEW, prices=(), decisions=(), orders=(), equity=None, unrealised_pnl=None, next_cycle_at=AT
    )
    text = shown(empty)
    assert "none since the start; the next cycle is at 10:00:00Z" in text
    assert "unknown" in text


def test_markup_in_a_note_is_text() -> None:
    assert "[red]boo[/red]" in shown(VIEW, notes=("[red]boo[/red]",))


def test_the_line_holds_state_prices_decision_and_speed() -> None:
    line = status_line(VIEW, 59.7)
    assert line.startswith("sim REDUCE (public_down) | 2026-03-02 10:00:00Z | BTC/USD 64000.10")
    assert "equity 1,001.24 pnl -2.50 open +3.74" in line
    assert line.endswith("speed 59.7 x")
    assert "\n" not in line


async def test_a_terminal_that_goes_away_leaves_the_lines(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Gone(StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError(32, "Broken pipe")

        def isatty(self) -> bool:
            return True

    said = asyncio.Event()

    def view() -> StatusView:
        said.set()
        return VIEW

    terminal = Terminal(view=view, speed=lambda: None, fixtures=FIXTURES, stream=Gone(), live=True)
    with caplog.at_level(logging.INFO):
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            task = group.create_task(terminal.run())
            while not any("BTC/USD 64000.10" in r.getMessage() for r in caplog.records):
                await asyncio.sleep(0)
            task.cancel()
    assert any("terminal went away" in r.getMessage() for r in caplog.records)


async def test_without_a_terminal_the_status_comes_as_a_log_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    terminal = Terminal(
        view=lambda: VIEW, speed=lambda: 1.0, fixtures=FIXTURES, stream=StringIO(), live=False
    )
    with caplog.at_level(logging.INFO):
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            task = group.create_task(terminal.run())
            while not caplog.records:
                await asyncio.sleep(0)
            task.cancel()
    assert status_line(VIEW, 1.0) in caplog.text
