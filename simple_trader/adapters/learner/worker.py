"""The learner as the daemon sees it: always an answer in time, whatever its process does."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from simple_trader.adapters.learner.checkpoint import (
    ModelRefused,
    model_id_of,
    read_checkpoint,
)
from simple_trader.adapters.learner.frames import (
    ROWS_PER_FRAME,
    Broken,
    Predict,
    Predicted,
    Reply,
    Request,
    Rows,
    TooFew,
    Train,
    Trained,
    Use,
    Using,
)
from simple_trader.adapters.learner.process import (
    LearnerProcess,
    ProcessGone,
    plain_environment,
    worker_command,
)
from simple_trader.adapters.learner.rows import TrainingRow
from simple_trader.domain.actions import AskPredictions, AskTraining, Lesson, UseModel
from simple_trader.domain.errors import TraderError
from simple_trader.domain.events import (
    ModelTrained,
    PredictionsArrived,
    PredictionsFailed,
    TrainingSkipped,
)
from simple_trader.domain.predictions import ModelState
from simple_trader.domain.reasons import Reason

log = logging.getLogger(__name__)

FRESH_MODEL = "logreg-fresh"
MARGIN = 0.95  # of the question's deadline
BACKOFF_FIRST_S = 1.0
BACKOFF_MAX_S = 300.0
MAX_OWED = 1_000
TRIES_WITH_OWED = 3  # a lesson that kills the process must not kill it for ever
STARTUP_GRACE_S = 60.0  # imports on a busy machine; longer counts as hung
CLOSE_WAIT_S = 2.0

FetchRows = Callable[[datetime, datetime], Awaitable[Sequence[TrainingRow]]]


class LearnerClient:
    """ports.Learner over two processes: one that predicts and learns, one for each training run.

    A process that dies is started again, with a growing pause; one that hangs is killed. The model
    with all it has learned is kept here too, so that a new process goes on where the old one was.
    """

    def __init__(
        self,
        rows: FetchRows,
        *,
        timeout_s: float = 10.0,
        command: tuple[str, ...] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`rows(since, until)` gives ai_snapshots rows with as_of in [since, until); it raises
        TraderError or OSError when it cannot.

        `timeout_s` bounds each prediction besides the question's own deadline.
        """
        self._rows = rows
        self._timeout_s = timeout_s
        self._command = command or worker_command()
        self._environment = plain_environment() if environment is None else environment
        self._process: LearnerProcess | None = None
        self._training: LearnerProcess | None = None
        self._lock = asyncio.Lock()
        self._train_lock = asyncio.Lock()
        self._number = 0
        self._failures = 0
        self._next_start = 0.0
        self._given: LearnerProcess | None = None  # the process that holds `_model`
        self._owed: tuple[Lesson, ...] = ()  # lessons of questions that got no answer
        self._meanwhile: list[Lesson] | None = None  # taught since the training that runs began
        self._model: Use | None = None
        self._model_id = FRESH_MODEL
        self._refused = ""
        self._is_closed = False

    # -- life of the process --------------------------------------------------------------------

    async def start(self) -> None:
        """Start the process ahead of the first question; never raises, does not wait for it."""
        async with self._lock:
            try:
                await self._living()
            except ProcessGone as error:
                self._failed(str(error))

    async def close(self) -> None:
        """End both processes: by closing their stdin, by force after a short wait."""
        self._is_closed = True
        if self._training is not None:
            await self._training.kill()
        async with self._lock:
            if self._process is not None:
                await self._process.finish(CLOSE_WAIT_S)
                self._process = None

    @property
    def pid(self) -> int | None:
        """Process id of the predicting process, None while there is none."""
        return None if self._process is None or not self._process.alive else self._process.pid

    @property
    def rss_mib(self) -> float | None:
        """Memory of the predicting process when it was ready, None before."""
        ready = None if self._process is None else self._process.ready
        return None if ready is None else ready.rss_mib

    async def _living(self) -> LearnerProcess:
        """The process, started when there is none; raises ProcessGone during a pause."""
        if self._is_closed:
            raise ProcessGone("the learner is closed")
        if self._process is not None and self._process.alive:
            return self._process
        if self._process is not None:
            await self._discard(self._process)
        now = asyncio.get_running_loop().time()
        if now < self._next_start:
            raise ProcessGone(f"the learner is started again in {self._next_start - now:.0f} s")
        self._next_start = now + min(BACKOFF_FIRST_S * 2.0**self._failures, BACKOFF_MAX_S)
        self._failures += 1
        self._process = await LearnerProcess.start(self._command, self._environment)
        return self._process

    async def _discard(self, process: LearnerProcess) -> None:
        self._process = None
        await process.kill()
        log.warning("the learner process %d is gone", process.pid)

    async def _late(self) -> str:
        """What a time-out means; never waits for another question."""
        if self._lock.locked():
            return "the learner is busy"
        async with self._lock:
            return await self._hung()

    async def _hung(self) -> str:
        """After a time-out: kill a process that was ready, leave one that is still importing."""
        process = self._process
        if process is None or not process.alive:
            return "the learner is not running"
        age_s = asyncio.get_running_loop().time() - process.started_at
        if process.ready is None and age_s < STARTUP_GRACE_S:
            return "the learner is still starting"
        await self._discard(process)
        try:
            await self._living()
        except ProcessGone as error:
            return f"the learner hung and was killed; {error}"
        return "the learner hung and was killed; a new one is starting"

    def _failed(self, detail: str) -> None:
        log.warning("the learner failed: %s", detail)

    # -- questions ------------------------------------------------------------------------------

    async def predict(self, request: AskPredictions) -> PredictionsArrived | PredictionsFailed:
        """Learn the lessons, then predict; MODEL_LATE or MODEL_FAILED when that is not possible."""
        question = request.question
        limit_s = min(self._timeout_s, question.deadline_s * MARGIN)
        try:
            async with asyncio.timeout(limit_s), self._lock:
                return await self._predicted(request)
        except TimeoutError:
            self._owe(request.lessons)
            detail = await self._late()
            return PredictionsFailed(
                question_id=question.question_id,
                reason=Reason.MODEL_LATE,
                detail=f"no predictions within {limit_s:g} s: {detail}",
            )
        except ProcessGone as error:
            self._owe(request.lessons)
            self._failed(str(error))
            return PredictionsFailed(
                question_id=question.question_id, reason=Reason.MODEL_FAILED, detail=str(error)
            )

    def _owe(self, lessons: tuple[Lesson, ...]) -> None:
        """Keep lessons that were not answered for the next question: the kept model lacks them."""
        owed = (*self._owed, *lessons)[-MAX_OWED:]
        self._owed = owed if self._failures <= TRIES_WITH_OWED else ()

    async def _predicted(self, request: AskPredictions) -> PredictionsArrived | PredictionsFailed:
        question_id = request.question.question_id
        if self._refused:
            return PredictionsFailed(
                question_id=question_id, reason=Reason.MODEL_FAILED, detail=self._refused
            )
        number, basis = self._next_number(), self._model_id
        lessons = (*self._owed, *request.lessons)
        ask = Predict(
            number=number,
            lessons=lessons,
            items=request.items,
            horizons=request.horizons,
            cycle_s=request.cycle_s,
        )
        reply = await self._ask_restarted(ask, number)
        self._owed = ()
        if self._meanwhile is not None:
            self._meanwhile = [*self._meanwhile, *request.lessons][-MAX_OWED:]
        if not isinstance(reply, Predicted):
            detail = reply.detail if isinstance(reply, Broken) else f"unexpected {reply!r:.80}"
            return PredictionsFailed(
                question_id=question_id, reason=Reason.MODEL_FAILED, detail=detail
            )
        self._failures = 0
        if reply.blob and basis == self._model_id:  # else another model came in the meantime
            self._keep(basis, reply.sha256, reply.blob)
        return PredictionsArrived(
            question_id=question_id,
            model_id=basis,
            predictions=reply.predictions,
            learned=reply.learned,
            refused=reply.refused,
            diverged=reply.diverged,
            drifted=reply.drifted,
            checkpoint=_saved(reply, basis) if request.checkpoint else None,
        )

    async def _ask_restarted(self, request: Request, number: int) -> Reply:
        """Ask; a process that has died since the last question is started again for this one."""
        was_there = self._process
        process = await self._living()
        try:
            return await self._asked(process, request, number)
        except ProcessGone:
            if process is not was_there:
                raise
        return await self._asked(await self._living(), request, number)

    async def _asked(self, process: LearnerProcess, request: Request, number: int) -> Reply:
        try:
            await self._hand_over(process)
            return await process.ask([request], number)
        except ProcessGone:
            await self._discard(process)
            raise

    async def _hand_over(self, process: LearnerProcess) -> None:
        """Give the process the model, unless it has it; raises ProcessGone."""
        model = self._model
        if self._given is process or model is None:
            return
        reply = await process.ask([model], model.number)
        if not isinstance(reply, Using) or reply.refused:
            raise ProcessGone(f"the learner did not take its own model: {reply!r:.200}")
        if self._model is model:
            self._given = process

    async def use(self, action: UseModel) -> None:
        """Predict with this model from now on; one that is corrupt is refused, never loaded (C08).

        Where there was no model before, a refused one leaves the predictor off until a good one.
        A process that is still importing is not waited for: it gets the model with the next
        question, and so does one that fails here.
        """
        try:
            read_checkpoint(action.blob, action.sha256)
        except ModelRefused as error:
            log.error("model %s is refused: %s", action.model_id, error)
            if self._model is None:
                self._refused = f"model {action.model_id} is refused: {error}"
            return
        self._refused = ""
        self._owed = tuple(self._meanwhile or ())  # a new model does not know them yet
        self._meanwhile = None
        self._given = None
        self._keep(action.model_id, action.sha256, action.blob)
        try:
            async with asyncio.timeout(self._timeout_s), self._lock:
                process = await self._living()
                if process.ready is not None:
                    await self._hand_over(process)
        except TimeoutError:
            self._failed(await self._late())
        except ProcessGone as error:
            self._failed(f"{error}; it takes model {action.model_id} when it is back")

    def _keep(self, model_id: str, sha256: str, blob: bytes) -> None:
        number = self._next_number()
        self._model = Use(number=number, model_id=model_id, sha256=sha256, blob=blob)
        self._model_id = model_id

    def _next_number(self) -> int:
        self._number += 1
        return self._number

    # -- training -------------------------------------------------------------------------------

    async def train(self, request: AskTraining) -> ModelTrained | TrainingSkipped:
        """Train in a process of its own, so that predictions go on; it ends with the run."""
        question = request.question
        limit_s = question.deadline_s * MARGIN
        try:
            async with asyncio.timeout(limit_s), self._train_lock:
                reply = await self._trained(request)
        except TimeoutError:
            return self._skipped(request, Reason.MODEL_LATE, f"no model within {limit_s:g} s")
        except (ProcessGone, TraderError, OSError) as error:
            return self._skipped(request, Reason.MODEL_FAILED, str(error))
        if isinstance(reply, TooFew):
            return self._skipped(request, Reason.TOO_FEW_ROWS, reply.detail)
        if not isinstance(reply, Trained):
            detail = reply.detail if isinstance(reply, Broken) else "an unexpected reply"
            return self._skipped(request, Reason.MODEL_FAILED, detail)
        try:
            read_checkpoint(reply.blob, reply.sha256)
        except ModelRefused as error:
            return self._skipped(request, Reason.MODEL_FAILED, str(error))
        return ModelTrained(
            question_id=question.question_id,
            model_id=reply.model_id,
            sha256=reply.sha256,
            blob=reply.blob,
            rows=reply.rows,
            metrics=reply.metrics,
        )

    def _skipped(self, request: AskTraining, reason: Reason, detail: str) -> TrainingSkipped:
        self._meanwhile = None
        return TrainingSkipped(
            question_id=request.question.question_id, reason=reason, detail=detail
        )

    async def _trained(self, request: AskTraining) -> Reply:
        self._meanwhile = []
        rows = await self._rows(request.since, request.until)
        if len(rows) < request.min_rows:
            detail = f"there are {len(rows)} snapshots, {request.min_rows} are needed"
            return TooFew(number=0, detail=detail)
        if self._is_closed:
            raise ProcessGone("the learner is closed")
        number = self._next_number()
        process = await LearnerProcess.start(self._command, self._environment)
        self._training = process
        try:
            return await process.ask(_training_frames(rows, request, number), number)
        finally:
            self._training = None
            await process.kill()


def _saved(reply: Predicted, basis: str) -> ModelState | None:
    """The learner's state as a checkpoint; None where nothing was learned."""
    if not reply.blob:
        return None
    return ModelState(
        model_id=model_id_of(reply.sha256), basis=basis, sha256=reply.sha256, blob=reply.blob
    )


def _training_frames(
    rows: Sequence[TrainingRow], request: AskTraining, number: int
) -> list[Request]:
    frames: list[Request] = [
        Rows(rows=tuple(rows[start : start + ROWS_PER_FRAME]))
        for start in range(0, len(rows), ROWS_PER_FRAME)
    ]
    frames.append(
        Train(
            number=number,
            since=request.since,
            until=request.until,
            horizons=request.horizons,
            cycle_s=request.cycle_s,
            min_rows=request.min_rows,
        )
    )
    return frames
