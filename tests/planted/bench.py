"""Runs one seed of the deterministic simulation with or without a planted bug, and judges it."""

import dataclasses
import logging
import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dst.plan import Scenario
    from planted.patching import Bug


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


def run(
    dsn: str, seed: int, minutes: float, bug: "Bug", *, planted: bool = True, chance: bool = False
) -> Verdict:
    """One seed on a database of its own; what the daemon or the patch throws is a finding.

    The faults are those that the bug asks for, or with `chance` those that the seed draws for
    `make simulate`; `planted` False leaves only the bug itself out.
    """
    from dst import run as simulation
    from dst.simulate import TEMPLATE, execute

    logging.disable(logging.CRITICAL)
    name = f"planted_{os.getpid()}_{seed}"
    execute(dsn, f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}" STRATEGY FILE_COPY')
    at = dsn.replace("@/simple_trader?", f"@/{name}?")
    try:
        drawn = simulation.draw
        if not chance:
            simulation.draw = lambda *ask: directed(drawn(*ask), bug.plan)
        try:
            with bug.planted() if planted else bug.without():
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
