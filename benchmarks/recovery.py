"""How long a daemon with 500 open orders needs from a SIGKILL to a reconciled account.

    .venv/bin/python benchmarks/recovery.py [--orders 500] [--kills 20]

A run of the real daemon (embedded PostgreSQL with fsync, the sandbox as a process over TCP) places
the orders through its own order path, engine to gate to exchange, and is killed. Then it is started
and killed again, over and over: from the start of the process to the word `ready` (fills, orders
and balances reconciled, all feeds up) is one figure. Every start must find all orders open.
"""

import argparse
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAIRS = ("BTC/USD", "ETH/USD", "SOL/USD", "XRP/USD", "ADA/USD", "DOGE/USD", "LTC/USD", "LINK/USD")
AIM_S = 5.0
_STATUS = re.compile(r"(\w+) RUN \|.* (\d+) open orders")
_LIVES = timedelta(seconds=5)


def main() -> int:
    """Prepare, kill, start, count."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=500)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--keep", type=Path, help="use and keep this folder")
    parser.add_argument("--fill", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.fill is not None:
        return place_orders(chosen.fill, chosen.orders)
    if chosen.keep is not None:
        return measure(chosen.keep, chosen.orders, chosen.kills)
    with tempfile.TemporaryDirectory(prefix="st-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        return measure(Path(folder), chosen.orders, chosen.kills)


def measure(folder: Path, orders: int, kills: int) -> int:
    """Print the figures; 1 where a start found other orders than were there."""
    folder.mkdir(exist_ok=True)
    if not (folder / "state").is_dir():
        configure(folder)
        command = [sys.executable, __file__, "--fill", str(folder), "--orders", str(orders)]
        began = time.perf_counter()
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        assert code == -signal.SIGKILL, f"the driver ended with {code}"
        print(f"placed {orders} orders and killed: {time.perf_counter() - began:.1f} s", flush=True)
    figures: dict[str, list[float]] = {"process to ready": [], "rows to ready": [], "its CPU": []}
    for number in range(kills + 1):
        found = start_and_kill(folder, orders, last=number == kills)
        if number:  # the first start is of the driver's kill: its page cache is another
            for name, seconds in zip(figures, found, strict=True):
                figures[name].append(seconds)
        said = ", ".join(f"{n} {s:.2f} s" for n, s in zip(figures, found, strict=True))
        print(f"  {number:3} {said}", flush=True)
    load = os.getloadavg()[0]
    print(f"{kills} kills with {orders} open orders, load {load:.1f} (aim {AIM_S:g} s)")
    for name, values in figures.items():
        ordered = sorted(values)
        high = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
        print(
            f"  {name:18} median {statistics.median(ordered):.2f} s, 99th percentile {high:.2f} s, "
            f"best {ordered[0]:.2f} s"
        )
    return 0


def configure(folder: Path) -> None:
    """The shipped configuration, of which nothing trades by itself."""
    import yaml

    values = yaml.safe_load((ROOT / "config.yaml").read_text())
    values |= {"traded_pairs": list(PAIRS), "enable_aggregator": False, "enable_model": False}
    values["sim"] |= {"initial_capital": 1_000_000}
    (folder / "config.yaml").write_text(yaml.safe_dump(values, explicit_end=True))


def start_and_kill(folder: Path, orders: int, *, last: bool) -> tuple[float, float, float]:
    """Seconds to `ready` from the start of the process and from the rows in memory, and the CPU
    seconds of the daemon until then; then SIGKILL.
    """
    command = [sys.executable, str(ROOT / "main.py"), "--no-tui", "--speed", "1"]
    command += ["--config", str(folder / "config.yaml"), "--state-dir", str(folder / "state")]
    began = time.perf_counter()
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    if len(environment) < len(os.environ):  # as a user's Python does: bytecode is kept
        environment["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        said: list[str] = []
        recovered = ready = cpu = 0.0
        for line in process.stdout:
            said.append(line)
            now = time.perf_counter() - began
            if "Started in sim" in line:
                recovered = now
            if line.rstrip().endswith("INFO    ready"):
                ready, cpu = now, cpu_of(process.pid)
            found = _STATUS.search(line)
            if found is not None:
                assert int(found[2]) == orders, f"{found[2]} open orders, not {orders}"
                break
        else:
            raise AssertionError(f"the daemon ended:\n{''.join(said)}")
        process.send_signal(signal.SIGINT if last else signal.SIGKILL)
        process.communicate()
    return ready, ready - recovered, cpu


def cpu_of(pid: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def place_orders(folder: Path, orders: int) -> int:
    """The real daemon, with a brain that places on command; killed when all orders rest."""
    sys.path.insert(0, str(ROOT))
    import simple_trader.app.run as running
    from simple_trader.config.options import RunOptions
    from simple_trader.runtime.supervisor import RootTask

    wire = running.wire

    async def wired(*arguments: Any) -> Any:
        made = await wire(*arguments)
        driver = Driver(made.daemon, orders)
        made.daemon.loop.brain = driver
        made.daemon.add_root(RootTask("driver", driver.drive))
        return made

    running.wire = wired
    options = RunOptions(
        config_path=folder / "config.yaml",
        state_dir=folder / "state",
        speed=float("inf"),
        tui=False,
    )
    return running.run_daemon(options)


class Driver:
    """The engine, and besides it an order on every pair at each `bench` timer."""

    def __init__(self, daemon: Any, orders: int) -> None:
        """Wrap the daemon's engine."""
        self._daemon, self._engine, self._wanted = daemon, daemon.loop.brain, orders
        self._placed = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def process(self, stamped: Any) -> list[Any]:
        """As the engine; an order of its own at each timer of ours."""
        from simple_trader.domain.events import TimerFired

        event = stamped.event
        if not (isinstance(event, TimerFired) and event.name == "bench"):
            found: list[Any] = self._engine.process(stamped)
            return found
        return [action for pair in PAIRS for action in self._order(pair, stamped.at)]

    def _order(self, pair: str, at: Any) -> list[Any]:
        """A resting purchase far below the market, reserved as the risk manager does it."""
        from simple_trader.core.risk.risk_manager import params_hash
        from simple_trader.domain.actions import PlaceOrder, Remember
        from simple_trader.domain.moments import floor_ms
        from simple_trader.domain.order_states import OrderState
        from simple_trader.domain.orders import (
            Intent,
            Order,
            OrderRequest,
            OrderType,
            Origin,
            Side,
            TimeInForce,
        )
        from simple_trader.domain.reasons import Reason
        from simple_trader.domain.records import IntentRow
        from simple_trader.domain.verdicts import Approved

        state = self._engine.state
        if len(state.orders.live()) >= self._wanted or state.trading_state != "RUN":
            return []
        self._placed += 1
        rules, quote = state.rules[pair], state.board.quote(pair)
        step = rules.price_increment
        price = (quote.bid / 2 // step) * step - step * (self._placed % 50)
        qty = rules.qty_min * 4
        request = OrderRequest(
            cl_ord_id=state.next_order_id(),
            pair=pair,
            side=Side.BUY,
            order_type=OrderType.LIMIT,
            qty=qty,
            limit_price=price,
            time_in_force=TimeInForce.GTC,
            post_only=False,
            expire_at=None,
            deadline=floor_ms(at + _LIVES),
        )
        intent = Intent(
            origin=Origin.OPERATOR,
            owner="ai",
            pair=pair,
            side=Side.BUY,
            order_type=OrderType.LIMIT,
            qty=qty,
            price=price,
            time_in_force=TimeInForce.GTC,
            post_only=False,
            reason=Reason.OPERATOR,
            mid=quote.mid,
        )
        approved = Approved(
            intent=intent,
            request=request,
            params_hash=params_hash(request),
            approved_at=at,
            send_by=at + _LIVES,
        )
        order = Order(
            request=request,
            origin=intent.origin,
            owner="ai",
            decision_id=None,
            reason=intent.reason,
            state=OrderState.DISPATCHING,
            approved_at=at,
            send_by=approved.send_by,
            params_hash=approved.params_hash,
            config_hash=state.config_hash,
            notional=qty * price,
            reserved=qty * price,
            changed_at=at,
        )
        state.orders.put(order)
        room = Decimal(10) ** 9
        row = IntentRow(order=order, epoch=state.epoch, cap_asset=room, cap_total=room)
        return [Remember(record=row), PlaceOrder(approved=approved)]

    async def drive(self) -> None:
        """Ask for orders every market second and a half, then kill ourselves."""
        import asyncio

        from simple_trader.domain.events import TimerFired

        parts = self._daemon.parts
        await self._daemon.ready.wait()
        for _ in range(self._wanted):
            if self._open() >= self._wanted:
                break
            due = parts.clock.now()
            parts.inbox.put(TimerFired(name="bench", due=due))
            while parts.clock.now() < due + timedelta(seconds=1.5):
                await asyncio.sleep(0.005)
        assert self._open() == self._wanted, f"only {self._open()} orders rest"
        os.kill(os.getpid(), signal.SIGKILL)

    def _open(self) -> int:
        from simple_trader.domain.order_states import OrderState

        orders = self._engine.state.orders.live()
        return sum(order.state is OrderState.OPEN for order in orders)


if __name__ == "__main__":
    sys.exit(main())
