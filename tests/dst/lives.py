"""One world and the daemon's lives in it: killed, stopped, restarted, calm at last, and judged."""

import asyncio
import random
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from checker.record import Facts, Life, Span
from virtual_time import START, VirtualLoop

from dst.agenda import Agenda, Machine, TrueClock
from dst.deeds import Deeds, request_text
from dst.minds import TEXTS, DirectLearner, DrawnAdvisor
from dst.plan import Planned, Scenario
from dst.store import FatedBoot, FatedConnection, MarketShelf, NestedLoop, Postgres, refused_lock
from dst.venue import VirtualVenue
from dst.world import KeptMark, Tally, facts_of, opened, rest_of, settings_of
from simple_trader.adapters.kraken.ws_manager import KrakenVenue
from simple_trader.adapters.store.ledger_lane import LedgerLane
from simple_trader.core.engine import Engine
from simple_trader.domain.actions import UseModel
from simple_trader.domain.errors import StoreSetupError, VenueRefused
from simple_trader.domain.events import Started
from simple_trader.ports import FeedPlan
from simple_trader.runtime.boot import BootPlan, boot
from simple_trader.runtime.daemon import CommitBell, Daemon, Parts
from simple_trader.runtime.inbox import Inbox
from simple_trader.runtime.snapshots import SnapshotKeeper
from simple_trader.runtime.time_check import agree_on_time
from simple_trader.sandbox.settings import SandboxOptions

CALM_S = 270.0  # every wait of the resolver, lag margins and the 30 s of calm are in it
SHUT_OUT_S = 900.0
RESTART_S = 5.0  # RestartSec of the service
STOP_WITHIN_S = 30.0
LOOK_S = 20.0  # how often the operator looks at a halted daemon
# Ends of a daemon that faults explain; systemd starts it anew.
EXPECTED_ENDS = (VenueRefused, StoreSetupError)


class Lives:
    """Runs a scenario; afterwards `tally`, `venue` and the database tell what happened."""

    def __init__(self, loop: VirtualLoop, scenario: Scenario, dsn: str, folder: Path) -> None:
        """A new exchange, the database at `dsn`, and `folder` for the operator's requests."""
        self.scenario, self.folder, self._loop = scenario, folder, loop
        self.agenda, self.truth = Agenda(loop), TrueClock(loop, START)
        self.machine = Machine(loop, self.truth)
        options = SandboxOptions(
            seed=scenario.seed,
            start=START,
            stepped=True,
            history_bars=90,
            pairs=scenario.pairs,
            regime=scenario.regime,
            capital=scenario.capital,
            counters=scenario.counters,
            mixed_replies=scenario.mixed_replies,
        )
        self.exchange = opened(options, self.truth)
        self.venue = VirtualVenue(self.agenda, self.truth, self.exchange, scenario.seed)
        self.nested = NestedLoop()
        self.server = Postgres(
            random.Random(f"postgres {scenario.seed}"), loop.time, self.nested, dsn
        )
        self.server.kill = self.kill
        self.settings = settings_of(scenario)
        self.tally = Tally()
        self.deeds = Deeds(self, scenario.seed)
        self.advisor = DrawnAdvisor(random.Random(f"advice {scenario.seed}"), self.deeds.tell)
        self.mark = KeptMark()
        self.ambush: dict[str, Callable[[], None]] = {}
        self.daemon: Daemon | None = None
        self.connection: FatedConnection | None = None
        self.chain, self.seq = "", 0
        self._number = 0
        self._alive = False
        self._killed = asyncio.Event()
        self._dice = random.Random(f"lives {scenario.seed}")
        self.calm_at = self.ended_at = START

    # --- hooks of the deeds -----------------------------------------------------------------------

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call in so many seconds of the loop."""
        self._loop.call_later(seconds, call)

    def after_steps(self, steps: int, call: Callable[[], None]) -> None:
        """Call after so many turns of the loop: between any two awaits of a task."""
        if steps <= 0:
            call()
        else:
            self._loop.call_soon(self.after_steps, steps - 1, call)

    def kill(self, where: str) -> None:
        """SIGKILL: from this instant nothing of the process reaches anybody."""
        if not self._alive:
            return
        self._alive = False
        self.tally.kills[where.partition(" ")[0]] += 1
        self.deeds.tell("P01")
        for line in list(self.venue.lines):
            line.leave()
        if self.connection is not None:
            self.connection.dead = True
            self.connection.drop()
        self._killed.set()

    def ask_to_stop(self) -> bool:
        """SIGTERM; whether a daemon was there to hear it."""
        if not self._alive or self.daemon is None:
            return False
        self.daemon.stop_asked.set()
        return True

    def stand_still(self, seconds: float) -> None:
        """SIGSTOP, and SIGCONT after so many seconds; the world goes on."""
        begun = self.truth.now()
        self.agenda.stand_still(seconds)
        self.tally.pauses.append(Span(begun, self.truth.now(), "stop"))

    def start_second(self) -> bool:
        """A second daemon is started on the same database: it must be refused (P10).

        Whether that could be tried: it cannot while nobody holds the lock.
        """
        if not self._alive or self.daemon is None or self.server.is_down:
            return False
        if self.connection is None or not self.connection.connected:
            return False
        if not self.nested.call(refused_lock(self.server.dsn)):
            self.tally.wrong.append("I-26: a second daemon got the writer's lock")
        return True

    def operator(self, what: str) -> None:
        """`simple-trader halt` or `resume`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        beside = self.folder / f"{what}.new"
        beside.write_text(request_text("drawn"), encoding="utf-8")
        beside.replace(self.folder / f"{what}.json")
        self.tally.halts.append((self.truth.now(), what))

    def _look_after(self) -> None:
        """The operator resumes a daemon that faults have halted."""
        daemon = self.daemon
        if self._alive and daemon is not None and daemon.view().trading_state == "HALT":
            self.operator("resume")
        self.later(LOOK_S, self._look_after)

    # --- the run ----------------------------------------------------------------------------------

    async def run(self, calm_s: float | None = None) -> None:
        """Faults for the scenario's span, then calm, then a clean stop."""
        self._loop.set_exception_handler(self._unseen)
        self.venue.begin()
        self.venue.on_frame = lambda text: self._occasion("sent")
        self.venue.before_delivery = self._before_delivery
        self.venue.on_rest = lambda path: self._occasion("rest")
        for planned in self.scenario.faults:
            self._loop.call_at(planned.at_s, self._do, planned)
        self.later(LOOK_S, self._look_after)
        self._loop.call_at(self.scenario.span_s, self._calm)
        try:
            until_s = self.scenario.span_s + (self._calm_s() if calm_s is None else calm_s)
            while not await self._live(until_s):
                pass
            self.ended_at = self.truth.now()
        finally:
            self.nested.stop()

    def _calm_s(self) -> float:
        """A key that was shut out is not tried again for a quarter of an hour (X20)."""
        shut_out = [p.at_s + SHUT_OUT_S for p in self.scenario.faults if p.words.startswith("X20")]
        return CALM_S + max(0.0, max(shut_out, default=0.0) + LOOK_S - self.scenario.span_s)

    def _unseen(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An error that nobody awaits: of the harness, or of a task that died silently (I-51)."""
        error = context.get("exception")
        where = "" if error is None else " at " + _place(error)
        self.tally.wrong.append(f"I-51: {context.get('message')}: {error!r}{where}")

    def _do(self, planned: Planned) -> None:
        self.deeds.do(planned)

    def _occasion(self, where: str) -> None:
        spring = self.ambush.pop(where, None) if self._alive else None
        if spring is not None:
            spring()

    def _before_delivery(self, frame: bytes) -> None:
        self._occasion("before_delivery")
        if self._alive:
            self._occasion("after_delivery")

    def _calm(self) -> None:
        """No fault acts any more, and what they left behind is mended from outside."""
        script = self.venue.script
        script.stop("all")
        self.ambush.clear()
        self.server.fates.clear()
        self.server.down_until = 0.0
        self.machine.off = timedelta(0)
        self.advisor.next_fault = ""
        self.venue.touch()
        if any(fired.id == "X23" for fired in self.venue.fired):
            script.desk.do(
                "system", {"status": "maintenance"}
            )  # what was announced comes, and goes
        if script.desk.system != "online":
            self.venue.flush()
            script.desk.do("system", {"status": "online"})
        for pair in self.scenario.pairs:
            if self.exchange.pairs[pair].status != "online":
                script.desk.do("pair", {"pair": pair, "status": "online"})
        self.venue.flush()
        self.calm_at = self.truth.now()

    async def _live(self, until_s: float) -> bool:
        """One life: until killed, ended by itself, or stopped at the end; whether that was it."""
        self._number += 1
        self._killed, self._alive = asyncio.Event(), True
        begun = self.truth.now()
        life = asyncio.create_task(self._process(), name=f"life {self._number}")
        killed = asyncio.create_task(self._killed.wait())
        both = {life, killed}
        wait_s = max(0.0, until_s - self._loop.time())
        await asyncio.wait(both, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
        last = not self._killed.is_set() and not life.done()
        if last:
            self._judge_liveness()
            self.ask_to_stop()
            done, _ = await asyncio.wait({life}, timeout=STOP_WITHIN_S)
            if not done:
                self.tally.wrong.append(f"STOP: no clean stop within {STOP_WITHIN_S:g} s")
                life.cancel()
        if self._killed.is_set():
            life.cancel()
        killed.cancel()
        await asyncio.gather(life, killed, return_exceptions=True)
        how = "kill" if self._killed.is_set() else self._ended(life)
        self._alive = False
        self._note_end(begun, how)
        if not last:
            await asyncio.sleep(RESTART_S if how != "kill" else self._dice.uniform(0.05, 15.0))
        return last

    def _ended(self, life: "asyncio.Task[None]") -> str:
        """Why it ended by itself; an end that no fault explains is a finding."""
        error = None if life.cancelled() else life.exception()
        if error is None:
            return "stop"
        self.tally.ends.append(f"{type(error).__name__}: {error}")
        if not isinstance(error, EXPECTED_ENDS):
            self.tally.wrong.append(f"END: the daemon ended: {type(error).__name__}: {error}")
        return "error"

    def _note_end(self, begun: datetime, how: str) -> None:
        self.tally.lives.append(Life(begun, self.truth.now(), how))
        daemon, self.daemon = self.daemon, None
        if daemon is not None:
            self.chain, self.seq = daemon.parts.lane.chain.hex(), daemon.loop.seq

    def _judge_liveness(self) -> None:
        """After the calm it trades again, without anybody's help but `resume`."""
        if self.daemon is None:
            self.tally.wrong.append("LIVE: there is no daemon at the end of the calm")
            return
        view = self.daemon.view()
        if view.trading_state != "RUN":
            self.tally.wrong.append(
                f"LIVE: {view.trading_state} at the end of the calm: {causes_of(self.daemon)}"
            )

    # --- one process ------------------------------------------------------------------------------

    async def _process(self) -> None:
        """What `simple-trader run` does: connect, recover, boot, run."""
        connection = self.connection = FatedConnection(self.server)
        try:
            await connection.connect(None)
            store = FatedBoot(self.server, round(self.machine.wall().timestamp()))
            daemon, started = await self._wired(connection, store)
            await daemon.run(started)
        finally:
            connection.abort()

    async def _wired(self, connection: FatedConnection, store: FatedBoot) -> tuple[Daemon, Started]:
        recovered = await store.recover()
        clock = self.machine.clock()
        inbox, bell, engine = Inbox(), CommitBell(), Engine()
        number = f"{self.scenario.seed} {self._number}"
        lane = LedgerLane(
            connection,
            epoch=recovered.epoch,
            last_seq=recovered.last_seq,
            chain=recovered.chain,
            on_commit=bell.ring,
            monotonic=clock.monotonic,
        )
        rest = rest_of(self.scenario, self.venue, clock=clock, mark=self.mark, number=number)

        async def room() -> None:
            while lane.full:
                await asyncio.sleep(0.05)

        venue = KrakenVenue(
            rest=rest,
            public_url="ws://virtual/v2",
            private_url="ws://virtual/auth/v2",
            open_wire=self.venue.open_wire,
            clock=clock,
            dice=random.Random(f"backoff {number}"),
            emit=inbox.put,
            room=room,
        )
        plan = BootPlan(
            mode="sim",
            world=f"seed {self.scenario.seed}",
            settings=self.settings,
            config_hash="virtual",
            texts=TEXTS,
        )
        await agree_on_time(clock, rest.server_time, recovered.newest_at)
        started = await boot(plan, store=store, reads=rest, clock=clock, recovered=recovered)
        learner = DirectLearner()  # what was learned since the checkpoint is gone with the process
        if recovered.model is not None:
            model_id, sha256, blob = recovered.model
            await learner.use(UseModel(model_id=model_id, sha256=sha256, blob=blob))
        daemon = self.daemon = Daemon(
            Parts(
                brain=engine,
                clock=clock,
                inbox=inbox,
                bell=bell,
                lane=lane,
                market=MarketShelf(self.server),
                venue=venue,
                feeds=venue,
                advisor=self.advisor,
                learner=learner,
                driver=None,
                speed=1.0,
                control_folder=self.folder,
                last_seq=recovered.last_seq,
                last_at=recovered.newest_at,
                may_place=lambda: True,
                keeper=SnapshotKeeper(engine, store),
            )
        )
        daemon.expect_feeds(("public", "private", "book"))
        venue.apply(
            FeedPlan(
                pairs=self.settings.traded_pairs,
                public=True,
                private=True,
                book=True,
                book_depth=10,
            )
        )
        return daemon, started

    def facts(self) -> Facts:
        """What the checker must know of this run."""
        return facts_of(
            self.scenario,
            self.settings,
            self.tally,
            calm_at=self.calm_at,
            ended_at=self.ended_at,
        )


def _place(error: BaseException) -> str:
    """Where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(f"{frame.name} {frame.lineno}" for frame in reversed(frames[-3:]))


def causes_of(daemon: Daemon) -> str:
    """Why the brain does not trade, in its own words."""
    return ", ".join(daemon.view().reasons) or "no reason given"
