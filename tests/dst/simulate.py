"""Runs seeds in parallel and says what came of them (`make simulate SEEDS=1000 MINUTES=20`).

Each seed has a database of its own on one server; `SEED=n` replays one seed exactly.
"""

import argparse
import asyncio
import logging
import multiprocessing
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dst.run import Result

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = [str(ROOT / name) for name in (".", "scripts", "tests", "tests/support")]
TEMPLATE = "dst_template"
Tell = Callable[["Result"], None]


def main() -> int:
    """Run the campaign; 0 when nothing was violated and enough happened."""
    sys.path[:0] = FOLDERS
    options = _asked()
    from dst.report import Campaign

    with server() as dsn:
        if options.seed is not None:
            campaign = Campaign(options.minutes, 1)
            work(dsn, options.seed, options.minutes, campaign.add, options.log, options.dump)
            return campaign.finish()
        campaign = Campaign(options.minutes, options.jobs)
        seeds = range(options.first, options.first + options.seeds)
        asks = [(dsn, seed, options.minutes) for seed in seeds]
        jobs = min(options.jobs, len(asks))
        with multiprocessing.get_context("spawn").Pool(jobs, _begin, (FOLDERS,)) as pool:
            for result in pool.imap_unordered(_one, asks):
                campaign.add(result)
        return campaign.finish()


def _asked() -> argparse.Namespace:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seeds", type=int, default=20, help="how many seeds")
    asked.add_argument("--first", type=int, default=1, help="the first of them")
    asked.add_argument("--seed", type=int, default=None, help="replay this one")
    asked.add_argument("--minutes", type=float, default=20.0, help="virtual minutes of faults")
    asked.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at once")
    asked.add_argument("--log", action="store_true", help="of a replay: the daemon's log")
    asked.add_argument("--dump", type=Path, default=None, help="of a replay: write W there")
    return asked.parse_args()


def _begin(folders: list[str]) -> None:
    """A worker process comes to life."""
    sys.path[:0] = folders


def _one(ask: tuple[str, int, float]) -> "Result":
    kept: list[Result] = []
    work(*ask, kept.append)
    return kept[0]


def work(
    dsn: str, seed: int, minutes: float, tell: Tell, log: bool = False, dump: Path | None = None
) -> None:
    """Run one seed on a database of its own, which goes afterwards."""
    from dst.run import dump_wire, run_seed

    if log:
        logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(name)s %(message)s")
    else:
        logging.disable(logging.CRITICAL)
    name = f"dst_{os.getpid()}_{seed}"
    execute(dsn, f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}" STRATEGY FILE_COPY')
    try:
        result, lives = run_seed(seed, minutes, database(dsn, name))
        if dump is not None and lives is not None:
            dump_wire(lives, dump)
        tell(result)
    finally:
        execute(dsn, f'DROP DATABASE "{name}" WITH (FORCE)')


def database(dsn: str, name: str) -> str:
    """The DSN of another database of the same server."""
    return dsn.replace("@/simple_trader?", f"@/{name}?")


def execute(dsn: str, statement: str) -> None:
    """Run one statement on the server."""
    import asyncpg

    async def run() -> None:
        connection = await asyncpg.connect(database(dsn, "postgres"))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())


@contextmanager
def server() -> Iterator[str]:
    """One embedded server with a migrated template that keeps history for the checker; its DSN."""
    from simple_trader.adapters.store.embedded_postgres import EmbeddedPostgres

    folder = Path(tempfile.mkdtemp(prefix="st-"))
    folder.chmod(0o711)
    postgres = EmbeddedPostgres(folder / "state", test_mode=True)  # fsync off, commit stamps on
    asyncio.run(postgres.start())
    try:
        execute(postgres.dsn, f'CREATE DATABASE "{TEMPLATE}"')
        asyncio.run(_migrate(database(postgres.dsn, TEMPLATE)))
        yield postgres.dsn
    finally:
        asyncio.run(postgres.stop())
        shutil.rmtree(folder, ignore_errors=True)


async def _migrate(dsn: str) -> None:
    from checker import history

    from simple_trader.adapters.store import db_manager

    await db_manager.upgrade(dsn)
    await history.install(dsn)


if __name__ == "__main__":
    sys.exit(main())
