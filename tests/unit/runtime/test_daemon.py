"""The daemon as a whole on virtual time: every root task fails once, outages, pauses, halts."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from brain_desk import started
from runtime_parts import ListLane, RecordingVenue, approved
from virtual_time import START, VirtualClock, VirtualLoop, run_virtually

from simple_trader.core.engine import Engine
from simple_trader.domain.actions import AskOrders, AskReconcile, CancelOrder, PlaceOrder
from simple_trader.domain.errors import VenueUnreachable
from simple_trader.domain.events import Event, FeedDown, FeedUp, LoopGapSeen, NotSent, Reconciled
from simple_trader.domain.orders import Side
from simple_trader.domain.reasons import Reason
from simple_trader.domain.venue_replies import SwitchArmed
from simple_trader.runtime.daemon import CommitBell, Daemon, Parts
from simple_trader.runtime.inbox import Inbox
from simple_trader.runtime.supervisor import RootTask


@dataclass
class Idle:
    """A lane, a feed, a learner and an advisor that only live."""

    connection: Any = None

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None: ...

    def put(self, record: object) -> None: ...


@dataclass
class Venue(RecordingVenue):
    """An exchange that may be gone altogether."""

    gone: bool = False
    cancels: list = field(default_factory=list)

    async def reconcile(self, action: AskReconcile) -> Sequence[Event]:
        if self.gone:
            raise VenueUnreachable
        return ()

    async def look(self, action: AskOrders) -> Sequence[Event]:
        return await self.reconcile(action)

    async def cancel_all(self) -> int:
        self.cancels.append(asyncio.get_running_loop().time())
        if self.gone:
            raise VenueUnreachable
        return 0

    async def cancel(self, action: CancelOrder) -> None: ...

    async def arm_switch(self, timeout_s: int) -> SwitchArmed:
        return SwitchArmed(current_at=None, trigger_at=None)


@dataclass
class House:
    """A daemon whose parts are idle; `beats` counts what feeds the systemd watchdog."""

    daemon: Daemon
    venue: Venue
    lane: ListLane
    events: list
    beats: list

    def of(self, kind: type) -> list:
        return [event for event in self.events if isinstance(event, kind)]

    def look(self) -> None:
        """The account was looked at, just now."""
        self.daemon.parts.inbox.put(
            Reconciled(
                open_cl_ord_ids=(),
                foreign_open_orders=0,
                looked_from=self.daemon.parts.clock.now(),
                clean=True,
                detail="",
            )
        )


class RestingLane(ListLane):
    """A lane that lives until it is cancelled."""

    async def run(self) -> None:
        await asyncio.Event().wait()


def house(loop: VirtualLoop, folder: Any) -> House:
    clock, venue, lane, inbox = VirtualClock(loop, START), Venue(), RestingLane(), Inbox()
    events: list = []
    beats: list = []
    idle = Idle()
    daemon = Daemon(
        Parts(
            brain=Engine(),
            clock=clock,
            inbox=inbox,
            bell=CommitBell(),
            lane=lane,
            market=idle,
            venue=venue,
            feeds=idle,
            advisor=idle,
            learner=idle,
            driver=None,
            speed=1.0,
            control_folder=folder,
            last_seq=0,
            last_at=None,
            may_place=lambda: True,
            on_event=events.append,
            on_beat=lambda: beats.append(loop.time()),
        )
    )
    return House(daemon, venue, lane, events, beats)


def live(
    folder: Any, script: Callable[[House, VirtualLoop], Any], spoil: Callable | None = None
) -> House:
    """Run a daemon while a script plays; it ends with the script."""

    async def main(loop: VirtualLoop) -> House:
        made = house(loop, folder)
        if spoil is not None:
            whole = made.daemon._roots
            made.daemon._roots = lambda: [spoil(root) for root in whole()]
        made.daemon.add_root(RootTask("script", lambda: play(made, loop)))
        await made.daemon.run(started())
        return made

    async def play(made: House, loop: VirtualLoop) -> None:
        for feed in ("public", "private"):
            made.daemon.parts.inbox.put(FeedUp(feed=feed))
        made.look()
        await asyncio.sleep(1)
        await script(made, loop)
        made.daemon._stopped.set()
        await asyncio.Event().wait()

    return run_virtually(main)


ROOTS = (
    "engine loop",
    "ledger lane",
    "market lane",
    "feeds",
    "operator desk",
    "loop watch",
    "store watch",
    "stop",
    "ready",
    "dead man's switch",
    "timers",
)


@pytest.mark.parametrize("name", ROOTS)
def test_p11_i_51_an_exception_in_a_root_task_ends_the_daemon_or_is_told_and_restarted(
    name: str, tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    failed: list[float] = []
    sends: list = []

    def spoil(root: RootTask) -> RootTask:
        async def run() -> None:
            if not failed:
                await asyncio.sleep(5)
                failed.append(asyncio.get_running_loop().time())
                raise RuntimeError("injected")
            await root.run()

        return RootTask(root.name, run, root.critical) if root.name == name else root

    async def script(made: House, loop: VirtualLoop) -> None:
        sends.append(made.venue.sends)
        await asyncio.sleep(60)

    caplog.set_level(logging.ERROR)
    if name == "market lane":  # prices, no money
        live(tmp_path, script, spoil)
        assert "injected" in caplog.text
        assert len(failed) == 1
        return
    with pytest.raises(RuntimeError, match="injected"):
        live(tmp_path, script, spoil)
    assert sends == [[]]


def test_every_root_task_of_the_daemon_is_among_those_that_fail(tmp_path: Any) -> None:
    names: list[str] = []

    async def script(made: House, loop: VirtualLoop) -> None:
        names.extend(root.name for root in made.daemon._roots())

    live(tmp_path, script)
    assert set(names) - {"script"} == set(ROOTS)


def test_n07_d02_ten_minutes_without_exchange_and_database_feed_the_watchdog_on(
    tmp_path: Any,
) -> None:
    async def script(made: House, loop: VirtualLoop) -> None:
        made.venue.gone, made.venue.connected, made.lane.alive = True, False, False
        made.daemon.parts.inbox.put(FeedDown(feed="private", detail="gone"))
        made.daemon.parts.inbox.put(FeedDown(feed="public", detail="gone"))
        await asyncio.sleep(600)
        assert made.daemon.parts.brain.trading_state == "REDUCE"
        assert not made.daemon.lease.held

    beats = live(tmp_path, script).beats
    assert len(beats) >= 600 / 5 - 2
    assert max(later - sooner for sooner, later in pairwise(beats)) < 6


def test_i_27_p03_what_waited_for_its_commit_over_a_pause_is_never_sent(tmp_path: Any) -> None:
    async def script(made: House, loop: VirtualLoop) -> None:
        daemon = made.daemon
        seq = daemon.loop.seq + 1
        daemon.dispatcher.hold(seq, PlaceOrder(approved=approved("st1-1")))
        loop.jump_to(loop.time() + 90)  # SIGSTOP, and the commit was done before it
        daemon.dispatcher.on_commit(seq)
        await asyncio.sleep(1)
        assert [event.reason for event in made.of(NotSent)] == [Reason.LOOP_STALLED]
        assert made.of(LoopGapSeen)
        assert daemon.gate.paused
        # An order approved after the pause waits for the account too, an exit as well.
        daemon.dispatcher.now(PlaceOrder(approved=approved("st1-2", Side.SELL)))
        await asyncio.sleep(0.1)
        assert made.of(NotSent)[-1].reason is Reason.LOOP_STALLED
        assert made.venue.sends == []
        made.look()
        await asyncio.sleep(0.1)
        assert not daemon.gate.paused

    live(tmp_path, script)


@pytest.mark.parametrize("dead", ["nothing", "database", "advisor", "public feed"])
def test_i_28_a_signal_stops_sending_at_once_and_cancels_are_on_the_wire_within_half_a_second(
    dead: str, tmp_path: Any
) -> None:
    async def script(made: House, loop: VirtualLoop) -> None:
        made.lane.alive = dead != "database"
        if dead == "public feed":
            made.daemon.parts.inbox.put(FeedDown(feed="public", detail="gone"))
        pressed = loop.time()
        made.daemon.desk.press("signal", "SIGUSR1")
        made.daemon.dispatcher.now(PlaceOrder(approved=approved("st1-1")))
        await asyncio.sleep(5)
        assert made.venue.sends == []
        assert made.venue.cancels[0] - pressed <= 0.5
        assert made.daemon.parts.brain.trading_state == "HALT"

    live(tmp_path, script)


def test_i_28_a_file_halts_within_a_quarter_of_a_second_and_cancels_do_not_give_up(
    tmp_path: Any,
) -> None:
    async def script(made: House, loop: VirtualLoop) -> None:
        made.venue.gone = True
        pressed = loop.time()
        (tmp_path / "halt.json").write_text('{"actor": "ada", "reason": "fire"}')
        await asyncio.sleep(0.25)
        assert made.daemon.desk.kill_switch
        await asyncio.sleep(30)
        assert made.venue.cancels[0] - pressed <= 0.5
        assert len(made.venue.cancels) > 3
        made.venue.gone = False
        await asyncio.sleep(31)
        tries = len(made.venue.cancels)
        await asyncio.sleep(60)
        assert len(made.venue.cancels) == tries  # it went through

    live(tmp_path, script)
