"""`make fuzz PAYLOADS=1000000`: hostile answers by grammar and mutation through the real path.

Each payload is a function of the seed and its number: what is wrong prints both, and
`--seed S --number N` runs that one again and shows it.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from pathlib import Path

FOLDERS = [Path(__file__).resolve().parents[2] / part for part in ("", "tests", "tests/support")]
BATCH = 2_000
SHOWN = 20


def main() -> int:
    """The command line; 0 when nothing was wrong."""
    sys.path[:0] = [str(folder) for folder in FOLDERS]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--payloads", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", type=int, default=4, help="1 of so many goes to an engine too")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--number", type=int, default=None, help="only this payload, and show it")
    chosen = parser.parse_args()
    if chosen.number is not None:
        return _show(chosen.seed, chosen.number)
    return _campaign(chosen.seed, chosen.payloads, chosen.share, chosen.jobs)


def _begin(folders: list[str]) -> None:
    sys.path[:0] = folders


def _batch(ask: tuple[int, int, int, int]):
    from hostile.trial import run

    return run(*ask)


def _campaign(seed: int, payloads: int, share: int, jobs: int) -> int:
    from hostile.trial import Tally

    asks = [
        (seed, first, min(BATCH, payloads - first), share) for first in range(0, payloads, BATCH)
    ]
    tally, say = Tally(), sys.stdout.write
    began = time.perf_counter()
    context = multiprocessing.get_context("spawn")
    with context.Pool(jobs, _begin, ([str(folder) for folder in FOLDERS],)) as pool:
        for number, one in enumerate(pool.imap_unordered(_batch, asks), 1):
            tally.add(one)
            if number % 50 == 0:
                done = min(number * BATCH, payloads)
                say(f"{done} payloads, {done / (time.perf_counter() - began):.0f} a second\n")
                sys.stdout.flush()
    took_s = time.perf_counter() - began
    say("\n".join(tally.wrong[:SHOWN]) + "\n" if tally.wrong else "")
    say(f"ways: {_told(tally.ways)}\n")
    say(f"pairs became: {_told(tally.became)}\n")
    say(f"through the whole engine: {_told(tally.states)}; {tally.orders} orders\n")
    say(
        f"wrong: {len(tally.wrong)} of {sum(tally.ways.values())} payloads (seed {seed}), in "
        f"{took_s:.0f} s, {payloads / took_s:.0f} a second on {jobs} processes\n"
    )
    return 1 if tally.wrong else 0


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())


def _show(seed: int, number: int) -> int:
    from hostile.payloads import payload
    from hostile.trial import run

    sys.stdout.write(ascii(payload(seed, number)) + "\n")
    wrong = run(seed, number, 1, 1).wrong
    sys.stdout.write("\n".join(wrong or ["nothing is wrong"]) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
