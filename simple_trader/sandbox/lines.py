"""One WebSocket connection's transport: frames in and out, through the faults where any is set."""

import asyncio
import socket as sockets
import struct
from collections.abc import Callable
from typing import NamedTuple, Protocol

from aiohttp import WSCloseCode, web

from simple_trader.sandbox.exchange import Exchange
from simple_trader.sandbox.faults import books
from simple_trader.sandbox.faults.frames import Out
from simple_trader.sandbox.faults.line import LineAct, LineState
from simple_trader.sandbox.faults.script import Script
from simple_trader.sandbox.recording import Recorder
from simple_trader.sandbox.session import Session

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 seconds: the kernel sends RST
_FEW_FRAMES = 2000  # of a burst, at most this many at once


class World(Protocol):
    """What a line needs of its server."""

    exchange: Exchange
    script: Script
    recorder: Recorder | None

    def delay_clock(self) -> float:
        """Give seconds of the clock that delays go by: market time when stepped, else real."""

    def touch(self) -> None:
        """Bring a stand-alone market to now."""


class _Held(NamedTuple):
    due: float
    out: Out


class _Burst(NamedTuple):
    begun: float
    act: LineAct
    sent: int


def reset(transport: asyncio.BaseTransport | None) -> None:
    """End a connection with RST and nothing more."""
    if not isinstance(transport, asyncio.Transport):
        return
    # A TLS transport that is closing knows its socket no more.
    raw = None if transport.is_closing() else transport.get_extra_info("socket")
    if raw is not None:
        try:
            raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, _RESET)
        except OSError:
            pass  # it is closed already, which is what was wanted
    transport.abort()


class Line:
    """Carries one session's frames; `written` counts those that were handed to the transport."""

    def __init__(
        self,
        world: World,
        session: Session,
        socket: web.WebSocketResponse,
        transport: asyncio.BaseTransport | None,
        *,
        private: bool,
    ) -> None:
        self.session = session
        self.written = 0
        self._world = world
        self._socket = socket
        self._transport = transport if isinstance(transport, asyncio.Transport) else None
        on = "private" if private else "public"
        self.state: LineState = world.script.opened(session.connection_id, on)
        self._held: list[_Held] = []
        self._inbox: list[tuple[float, str]] = []
        self._last_due = 0.0
        self._last_in = 0.0
        self._burst: _Burst | None = None
        if world.recorder is not None:
            world.recorder.opened(session.connection_id, on)

    @property
    def busy(self) -> bool:
        """Whether something waits for its moment."""
        return bool(self._held or self._inbox or self._burst)

    @property
    def closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._socket.closed or self._transport is None or self._transport.is_closing()

    def backlog(self) -> int:
        """Give the bytes that wait in this process for the peer to read."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def end(self) -> None:
        """Forget the connection."""
        self._world.script.closed(self.session.connection_id)
        if self._world.recorder is not None:
            self._world.recorder.closed(self.session.connection_id)

    def abort(self) -> None:
        """Cut the connection with RST."""
        reset(self._transport)

    async def close(self) -> None:
        """Close the connection in the ordinary way."""
        if not self.state.frozen:
            await self._socket.close()

    # --- in ---------------------------------------------------------------------------------

    def receive(self, text: str) -> None:
        """Take a client's frame."""
        if self._world.recorder is not None:
            self._world.recorder.frame(self.session.connection_id, "in", text)
        if not self._world.script.any:
            self.session.receive(text)
            return
        if self.state.frozen:
            return
        given = self._world.script.receive(self.state, text)
        for method, req_id, error, symbol in given.errors:
            more = {} if symbol is None else {"symbol": symbol}
            self.session.answer(method, req_id, None, error=error, success=False, **more)
        if given.text is None:
            return
        now = self._world.delay_clock()
        due = now + given.delay_s
        if not given.loose:
            # TCP keeps its order: nothing overtakes a frame that is late on the way.
            due = self._last_in = max(due, self._last_in)
        if due > now:
            self._inbox.append((due, given.text))
            self._inbox.sort(key=lambda waiting: waiting[0])
        else:
            self._take(given.text)

    def _take(self, text: str) -> None:
        before = self._world.script.desk.count()
        self.session.receive(text)
        self._world.script.received(self.state, before)

    # --- out --------------------------------------------------------------------------------

    async def flush(self) -> None:
        """Hand the session's frames to the transport; never waits, so frames stay in order."""
        texts = self.session.outgoing()
        if not texts:
            return
        if not self._world.script.any:
            await self._write(texts)
            return
        batch, acts = self._world.script.send(self.state, texts)
        if self.state.frozen:
            self._freeze()
        now = self._world.delay_clock()
        for out in batch:
            due = now + out.delay_s
            if not out.loose:
                due = self._last_due = max(due, self._last_due)
            if due > now:
                self._held.append(_Held(due, out))
            else:
                await self._deliver(out)
        for act in acts:
            await self.suffer(act)

    async def _write(self, texts: list[str]) -> None:
        recorder = self._world.recorder
        if self.closed:
            return
        if recorder is not None:
            for text in texts:
                recorder.frame(self.session.connection_id, "out", text)
            recorder.flush()
        for text in texts:
            try:
                await self._socket.send_str(text)
            except (ConnectionError, RuntimeError):
                # The peer is gone: its handler ends the session, its frames go nowhere.
                return
            self.written += 1

    async def _deliver(self, out: Out) -> None:
        if self.state.frozen:
            return
        if out.raw is None:
            await self._write([out.text])
        elif out.raw:
            self._raw(out.raw)
        if out.cut == "reset":
            self.abort()
        elif out.cut == "close":
            await self._socket.close(code=WSCloseCode.GOING_AWAY)

    def _raw(self, raw: bytes) -> None:
        if self.closed or self._transport is None:
            return
        recorder = self._world.recorder
        if recorder is not None:
            recorder.frame(self.session.connection_id, "out", raw)
            recorder.flush()
        self._transport.write(raw)

    def _freeze(self) -> None:
        self._held.clear()
        self._inbox.clear()
        self._burst = None
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    # --- faults by themselves -----------------------------------------------------------------

    async def suffer(self, act: LineAct) -> None:
        """Do what a fault asks of this socket."""
        match act.act:
            case "freeze":
                self._freeze()
            case "deaf":
                if self._transport is not None and not self._transport.is_closing():
                    self._transport.pause_reading()
            case "hear":
                if self._transport is not None and not self._transport.is_closing():
                    self._transport.resume_reading()
            case "inject":
                self._raw(act.raw)
                self.written += 1
            case "burst":
                self._burst = _Burst(asyncio.get_running_loop().time(), act, 0)
            case "close":
                await self._socket.close(code=act.code)
            case _:
                self.abort()

    async def pump(self) -> None:
        """Do what has become due: late frames in and out, and the next part of a burst."""
        now = self._world.delay_clock()
        while self._inbox and self._inbox[0][0] <= now:
            self._world.touch()
            self._take(self._inbox.pop(0)[1])
        if self._held:
            due = sorted((h for h in self._held if h.due <= now), key=lambda held: held.due)
            self._held = [held for held in self._held if held.due > now]
            for held in due:
                await self._deliver(held.out)
        if self._burst is not None:
            await self._go_on(self._burst, asyncio.get_running_loop().time())

    async def _go_on(self, burst: _Burst, now: float) -> None:
        await self.flush()  # its levels are the last that were told: they must be out already
        if self._held or self._burst is None:
            return
        since = min(now - burst.begun, burst.act.lasts_s)
        wanted = int(since * burst.act.rate) - burst.sent
        texts = self._burst_texts(burst.act.feed, min(wanted, _FEW_FRAMES))
        await self._write(texts)
        over = now - burst.begun >= burst.act.lasts_s and wanted <= _FEW_FRAMES
        sent = burst.sent + max(len(texts), 1 if not texts and wanted > 0 else 0)
        self._burst = None if over or self.closed else burst._replace(sent=sent)

    def _burst_texts(self, feed: str, count: int) -> list[str]:
        """Make valid messages that change nothing in the end: a quantity moves and moves back."""
        desk = self._world.script.desk
        texts: list[str] = []
        followed = desk.books_of(self.session.connection_id) if feed == "book" else []
        for symbol in followed:
            levels = desk.levels(self.session.connection_id, symbol)
            if levels is not None:
                texts += books.there_and_back(symbol, *levels, desk.stamp())
        if not texts:
            texts = ['{"channel":"heartbeat"}'] * 2
        rounds = max(0, count) // len(texts) + 1 if count > 0 else 0
        return texts * rounds


class Doorkeeper:
    """Refuses or ends new connections where a fault says so (N06, N09, N10)."""

    def __init__(self, script: Script, make: Callable[[], web.WebSocketResponse]) -> None:
        self._script = script
        self._make = make

    async def met(self, request: web.Request, on: str) -> web.StreamResponse | None:
        """Give the answer to a connection that is not let in; None lets it in."""
        if not self._script.any:
            return None
        what, code = self._script.door(on)
        if what == "refuse":
            raise web.HTTPServiceUnavailable(text="this service is down (a fault of the sandbox)\n")
        if what != "close":
            return None
        socket = self._make()
        await socket.prepare(request)
        await socket.close(code=code)
        return socket
