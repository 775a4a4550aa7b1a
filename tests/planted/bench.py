"""Runs one seed of the deterministic simulation with or without a planted bug, and judges it."""

import dataclasses
import logging
import os
import random
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dst.plan import Scenario
    from planted.patching import Bug

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (ROOT, ROOT / "scripts", ROOT / "tests", ROOT / "tests" / "support")


@dataclass
class Verdict:
    """What a seed came to: violations by the checker and the harness, HALTs of the daemon."""

    seed: int
    orders: int = 0
    fills: int = 0
    faults: int = 0
    chain: str = ""
    real_s: float = 0.0
    found: list[str] = field(default_factory=list)
    halted: list[str] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        """The ids by which it was caught, each once."""
        return list(dict.fromkeys(sentence.partition(":")[0] for sentence in self.found))


@contextmanager
def server() -> Iterator[str]:
    """The simulation's own server, whose template keeps a history for the checker."""
    import asyncio

    from checker import history
    from dst.simulate import TEMPLATE
    from dst.simulate import server as simulation

    with simulation() as dsn:
        asyncio.run(history.install(dsn.replace("@/simple_trader?", f"@/{TEMPLATE}?")))
        yield dsn


def focused(scenario: "Scenario", words: tuple[str, ...]) -> "Scenario":
    """The same seed with faults of these words only, drawn every twenty seconds or so, and with
    short cycles of large orders: what a bug needs comes often.
    """
    from dst.plan import FAMILIES, Planned

    known = [
        (family, text)
        for family, texts in FAMILIES.items()
        for text in texts
        if text.startswith(words)
    ]
    dice = random.Random(f"focus {scenario.seed}")
    faults, at_s = [], 20.0
    while known and at_s < scenario.span_s - 10.0:
        family, text = dice.choice(known)
        pair = dice.choice(scenario.pairs)
        text = text.format(pair=pair, base=pair.partition("/")[0])
        faults.append(Planned(at_s, family, text))
        at_s += dice.uniform(8.0, 32.0)
    return dataclasses.replace(
        scenario,
        faults=tuple(faults),
        interval_s=dice.choice((5, 6, 8)),
        candle_minutes=1,
        base_order=Decimal(dice.choice((3000, 15_000, 15_000))),
        counters=False,
    )


def directed(scenario: "Scenario", plan: tuple[tuple[float, str], ...]) -> "Scenario":
    """The same seed with these faults at these moments and no others: three pairs, whose first
    orders go out after five seconds and the next in the second minute.
    """
    from dst.plan import DATABASE, MINDS, Planned

    database = {text.partition(" ")[0] for text in DATABASE}
    faults = []
    for at_s, text in plan:
        first = text.partition(" ")[0]
        family = "D" if first in database else "L" if first in MINDS else "P"
        family = "X" if first[0] in "NXS" else family
        faults.append(Planned(at_s, family, text))
    return dataclasses.replace(
        scenario,
        pairs=("BTC/USD", "ETH/USD", "SOL/USD"),
        regime="calm",
        slippage_bps=20,
        stop_loss=Decimal(3),
        faults=tuple(faults),
        interval_s=5,
        candle_minutes=1,
        base_order=Decimal(15_000),
        counters=False,
        mixed_replies=False,
    )


def asked(scenario: "Scenario", bug: "Bug | None") -> "Scenario":
    """The scenario in which a bug is looked for."""
    if bug is not None and bug.plan:
        return directed(scenario, bug.plan)
    if bug is not None and bug.drawn:
        return focused(scenario, bug.drawn)
    return scenario


def run(
    dsn: str, seed: int, minutes: float, bug: "Bug | None" = None, *, planted: bool = True
) -> Verdict:
    """One seed on a database of its own; what the daemon or the patch throws is a finding.

    With a bug in the faults that it asks for; `planted` False leaves only the bug itself out.
    """
    from dst import run as simulation
    from dst.simulate import TEMPLATE, execute

    logging.disable(logging.CRITICAL)
    name = f"planted_{os.getpid()}_{seed}"
    execute(dsn, f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}" STRATEGY FILE_COPY')
    at = dsn.replace("@/simple_trader?", f"@/{name}?")
    try:
        drawn = simulation.draw
        simulation.draw = lambda *ask: asked(drawn(*ask), bug)
        world = nullcontext if bug is None else bug.planted if planted else bug.without
        try:
            with world():
                result, lives = simulation.run_seed(seed, minutes, at)
        finally:
            simulation.draw = drawn
        verdict = Verdict(
            seed,
            orders=result.orders,
            fills=result.fills,
            faults=sum(result.faults.values()),
            chain=result.chain,
            real_s=result.real_s,
            found=list(result.violations),
        )
        if lives is not None:
            _judge(verdict, at, lives)
        return verdict
    finally:
        execute(dsn, f'DROP DATABASE "{name}" WITH (FORCE)')


def _judge(verdict: Verdict, dsn: str, lives: object) -> None:
    from checker.check import check
    from checker.rows import read

    known = set(verdict.found)
    try:
        facts = lives.facts()
        for one in check(dsn, lives.venue.log.entries, lives.exchange.truth(), facts):
            if str(one) not in known:
                verdict.found.append(str(one))
    except (ArithmeticError, LookupError, TypeError, ValueError):
        verdict.found.append(f"CHECKER: {traceback.format_exc(limit=-3)}")
    for row in read(dsn).risk_history or ():
        if row["halted"] and "INVARIANT" in row["reasons"].upper():
            verdict.halted.append(f"{row['at']}: {row['reasons']}")


def prepare() -> None:
    """Make the harness importable in a fresh process."""
    sys.path[:0] = [str(folder) for folder in FOLDERS if str(folder) not in sys.path]


if __name__ == "__main__":
    prepare()
    first, last, minutes_ = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    with server() as dsn_:
        for seed_ in range(first, last + 1):
            print(run(dsn_, seed_, minutes_), flush=True)
