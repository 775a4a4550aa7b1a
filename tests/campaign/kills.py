"""Kills daemon, sandbox and PostgreSQL many times, then compares the books (`make chaos KILLS=50`).

Each round is a world of its own with its own seed; the last line says whether all books balance.
"""

import argparse
import random
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VICTIMS = ("daemon", "sandbox", "postgres")
COLUMNS = ("round", "seed", *VICTIMS, "slowest", "orders", "fills", "epochs", "differences")
FORMAT = "{:>5} {:>10} " + "{:>8} " * len(VICTIMS) + "{:>8} {:>7} {:>7} {:>7} {:>11}"


def main() -> int:
    """Run the campaign; 0 when every book balances and nobody saw a traceback."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--kills", type=int, default=50)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--kills-per-world", type=int, default=10)
    options = asked.parse_args()
    sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]
    began = time.monotonic()
    print(FORMAT.format(*COLUMNS))
    left, number, bad = options.kills, 0, 0
    while left > 0:
        number += 1
        kills = min(left, options.kills_per_world)
        left -= kills
        bad += not _round(number, options.seed * 1000 + number, kills)
    print(
        f"{options.kills} kills in {time.monotonic() - began:.0f} s; {bad} of {number} worlds bad"
    )
    return 1 if bad else 0


def _round(number: int, seed: int, kills: int) -> bool:
    """One world; whether its books balance."""
    import chaos
    import system

    with system.place() as where:
        where.configure(**system.BUSY)
        campaign = chaos.Campaign(where, random.Random(seed), VICTIMS)
        try:
            campaign.run(kills)
            found = campaign.finish()
        except AssertionError as error:
            print(f"{number:>5} {seed:>10} failed: {error}")
            return False
        finally:
            campaign.close()
        counts = [campaign.kills.get(victim, 0) for victim in VICTIMS]
        slowest = f"{max(campaign.slowest_s.values(), default=0.0):.1f} s"
        wrong = len(found.differences)
        print(
            FORMAT.format(
                number, seed, *counts, slowest, found.orders, found.fills, found.epochs, wrong
            ),
            flush=True,
        )
        for line in found.differences:
            print(f"      {line}")
        if "Traceback" in campaign.said:
            print(f"      a traceback was shown:\n{campaign.said}")
            return False
        return not wrong


if __name__ == "__main__":
    sys.exit(main())
