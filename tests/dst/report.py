"""Adds the results of many seeds up and says whether the campaign holds."""

import time
from collections import Counter

from dst.run import Result

FAULTS_AN_HOUR, ORDERS_AN_HOUR = 60, 100
SHOWN = 6


class Campaign:
    """The running totals."""

    def __init__(self, minutes: float, jobs: int) -> None:
        """Nothing ran yet."""
        self._minutes, self._jobs = minutes, jobs
        self._began = time.perf_counter()
        self._results: list[Result] = []

    def add(self, result: Result) -> None:
        """One seed is done; a violation is told at once."""
        self._results.append(result)
        mark = "ok " if not result.violations else "BAD"
        print(
            f"{mark} seed {result.seed:>6}  lives {result.lives:>3}  orders {result.sent:>4}  "
            f"fills {result.fills:>4}  faults {sum(result.faults.values()):>4}  "
            f"{result.virtual_s / result.real_s:>5.0f}x  {result.chain[:12]}",
            flush=True,
        )
        for end in result.ends:
            print(f"      end: {end[:200]}")
        for text in result.violations[:SHOWN]:
            print(f"      {text[:400]}")
        if result.violations:
            if len(result.violations) > SHOWN:
                print(f"      and {len(result.violations) - SHOWN} more")
            print(f"      again: make simulate SEED={result.seed} MINUTES={self._minutes:g}")

    def finish(self) -> int:
        """Print the totals; 0 when nothing was violated and enough happened."""
        real_s = time.perf_counter() - self._began
        done = self._results
        hours = sum(result.virtual_s for result in done) / 3600
        spent = sum(result.real_s for result in done)
        faults, kills, states, drawn = (Counter[str]() for _ in range(4))
        for result in done:
            faults.update(result.faults)
            drawn.update(result.drawn)
            kills.update(result.kills)
            states.update(result.states)
        orders, fills = sum(r.sent for r in done), sum(r.fills for r in done)
        bad = [result.seed for result in done if result.violations]
        found = sum(len(r.violations) for r in done)
        cpu_s = sum(result.cpu_s for result in done)
        print(f"{len(done)} seeds, {hours:.2f} virtual hours in {real_s:.0f} s, {self._jobs} jobs")
        print(
            f"speed: {hours * 3600 / max(spent, 1e-9):.0f} x real time a job; "
            f"{hours * 3600 / max(cpu_s, 1e-9):.0f} x by the processor time of the jobs, "
            f"which is {100 * cpu_s / max(spent, 1e-9):.0f} % of it (the rest: Postgres, waiting)"
        )
        print(f"faults: {faults.total()}, {faults.total() / hours:.0f} an hour: {_listed(faults)}")
        never = sorted(drawn.keys() - faults.keys())
        print(
            f"drawn: {drawn.total()} of {len(drawn)} ids; drawn and never acted: "
            f"{', '.join(never) or 'none'}"
        )
        print(f"kills: {kills.total()}: {_listed(kills)}")
        print(f"orders: {orders}, {orders / hours:.0f} an hour: {_listed(states)}; fills: {fills}")
        again = sum(result.decisions for result in done), sum(result.prompts for result in done)
        print("made again from the journal: {} decisions, {} prompts (I-43)".format(*again))
        print(f"violations: {found} in {len(bad)} seeds {bad[:20]}")
        enough = faults.total() >= FAULTS_AN_HOUR * hours and orders >= ORDERS_AN_HOUR * hours
        if not enough:
            print(f"too little: {FAULTS_AN_HOUR} faults and {ORDERS_AN_HOUR} orders an hour wanted")
        return 0 if enough and not bad else 1


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
