"""One connection kept alive: open, read, watch, end, wait, open again.

Reconnecting is iteration; what an end means is decided in one place. A frame counts as handled only
after its events were emitted, whatever it was: heartbeats and garbage count too.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from simple_trader.adapters.kraken.connection import Backoff, FrameTooBig
from simple_trader.adapters.kraken.frame_counts import Bad, FrameCounts
from simple_trader.adapters.kraken.session import Session, Timing
from simple_trader.domain.errors import VenueError
from simple_trader.domain.events import Event
from simple_trader.ports import Emit, OpenWire, Wire, WireClosed

log = logging.getLogger(__name__)

S = TypeVar("S", bound=Session)
Room = Callable[[], Awaitable[None]]
# What must be known before the connection is opened (a token); gives the maker of the session.
Prepare = Callable[[], Awaitable[Callable[[float], S]]]
_HOLD_S = 900.0  # after an error that another try would not change (X20)
_SWITCHED_OFF = "switched off"


class Feed(Generic[S]):
    """Runs sessions of one kind, one after another, while it is wanted."""

    def __init__(
        self,
        *,
        name: str,
        url: str,
        open_wire: OpenWire,
        backoff: Backoff,
        timing: Timing,
        emit: Emit,
        counts: FrameCounts,
        prepare: Prepare[S],
        ended: Callable[[S | None, str], list[Event]],
        wake: Callable[[S, float], None],
        after: Callable[[S], None] | None = None,
        room: Room | None = None,
        hopeless: Callable[[S | None, VenueError | None], bool] = lambda _s, _e: False,
    ) -> None:
        """`ended` makes the events of an end, `wake` is called at a kick, `after` at each frame."""
        self.name = name
        self.session: S | None = None
        self.wire: Wire | None = None
        self.frames = 0
        self.wanted = False
        self._url, self._open_wire, self._backoff, self._timing = url, open_wire, backoff, timing
        self._emit, self._prepare, self._ended, self._wake = emit, prepare, ended, wake
        self._after, self._room, self._hopeless = after, room, hopeless
        self._counts = counts
        self._kick = asyncio.Event()
        self._sending = asyncio.Lock()
        self._holding = False
        self._failures = 0

    def kick(self, *, wanted: bool) -> None:
        """The plan changed: start, stop, or look again."""
        self.wanted = wanted
        self._kick.set()

    async def run(self) -> None:
        """Connect and reconnect until cancelled."""
        while True:
            while not self.wanted:
                self._kick.clear()
                await self._kick.wait()
            await asyncio.sleep(self._backoff.delay_s(_now()))
            if self.wanted:
                await self._live()

    async def _live(self) -> None:
        """One connection from opening to end."""
        began = _now()
        fault: VenueError | None = None
        try:
            make = await self._prepare()
            wire = await self._open_wire(self._url)
        except (WireClosed, VenueError) as error:
            fault = error if isinstance(error, VenueError) else None
            self._report(None, f"cannot connect: {error}")
            await self._hold(None, fault)
            return
        session = make(_now())
        self.session, self.wire, self.frames, self._holding = session, wire, 0, False
        self._failures = 0
        try:
            detail = await self._serve(wire, session)
        except asyncio.CancelledError:
            # The daemon stops: nobody needs to be told that the feed is down.
            self.session = self.wire = None
            self._ended(session, "stopped")
            await wire.close()
            raise
        self.session = self.wire = None
        self._report(session, detail)
        self._backoff.lasted(_now() - began)
        await wire.close()
        await self._hold(session, None)

    def _report(self, session: S | None, detail: str) -> None:
        if detail != _SWITCHED_OFF:
            # A long outage is told once; its attempts are for the log file.
            level = logging.WARNING if self._failures == 0 else logging.INFO
            log.log(level, "The %s connection to Kraken ended: %s", self.name, detail)
        self._failures += 1
        for event in self._ended(session, detail):
            self._emit(event)

    async def _hold(self, session: S | None, fault: VenueError | None) -> None:
        if self._hopeless(session, fault):
            log.error("The %s connection waits %d s: trying again is no use", self.name, _HOLD_S)
            await asyncio.sleep(_HOLD_S)

    async def _serve(self, wire: Wire, session: S) -> str:
        """Read and watch until either ends; why it ended."""
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(self._read(wire, session), name=f"{self.name} reader")
            watcher = group.create_task(self._watch(wire, session), name=f"{self.name} watcher")
            await asyncio.wait({reader, watcher}, return_when=asyncio.FIRST_COMPLETED)
            done = [task for task in (reader, watcher) if task.done()]
            reader.cancel()
            watcher.cancel()
        return session.ended or done[0].result()

    async def _read(self, wire: Wire, session: S) -> str:
        try:
            while session.ended is None:
                frame = await wire.recv()
                session.receive(frame, _now())
                self._pass_on(session)
                self.frames += 1
                if session.has_outgoing:
                    await self._flush(wire, session)
                if self._room is not None:
                    self._holding = True
                    await self._room()
                    self._holding = False
        except FrameTooBig as error:
            self._counts.add(self.name, Bad.TOO_BIG, "", str(error), _now())
            return f"closed: {error}"
        except WireClosed as error:
            return f"closed: {error}"
        return session.ended

    async def _watch(self, wire: Wire, session: S) -> str:
        try:
            await self._flush(wire, session)
            while session.ended is None:
                try:
                    async with asyncio.timeout(self._timing.tick_s):
                        await self._kick.wait()
                except TimeoutError:
                    pass  # the usual tick
                self._kick.clear()
                if not self.wanted:
                    return _SWITCHED_OFF
                self._wake(session, _now())
                if self._holding:
                    session.waited(_now())  # it is us who do not read: that is no silence
                session.tick(_now())
                self._pass_on(session)
                await self._flush(wire, session)
        except WireClosed as error:
            return f"closed: {error}"
        return session.ended

    def _pass_on(self, session: S) -> None:
        if session.has_events:
            for event in session.take_events():
                self._emit(event)
        if self._after is not None:
            self._after(session)

    async def _flush(self, wire: Wire, session: S) -> None:
        """Send what is due; raises WireClosed also where the exchange takes nothing (N17)."""
        try:
            async with asyncio.timeout(self._timing.silence_s), self._sending:
                for text in session.take_outgoing(_now()):
                    await wire.send(text)
        except TimeoutError:
            raise WireClosed(f"nothing could be sent for {self._timing.silence_s:g} s") from None


def _now() -> float:
    return asyncio.get_running_loop().time()
