"""The whole daemon on virtual time: real client session, brain, lanes, gate and sandbox session.

Only the way of the bytes is made up: an in-memory wire whose delays are drawn by seed. Postgres
is real and blocks virtual time. The openai SDK, files that are watched and child processes stay
outside.
"""

import asyncio
import heapq
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from blocking_connection import (
    BlockingLedgerConnection,
    BlockingLoop,
)
from virtual_time import START, VirtualClock, VirtualLoop

from simple_trader.adapters.kraken.auth import Credentials
from simple_trader.adapters.kraken.rest_client import RestClient
from simple_trader.adapters.kraken.rest_manager import KrakenRest
from simple_trader.adapters.kraken.ws_manager import KrakenVenue
from simple_trader.adapters.learner.predictor import PriceTrendPredictor
from simple_trader.adapters.llm.assets import LlmAssets
from simple_trader.adapters.llm.prompts import render
from simple_trader.adapters.store.lane_connection import AsyncpgLedgerConnection
from simple_trader.adapters.store.ledger_lane import LedgerLane
from simple_trader.adapters.store.market_lane import MarketLane
from simple_trader.adapters.store.recovery import Recovery
from simple_trader.assets import asset_path
from simple_trader.config.env import Secret
from simple_trader.core.engine import Engine
from simple_trader.domain.actions import AskAdvice, AskPredictions, AskTraining, UseModel
from simple_trader.domain.events import (
    AdviceArrived,
    Prediction,
    PredictionsArrived,
    TrainingSkipped,
)
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import LedgerRecord, MarketRecord
from simple_trader.domain.recovered import Recovered
from simple_trader.domain.settings import TradingSettings
from simple_trader.ports import FeedPlan, HttpReply, WireClosed
from simple_trader.runtime.boot import BootPlan, boot
from simple_trader.runtime.daemon import CommitBell, Daemon, Parts
from simple_trader.runtime.inbox import Inbox
from simple_trader.sandbox.advisor import advise
from simple_trader.sandbox.exchange import Exchange
from simple_trader.sandbox.opening import open_exchange
from simple_trader.sandbox.session import Session
from simple_trader.sandbox.settings import DEFAULT_KEY, DEFAULT_SIGNING_TEXT, SandboxOptions

BEAT_S = 0.25
REST_S = 0.03
ADVICE_S = 0.4
PREDICTION_S = 0.02


class MemoryWire:
    """One WebSocket without a socket: frames arrive in order, after a delay drawn by seed."""

    def __init__(self, venue: "VirtualVenue", session: Session) -> None:
        self._venue, self._session = venue, session
        self._frames: asyncio.Queue[str | None] = asyncio.Queue()
        self._open = True
        self._up_at = self._down_at = 0.0

    async def send(self, text: str) -> None:
        if not self._open:
            raise WireClosed("closed")
        self._up_at = max(self._up_at, self._venue.arrival())
        self._venue.later(self._up_at, lambda: self._receive(text))

    def _receive(self, text: str) -> None:
        if self._open:
            self._session.receive(text)
            self._venue.flush()

    def pump(self) -> None:
        """Put what the session wants to send on its way."""
        for frame in self._session.outgoing():
            self._down_at = max(self._down_at, self._venue.arrival())
            self._venue.later(self._down_at, lambda frame=frame: self._frames.put_nowait(frame))

    async def recv(self) -> str:
        frame = await self._frames.get() if self._open else None
        if frame is None:
            raise WireClosed("closed")
        return frame

    async def close(self) -> None:
        if self._open:
            self._open = False
            self._venue.hang_up(self, self._session)
            self._frames.put_nowait(None)


class VirtualVenue:
    """The sandbox's exchange on the virtual loop: market, wires and REST."""

    def __init__(
        self, loop: VirtualLoop, clock: VirtualClock, exchange: Exchange, seed: int
    ) -> None:
        self._loop, self._clock, self.exchange = loop, clock, exchange
        self._dice = random.Random(f"wire {seed}")
        self._wires: list[MemoryWire] = []
        self._due: list[tuple[float, int, object]] = []
        self._ties = count()

    def arrival(self) -> float:
        """When something sent now arrives: 1 to 30 ms."""
        return self._loop.time() + self._dice.uniform(0.001, 0.030)

    def later(self, at: float, call: object) -> None:
        """Call at a moment; calls of one moment keep the order in which they were asked for."""
        heapq.heappush(self._due, (at, next(self._ties), call))
        self._loop.call_at(at, self._run_due)

    def _run_due(self) -> None:
        while self._due and self._due[0][0] <= self._loop.time():
            heapq.heappop(self._due)[2]()

    async def open_wire(self, url: str) -> MemoryWire:
        await asyncio.sleep(self._dice.uniform(0.001, 0.030))
        session = self.exchange.open_session(private="auth" in url)
        wire = MemoryWire(self, session)
        self._wires.append(wire)
        wire.pump()
        return wire

    def hang_up(self, wire: MemoryWire, session: Session) -> None:
        self._wires.remove(wire)
        self.exchange.close_session(session)

    def flush(self) -> None:
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
        while True:
            await asyncio.sleep(BEAT_S)
            self.exchange.beat(self._loop.time())
            self.flush()


class DirectAdvisor:
    """The stand-in advisor asked without a socket: the real prompt, the real rules."""

    def __init__(self) -> None:
        template = asset_path("templates/prompts/aggregator.mustache").read_text("utf-8")
        tool = asset_path("tools/aggregator_function.json").read_text("utf-8")
        self._assets = LlmAssets.from_texts(template, tool)

    async def ask(self, request: AskAdvice) -> AdviceArrived:
        prompt = render(self._assets, request)
        await asyncio.sleep(ADVICE_S)
        reply = advise({"model": "x", "messages": [{"role": "user", "content": prompt.text}]})
        return AdviceArrived(
            question_id=request.question.question_id,
            prompt=prompt.text,
            prompt_hash=prompt.prompt_hash,
            template_hash=prompt.template_hash,
            raw=reply["choices"][0]["message"]["content"],
            kind="content",
            finish_reason="stop",
            provider="sandbox",
            model="stand-in-advisor",
            advisor_label="stand-in advisor, not an LLM",
            tokens_in=0,
            tokens_out=0,
            latency_ms=int(ADVICE_S * 1000),
        )


class DirectLearner:
    """River in the same process, which virtual time does not notice."""

    def __init__(self) -> None:
        self._model = PriceTrendPredictor()

    async def predict(self, request: AskPredictions) -> PredictionsArrived:
        for lesson in request.lessons:
            self._model.learn_one(lesson.pair, lesson.features, lesson.outcome)
        await asyncio.sleep(PREDICTION_S)
        found = [(i.pair, self._model.predict_one(i.pair, i.features)) for i in request.items]
        return PredictionsArrived(
            question_id=request.question.question_id,
            model_id="virtual",
            predictions=tuple(
                Prediction(pair=pair, probability=value)
                for pair, value in found
                if value is not None
            ),
            learned=len(request.lessons),
        )

    async def train(self, request: AskTraining) -> TrainingSkipped:
        return TrainingSkipped(
            question_id=request.question.question_id, reason=Reason.MODEL_OFF, detail="virtual"
        )

    async def use(self, action: UseModel) -> None: ...

    async def close(self) -> None: ...


class BlockingBoot:
    """ports.Boot that takes no virtual time."""

    def __init__(self, store: Recovery, loop: BlockingLoop) -> None:
        self._store, self._loop = store, loop

    async def recover(self) -> Recovered:
        return self._loop.call(self._store.recover())

    async def mirror(self, records: Sequence[LedgerRecord], *, at: datetime) -> None:
        self._loop.call(self._store.mirror(records, at=at))

    async def snapshot(self, seq: int, at: datetime, state: bytes, why: str) -> None:
        self._loop.call(self._store.snapshot(seq, at, state, why))


class BlockingMarketRows:
    """The real market lane in the blocking loop, fed in handfuls."""

    HANDFUL = 500

    def __init__(self, dsn: str, loop: BlockingLoop) -> None:
        self._loop = loop
        self._kept: list[MarketRecord] = []
        self._lane = MarketLane(dsn)
        self._running: asyncio.Task[None] | None = None
        loop.call(self._start())

    async def _start(self) -> None:
        self._running = asyncio.get_running_loop().create_task(self._lane.run())

    async def _put_all(self) -> None:
        for record in self._kept:
            self._lane.put(record)
        self._kept.clear()

    def put(self, record: MarketRecord) -> None:
        self._kept.append(record)
        if len(self._kept) >= self.HANDFUL:
            self._loop.call(self._put_all())

    @property
    def idle(self) -> bool:
        return not self._kept and self._lane.idle

    @property
    def dropped(self) -> int:
        return self._lane.dropped

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None:
        async def end() -> None:
            await self._put_all()
            await self._lane.close()
            self._running.cancel()

        self._loop.call(end())


class NoMark:
    """Nonces start at virtual time: nothing to keep."""

    def load(self) -> int:
        return 0

    def save(self, nonce: int) -> None: ...


@dataclass
class Outcome:
    """What a virtual run left behind."""

    chain: str
    events: int
    truth: dict
    fills: int
    cycles: int
    state: str
    ready: bool
    ended: list[str] = field(default_factory=list)


async def live(
    loop: VirtualLoop,
    dsn: str,
    settings: TradingSettings,
    *,
    seed: int,
    span: timedelta,
    folder: Path,
) -> Outcome:
    """Run daemon and exchange for a virtual span; any task that ends early is an error."""
    clock = VirtualClock(loop, START)
    options = SandboxOptions(seed=seed, start=START, stepped=True, history_bars=200)
    exchange = open_exchange(options, clock.wall)
    venue_side = VirtualVenue(loop, clock, exchange, seed)
    blocking = BlockingLoop()
    connection = BlockingLedgerConnection(lambda: AsyncpgLedgerConnection(dsn), blocking)
    try:
        await connection.connect(None)
        store = BlockingBoot(Recovery(dsn, boot_seconds=int(START.timestamp())), blocking)
        daemon, started = await _wire(
            clock, dsn, settings, seed, folder, venue_side, blocking, connection, store
        )
        async with asyncio.TaskGroup() as group:
            market = group.create_task(venue_side.run_market())
            beats = group.create_task(venue_side.run_beats())
            running = group.create_task(daemon.run(started))
            await asyncio.sleep(span.total_seconds())
            assert not running.done(), "the daemon ended by itself"
            daemon.stop_asked.set()
            await running
            market.cancel()
            beats.cancel()
        view = daemon.view()
        return Outcome(
            chain=daemon.parts.lane.chain.hex(),
            events=daemon.loop.seq,
            truth=exchange.truth(),
            fills=view.fills,
            cycles=view.cycles,
            state=view.trading_state,
            ready=daemon.ready.is_set(),
        )
    finally:
        connection.abort()
        blocking.stop()


async def _wire(clock, dsn, settings, seed, folder, venue_side, blocking, connection, store):
    recovered = await store.recover()
    inbox, bell = Inbox(), CommitBell()
    lane = LedgerLane(
        connection,
        epoch=recovered.epoch,
        last_seq=recovered.last_seq,
        chain=recovered.chain,
        on_commit=bell.ring,
        monotonic=clock.monotonic,
    )
    rest = KrakenRest(
        RestClient(
            url="http://virtual",
            http=venue_side,
            clock=clock,
            dice=random.Random(f"rest {seed}"),
            credentials=Credentials(Secret(DEFAULT_KEY), Secret(DEFAULT_SIGNING_TEXT)),
            high_water=NoMark(),
            tier="none",
            public_pace=False,
        )
    )

    async def room() -> None:
        while lane.full:
            await asyncio.sleep(0.05)

    venue = KrakenVenue(
        rest=rest,
        public_url="ws://virtual/v2",
        private_url="ws://virtual/auth/v2",
        open_wire=venue_side.open_wire,
        clock=clock,
        dice=random.Random(f"backoff {seed}"),
        emit=inbox.put,
        room=room,
        timed=False,
    )
    plan = BootPlan(mode="sim", world=f"seed {seed}", settings=settings, config_hash="virtual")
    started = await boot(plan, store=store, reads=rest, clock=clock, recovered=recovered)
    daemon = Daemon(
        Parts(
            brain=Engine(),
            clock=clock,
            inbox=inbox,
            bell=bell,
            lane=lane,
            market=BlockingMarketRows(dsn, blocking),
            venue=venue,
            feeds=venue,
            advisor=DirectAdvisor(),
            learner=DirectLearner(),
            driver=None,
            speed=1.0,
            control_folder=folder,
            last_seq=recovered.last_seq,
            last_at=recovered.newest_at,
            may_place=lambda: True,
        )
    )
    daemon.expect_feeds(("public", "private", "book"))
    venue.apply(
        FeedPlan(pairs=settings.traded_pairs, public=True, private=True, book=True, book_depth=10)
    )
    return daemon, started
