"""The sandbox behind wires in memory on virtual time; ways take 1 to 30 ms, drawn by seed."""

import asyncio
import heapq
import random
from collections.abc import Callable, Mapping
from itertools import count

from virtual_time import VirtualClock, VirtualLoop

from simple_trader.ports import HttpReply, WireClosed
from simple_trader.sandbox.exchange import Exchange
from simple_trader.sandbox.session import Session

BEAT_S = 0.5
REST_S = 0.03


class MemoryWire:
    """One WebSocket without a socket: frames arrive in order."""

    def __init__(self, network: "Network", session: Session) -> None:
        self._network, self._session = network, session
        self._frames: asyncio.Queue[str | None] = asyncio.Queue()
        self._open = True
        self._up_at = self._down_at = 0.0

    async def send(self, text: str) -> None:
        if not self._open:
            raise WireClosed("closed")
        self._up_at = max(self._up_at, self._network.arrival())
        self._network.later(self._up_at, lambda: self._receive(text))

    def _receive(self, text: str) -> None:
        if self._open:
            self._session.receive(text)
            self._network.flush()

    def pump(self) -> None:
        """Put what the session wants to send on its way."""
        for frame in self._session.outgoing():
            self.put(frame)

    def put(self, frame: str) -> None:
        """Let a frame arrive."""
        self._down_at = max(self._down_at, self._network.arrival())
        self._network.later(self._down_at, lambda: self._frames.put_nowait(frame))

    async def recv(self) -> str:
        frame = await self._frames.get() if self._open else None
        if frame is None:
            raise WireClosed("closed")
        return frame

    async def close(self) -> None:
        self.end()

    def end(self) -> None:
        """Hang up."""
        if self._open:
            self._open = False
            self._network.hang_up(self, self._session)
            self._frames.put_nowait(None)


class Network:
    """Market, wires and REST of one exchange."""

    def __init__(
        self, loop: VirtualLoop, clock: VirtualClock, exchange: Exchange, seed: int
    ) -> None:
        self._loop, self._clock, self.exchange = loop, clock, exchange
        self._dice = random.Random(f"wire {seed}")
        self._wires: list[MemoryWire] = []
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._ties = count()
        self.calls: list[tuple[float, str]] = []

    def arrival(self) -> float:
        """When something sent now arrives."""
        return self._loop.time() + self._dice.uniform(0.001, 0.030)

    def later(self, at: float, call: Callable[[], None]) -> None:
        """Call at a moment; calls of one moment keep the order in which they were asked for."""
        heapq.heappush(self._due, (at, next(self._ties), call))
        self._loop.call_at(at, self._run_due)

    def _run_due(self) -> None:
        while self._due and self._due[0][0] <= self._loop.time():
            heapq.heappop(self._due)[2]()

    def hang_up(self, wire: MemoryWire, session: Session) -> None:
        """Forget a wire."""
        self._wires.remove(wire)
        self.exchange.close_session(session)

    def flush(self) -> None:
        """Hand out what the sessions have to say."""
        for wire in list(self._wires):
            wire.pump()

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout_s: float,
    ) -> HttpReply:
        """ports.Http."""
        self.calls.append((self._loop.time(), url.rpartition("/")[2]))
        await asyncio.sleep(REST_S)
        path = url.removeprefix("http://virtual")
        status, answer = self.exchange.rest(method, path, headers, body or b"")
        self.flush()
        await asyncio.sleep(REST_S)
        return HttpReply(status, answer)

    async def run_market(self) -> None:
        """Let the market happen at its moments."""
        while (due := self.exchange.next_at) is not None:
            await asyncio.sleep(max(0.0, (due - self._clock.now()).total_seconds()))
            self.exchange.advance(self._clock.now())
            self.flush()

    async def run_beats(self) -> None:
        """Heartbeats."""
        while True:
            await asyncio.sleep(BEAT_S)
            self.exchange.beat(self._loop.time())
            self.flush()


class NoMark:
    """Nonces start at virtual time: nothing to keep."""

    def load(self) -> int:
        return 0

    def save(self, nonce: int) -> None: ...
