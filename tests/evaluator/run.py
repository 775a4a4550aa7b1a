"""`make evaluate LIVES=1000`: judges the judge by planted truths, and tells its figures.

Random deciders must be told to have skill in at most one of twenty lives, an edge of 55 % must be
found in at least four of five. Ends with 1 where either is not so.
"""

import argparse
import sys
import time

from evaluator.leaks import LEAKING_FUNCTIONS, LEAKING_NUMBERS, knows_the_future, moves_after, walk
from evaluator.worlds import EDGE, RANDOM, share

from simple_trader.core.scoring.leaks import suspect

MOST_CLAIMS, LEAST_FOUND = 0.05, 0.80


def tell(name: str, lives: int, claimed: int) -> None:
    """One line of a world."""
    print(f"  {name:<36}{lives:>6} lives {claimed:>5} said to have skill ({claimed / lives:.1%})")


def leaks(seeds: int) -> tuple[int, int]:
    """How many planted leaks of numbers and functions were found, of how many."""
    found = tried = 0
    for seed in range(seeds):
        series = walk(400, seed)
        for number in LEAKING_NUMBERS:
            tried += 1
            found += suspect(number.name, number.make(series), moves_after(series)) is not None
        for function in LEAKING_FUNCTIONS:
            tried += 1
            found += knows_the_future(function.compute, series, 300)
    return found, tried


def main() -> int:
    """Run and judge; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lives", type=int, default=1000)
    lives: int = parser.parse_args().lives
    begun = time.monotonic()
    print(f"{lives} lives of random deciders:")
    claimed = share(RANDOM, lives, tell)
    print(f"{lives} lives of an edge of 55 % at n = 800:")
    found = share((EDGE,), lives, tell)
    seen, planted = leaks(max(1, lives // 50))
    print(f"random said to have skill: {claimed:.1%} (at most {MOST_CLAIMS:.0%})")
    print(f"planted edge found: {found:.1%} (at least {LEAST_FOUND:.0%})")
    print(f"planted leaks of numbers and functions found: {seen} of {planted}")
    print(f"took {time.monotonic() - begun:.0f} s")
    return int(claimed > MOST_CLAIMS or found < LEAST_FOUND or seen < planted)


if __name__ == "__main__":
    sys.exit(main())
