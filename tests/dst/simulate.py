"""Runs seeds in parallel and prints what came of them (`make simulate SEEDS=1000 MINUTES=20`)."""

import argparse
import asyncio
import logging
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (ROOT, ROOT / "scripts", ROOT / "tests", ROOT / "tests" / "support")
TEMPLATE = "dst_template"
FAULTS_AN_HOUR, ORDERS_AN_HOUR = 60, 100


def main() -> int:
    """Run the campaign; 0 when nothing was violated and enough happened."""
    sys.path[:0] = [str(folder) for folder in FOLDERS]
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seeds", type=int, default=20)
    asked.add_argument("--first", type=int, default=1)
    asked.add_argument("--seed", type=int, default=None, help="replay this one seed")
    asked.add_argument("--minutes", type=float, default=20.0)
    asked.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked.add_argument("--log", action="store_true", help="let the daemon's log through")
    asked.add_argument("--dump", type=Path, default=None, help="write W of a replay there")
    options = asked.parse_args()
    from dst.report import Campaign

    seeds = [options.seed] if options.seed is not None else [
        options.first + number for number in range(options.seeds)
    ]
    campaign = Campaign(options.minutes, options.jobs)
    with server() as dsn:
        if options.seed is not None:
            work(dsn, options.seed, options.minutes, log=options.log, dump=options.dump, tell=campaign.add)
        else:
            jobs = min(options.jobs, len(seeds))
            with multiprocessing.get_context("spawn").Pool(jobs, _begin, ([str(f) for f in FOLDERS],)) as pool:
                asks = [(dsn, seed, options.minutes) for seed in seeds]
                for result in pool.imap_unordered(_one, asks):
                    campaign.add(result)
    return campaign.finish()


def _begin(folders: list[str]) -> None:
    sys.path[:0] = folders
    logging.disable(logging.CRITICAL)


def _one(ask: tuple[str, int, float]):
    kept = []
    work(*ask, tell=kept.append)
    return kept[0]


def work(dsn: str, seed: int, minutes: float, *, tell, log: bool = False, dump: Path | None = None) -> None:
    """Run one seed on a database of its own."""
    from dst.run import run_seed

    if log:
        logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    elif dump is None:
        logging.disable(logging.CRITICAL)
    name = f"dst_{os.getpid()}_{seed}"
    execute(dsn, f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}" STRATEGY FILE_COPY')
    try:
        result, lives = run_seed(seed, minutes, dsn.replace("@/simple_trader?", f"@/{name}?"))
        if dump is not None and lives is not None:
            dump.write_text("\n".join(
                f"{e.at.time()} {e.way} {e.on} {e.method} {e.path} {e.body[:300]} {e.status or ''} {(e.text or e.answer)[:1500]}"
                for e in lives.venue.log.entries))
        tell(result)
    finally:
        execute(dsn, f'DROP DATABASE "{name}" WITH (FORCE)')


def execute(dsn: str, statement: str) -> None:
    """Run one statement on the server."""
    import asyncpg

    async def run() -> None:
        connection = await asyncpg.connect(dsn.replace("@/simple_trader?", "@/postgres?"))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())


@contextmanager
def server() -> Iterator[str]:
    """One embedded server (fsync off, commit stamps on) with a migrated template; its DSN."""
    from simple_trader.adapters.store import db_manager
    from simple_trader.adapters.store.embedded_postgres import EmbeddedPostgres

    folder = Path(tempfile.mkdtemp(prefix="st-"))
    folder.chmod(0o711)
    postgres = EmbeddedPostgres(folder / "state", test_mode=True)

    async def start() -> None:
        await postgres.start()

    asyncio.run(start())
    try:
        dsn = postgres.dsn
        execute(dsn, f'CREATE DATABASE "{TEMPLATE}"')

        async def migrate() -> None:
            await db_manager.upgrade(dsn.replace("@/simple_trader?", f"@/{TEMPLATE}?"))

        asyncio.run(migrate())
        yield dsn
    finally:
        asyncio.run(postgres.stop())
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
