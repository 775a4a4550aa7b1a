"""The exchange on virtual time: market, WebSockets, REST and the fault script, in the agenda."""

import asyncio
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from checker.record import WireLog

from dst.agenda import Agenda, TrueClock
from dst.lines import VirtualLine
from simple_trader.ports import HttpFailed, HttpReply, WireClosed
from simple_trader.sandbox.exchange import Exchange
from simple_trader.sandbox.faults import rest
from simple_trader.sandbox.faults.desk import Desk
from simple_trader.sandbox.faults.script import Script
from simple_trader.sandbox.faults.trigger import Fired, Now

BEAT_S = 0.25
KEPT_S = 180.0  # a used-up fault is dropped after so long: it may still have to finish something
_TO_MICROS = 1_000_000


class VirtualVenue:
    """Everything outside the daemon's process but its database."""

    def __init__(self, agenda: Agenda, clock: TrueClock, exchange: Exchange, seed: int) -> None:
        """Serve `exchange`; the network's delays are drawn by the seed."""
        self.agenda, self.exchange, self._clock = agenda, exchange, clock
        self._dice = random.Random(f"network {seed}")
        self._began_us = round(clock.now().timestamp() * _TO_MICROS)
        self.script = Script(seed, Desk(exchange), self._now, clock.now)
        self.script.heard = self._heard
        self.log = WireLog(wall=lambda: datetime.now(UTC), market=clock.now)
        self.fired: list[Fired] = []
        self.lines: list[VirtualLine] = []
        self.client_alive = True
        self.rest_calls = 0
        self.on_frame: Callable[[str], None] = lambda text: None
        self.before_delivery: Callable[[bytes], None] = lambda frame: None
        self.on_rest: Callable[[str], None] = lambda path: None
        self._port = "open"
        self._over_since: dict[int, int] = {}

    def begin(self) -> None:
        """Let the market and the house's own beat go."""
        self._next_step()
        self._beat()

    def _now(self) -> Now:
        return Now(self._began_us + round(self.agenda.now * _TO_MICROS), self.agenda.now)

    def _heard(self, fired: Fired) -> None:
        self.fired.append(fired)
        self.log.fault({"id": fired.id, "name": fired.name, "on": fired.on, "what": fired.what})

    def way_s(self) -> float:
        """One way over the network: 1 to 30 ms."""
        return self._dice.uniform(0.001, 0.030)

    def touch(self) -> None:
        """Bring the exchange's clock to now."""
        self.exchange.advance(self._clock.now())

    def flush(self) -> None:
        """Hand out what the sessions have to say."""
        for line in list(self.lines):
            line.pump()

    def _next_step(self) -> None:
        due = self.exchange.next_at
        assert due is not None, "the generated market has no end"
        wait_s = max(0.0, (due - self._clock.now()).total_seconds())
        self.agenda.at(self.agenda.now + max(wait_s, 1e-6), self._step)

    def _step(self) -> None:
        self.touch()
        self.flush()
        self._next_step()

    def _beat(self) -> None:
        self.touch()
        self.exchange.beat(self.agenda.now)
        armed = self.script.armed
        for act in self.script.tick() if armed else ():
            for line in list(self.lines):
                if line.session.connection_id == act.connection:
                    line.suffer(act)
        self._become(self.script.listening() if armed else "open")
        self.flush()
        for line in list(self.lines):
            if line.session.idle(self.agenda.now):
                line.cut()
        self._forget_old()
        self.agenda.at(self.agenda.now + BEAT_S, self._beat)

    def _become(self, port: str) -> None:
        if port != self._port:
            self._port = port
            for line in list(self.lines):
                line.cut()

    def _forget_old(self) -> None:
        now = self._now()
        for armed in list(self.script.armed):
            if not armed.over(now):
                continue
            since = self._over_since.setdefault(armed.number, now.market_us)
            if now.market_us - since > KEPT_S * _TO_MICROS:
                self.script.armed.remove(armed)

    # --- WebSockets -----------------------------------------------------------------------------

    async def open_wire(self, url: str) -> VirtualLine:
        """See ports.OpenWire."""
        await asyncio.sleep(2 * self.way_s())
        on = "private" if "auth" in url else "public"
        if self._port != "open":
            raise WireClosed("the connection was refused")
        what, _ = self.script.door(on) if self.script.armed else ("", 0)
        if what == "refuse":
            raise WireClosed("the server answered 503")
        self.touch()
        session = self.exchange.open_session(private=on == "private")
        line = VirtualLine(self, session, private=on == "private")
        self.lines.append(line)
        self.log.opened(session.connection_id, on)
        if what == "close":
            line.cut()
        else:
            line.pump()
        return line

    def gone(self, line: VirtualLine) -> None:
        """The exchange sees the end of a connection."""
        self.lines.remove(line)
        self.exchange.close_session(line.session)
        self.script.closed(line.session.connection_id)
        self.log.closed(line.session.connection_id)

    def record_frame(self, connection: int, way: str, text: str) -> None:
        """Put a frame into W."""
        self.log.frame(connection, way, text)

    def on_client_frame(self, connection: int, text: str, *, private: bool) -> None:
        """The daemon gave a frame to the network."""
        if private:
            self.log.sent(connection, text)
        if '"add_order"' in text or '"cancel' in text:
            self.on_frame(text)

    def on_delivery(self, frame: bytes) -> None:
        """A frame is about to reach the daemon."""
        if b'"executions"' in frame or b'"add_order"' in frame:
            self.before_delivery(frame)

    # --- REST -----------------------------------------------------------------------------------

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout_s: float,
    ) -> HttpReply:
        """See ports.Http."""
        path = url.removeprefix("http://virtual")
        self.rest_calls += 1
        self.on_rest(path)
        reply: asyncio.Future[HttpReply | None] = asyncio.get_running_loop().create_future()
        sent = dict(headers)
        self.agenda.at(
            self.agenda.now + self.way_s(),
            lambda: self._reach(method, path, sent, body or b"", reply),
        )
        try:
            async with asyncio.timeout(timeout_s):
                answer = await reply
        except TimeoutError:
            raise HttpFailed(f"no answer within {timeout_s:g} s") from None
        if answer is None:
            raise HttpFailed("the connection was reset")
        return answer

    def _reach(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        reply: "asyncio.Future[HttpReply | None]",
    ) -> None:
        """A request reaches the exchange."""
        if self._port != "open":
            self._answer(reply, None)
            return
        asked = rest.asked(path, body, headers.get("Content-Type", ""))
        act = self.script.rest_before(asked) if self.script.armed else rest.RestAct()

        def carry_out() -> None:
            status, answer = 0, b""
            self.touch()
            if act.lands:
                status, answer = self.exchange.rest(method, path, headers, body)
                answer = self.script.rest_after(asked, answer)
                self.flush()
            if act.status:
                status, answer = act.status, act.body
            if act.cut or reply.done():  # given up meanwhile: it lands, and nobody hears of it
                status, answer = 0, b""
            self.log.request(method, path, dict(headers), body, status, answer)
            self._answer(reply, None if act.cut else HttpReply(status, answer))

        if act.delay_s > 0:
            self.agenda.at(self.agenda.now + act.delay_s, carry_out)
        else:
            carry_out()

    def _answer(self, reply: "asyncio.Future[HttpReply | None]", answer: HttpReply | None) -> None:
        def arrive() -> None:
            if not reply.done():
                reply.set_result(answer)

        self.agenda.at(self.agenda.now + self.way_s(), arrive)
