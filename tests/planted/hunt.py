"""Shows that the harness catches every planted bug (`make planted`).

Each bug is run in its own faults at chosen moments, and the same run without it: the one must be
caught, the other clean; the last line says whether all were. `--search` looks how many seeds of the
campaign it takes by chance, `--record` keeps seeds, ids and seconds in seeds.json.
"""

import argparse
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

FOLDERS = [Path(__file__).resolve().parents[2] / part for part in ("", "scripts", "tests")]
FOLDERS.append(FOLDERS[2] / "support")
MINUTES = 1.5
CHANCE_MINUTES = 3.0
MOST_SEEDS = 20
MOST_S = 90.0  # seconds of the processor for one seed: a bug may make the daemon spin
NO_PROOF = ("HARNESS", "CHECKER", "BOOKS", "TypeError", "AttributeError", "NameError")


def main() -> int:
    """Search or replay; 0 when every bug was caught and every clean run was clean."""
    sys.path[:0] = [str(folder) for folder in FOLDERS]
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("names", nargs="*", help="only these bugs")
    asked.add_argument("--search", action="store_true", help="how many drawn seeds it takes")
    asked.add_argument("--record", action="store_true", help="look in each bug's own faults anew")
    asked.add_argument("--cheapest", type=int, default=0, help="only so many, the quickest")
    asked.add_argument("--minutes", type=float, default=None, help="of what is recorded anew")
    asked.add_argument("--seeds", type=int, default=MOST_SEEDS, help="at most, of a search")
    asked.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    options = asked.parse_args()
    from planted import bench, catalogue

    unknown = set(options.names) - set(catalogue.BUGS)
    if unknown:
        sys.exit(f"no planted bug is called {', '.join(sorted(unknown))}")
    known = catalogue.load()
    names = options.names or list(catalogue.BUGS)
    with bench.server() as dsn:
        if options.search or options.record:
            return _search(dsn, names, known, options)
        return _replay(dsn, names, known, options)


@contextmanager
def _workers(jobs: int) -> Iterator["multiprocessing.pool.Pool"]:
    context = multiprocessing.get_context("spawn")
    with context.Pool(jobs, _begin, ([str(folder) for folder in FOLDERS],)) as pool:
        yield pool


def _begin(folders: list[str]) -> None:
    sys.path[:0] = folders


def _judged(ask: tuple[str, str, int, float], *, chance: bool = False):
    """One seed with a bug, or with the word `clean` behind its name in the same run without it."""
    from planted import bench, catalogue

    dsn, name, seed, minutes = ask
    known_as, _, clean = name.partition(" ")
    bug = catalogue.BUGS[known_as]
    with _at_most(MOST_S):
        return name, bench.run(dsn, seed, minutes, bug, planted=not clean, chance=chance)


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    def ring(*_: object) -> None:
        raise TimeoutError(f"more than {seconds:g} s of the processor")

    signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _tried(ask: tuple[str, str, int, float, bool]):
    """One seed with a bug and, where that is caught, without it: name, ids, sentence, seconds."""
    *head, chance = ask
    dsn, name, seed, minutes = head
    _, verdict = _judged((dsn, name, seed, minutes), chance=chance)
    ids = proofs(name, verdict)
    told = next((one for one in verdict.found if one.startswith(tuple(ids))), "") if ids else ""
    if ids:
        wrong = _unclean(*head, chance)
        if wrong:
            return name, (), f"not clean without it: {wrong}", 0.0
    return name, tuple(ids), told, verdict.real_s


_cleans: dict[object, str] = {}  # of this process


def _unclean(dsn: str, name: str, seed: int, minutes: float, chance: bool) -> str:
    """What is wrong with the same run without the bug; of bugs that share one it is run once."""
    from planted.catalogue import BUGS

    same = (BUGS[name].world, () if chance else BUGS[name].plan, seed, minutes, chance)
    if same not in _cleans:
        _, verdict = _judged((dsn, f"{name} clean", seed, minutes), chance=chance)
        _cleans[same] = next(iter(verdict.found), "")
    return _cleans[same]


def proofs(name: str, verdict) -> list[str]:
    """The ids that were named and may be named for this bug.

    What says only that the harness or the patch itself broke proves nothing.
    """
    from planted.catalogue import BUGS

    told = [one for one in verdict.found if not any(word in one for word in NO_PROOF)]
    ids = dict.fromkeys(one.partition(":")[0] for one in told)
    return [one for one in ids if one in BUGS[name].ids]


def _search(dsn: str, names: list[str], known: dict, options: argparse.Namespace) -> int:
    """Seed after seed for the bugs that are left, on seeds that are clean without a bug."""
    from planted.catalogue import Known, save

    left, chance = list(names), options.search
    kept = {} if chance or options.minutes else {name: one.minutes for name, one in known.items()}
    usual = CHANCE_MINUTES if chance else options.minutes or MINUTES
    lengths = {name: kept.get(name, usual) for name in names}
    with _workers(options.jobs) as pool:
        for seed in range(1, 1 + options.seeds):
            asks = [(dsn, name, seed, lengths[name], chance) for name in left]
            for name, ids, told, seconds in pool.imap_unordered(_tried, asks):
                if not ids:
                    print(f"{name:<30} seed {seed:>3}: {told[:110] or 'not seen'}", flush=True)
                    continue
                left.remove(name)
                if not chance:
                    before = known[name].by_chance if name in known else None
                    known[name] = Known(seed, lengths[name], ids, round(seconds, 1), before)
                elif name in known:
                    known[name] = replace(known[name], by_chance=seed)
                save(known)
                print(f"{name:<30} seed {seed:>3}: caught, {told[:110]}", flush=True)
            if not left:
                break
    for name in left:
        print(f"{name:<30} NOT CAUGHT in {options.seeds} seeds")
    print(f"{len(names) - len(left)} of {len(names)} planted bugs caught")
    return 1 if left else 0


def _clean_names(names: list[str]) -> dict[str, str]:
    """What stands for the clean run of each bug: bugs of one world and one plan share it."""
    from planted.catalogue import BUGS

    first: dict[object, str] = {}
    return {name: first.setdefault((BUGS[name].world, BUGS[name].plan), name) for name in names}


def _replay(dsn: str, names: list[str], known: dict, options: argparse.Namespace) -> int:
    """Every bug from its recorded seed, and each of these seeds without a bug."""
    began, bad = time.monotonic(), [name for name in names if name not in known]
    ready = sorted((n for n in names if n in known), key=lambda name: known[name].seconds)
    ready = ready[: options.cheapest] if options.cheapest else ready
    bad = [] if options.cheapest else bad
    for name in bad:
        print(f"{name:<30} has no seed: run with --record")
    asks = [(dsn, name, known[name].seed, known[name].minutes) for name in ready]
    shared = _clean_names(ready)
    cleans = sorted({(f"{shared[name]} clean", seed, minutes) for _, name, seed, minutes in asks})
    with _workers(options.jobs) as pool:
        everything = [(dsn, *clean) for clean in cleans] + asks
        for name, verdict in pool.imap(_judged, everything):
            if " " in name:
                if verdict.found:
                    print(f"the faults of {name} are not clean: {verdict.found[0]}")
                    bad.append(name)
            else:
                ids = proofs(name, verdict)
                told = ", ".join(ids) or "NOT CAUGHT"
                print(f"{name:<30} seed {verdict.seed:>3}  {verdict.real_s:>5.1f} s  {told}")
                bad += [] if ids else [name]
    print(
        f"{len(ready)} planted bugs and {len(cleans)} clean runs in "
        f"{time.monotonic() - began:.0f} s; {len(bad)} bad"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
