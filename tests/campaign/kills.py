"""Kills daemon, sandbox and PostgreSQL many times, then compares the books (`make chaos KILLS=50`).

Each world is one seed; two run at a time. Of five kills three are the daemon's at a named crash
point of its order path (each in turn), the others are sandbox, PostgreSQL and daemon at random
moments and pauses of the process; every second world has faults on its wire as well. Then the books
and the independent checker judge. The last lines are the figures of docs/RELIABILITY.md.
"""

import argparse
import json
import random
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
TRIES = 3  # a crash point that so many lives never came by lies nowhere: that proves nothing


@dataclass
class Outcome:
    """What one world showed."""

    seed: int
    faults: bool
    took_s: float = 0.0
    kills: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    made_faults: Counter[str] = field(default_factory=Counter)
    back_s: dict[str, list[float]] = field(default_factory=dict)
    orders: int = 0
    fills: int = 0
    epochs: int = 0
    states: dict[str, int] = field(default_factory=dict)
    sent: int = 0
    wrong: list[str] = field(default_factory=list)


def main() -> int:
    """Run the campaign; 0 when every book balances and nobody saw a traceback."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--kills", type=int, default=50)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--kills-per-world", type=int, default=25)
    asked.add_argument("--worlds", type=int, default=2, help="worlds at a time")
    asked.add_argument("--faults", choices=("some", "all", "none"), default="some")
    asked.add_argument("--out", type=Path, help="write the figures there as JSON")
    asked.add_argument("--keep", type=Path, help="keep what a bad world said in this folder")
    options = asked.parse_args()
    sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support"), str(ROOT / "tests")]
    jobs = _jobs(options)
    began, found = time.monotonic(), []
    print(f"{options.kills} kills in {len(jobs)} worlds, {options.worlds} at a time", flush=True)
    with ProcessPoolExecutor(options.worlds) as pool:
        waits = [pool.submit(_world, *job, options.keep) for job in jobs]
        for done in as_completed(waits):
            outcome = done.result()
            found.append(outcome)
            _print_world(outcome)
    figures = _figures(found, time.monotonic() - began)
    _print_total(figures)
    if options.out is not None:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")
    return 1 if figures["violations"] else 0


def _jobs(options: argparse.Namespace) -> list[tuple[int, bool, list[object]]]:
    """Seed, faults and steps of each world; the crash points go round over all of them."""
    import chaos

    steps = chaos.plan(options.kills, random.Random(options.seed))
    jobs: list[tuple[int, bool, list[object]]] = []
    for number in range(0, len(steps), options.kills_per_world):
        index = number // options.kills_per_world
        faults = options.faults == "all" or (options.faults == "some" and index % 2 == 1)
        part = steps[number : number + options.kills_per_world]
        jobs.append((options.seed * 1000 + index + 1, faults, list(part)))
    return jobs


def _world(seed: int, faults: bool, steps: list[object], keep: Path | None) -> Outcome:
    """One world from an empty folder to its verdict, in a process of its own."""
    sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support"), str(ROOT / "tests")]
    import chaos
    import system
    import verdict

    outcome, began = Outcome(seed, faults), time.monotonic()
    with system.place() as where:
        where.configure(**system.BUSY, enable_model=False)  # a process less at each start
        record = where.folder / "wire.jsonl"
        flags = ("--seed", str(seed), "--record", str(record))
        campaign = chaos.Campaign(where, random.Random(seed), faults=faults, flags=flags)
        try:
            campaign.begin()
            verdict.watch(where)
            campaign.follow(steps)
            books = campaign.finish()
            outcome.wrong += books.differences
            outcome.orders, outcome.fills = books.orders, books.fills
            outcome.epochs, outcome.states = books.epochs, books.states
            judged = verdict.judge(campaign, record)
            outcome.sent = judged.sent
            outcome.wrong += judged.wrong
        except (AssertionError, OSError) as error:
            outcome.wrong.append(f"failed: {error}"[-4000:])
        finally:
            campaign.close()
        if "Traceback" in campaign.said:
            at = campaign.said.index("Traceback")
            outcome.wrong.append(f"a traceback was shown: {campaign.said[at : at + 3000]}")
        if outcome.wrong and keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"said-{seed}.txt").write_text(campaign.said)
    outcome.kills, outcome.back_s = campaign.kills, campaign.back_s
    outcome.reached, outcome.missed = campaign.reached, campaign.missed
    outcome.made_faults, outcome.took_s = campaign.made_faults, time.monotonic() - began
    return outcome


def _print_world(outcome: Outcome) -> None:
    kills = " ".join(f"{name} {count}" for name, count in sorted(outcome.kills.items()))
    print(
        f"seed {outcome.seed}{' with faults' if outcome.faults else ''}: {kills}; "
        f"{outcome.orders} orders, {outcome.sent} sent, {outcome.fills} fills, "
        f"{outcome.epochs} epochs; {len(outcome.wrong)} violations; {outcome.took_s:.0f} s",
        flush=True,
    )
    for line in outcome.wrong:
        print(f"      {line}", flush=True)


def _figures(found: list[Outcome], took_s: float) -> dict[str, object]:
    kills: Counter[str] = Counter()
    reached: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    states: Counter[str] = Counter()
    back_s: dict[str, list[float]] = {}
    for one in found:
        kills += one.kills
        reached += one.reached
        missed += one.missed
        faults += one.made_faults
        states += Counter(one.states)
        for victim, spans in one.back_s.items():
            back_s.setdefault(victim, []).extend(spans)
    total = sum(kills.values())
    never = [name for name, tries in missed.items() if tries >= TRIES and name not in reached]
    return {
        "kills": dict(sorted(kills.items())),
        "points_reached": dict(sorted(reached.items())),
        "points_not_reached": dict(sorted(missed.items())),
        "points_never_reached": sorted(never),
        "faults_asked": dict(sorted(faults.items())),
        "recovery_s": {
            victim: {
                "n": len(spans),
                "median": round(median(spans), 2),
                "p99": round(sorted(spans)[min(len(spans) - 1, int(len(spans) * 0.99))], 2),
            }
            for victim, spans in sorted(back_s.items())
        },
        "orders": sum(one.orders for one in found),
        "orders_sent": sum(one.sent for one in found),
        "order_states": dict(sorted(states.items())),
        "fills": sum(one.fills for one in found),
        "violations": sum(len(one.wrong) for one in found) + len(never),
        "seeds": sorted(one.seed for one in found),
        "took_s": round(took_s),
        "s_per_kill": round(took_s / max(total, 1), 1),
    }


def _print_total(figures: dict[str, object]) -> None:
    for name, value in figures.items():
        print(f"{name:>20}: {json.dumps(value)}")


if __name__ == "__main__":
    sys.exit(main())
