"""One seed from its first event to its verdict."""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from checker.check import check
from virtual_time import VirtualLoop, run_virtually

from dst import judge
from dst.deeds import ident_of
from dst.lives import Lives
from dst.plan import Scenario, draw
from simple_trader.app.replaying import Wanted, replay


@dataclass
class Result:
    """What a seed came to; `chain` is the journal's hash, `wire` counts W."""

    seed: int
    virtual_s: float
    real_s: float = 0.0
    cpu_s: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    drawn: Counter[str] = field(default_factory=Counter)
    ends: list[str] = field(default_factory=list)
    orders: int = 0
    sent: int = 0
    fills: int = 0
    lives: int = 0
    events: int = 0
    decisions: int = 0  # made again by a replay of the journal, as the prompts
    prompts: int = 0
    wire: int = 0
    chain: str = ""
    states: dict[str, int] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)


def run_seed(
    seed: int, minutes: float, dsn: str, *, calm_s: float | None = None
) -> tuple[Result, Lives | None]:
    """Run a seed on a fresh database; never raises for what the daemon does.

    A calm shorter than usual (`calm_s`) leaves orders in doubt: only for comparing runs.
    """
    scenario: Scenario = draw(seed, minutes)
    drawn = Counter(ident_of(planned) for planned in scenario.faults)
    result = Result(seed=seed, virtual_s=scenario.span_s, drawn=drawn)
    began, busy = time.perf_counter(), time.process_time()
    made: list[Lives] = []
    broken = False
    with tempfile.TemporaryDirectory(prefix="st-dst-") as folder:

        def begin(loop: VirtualLoop) -> Coroutine[Any, Any, None]:
            made.append(Lives(loop, scenario, dsn, Path(folder) / "control"))
            return made[0].run(calm_s)

        try:
            run_virtually(begin)
        except Exception as error:  # a broken harness or exchange is a finding too
            broken = True
            result.violations.append(f"HARNESS: {type(error).__name__}: {error}")
    lives = made[0] if made else None
    if lives is not None:
        _tell(result, lives)
        if not broken:
            _judge(result, lives, dsn)
    result.real_s = time.perf_counter() - began
    result.cpu_s = time.process_time() - busy
    return result, lives


def _tell(result: Result, lives: Lives) -> None:
    result.faults = Counter(lives.deeds.acted)
    # A fault of many frames counts once, however many it hit.
    result.faults.update({f.number: f.id for f in lives.venue.fired}.values())
    result.kills = lives.tally.kills
    result.ends = lives.tally.ends
    result.violations += lives.tally.wrong
    result.lives, result.events = len(lives.tally.lives), lives.seq
    result.virtual_s = lives.agenda.now
    result.chain, result.wire = lives.chain, len(lives.venue.log.entries)


def _judge(result: Result, lives: Lives, dsn: str) -> None:
    truth, wire = lives.exchange.truth(), lives.venue.log.entries
    found = judge.differences(dsn, truth)
    result.orders, result.fills, result.states = found.orders, found.fills, found.states
    result.sent = sum('"add_order"' in e.text for e in wire if e.way == "in")
    result.violations += [str(one) for one in check(dsn, wire, truth, lives.facts())]
    again = asyncio.run(replay(dsn, Wanted()))  # I-43: the journal makes every row again
    result.violations += [f"I-43 REPLAY: {one}" for one in (again.damage, *again.found) if one]
    result.decisions, result.prompts = again.counted.rows["ai_decisions"], again.prompts


def dump_wire(lives: Lives, path: Path) -> None:
    """Write W as text, a line an entry, for people who look for a cause."""
    lines = []
    for e in lives.venue.log.entries:
        head = (e.at.time(), e.way, e.connection[-6:], e.on, e.method, e.path, e.body)
        lines.append(f"{' '.join(map(str, head))} {e.status or ''} {e.text or e.answer}"[:2000])
    path.write_text("\n".join(lines), encoding="utf-8")
