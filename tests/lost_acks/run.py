"""`make lost-acks CASES=2000`: draws worlds of five lost acknowledgements and judges each.

A world is a function of its seed: a wrong case prints it, `--seed N` replays it.
"""

import argparse
import random
import sys
import time
from collections import Counter, defaultdict
from statistics import median

from virtual_time import VirtualLoop, run_virtually

from lost_acks.fates import draw_fate, draw_weather
from lost_acks.judge import Verdict, judge
from lost_acks.world import World

CASES_EACH = 5
CALM_S = 165.0


def draw_moments(dice: random.Random) -> list[float]:
    """When the orders of a world are sent: together, as an outage loses them, or one by one."""
    burst = [dice.uniform(2.0, 6.0) for _ in range(CASES_EACH)]
    alone = sorted(20.0 * n + dice.uniform(1.0, 15.0) for n in range(CASES_EACH))
    return dice.choice((burst, alone))


def play(seed: int) -> tuple[World, list[tuple[str, Verdict]]]:
    """One world: its weather, its orders, and the verdict on each."""
    dice = random.Random(f"lost acks {seed}")
    weather = draw_weather(dice)
    cases = [(moment, draw_fate(dice)) for moment in draw_moments(dice)]

    async def whole(loop: VirtualLoop) -> tuple[World, list[tuple[str, Verdict]]]:
        world = World(loop, seed, weather)
        made = await world.run(cases, CALM_S + weather.down_s)
        said = [(f"seed {seed} {case.name} {case.fate.way}", judge(world, case)) for case in made]
        return world, said

    world, said = run_virtually(whole)
    return world, said


def campaign(seeds: range) -> tuple[list[str], dict[str, list[float]], Counter[str]]:
    """All worlds: what is wrong, the delays by kind of proof, and what happened how often."""
    wrong: list[str] = []
    delays: dict[str, list[float]] = defaultdict(list)
    counts: Counter[str] = Counter()
    for seed in seeds:
        world, said = play(seed)
        counts["worlds"] += 1
        counts["worlds whose REST lags"] += world.weather.rest_lag_s > 0
        counts["worlds whose REST lags 60 s"] += world.weather.rest_lag_s == 60
        counts["looks"] += world.looks
        for name, verdict in said:
            counts["cases"] += 1
            counts[name.split(" ", 3)[3]] += 1
            delays[verdict.kind].append(verdict.delay_s)
            wrong += [f"{name}: {text} ({world.weather})" for text in verdict.wrong]
    return wrong, delays, counts


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=None, help="replay this one world")
    parser.add_argument("--first", type=int, default=1)
    chosen = parser.parse_args()
    worlds = -(-chosen.cases // CASES_EACH)
    first = chosen.first
    seeds = (
        range(first, first + worlds) if chosen.seed is None else range(chosen.seed, chosen.seed + 1)
    )
    began = time.perf_counter()
    wrong, delays, counts = campaign(seeds)
    took_s = time.perf_counter() - began
    say = sys.stdout.write
    say("\n".join(wrong) + "\n" if wrong else "")
    for name, count in sorted(counts.items()):
        say(f"{name}: {count}\n")
    for kind, values in sorted(delays.items()):
        values.sort()
        p99 = values[int(len(values) * 0.99)]
        say(
            f"{kind}: {len(values)} cases, seconds min {values[0]:.2f}, median "
            f"{median(values):.2f}, p99 {p99:.2f}, max {values[-1]:.2f}\n"
        )
    say(f"wrong: {len(wrong)} of {counts['cases']} cases, in {took_s:.0f} s\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
