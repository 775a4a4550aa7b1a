"""The live view on a real terminal, and what happens when that terminal is closed."""

import os
import pty
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHILD = """
import asyncio, sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from simple_trader.domain.views import PriceView, StatusView
from simple_trader.telemetry.logs import MAIN_LOG, Logs
from simple_trader.telemetry.terminal import Fixtures, Terminal

price = PriceView(pair="BTC/USD", last=Decimal("64000.1"), bid=Decimal(1), ask=Decimal(2), age_s=0)
view = StatusView(
    at=datetime(2026, 3, 2, tzinfo=UTC), mode="sim", world="w", trading_state="RUN", reasons=(),
    prices=(price,), decisions=(), orders=(), balances={}, equity=None, realised_pnl=Decimal(0),
    unrealised_pnl=None, realised_today=Decimal(0), fills=0, cycles=0, model="m",
    next_cycle_at=None,
)
fixtures = Fixtures(
    health_url="http://h", psql_line="p", advisor="a", speed_asked=1.0, log_dir=sys.argv[1]
)
terminal = Terminal(
    view=lambda: view, speed=lambda: None, fixtures=fixtures, stream=sys.stdout, live=True
)

async def main():
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        task = group.create_task(terminal.run())
        log = Path(sys.argv[1]) / MAIN_LOG
        while not (log.exists() and "BTC/USD 64000.1" in log.read_text()):
            await asyncio.sleep(0.01)
        task.cancel()

with Logs(Path(sys.argv[1])):
    asyncio.run(main())
"""


def test_the_card_is_drawn_on_a_terminal_and_its_end_is_survived(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.PIPE,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "40"},
    ) as child:
        os.close(theirs)
        seen = b""
        while b"none open" not in seen:
            seen += os.read(ours, 65_536)
        os.close(ours)
        _, stderr = child.communicate(timeout=60)
    text = seen.decode()
    assert "BTC/USD" in text
    assert "64000.1" in text
    assert child.returncode == 0, stderr.decode()
