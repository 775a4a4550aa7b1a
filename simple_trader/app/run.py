"""One run of the daemon: start everything in order, run, stop everything in the other order."""

import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import UTC
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from simple_trader.adapters.store.db_manager import check_world, upgrade
from simple_trader.adapters.store.fresh import set_aside
from simple_trader.app import early_halt
from simple_trader.app.compose import Wired, wire
from simple_trader.app.database import database_of
from simple_trader.app.face import Face
from simple_trader.app.live_rules import refuse_setup
from simple_trader.app.places import Setup, read_setup
from simple_trader.app.worlds import World, move_aside, open_world, refuse_mode
from simple_trader.config.limits import LimitBook
from simple_trader.config.options import RunOptions
from simple_trader.config.watch import begin
from simple_trader.core.risk.ceilings import CEILINGS
from simple_trader.domain.errors import TraderError
from simple_trader.runtime.clocks import SystemClock
from simple_trader.runtime.daemon import Daemon
from simple_trader.telemetry.logs import Logs
from simple_trader.telemetry.notify import Notifier
from simple_trader.telemetry.presence import present

log = logging.getLogger("simple_trader")


def run_daemon(options: RunOptions) -> int:
    """Run until asked to stop; gives the exit code. Errors for people go to stderr and the log."""
    setup = read_setup(options)
    setup.places.make()
    interactive = options.tui and sys.stdout.isatty()
    logs = Logs(
        setup.places.logs,
        level=setup.config.settings.log_level,
        secrets=setup.environment.secrets.values(),
        console=None if interactive else sys.stdout,
        colours=sys.stdout.isatty(),
    )
    with present(setup.places.state) as presence, logs:
        notifier = Notifier(setup.environment.variables.get("NOTIFY_SOCKET"))
        control = setup.places.state / "control"
        with notifier:
            face = Face(setup, logs, presence, notifier, live=interactive)
            try:
                return _run_loop(lambda stop: _run(setup, face, stop), control)
            except TraderError as error:
                # For people on stderr, once; the log files get it as well.
                log.error("%s", error, extra={"told": True})
                sys.stderr.write(f"simple-trader: {error}\n")
                return error.exit_code
            finally:
                if early_halt.waits():  # it came when the daemon was at its end
                    early_halt.leave(control)


def _run_loop(make: Callable[["Stop"], Coroutine[Any, Any, int]], control: Path) -> int:
    """Run a coroutine, on uvloop where there is one; SIGINT, SIGTERM and SIGHUP ask it to stop,
    SIGUSR1 is the kill switch.
    """
    factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    if find_spec("uvloop") is not None:
        factory = import_module("uvloop").new_event_loop

    async def main() -> int:
        stop = Stop(asyncio.current_task(), control)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, stop.ask)
        loop.add_signal_handler(signal.SIGUSR1, stop.halt)
        early_halt.let_come()
        try:
            return await make(stop)
        except asyncio.CancelledError:
            log.info("stopped before it was ready")
            return 0
        finally:
            early_halt.hold()  # the loop's end takes the handler away

    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main())


class Stop:
    """What a signal does: before the daemon runs it cancels the start, after that it asks."""

    def __init__(self, work: asyncio.Task[Any] | None, control: Path) -> None:
        """`work` is the start of the daemon, and all of its life; `control` STATE/control."""
        self._work, self._control = work, control
        self._pressed = False
        self.daemon: Daemon | None = None

    def runs(self, daemon: Daemon) -> None:
        """From here on signals are the daemon's; so is a halt that no file could hold."""
        self.daemon = daemon
        if self._pressed:
            daemon.desk.press(early_halt.ACTOR, early_halt.DETAIL)

    def halt(self) -> None:
        """The kill switch by a signal; a daemon that only starts is halted from its first event."""
        if self.daemon is not None:
            self.daemon.desk.press(early_halt.ACTOR, early_halt.DETAIL)
            return
        self._pressed = not early_halt.leave(self._control)
        log.error(
            "SIGUSR1 while the daemon does not run yet, or no more: its next step is HALT; "
            "`simple-trader halt --direct` cancels at Kraken without it"
        )

    def ask(self) -> None:
        """Stop as cleanly as the moment allows."""
        if self.daemon is not None:
            self.daemon.stop_asked.set()
        elif self._work is not None:
            self._work.cancel()


async def _run(setup: Setup, face: Face, stop: Stop) -> int:
    async with AsyncExitStack() as stack:
        wired = await _start(setup, face, stack)
        daemon = wired.daemon
        stop.runs(daemon)
        try:
            await daemon.run(wired.started)
        finally:
            stop.daemon = None
            face.stopping()
        log.info("stopped; the next start goes on from here")
    return 0


async def _open(setup: Setup, dsn: str, stack: AsyncExitStack) -> World:
    """Schema and exchange at once, and meanwhile the import of the advisor's SDK in a thread: each
    takes a second, and a start after a kill must be quick. The first error is raised as itself.
    """

    async def world() -> World:
        opened = await open_world(setup)
        stack.push_async_callback(opened.close)
        return opened

    try:
        async with asyncio.TaskGroup() as group:
            opening = group.create_task(world())
            group.create_task(upgrade(dsn))
            group.create_task(asyncio.to_thread(import_module, "openai"))
    except* TraderError as errors:
        found: BaseException = errors
        while isinstance(found, BaseExceptionGroup):
            found = found.exceptions[0]
        failed = found
    else:
        return opening.result()
    raise failed


async def _start(setup: Setup, face: Face, stack: AsyncExitStack) -> Wired:
    """Boot in order: database, schema, world, configuration version, parts, recovery."""
    settings = setup.config.settings
    refuse_mode(setup)
    change = begin(setup.config, LimitBook(setup.places.state))
    for note in change.notes:
        log.warning("%s", note)
    setup = Setup(setup.options, change.config, setup.environment, setup.places)
    if settings.mode == "live" and settings.place_live_orders:
        refuse_setup(setup, CEILINGS)
    loose = setup.environment.require_private_file(live=settings.mode == "live")
    if loose:
        log.warning("%s", loose)
    base = database_of(setup)
    stack.push_async_callback(base.stop)
    dsn = await base.start()
    if setup.options.fresh:
        stamp = SystemClock().wall().astimezone(UTC).strftime("%Y%m%d_%H%M%S")
        kept = await set_aside(dsn, stamp)
        move_aside(setup, stamp)
        if kept:
            log.info("the old world stays in schema %s and in STATE/aside/%s", kept, stamp)
    world = await _open(setup, dsn, stack)
    clock_at = world.market_at or SystemClock().now()
    await check_world(
        dsn, mode=settings.mode, identity=world.identity, detail=world.detail, at=clock_at
    )
    if settings.mode == "live":
        log.warning(
            "mode live places no orders in this version: it connects, reconciles and records."
        )
    return await wire(setup, base, dsn, world, face, stack)
