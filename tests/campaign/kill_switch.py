"""Measures the kill switch by what reaches the exchange (I-28): `tests/campaign/kill_switch.py`.

A real daemon trades at a real sandbox that records its wire. The switch is pressed in the middle of
the orders, by file and by signal in turn: with everything well, with a database that says nothing,
an advisor that says nothing, and a public feed that says nothing. The table tells the last order
seen and the first cancel seen after each press; 0 when no order came 250 ms and some cancel came
500 ms after it.
"""

import argparse
import random
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
LAST_ORDER_MS, FIRST_CANCEL_MS = 250.0, 500.0
WATCHED_S = 3.0  # after each press
DEAD = ("nothing", "database", "advisor", "public feed")


@dataclass
class Found:
    """What the presses of one world showed, in milliseconds of real time."""

    dead: str
    orders: int = 0  # in the whole world
    last_order: list[float] = field(default_factory=list)  # of presses that an order outran
    first_cancel: list[float] = field(default_factory=list)
    missing: int = 0  # presses without any cancel
    presses: int = 0

    @property
    def bad(self) -> bool:
        """Whether a press came too late."""
        late = max(self.last_order, default=0.0) > LAST_ORDER_MS
        return late or self.missing > 0 or max(self.first_cancel, default=0.0) > FIRST_CANCEL_MS


def main() -> int:
    """Press in every world; 0 when each press held."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--presses", type=int, default=10, help="in each world")
    asked.add_argument("--dead", choices=DEAD, action="append", help="these worlds only")
    asked.add_argument("--seed", type=int, default=1)
    options = asked.parse_args()
    sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support"), str(ROOT / "tests")]
    print("dead         presses  orders  last order ms (most)  first cancel ms (median, most)")
    bad = False
    for dead in options.dead or DEAD:
        found = world(dead, options.presses, options.seed)
        bad = bad or found.bad
        last = f"{max(found.last_order):.0f}" if found.last_order else "none came"
        first = (
            f"{median(found.first_cancel):.0f}, {max(found.first_cancel):.0f}"
            if found.first_cancel
            else "none"
        )
        print(
            f"{dead:<12} {found.presses:>7}  {found.orders:>6}  {last:<20}  {first}"
            f"{f'  {found.missing} without a cancel' if found.missing else ''}",
            flush=True,
        )
    return 1 if bad else 0


def world(dead: str, presses: int, seed: int) -> Found:
    """One daemon, pressed again and again."""
    import system

    with system.place() as where, mute() as port:
        changes = system.BUSY | {"aggregator_interval_seconds": 10, "enable_model": False}
        if dead == "advisor":
            changes["openai_base_url"] = f"http://127.0.0.1:{port}/v1"
        where.configure(**changes)
        record = where.folder / "wire.jsonl"
        flags = ["--speed", "60", "--seed", str(seed), "--record", str(record)]
        if dead == "public feed":
            flags += ["--fault", "N02 on=public real_at_s=8 real_for_s=36000"]
        env = {"OPENAI_API_KEY": "none"} if dead == "advisor" else None
        with system.Daemon(where, *flags, env=env) as daemon:
            daemon.ready()
            if dead == "public feed":
                time.sleep(8)  # the fault counts from the start of the sandbox
            found = press_on(dead, presses, daemon, record, random.Random(seed))
            daemon.kill()
    return found


def press_on(dead: str, presses: int, daemon: "object", record: Path, dice: random.Random) -> Found:
    """So many presses, with a resume between them."""
    import chaos
    import system
    from checker.record import load_record

    assert isinstance(daemon, system.Daemon)
    campaign = chaos.Campaign(daemon.where, dice)
    pressed: list[tuple[datetime, datetime]] = []
    for number in range(presses):
        if dead in ("nothing", "database"):
            since = len(daemon.lines)
            daemon.wait_for("Filled ", 60, since=since)
            daemon.wait_for(chaos.NEW_ORDER, 60, since=len(daemon.lines))
            time.sleep(dice.random() * 0.2)  # before its commit, on its way, or after its fill
        with silent(daemon) if dead == "database" else well():
            at = datetime.now(UTC)
            if number % 2:
                daemon.process.send_signal(signal.SIGUSR1)
            else:
                campaign.ask("halt")
            time.sleep(WATCHED_S)
            pressed.append((at, datetime.now(UTC)))
        since = len(daemon.lines)
        campaign.ask("resume")
        daemon.wait_for("Resumed by", 60, since=since)
    wire = load_record(record)
    found = Found(dead, presses=presses)
    orders = [e.real for e in wire if e.way == "in" and '"add_order"' in e.text]
    by_rest = ("/CancelAll", "/CancelOrder")
    cancels = [
        e.real for e in wire if (e.way == "in" and '"cancel_' in e.text) or e.path.endswith(by_rest)
    ]
    found.orders = len(orders)
    for begun, ended in pressed:
        late = [_ms(begun, one) for one in orders if begun < one < ended]
        found.last_order += late[-1:]
        soon = [_ms(begun, one) for one in cancels if begun < one < ended]
        found.first_cancel += soon[:1]
        found.missing += not soon
    return found


def _ms(begun: datetime, ended: datetime) -> float:
    return (ended - begun).total_seconds() * 1000


@contextmanager
def well() -> Iterator[None]:
    """Nothing more is wrong."""
    yield


@contextmanager
def silent(daemon: "object") -> Iterator[None]:
    """A database that takes what it is sent and says nothing (SIGSTOP of all its processes)."""
    import system

    assert isinstance(daemon, system.Daemon)
    server = system.postmaster_of(daemon.where)
    assert server is not None
    processes = [server, *system._children(server)]
    _signal_all(system.signal_process, processes, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal_all(system.signal_process, processes, signal.SIGCONT)


def _signal_all(send: Callable[[int, int], None], processes: list[int], number: int) -> None:
    for process in processes:
        send(process, number)


@contextmanager
def mute() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as there:
        yield there.getsockname()[1]


if __name__ == "__main__":
    sys.exit(main())
