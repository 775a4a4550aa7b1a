"""Shows that the harness catches every planted bug (`make planted`; ARGS=--search looks anew).

Without arguments each bug is run from its recorded seed, and the same seed without it: the one must
be caught, the other clean. The last line says whether all were.
"""

import argparse
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDERS = [Path(__file__).resolve().parents[2] / part for part in ("", "scripts", "tests")]
FOLDERS.append(FOLDERS[2] / "support")
MINUTES = 3.0
MOST_SEEDS = 60
MOST_S = 90.0  # seconds of the processor for one seed: a bug may make the daemon spin
NO_PROOF = ("HARNESS", "CHECKER", "BOOKS", "TypeError", "AttributeError", "NameError")


def main() -> int:
    """Search or replay; 0 when every bug was caught and every clean run was clean."""
    sys.path[:0] = [str(folder) for folder in FOLDERS]
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("names", nargs="*", help="only these bugs")
    asked.add_argument("--search", action="store_true", help="look for seeds anew")
    asked.add_argument("--missing", action="store_true", help="search only what has no seed yet")
    asked.add_argument("--cheapest", type=int, default=0, help="only so many, the quickest")
    asked.add_argument("--minutes", type=float, default=MINUTES)
    asked.add_argument("--seeds", type=int, default=MOST_SEEDS)
    asked.add_argument("--first", type=int, default=1)
    asked.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    options = asked.parse_args()
    from planted import bench, catalogue

    unknown = set(options.names) - set(catalogue.BUGS)
    if unknown:
        sys.exit(f"no planted bug is called {', '.join(sorted(unknown))}")
    known = catalogue.load()
    names = options.names or list(catalogue.BUGS)
    if options.missing:
        names = [name for name in names if name not in known]
    with bench.server() as dsn:
        if options.search or options.missing:
            return _search(dsn, names, known, options)
        return _replay(dsn, names, known, options)


@contextmanager
def _workers(jobs: int) -> Iterator["multiprocessing.pool.Pool"]:
    context = multiprocessing.get_context("spawn")
    with context.Pool(jobs, _begin, ([str(folder) for folder in FOLDERS],)) as pool:
        yield pool


def _begin(folders: list[str]) -> None:
    sys.path[:0] = folders


def _judged(ask: tuple[str, str, int, float]):
    """One seed with a bug (or, without a name, as it is)."""
    from planted import bench, catalogue

    dsn, name, seed, minutes = ask
    known_as, _, clean = name.partition(" ")
    bug = catalogue.BUGS[known_as] if known_as else None
    with _at_most(MOST_S):
        return name, bench.run(dsn, seed, minutes, bug, planted=not clean)


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


def _tried(ask: tuple[str, str, int, float]):
    """One seed with a bug and, where that is caught, without it: name, ids, sentence, seconds."""
    dsn, name, seed, minutes = ask
    _, verdict = _judged(ask)
    ids = proofs(name, verdict)
    told = next((one for one in verdict.found if one.startswith(tuple(ids))), "") if ids else ""
    if ids:
        _, clean = _judged((dsn, f"{name} clean", seed, minutes))
        if clean.found:
            return name, (), f"not clean without it: {clean.found[0]}", 0.0
    return name, tuple(ids), told, verdict.real_s


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

    left = list(names)
    with _workers(options.jobs) as pool:
        for seed in range(options.first, options.first + options.seeds):
            asks = [(dsn, name, seed, options.minutes) for name in left]
            for name, ids, told, seconds in pool.imap_unordered(_tried, asks):
                if not ids:
                    if told:
                        print(f"{name:<30} seed {seed:>3}: {told[:110]}", flush=True)
                    continue
                left.remove(name)
                known[name] = Known(seed, options.minutes, seed, ids, round(seconds, 1))
                save(known)
                print(f"{name:<30} seed {seed:>3}: caught, {told[:110]}", flush=True)
            if not left:
                break
    for name in left:
        print(f"{name:<30} NOT CAUGHT in {options.seeds} seeds")
    print(f"{len(names) - len(left)} of {len(names)} planted bugs caught")
    return 1 if left else 0


def _clean_name(name: str) -> str:
    """What stands for the clean run of a bug: its world and focus, where it has any."""
    from planted.catalogue import BUGS

    bug = BUGS[name]
    return f"{name} clean" if bug.world or bug.drawn or bug.plan else ""


def _replay(dsn: str, names: list[str], known: dict, options: argparse.Namespace) -> int:
    """Every bug from its recorded seed, and each of these seeds without a bug."""
    began, bad = time.monotonic(), [name for name in names if name not in known]
    ready = sorted((n for n in names if n in known), key=lambda name: known[name].seconds)
    ready = ready[: options.cheapest] if options.cheapest else ready
    bad = [] if options.cheapest else bad
    for name in bad:
        print(f"{name:<30} has no seed: run with --missing")
    asks = [(dsn, name, known[name].seed, known[name].minutes) for name in ready]
    cleans = sorted({(_clean_name(name), seed, minutes) for _, name, seed, minutes in asks})
    with _workers(options.jobs) as pool:
        everything = [(dsn, *clean) for clean in cleans] + asks
        for name, verdict in pool.imap(_judged, everything):
            if not name or " " in name:
                if verdict.found:
                    print(f"seed {verdict.seed} is not clean without a bug: {verdict.found[0]}")
                    bad.append(f"seed {verdict.seed}")
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
