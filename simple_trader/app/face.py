"""The face of a run: what terminal, health endpoint, systemd and other commands are told."""

import asyncio
import logging
import os
import shutil
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import simple_trader
from simple_trader.app.places import Setup
from simple_trader.app.worlds import World
from simple_trader.ports import Lane, MarketRows
from simple_trader.runtime.daemon import Daemon
from simple_trader.runtime.supervisor import RootTask
from simple_trader.telemetry.logs import Logs
from simple_trader.telemetry.notify import Notifier
from simple_trader.telemetry.presence import DaemonInfo, Presence
from simple_trader.telemetry.terminal import Fixtures, Terminal
from simple_trader.web.health import Health, HealthServer, status_of

log = logging.getLogger("simple_trader")


class Face:
    """Opened once the parts are wired; silent before."""

    def __init__(
        self, setup: Setup, logs: Logs, presence: Presence, notifier: Notifier, *, live: bool
    ) -> None:
        """`live` asks for the card on a TTY."""
        self._setup, self._logs, self._presence = setup, logs, presence
        self._notifier, self._live = notifier, live
        self._began = 0.0

    def beat(self) -> None:
        """The event loop lives: tell systemd's watchdog."""
        self._notifier.watchdog()

    def stopping(self) -> None:
        """The daemon stops."""
        self._notifier.stopping("stopping")

    async def open(
        self,
        daemon: Daemon,
        world: World,
        lane: Lane,
        market: MarketRows,
        advisor: str,
        stack: AsyncExitStack,
    ) -> None:
        """Serve health, announce ourselves, and add the tasks that show things."""
        setup, config = self._setup, self._setup.config
        self._began = daemon.parts.clock.monotonic()
        server = HealthServer(
            lambda: self._health(daemon, world, lane, market), port=config.settings.health.port
        )
        await stack.enter_async_context(server)
        self._presence.announce(
            DaemonInfo(
                pid=os.getpid(),
                mode=config.settings.mode,
                world=world.detail,
                health_url=server.url,
                log_dir=str(setup.places.logs),
            )
        )
        psql = f"{_command()} db psql --state-dir {setup.places.state}"
        fixtures = Fixtures(
            health_url=server.url,
            psql_line=psql,
            advisor=advisor,
            speed_asked=daemon.parts.speed if daemon.stepper is not None else 1.0,
            log_dir=str(setup.places.logs),
        )
        terminal = Terminal(
            view=daemon.view,
            speed=lambda: _speed(daemon),
            fixtures=fixtures,
            stream=sys.stdout,
            live=self._live,
            notes=lambda: tuple(self._logs.recent),
        )
        lines = (
            f"mode {config.settings.mode}, world: {world.detail}",
            f"health: {server.url}",
            f"query the database: {psql}",
            f"advisor: {advisor}",
        )

        async def show() -> None:
            await daemon.ready.wait()
            for line in lines:
                log.info("%s", line)
            log.info("ready")
            self._notifier.ready(f"{config.settings.mode} on {world.detail}")
            await terminal.run()

        daemon.add_root(RootTask("terminal", show, critical=False))

    def _health(self, daemon: Daemon, world: World, lane: Lane, market: MarketRows) -> Health:
        ready = daemon.ready.is_set()
        clock, feeds = daemon.parts.clock, daemon.parts.feeds
        clocks = feeds.clocks()
        state = "REDUCE"
        reasons: tuple[str, ...] = ("starting",)
        if daemon.has_started:
            view = daemon.view()
            state, reasons = view.trading_state, view.reasons
        return Health(
            status=status_of(trading_state=state, ready=ready, lane_alive=lane.alive),
            mode=self._setup.config.settings.mode,
            world=world.detail,
            trading_state=state,
            reasons=reasons,
            ready=ready,
            seq=daemon.loop.seq,
            lane_age_s=round(lane.oldest_age_s, 3),
            market_dropped=market.dropped,
            log_lines_lost=self._logs.lost,
            speed=_speed(daemon),
            market_at=clock.now().isoformat(),
            uptime_s=round(clock.monotonic() - self._began, 1),
            version=simple_trader.__version__,
            frames=dict(feeds.counts()),
            lateness_s={name: feed.lateness_s for name, feed in clocks.items()},
            clock_offset_s={name: feed.clock_offset_s for name, feed in clocks.items()},
            gauges={
                "tasks": len(asyncio.all_tasks()),
                "events_waiting": daemon.parts.inbox.waiting,
                "batches_waiting": lane.queued,
            },
        )


def _speed(daemon: Daemon) -> float | None:
    return None if daemon.stepper is None else daemon.stepper.reached_speed


def _command() -> str:
    """How this program is called from a shell here: by its name where it is on the PATH."""
    if shutil.which("simple-trader") is not None:
        return "simple-trader"
    beside = Path(sys.executable).with_name("simple-trader")
    here = Path.cwd()
    if beside.exists():
        return str(beside.relative_to(here) if beside.is_relative_to(here) else beside)
    return f"{sys.executable} -m simple_trader"
