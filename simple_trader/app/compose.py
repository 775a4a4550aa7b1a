"""Wiring: builds the adapters of one run and hands them to the daemon."""

import asyncio
import logging
import os
import random
import signal
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

import simple_trader
from simple_trader.adapters.kraken.auth import Credentials, FileHighWater
from simple_trader.adapters.kraken.connection import open_wire
from simple_trader.adapters.kraken.hall_monitor import FileCount
from simple_trader.adapters.kraken.http_client import HttpClient
from simple_trader.adapters.kraken.rest_client import RestClient
from simple_trader.adapters.kraken.rest_manager import KrakenRest
from simple_trader.adapters.kraken.ws_manager import KrakenVenue
from simple_trader.adapters.learner.checkpoint import fault_of
from simple_trader.adapters.learner.worker import LearnerClient
from simple_trader.adapters.llm.call_files import CallFiles
from simple_trader.adapters.store.advice_history import read_advice_history
from simple_trader.adapters.store.lane_connection import AsyncpgLedgerConnection
from simple_trader.adapters.store.ledger_lane import LedgerLane
from simple_trader.adapters.store.market_lane import MarketLane
from simple_trader.adapters.store.recovery import Recovery
from simple_trader.app.advice import AdvisorDesk, plan_of
from simple_trader.app.chores import add_chores
from simple_trader.app.database import Database
from simple_trader.app.face import Face
from simple_trader.app.feed_plan import feed_plan, feeds_of
from simple_trader.app.key_safety import require_armed, require_safe_key
from simple_trader.app.places import Setup
from simple_trader.app.program import program_name
from simple_trader.app.reloading import Reloading
from simple_trader.app.training import rows_of
from simple_trader.app.worlds import World
from simple_trader.config.loader import Config, trading_settings
from simple_trader.config.schema import Settings
from simple_trader.core.engine import Engine
from simple_trader.domain.actions import UseModel
from simple_trader.domain.events import Started
from simple_trader.domain.moments import EPOCH
from simple_trader.domain.recovered import Recovered
from simple_trader.runtime.boot import BootPlan, boot
from simple_trader.runtime.clocks import SteppedClock, SystemClock
from simple_trader.runtime.crash_points import CrashPoints, instrument
from simple_trader.runtime.daemon import CommitBell, Daemon, Parts
from simple_trader.runtime.inbox import Inbox
from simple_trader.runtime.snapshots import SnapshotKeeper
from simple_trader.runtime.time_check import agree_on_time
from simple_trader.telemetry.masking import Masker

log = logging.getLogger("simple_trader")


@dataclass(frozen=True)
class Wired:
    """A daemon that is ready to run, and its first event."""

    daemon: Daemon
    started: Started


async def wire(
    setup: Setup, base: Database, dsn: str, world: World, face: Face, stack: AsyncExitStack
) -> Wired:
    """Take the lock, recover, read the exchange, and put the daemon together."""
    config, settings = setup.config, setup.config.settings
    connection = AsyncpgLedgerConnection(dsn, ensure_server=base.ensure)
    await connection.connect(None)
    stack.callback(connection.abort)
    learner = await _learner(dsn, settings, stack)
    store = Recovery(dsn, boot_seconds=_unix_now(), fault_of_model=fault_of)
    recovered = await store.recover()
    clock = _clock(world, recovered)
    inbox, bell, engine = Inbox(), CommitBell(), Engine()
    lane = LedgerLane(
        connection,
        epoch=recovered.epoch,
        last_seq=recovered.last_seq,
        chain=recovered.chain,
        on_commit=bell.ring,
        monotonic=clock.monotonic,
    )
    market = MarketLane(dsn, ensure_server=base.ensure)
    rest, venue = _exchange(setup, world, clock, inbox, lane, stack)
    await agree_on_time(clock, rest.server_time, recovered.newest_at)
    venue.counter.remember(recovered.orders)
    if settings.mode == "live":
        await require_safe_key(rest, allowed=settings.allow_withdrawal_key)
        if settings.place_live_orders:
            await require_armed(setup, world, rest, SystemClock())
    _crash_where_asked(setup, lane, connection, venue, store)
    advice = plan_of(config, setup.environment.secrets, world.stand_in_url)
    desk = await _desk_of(dsn, setup)
    desk.learn(config.hash, advice)
    stack.push_async_callback(desk.close)
    await desk.warm()  # the SDK takes a second to import: not while we trade
    reloading = Reloading(setup, world, desk, venue, inbox, engine)
    plan = _plan_of(config, world)
    started = await boot(plan, store=store, reads=rest, clock=clock, recovered=recovered)
    rest.tell_trouble(inbox.put)
    await _wake_model(learner, recovered, enabled=settings.enable_model)
    daemon = Daemon(
        Parts(
            brain=engine,
            clock=clock,
            inbox=inbox,
            bell=bell,
            lane=lane,
            market=market,
            venue=venue,
            feeds=venue,
            advisor=desk,
            learner=learner,
            driver=world.line,
            speed=settings.sim.speed,
            control_folder=setup.places.control,
            last_seq=recovered.last_seq,
            last_at=recovered.newest_at,
            may_place=lambda: settings.mode != "live",
            keeper=SnapshotKeeper(engine, store),
            on_event=reloading.after,
            on_beat=face.beat,
            dead_man_switch=settings.dead_man_switch == "auto",
            market_end=_market_end(clock.now(), setup.options.run_for_market_s),
        )
    )
    daemon.expect_feeds(feeds_of(feed_plan(settings, ())))
    reloading.begin()
    await face.open(daemon, world, lane, market, advice.told(), stack)
    add_chores(daemon, setup, base, dsn, world, reloading, rest.monitor)
    return Wired(daemon, started)


def _crash_where_asked(
    setup: Setup,
    lane: LedgerLane,
    connection: AsyncpgLedgerConnection,
    venue: KrakenVenue,
    store: Recovery,
) -> None:
    """--crash-at: die at a named point of the order path, as `kill -9` does (mode sim)."""
    asked = setup.options.crash_at
    if asked is None or setup.config.settings.mode != "sim":
        return
    points = CrashPoints.parse(asked, lambda: os.kill(os.getpid(), signal.SIGKILL))
    points.reach("in_recovery_epoch_taken")
    instrument(points, lane=lane, connection=connection, venue=venue, store=store)


async def _learner(dsn: str, settings: Settings, stack: AsyncExitStack) -> LearnerClient:
    """The online model's process; its imports go on while we boot."""
    learner = LearnerClient(rows_of(dsn), timeout_s=10.0)
    stack.push_async_callback(learner.close)
    if settings.enable_model:
        await learner.start()
    return learner


async def _desk_of(dsn: str, setup: Setup) -> AdvisorDesk:
    """The advisor's desk, with what advice cost before this start."""
    mask = Masker(setup.environment.secrets.values()).text
    files = CallFiles(setup.places.logs / "llm", mask)
    return AdvisorDesk(history=await read_advice_history(dsn), files=files)


def _plan_of(config: Config, world: World) -> BootPlan:
    """What this start is about."""
    return BootPlan(
        mode=config.settings.mode,
        world=world.detail,
        settings=trading_settings(config),
        config_hash=config.hash,
        source=config.source,
        texts=config.texts,
        program=program_name(),
    )


def _exchange(
    setup: Setup,
    world: World,
    clock: SystemClock | SteppedClock,
    inbox: Inbox,
    lane: LedgerLane,
    stack: AsyncExitStack,
) -> tuple[KrakenRest, KrakenVenue]:
    """The Kraken adapter on the world's addresses."""
    http = HttpClient(f"simple-trader/{simple_trader.__version__}")
    stack.push_async_callback(http.close)
    dice = random.SystemRandom()  # jitter of reconnects: nothing that must repeat
    # Paper answers on this machine, but its public calls reach Kraken and its account counts.
    is_paper = setup.config.settings.mode == "paper"
    rest = KrakenRest(
        RestClient(
            url=world.rest_url,
            http=http,
            clock=clock,
            dice=dice,
            credentials=Credentials(world.key, world.secret),
            high_water=FileHighWater(setup.places.state / "nonce"),
            count=FileCount(setup.places.state / "rest_count"),
            tier="intermediate" if is_paper else None,
            public_pace=True if is_paper else None,
        )
    )
    venue = KrakenVenue(
        rest=rest,
        public_url=world.public_url,
        private_url=world.private_url,
        open_wire=open_wire,
        clock=clock,
        dice=dice,
        emit=inbox.put,
        room=lambda: _room(lane),
        timed=isinstance(clock, SystemClock),  # a stepped market is no clock to compare with
    )
    return rest, venue


def _unix_now() -> int:
    return int((SystemClock().wall() - EPOCH).total_seconds())


def _clock(world: World, recovered: Recovered) -> SystemClock | SteppedClock:
    if world.line is None or world.market_at is None:
        return SystemClock()
    newest = recovered.newest_at
    return SteppedClock(world.market_at if newest is None else max(world.market_at, newest))


def _market_end(now: datetime, span_s: float | None) -> datetime | None:
    return None if span_s is None else now + timedelta(seconds=span_s)


async def _room(lane: LedgerLane) -> None:
    """Wait while the ledger lane is full: the private socket is then not read."""
    while lane.full:
        await asyncio.sleep(0.05)


async def _wake_model(learner: LearnerClient, recovered: Recovered, *, enabled: bool) -> None:
    """Give the worker process the newest verified model."""
    if enabled and recovered.model is not None:
        model_id, sha256, blob = recovered.model
        await learner.use(UseModel(model_id=model_id, sha256=sha256, blob=blob))
