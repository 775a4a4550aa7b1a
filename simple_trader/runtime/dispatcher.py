"""The dispatcher: obeys the brain's actions; what is visible outside waits for its commit."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import assert_never

from simple_trader.domain.actions import (
    Action,
    AskAdvice,
    AskOrders,
    AskPredictions,
    AskReconcile,
    AskTraining,
    CancelAllOrders,
    CancelOrder,
    LeaveVenue,
    Note,
    PlaceOrder,
    RecycleStream,
    Remember,
    UseModel,
)
from simple_trader.domain.errors import VenueError
from simple_trader.domain.events import AdviceFailed, Event
from simple_trader.domain.reasons import Reason
from simple_trader.ports import Advisor, Clock, Emit, Learner, Venue
from simple_trader.runtime.gate import Gate
from simple_trader.runtime.supervisor import Supervisor

log = logging.getLogger("simple_trader.brain")
LEAVE_AFTER_S = 2.0
LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class Dispatcher:
    """Runs each action as a supervised errand whose result is an event."""

    def __init__(
        self,
        *,
        supervisor: Supervisor,
        gate: Gate,
        venue: Venue,
        advisor: Advisor,
        learner: Learner,
        clock: Clock,
        emit: Emit,
        pause: Callable[[float], Awaitable[None]],
    ) -> None:
        """`pause` waits transport seconds before a read of the exchange is repeated."""
        self._supervisor, self._gate, self._venue = supervisor, gate, venue
        self._advisor, self._learner = advisor, learner
        self._clock, self._emit, self._pause = clock, emit, pause
        self._held: deque[tuple[int, Action, float]] = deque()  # wait for the commit of their batch
        self._quick: dict[str, int] = {}  # short errands the stepper waits for, by kind
        self.advice_in_flight = 0
        # Held by the stepper while a step is under way: an answer from outside is told between two
        # steps, when the brain has seen all of the market up to its clock.
        self.between_steps = asyncio.Lock()

    # -- from the engine loop and the lane ---------------------------------------------------------

    def hold(self, seq: int, action: Action) -> None:
        """Keep a visible action until batch `seq` is committed."""
        self._held.append((seq, action, self._clock.monotonic()))

    def on_commit(self, last_seq: int) -> None:
        """Batches up to `last_seq` are durable: let their actions go, in sequence."""
        while self._held and self._held[0][0] <= last_seq:
            _, action, received_at = self._held.popleft()
            self._start(action, received_at)

    def now(self, action: Action) -> None:
        """Obey an action that need not wait."""
        self._start(action, self._clock.monotonic())

    @property
    def waiting_for(self) -> tuple[str, ...]:
        """Names of what the stepper must wait for before market time moves on."""
        held = ("commit",) if self._held else ()
        return held + tuple(kind for kind, count in self._quick.items() if count)

    # -- errands ----------------------------------------------------------------------------------

    def _start(self, action: Action, received_at: float) -> None:
        match action:
            case PlaceOrder(approved=approved):
                self._errand("order", self._gate.send(approved, received_at))
            case CancelOrder():
                self._errand("cancel", self._cancel(action))
            case CancelAllOrders():
                self._errand("cancel", self._cancel_all())
            case AskAdvice():
                self._supervisor.spawn("advice", self._advise(action))
            case AskPredictions():
                self._errand("predictions", self._predict(action))
            case AskTraining():
                self._supervisor.spawn("training", self._train(action))
            case UseModel():
                self._errand("model", self._learner.use(action))
            case AskOrders():
                self._errand("orders", self._look(action))
            case AskReconcile():
                self._errand("reconcile", self._reconcile(action))
            case RecycleStream():
                self._venue.recycle(action.detail)
            case LeaveVenue():
                self._supervisor.spawn("leave", self._leave(action))
            case Note():
                self._say(action)
            case Remember():
                raise AssertionError("records are written by the lanes")
            case _:
                assert_never(action)

    def _errand(self, kind: str, errand: Awaitable[None]) -> None:
        self._quick[kind] = self._quick.get(kind, 0) + 1

        async def run() -> None:
            try:
                await errand
            finally:
                self._quick[kind] -= 1

        self._supervisor.spawn(kind, run())

    async def _advise(self, action: AskAdvice) -> None:
        """Whatever hangs behind the advisor ends here at the question's deadline (I-41)."""
        self.advice_in_flight += 1
        limit_s = action.question.deadline_s
        answer: Event
        try:
            async with asyncio.timeout(limit_s):
                answer = await self._advisor.ask(action)
        except TimeoutError:
            answer = AdviceFailed(
                question_id=action.question.question_id,
                reason=Reason.ADVICE_TIMEOUT,
                detail=f"the advisor did not answer within {limit_s:g} s",
            )
        finally:
            self.advice_in_flight -= 1
        async with self.between_steps:
            self._emit(answer)

    async def _predict(self, action: AskPredictions) -> None:
        self._emit(await self._learner.predict(action))

    async def _train(self, action: AskTraining) -> None:
        answer = await self._learner.train(action)
        async with self.between_steps:
            self._emit(answer)

    async def _cancel(self, action: CancelOrder) -> None:
        refused = await self._venue.cancel(action)
        if refused is not None:
            self._emit(refused)

    async def _cancel_all(self) -> None:
        if not await self._all_cancelled():
            self._supervisor.spawn("cancel again", self._cancel_all_again())

    async def _cancel_all_again(self) -> None:
        """The kill switch does not give up (I-28); a stepped market does not wait for this."""
        wait_s = 0.5
        await self._pause(wait_s)
        while not await self._all_cancelled():
            wait_s = min(30.0, wait_s * 2)
            await self._pause(wait_s)

    async def _all_cancelled(self) -> bool:
        try:
            count = await self._venue.cancel_all()
        except VenueError as error:
            log.error("cancel all failed, trying again: %s", error)
            return False
        level = logging.WARNING if count else logging.INFO
        log.log(level, "cancelled %d orders at the exchange", count)
        return True

    async def _look(self, action: AskOrders) -> None:
        """Look for orders in doubt, at once: when the next look is due is the brain's plan."""
        await self._read(lambda: self._venue.look(action))

    async def _reconcile(self, action: AskReconcile) -> None:
        await self._read(lambda: self._venue.reconcile(action))

    async def _leave(self, action: LeaveVenue) -> None:
        """Let cancels and the disarming of the dead man's switch go first (X23)."""
        await self._pause(LEAVE_AFTER_S)
        await self._venue.stay_away(action.detail)

    async def _read(self, read: Callable[[], Awaitable[Sequence[Event]]]) -> None:
        """Do a read of the exchange until it succeeds, and emit what it found."""
        wait_s = 0.5
        while True:
            try:
                found = await read()
            except VenueError as error:
                log.warning("the exchange could not be read (%s); trying again", error)
                await self._pause(wait_s)
                wait_s = min(30.0, wait_s * 2)
                continue
            for event in found:
                self._emit(event)
            return

    def _say(self, note: Note) -> None:
        extra = {
            "reason": note.reason.value if note.reason else None,
            "pair": note.pair,
            "decision": note.decision_id,
            "cl_ord_id": note.cl_ord_id,
        }
        log.log(LEVELS[note.level], note.text, extra={k: v for k, v in extra.items() if v})
