"""Chores beside trading: the sandbox's life, hot reload, the end of a timed run, nightly dumps."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from simple_trader.adapters.kraken.hall_monitor import HallMonitor
from simple_trader.adapters.store.counters import write_counter
from simple_trader.adapters.store.postgres_backup import nightly_backup
from simple_trader.adapters.store.retention import cleanup
from simple_trader.app.database import Database
from simple_trader.app.places import Setup
from simple_trader.app.reloading import Reloading
from simple_trader.app.worlds import World
from simple_trader.domain.errors import StoreError
from simple_trader.runtime.daemon import Daemon
from simple_trader.runtime.prompt_desk import PromptDesk
from simple_trader.runtime.supervisor import RootTask

log = logging.getLogger("simple_trader")

REST_COUNTER = "kraken rest"
COUNT_EVERY_S = 30.0
FIRST_CHORE_S = 600.0
CHORE_EVERY_S = 3600.0


def add_chores(
    daemon: Daemon,
    setup: Setup,
    base: Database,
    dsn: str,
    world: World,
    reloading: Reloading,
    monitor: HallMonitor,
) -> None:
    """Add the tasks that this run needs."""
    options = setup.options
    daemon.add_root(RootTask("config watch", reloading.watcher.run, critical=False))
    prompts = PromptDesk(setup.places.control, reloading.prompts(daemon.parts.clock.now))
    daemon.add_root(RootTask("prompt desk", prompts.run, critical=False))
    daemon.add_root(RootTask("retention", _every(lambda: _retire(dsn, reloading)), critical=False))
    if world.child is not None:
        daemon.add_root(RootTask("sandbox", world.child.run))
    if base.server is not None:
        daemon.add_root(
            RootTask(
                "nightly dump", _every(lambda: _dump(daemon, setup, base, dsn)), critical=False
            )
        )
    daemon.add_root(
        RootTask("rest budget", lambda: _keep_budget(daemon, dsn, monitor), critical=False)
    )
    if options.run_for_s is not None:
        daemon.add_root(RootTask("run limit", _stop_after(daemon, options.run_for_s)))
    if options.run_for_market_s is not None and daemon.stepper is None:
        daemon.add_root(RootTask("run limit", _stop_after(daemon, options.run_for_market_s)))


async def _keep_budget(daemon: Daemon, dsn: str, monitor: HallMonitor) -> None:
    """Put the REST counter into its row now and then, for people: the next start reads its file."""
    while True:
        value = round(monitor.value, 3)
        try:
            await write_counter(dsn, REST_COUNTER, value, daemon.parts.clock.now())
        except StoreError as error:
            log.warning("%s", error)
        await asyncio.sleep(COUNT_EVERY_S)


def _every(work: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """First after ten minutes, then every hour of real time: short runs stay short."""

    async def run() -> None:
        await asyncio.sleep(FIRST_CHORE_S)
        while True:
            try:
                await work()
            except StoreError as error:
                log.warning("%s", error)
            await asyncio.sleep(CHORE_EVERY_S)

    return run


async def _dump(daemon: Daemon, setup: Setup, base: Database, dsn: str) -> None:
    """One dump for each UTC day of real time, of everything but the market tables."""
    assert base.server is not None
    now = daemon.parts.clock.wall()
    made = await nightly_backup(dsn, setup.places.backups, now, bin_dir=base.server.bin_dir)
    if made is not None:
        log.info("backup written to %s", made)


async def _retire(dsn: str, reloading: Reloading) -> None:
    """Drop partitions of high-volume tables that are older than retention_days."""
    kept = reloading.config.settings.retention_days.model_dump()
    for name in await cleanup(dsn, kept, dry_run=False):
        log.info("dropped partition %s: older than retention_days", name)


def _stop_after(daemon: Daemon, seconds: float) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        await daemon.ready.wait()
        await asyncio.sleep(timedelta(seconds=seconds).total_seconds())
        log.info("the time asked for is over")
        daemon.stop_asked.set()
        await asyncio.Event().wait()

    return run
