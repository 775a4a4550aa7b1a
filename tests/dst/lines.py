"""One WebSocket on virtual time: through the sandbox's faults, over a network drawn by the seed.

The twin of `sandbox.lines` without sockets: the exchange's side is entries of the agenda, the
daemon's side a ports.Wire.
"""

import asyncio
from collections import deque
from typing import Protocol

from dst.agenda import Agenda
from simple_trader.adapters.kraken.connection import FrameTooBig
from simple_trader.ports import WireClosed
from simple_trader.sandbox.exchange import Exchange
from simple_trader.sandbox.faults import books
from simple_trader.sandbox.faults.frames import Out
from simple_trader.sandbox.faults.line import LineAct
from simple_trader.sandbox.faults.script import Script
from simple_trader.sandbox.session import Session

LOCAL_BUFFER = 256 * 1024  # what the kernels of both sides take before a send blocks
BIGGEST = 16 * 1024 * 1024
SLICE_S = 0.1  # of a burst


class World(Protocol):
    """What a line needs of its venue."""

    agenda: Agenda
    exchange: Exchange
    script: Script

    def way_s(self) -> float:
        """One way over the network."""

    def touch(self) -> None:
        """Bring the market's clock to now."""

    def flush(self) -> None:
        """Hand out what the sessions have to say."""

    def record_frame(self, connection: int, way: str, text: str) -> None:
        """Put a frame into W."""

    def on_client_frame(self, connection: int, text: str, *, private: bool) -> None:
        """The daemon gave a frame to the network: the moment of a kill may have come."""

    def on_delivery(self, text: bytes) -> None:
        """A frame is about to reach the daemon."""

    def gone(self, line: "VirtualLine") -> None:
        """The exchange sees the end of the connection."""


class VirtualLine:
    """One connection: ports.Wire for the daemon, a session's transport for the exchange."""

    def __init__(self, world: World, session: Session, *, private: bool) -> None:
        """A connection that is open on both sides."""
        self.session = session
        self.private = private
        self.state = world.script.opened(session.connection_id, "private" if private else "public")
        self._world, self._agenda = world, world.agenda
        self._arrived: deque[bytes | None] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._client_open = True  # the daemon's side
        self._server_open = True  # the exchange's side
        self._up_at = self._down_at = self._due_at = 0.0
        self._last_in = 0.0
        self._unread: list[str] = []
        self._unread_bytes = 0
        self._heard = asyncio.Event()
        self._burst = False

    # --- the daemon's side ----------------------------------------------------------------------

    async def send(self, text: str) -> None:
        """See ports.Wire: the frame is the network's before the first suspension."""
        if not self._client_open:
            raise WireClosed("the connection is closed")
        self._up_at = max(self._up_at, self._agenda.now + self._world.way_s())
        self._agenda.at(self._up_at, lambda: self._arrive(text))
        self._world.on_client_frame(self.session.connection_id, text, private=self.private)
        if self.state.deaf:
            self._unread_bytes += len(text)
            while self.state.deaf and self._unread_bytes > LOCAL_BUFFER and self._client_open:
                self._heard.clear()
                await self._heard.wait()

    async def recv(self) -> bytes:
        """See ports.Wire."""
        while not self._arrived:
            if not self._client_open:
                raise WireClosed("the connection is closed")
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        frame = self._arrived.popleft()
        if frame is None:
            self._client_open = False
            raise WireClosed("the connection was closed by the exchange")
        if len(frame) > BIGGEST:
            self.leave()
            raise FrameTooBig(f"a frame of more than {BIGGEST} bytes")
        return frame

    async def close(self) -> None:
        """See ports.Wire."""
        self.leave()

    def leave(self) -> None:
        """The daemon's side is closed, or its process is gone; what it sent is on its way still."""
        if not self._client_open:
            return
        self._client_open = False
        self._arrived.clear()
        self._wake()
        self._heard.set()
        self._up_at = max(self._up_at, self._agenda.now + self._world.way_s())
        self._agenda.at(self._up_at, self._end_server)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # --- in -------------------------------------------------------------------------------------

    def _arrive(self, text: str) -> None:
        """A frame of the daemon reaches the exchange's machine."""
        if not self._server_open or self.state.frozen:
            return
        if self.state.deaf:
            self._unread.append(text)
            return
        self._world.touch()
        self._world.record_frame(self.session.connection_id, "in", text)
        given = self._world.script.receive(self.state, text)
        for method, req_id, error, symbol in given.errors:
            more = {} if symbol is None else {"symbol": symbol}
            self.session.answer(method, req_id, None, error=error, success=False, **more)
        if given.text is None:
            self._world.flush()
            return
        due = self._agenda.now + given.delay_s
        if not given.loose:
            due = self._last_in = max(due, self._last_in)
        if due > self._agenda.now:
            late = given.text
            self._agenda.at(due, lambda: self._take(late))
        else:
            self._take(given.text)

    def _take(self, text: str) -> None:
        if not self._server_open:
            return
        self._world.touch()
        before = self._world.script.desk.count()
        self.session.receive(text)
        self._world.script.received(self.state, before)
        self._world.flush()

    # --- out ------------------------------------------------------------------------------------

    def pump(self) -> None:
        """Put what the session wants to say on its way."""
        texts = self.session.outgoing()
        if not texts or not self._server_open:
            return
        now = self._agenda.now
        script = self._world.script
        if not script.armed and not self.state.shift and self.state.held is None:
            for text in texts:
                self._world.record_frame(self.session.connection_id, "out", text)
                self._travel(text.encode(), now, loose=False)
            return
        batch, acts = script.send(self.state, texts)
        for out in batch:
            due = now + out.delay_s
            if not out.loose:
                due = self._due_at = max(due, self._due_at)
            if due > now:
                self._agenda.at(due, lambda out=out: self._write(out))
            else:
                self._write(out)
        for act in acts:
            self.suffer(act)

    def _write(self, out: Out) -> None:
        """The exchange writes a frame to its socket."""
        if self.state.frozen or not self._server_open:
            return
        payload = out.text.encode() if out.raw is None else _payload(out.raw)
        if payload is not None:
            text = payload.decode(errors="replace")
            self._world.record_frame(self.session.connection_id, "out", text)
            self._travel(payload, self._agenda.now, loose=out.loose)
        if out.cut:
            self.cut()

    def _travel(self, frame: bytes, sent_at: float, *, loose: bool) -> None:
        arrives = sent_at + self._world.way_s()
        if not loose:
            arrives = self._down_at = max(self._down_at, arrives)
        self._agenda.at(arrives, lambda: self._deliver(frame))

    def _deliver(self, frame: bytes | None) -> None:
        if not self._client_open:
            return
        if frame is not None:
            self._world.on_delivery(frame)
            if not self._client_open:
                return  # killed just before
        self._arrived.append(frame)
        self._wake()

    # --- ends and other fates -------------------------------------------------------------------

    def cut(self) -> None:
        """The exchange's side ends the connection; the daemon learns of it one way later."""
        if not self._server_open:
            return
        self._end_server()
        self._down_at = max(self._down_at, self._agenda.now + self._world.way_s())
        self._agenda.at(self._down_at, lambda: self._deliver(None))

    def _end_server(self) -> None:
        if self._server_open:
            self._server_open = False
            self._world.gone(self)

    def suffer(self, act: LineAct) -> None:
        """Do what a fault asks of this connection."""
        match act.act:
            case "freeze":
                self._unread.clear()
            case "deaf":
                self._unread_bytes = 0
            case "hear":
                self._heard.set()
                unread, self._unread = self._unread, []
                for text in unread:
                    self._arrive(text)
            case "inject":
                payload = _payload(act.raw)
                if payload is not None:
                    text = payload[:2000].decode(errors="replace")
                    self._world.record_frame(self.session.connection_id, "out", text)
                    self._travel(payload, self._agenda.now, loose=False)
            case "burst":
                self._burst_on(act, self._agenda.now + act.lasts_s)
            case _:
                self.cut()

    def _burst_on(self, act: LineAct, until: float) -> None:
        """Send a tenth of a second's worth, and come again."""
        if not self._server_open or self.state.frozen:
            return
        self.pump()  # its levels are the last that were told: they must be out already
        desk = self._world.script.desk
        texts: list[str] = []
        for symbol in desk.books_of(self.session.connection_id) if act.feed == "book" else []:
            levels = desk.levels(self.session.connection_id, symbol)
            if levels is not None:
                texts += books.there_and_back(symbol, *levels, desk.stamp())
        texts = texts or ['{"channel":"heartbeat"}'] * 2
        for text in texts * max(1, int(act.rate * SLICE_S / len(texts))):
            self._travel(text.encode(), self._agenda.now, loose=False)
        if self._agenda.now + SLICE_S < until:
            self._agenda.at(self._agenda.now + SLICE_S, lambda: self._burst_on(act, until))


def _payload(raw: bytes) -> bytes | None:
    """The payload of one whole text frame of a server; None for a torn one."""
    if len(raw) < 2 or not raw[0] & 0x80:
        return None
    size, head = raw[1], 2
    if size == 126:
        size, head = int.from_bytes(raw[2:4], "big"), 4
    elif size == 127:
        size, head = int.from_bytes(raw[2:10], "big"), 10
    return raw[head : head + size] if len(raw) >= head + size else None
