"""The real learner process: answers, learns, and may be killed or stopped at any moment."""

import asyncio
import math
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from simple_trader.adapters.learner.checkpoint import hash_of
from simple_trader.adapters.learner.rows import TrainingRow
from simple_trader.adapters.learner.worker import FRESH_MODEL, LearnerClient
from simple_trader.domain.actions import (
    AskPredictions,
    AskTraining,
    Lesson,
    PredictFor,
    Question,
    UseModel,
)
from simple_trader.domain.errors import StoreError
from simple_trader.domain.events import (
    ModelTrained,
    PredictionsArrived,
    PredictionsFailed,
    TrainingSkipped,
)
from simple_trader.domain.predictions import ModelOf
from simple_trader.domain.reasons import Reason

ROOT = Path(__file__).resolve().parents[2]
START = datetime(2026, 3, 2, tzinfo=UTC)
UP: dict[str, float | None] = {"roc_1_pct": 1.0, "rsi_14": None}
DOWN: dict[str, float | None] = {"roc_1_pct": -1.0, "rsi_14": None}
HOUR = timedelta(hours=1)


def lesson(features: dict[str, float | None], outcome: int, **changes: Any) -> Lesson:
    given: dict[str, Any] = {
        "pair": "BTC/USD",
        "horizon_cycles": 1,
        "horizon_s": 3600,
        "made_at": START,
        "known_at": START + HOUR,
        "features": features,
        "probability": 0.5,
        "outcome": outcome,
    }
    return Lesson(**(given | changes))


LESSONS = tuple(lesson(UP if n % 2 else DOWN, n % 2) for n in range(400))
ITEMS = (PredictFor(pair="BTC/USD", features=UP), PredictFor(pair="ETH/USD", features=UP))


def asking(
    lessons: tuple[Lesson, ...] = (), deadline_s: float = 60.0, number: int = 1
) -> AskPredictions:
    return AskPredictions(
        question=question(deadline_s, number),
        lessons=lessons,
        items=ITEMS,
        horizons=(1,),
        cycle_s=3600,
        checkpoint=True,
    )


def question(deadline_s: float, number: int = 1) -> Question:
    return Question(
        question_id=f"q-{number}",
        kind="predictions",
        subject="all",
        asked_at=START,
        deadline_s=deadline_s,
        config_hash="c",
    )


def planted(count: int, step_s: int = 3600) -> list[TrainingRow]:
    """A market whose next move is told by `signal` in nine of ten cases."""
    dice = random.Random(7)
    mid, rows = Decimal(100), []
    for number in range(count):
        rises = dice.random() < 0.5
        says = rises if dice.random() < 0.9 else not rises
        rows.append(
            TrainingRow(
                pair="BTC/USD",
                as_of=START + timedelta(seconds=step_s * number),
                mid=mid,
                features={
                    "roc_1_pct": 1.0 if says else -1.0,
                    "adx_14": None,
                    "rsi_14": dice.random(),
                },
            )
        )
        mid += Decimal("0.5") if rises else Decimal("-0.5")
    return rows


def training(rows: Sequence[TrainingRow], min_rows: int = 50) -> AskTraining:
    return AskTraining(
        question=question(60.0),
        since=START,
        until=rows[-1].as_of + timedelta(seconds=1) if rows else START,
        horizons=(1, 2),
        cycle_s=3600,
        min_rows=min_rows,
    )


HISTORY = planted(800)


async def history(since: datetime, until: datetime) -> Sequence[TrainingRow]:
    return [row for row in HISTORY if since <= row.as_of < until]


@pytest_asyncio.fixture
async def learner() -> AsyncIterator[LearnerClient]:
    client = LearnerClient(history, timeout_s=60.0)
    await client.start()
    yield client
    await client.close()


async def predicted(client: LearnerClient, ask: AskPredictions) -> PredictionsArrived:
    event = await client.predict(ask)
    assert isinstance(event, PredictionsArrived), event
    return event


async def recovered(client: LearnerClient, ask: AskPredictions) -> PredictionsArrived:
    """The first answer after a loss; a process that died young is started after a pause."""
    async with asyncio.timeout(30):
        while not isinstance(event := await client.predict(ask), PredictionsArrived):
            assert event.reason is Reason.MODEL_FAILED
            await asyncio.sleep(0.1)
        return event


def probability(event: PredictionsArrived, pair: str = "BTC/USD") -> float:
    return {item.pair: item.probability for item in event.predictions}[pair]


async def test_it_learns_first_and_predicts_then(learner: LearnerClient) -> None:
    event = await predicted(learner, asking(LESSONS))
    assert event.model_id == FRESH_MODEL
    assert event.learned == len(LESSONS)
    assert probability(event) > 0.55
    assert probability(event, "ETH/USD") == 0.5
    assert learner.rss_mib is not None
    print(f"the learner process takes {learner.rss_mib:.0f} MiB")
    assert learner.rss_mib < 400


async def test_its_state_comes_back_where_it_was_asked_for_and_another_process_goes_on_from_it(
    learner: LearnerClient,
) -> None:
    event = await predicted(learner, asking(LESSONS))
    saved = event.checkpoint
    assert saved is not None
    assert (saved.basis, saved.sha256) == (FRESH_MODEL, hash_of(saved.blob))
    nothing_new = await predicted(learner, asking())
    assert nothing_new.checkpoint is None
    other = LearnerClient(history, timeout_s=60.0)
    await other.use(UseModel(model_id=saved.model_id, sha256=saved.sha256, blob=saved.blob))
    again = await predicted(other, asking())
    await other.close()
    assert again.predictions == event.predictions
    assert again.model_id == saved.model_id


async def test_m02_a_lesson_from_the_future_is_refused_by_the_process(
    learner: LearnerClient,
) -> None:
    early = lesson(UP, 1, known_at=START + HOUR - timedelta(microseconds=1))
    event = await predicted(learner, asking((early,)))
    assert (event.learned, event.refused) == (0, 1)
    assert probability(event) == 0.5


async def test_m03_weights_that_diverge_are_put_back_and_named(learner: LearnerClient) -> None:
    wild = lesson({"roc_1_pct": 1.7e308}, 1)
    event = await predicted(learner, asking((*LESSONS, wild)))
    assert event.diverged == (ModelOf(pair="BTC/USD", horizon_s=3600),)
    assert 0.0 < probability(event) < 1.0


async def test_c08_killed_9_it_answers_again_and_forgets_nothing(learner: LearnerClient) -> None:
    before = probability(await predicted(learner, asking(LESSONS)))
    old = learner.pid
    assert old is not None
    os.kill(old, signal.SIGKILL)
    event = await recovered(learner, asking())
    assert learner.pid != old
    assert probability(event) == before


async def test_m04_a_stopped_process_answers_late_and_is_replaced(learner: LearnerClient) -> None:
    before = probability(await predicted(learner, asking(LESSONS)))
    old = learner.pid
    assert old is not None
    os.kill(old, signal.SIGSTOP)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    event = await learner.predict(asking(LESSONS, deadline_s=1.0))
    assert loop.time() - begun < 1.5
    assert isinstance(event, PredictionsFailed)
    assert event.reason is Reason.MODEL_LATE
    with pytest.raises(ProcessLookupError):
        os.kill(old, 0)
    again = await predicted(learner, asking())
    assert again.learned == len(LESSONS), "the lessons that got no answer are learned now"
    assert probability(again) > before


async def test_a_process_still_importing_is_late_but_not_killed(learner: LearnerClient) -> None:
    first = learner.pid
    event = await learner.predict(asking(deadline_s=0.05))
    assert isinstance(event, PredictionsFailed)
    assert event.reason is Reason.MODEL_LATE
    assert "starting" in event.detail
    await predicted(learner, asking())
    assert learner.pid == first


async def test_a_process_that_cannot_start_fails_with_its_last_words_and_pauses() -> None:
    client = LearnerClient(
        history, command=(sys.executable, "-c", "raise SystemExit('river is not here')")
    )
    first = await client.predict(asking())
    second = await client.predict(asking())
    await client.close()
    assert isinstance(first, PredictionsFailed)
    assert first.reason is Reason.MODEL_FAILED
    assert "river is not here" in first.detail
    assert isinstance(second, PredictionsFailed)
    assert "started again in" in second.detail


async def test_a_command_that_is_not_there_is_a_failure_not_an_error() -> None:
    client = LearnerClient(history, command=("/nowhere/python",))
    await client.start()
    event = await client.predict(asking())
    skipped = await client.train(training(HISTORY))
    await client.close()
    assert isinstance(event, PredictionsFailed)
    assert isinstance(skipped, TrainingSkipped)
    assert skipped.reason is Reason.MODEL_FAILED


async def test_a_process_that_speaks_no_frames_is_a_failure() -> None:
    client = LearnerClient(history, command=(sys.executable, "-c", "print('hello' * 100)"))
    event = await client.predict(asking())
    await client.close()
    assert isinstance(event, PredictionsFailed)
    assert event.reason is Reason.MODEL_FAILED


async def test_a_trained_model_beats_chance_and_is_swapped_in(learner: LearnerClient) -> None:
    trained = await learner.train(training(HISTORY))
    assert isinstance(trained, ModelTrained), trained
    assert trained.rows == len(HISTORY) - 1
    assert trained.metrics["brier_skill_3600s"] > 0.2
    assert trained.metrics["log_loss"] < trained.metrics["log_loss_climatology"]
    assert trained.sha256 == hash_of(trained.blob)
    assert trained.model_id.endswith(trained.sha256[:12])
    await learner.use(UseModel(model_id=trained.model_id, sha256=trained.sha256, blob=trained.blob))
    event = await predicted(learner, asking())
    assert event.model_id == trained.model_id
    assert probability(event) > 0.6


async def test_a_model_given_at_boot_is_not_waited_for_and_used_from_the_first_question(
    learner: LearnerClient,
) -> None:
    trained = await learner.train(training(HISTORY))
    assert isinstance(trained, ModelTrained)
    other = LearnerClient(history, timeout_s=60.0)
    await other.start()
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await other.use(UseModel(model_id="kept", sha256=trained.sha256, blob=trained.blob))
    assert loop.time() - begun < 0.5
    event = await predicted(other, asking())
    await other.close()
    assert event.model_id == "kept"
    assert probability(event) > 0.6


async def test_m04_predictions_go_on_while_a_model_is_trained(learner: LearnerClient) -> None:
    await predicted(learner, asking())
    async with asyncio.TaskGroup() as group:
        run = group.create_task(learner.train(training(HISTORY)))
        event = await predicted(learner, asking(LESSONS))
        assert not run.done()
        predicting = learner.pid
        assert predicting is not None
        (other,) = [pid for pid in await _both_workers(predicting) if pid != predicting]
        assert os.getpriority(os.PRIO_PROCESS, other) >= 10, "a process of its own, and nice"
    assert probability(event) > 0.55
    trained = run.result()
    assert isinstance(trained, ModelTrained)
    await learner.use(UseModel(model_id=trained.model_id, sha256=trained.sha256, blob=trained.blob))
    after = await predicted(learner, asking())
    assert after.learned == len(LESSONS), "what was taught meanwhile is not lost to the new model"


async def test_too_little_history_trains_nothing_and_says_how_much_is_needed(
    learner: LearnerClient,
) -> None:
    few = await learner.train(training(HISTORY[:20]))
    unlabelled = await learner.train(training(HISTORY[:50]))
    for event in (few, unlabelled):
        assert isinstance(event, TrainingSkipped)
        assert event.reason is Reason.TOO_FEW_ROWS
        assert "50 are needed" in event.detail


async def test_a_store_that_is_down_skips_the_training() -> None:
    async def down(since: datetime, until: datetime) -> Sequence[TrainingRow]:
        raise StoreError("the database cannot be reached")

    client = LearnerClient(down)
    event = await client.train(training(HISTORY))
    await client.close()
    assert isinstance(event, TrainingSkipped)
    assert event.detail == "the database cannot be reached"


async def test_training_past_its_deadline_is_ended_with_its_process(
    learner: LearnerClient,
) -> None:
    ask = training(HISTORY)
    late = AskTraining(
        question=question(0.2),
        since=ask.since,
        until=ask.until,
        horizons=(1, 2),
        cycle_s=3600,
        min_rows=50,
    )
    event = await learner.train(late)
    assert isinstance(event, TrainingSkipped)
    assert event.reason is Reason.MODEL_LATE
    assert _workers() == [learner.pid]


async def test_c08_a_model_whose_hash_is_wrong_is_refused(learner: LearnerClient) -> None:
    trained = await learner.train(training(HISTORY))
    assert isinstance(trained, ModelTrained)
    tampered = trained.blob.replace(b'"intercept":', b'"intercept":1', 1)
    assert tampered != trained.blob
    await learner.use(UseModel(model_id="bad", sha256=trained.sha256, blob=tampered))
    off = await learner.predict(asking())
    assert isinstance(off, PredictionsFailed), "without a model before, the predictor is off"
    assert "hash" in off.detail
    good = UseModel(model_id=trained.model_id, sha256=trained.sha256, blob=trained.blob)
    await learner.use(good)
    await learner.use(UseModel(model_id="bad", sha256=trained.sha256, blob=tampered))
    event = await predicted(learner, asking())
    assert event.model_id == trained.model_id, "a refused model leaves the one in use"


async def test_c08_an_old_pickle_is_refused_without_being_loaded(
    learner: LearnerClient, tmp_path: Path
) -> None:
    trace = tmp_path / "unpickled"
    evil = f"cos\nsystem\n(S'touch {trace}'\ntR.".encode()
    await learner.use(UseModel(model_id="old", sha256=hash_of(evil), blob=evil))
    event = await learner.predict(asking())
    assert isinstance(event, PredictionsFailed)
    assert not trace.exists()


async def test_figures_that_are_not_finite_end_in_no_prediction_or_a_finite_one(
    learner: LearnerClient,
) -> None:
    wild: dict[str, float | None] = {"roc_1_pct": math.inf, "rsi_14": math.nan, "adx_14": 1e308}
    lessons = tuple(lesson(wild, n % 2) for n in range(5))
    event = await predicted(learner, asking((*LESSONS, *lessons)))
    assert all(0.0 < item.probability < 1.0 for item in event.predictions)


async def test_the_process_has_its_own_session_no_secrets_and_is_nice(
    learner: LearnerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await predicted(learner, asking())
    pid = learner.pid
    assert pid is not None
    assert os.getsid(pid) == pid != os.getsid(0)
    assert os.getpriority(os.PRIO_PROCESS, pid) >= 10
    environment = Path(f"/proc/{pid}/environ")
    if environment.exists():
        names = {part.split(b"=")[0].decode() for part in environment.read_bytes().split(b"\0")}
        assert names - {"", "LC_CTYPE"} <= {
            "PYTHONPATH",
            "LANG",
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "MKL_NUM_THREADS",
        }


async def test_it_ends_when_the_daemon_is_gone() -> None:
    client = LearnerClient(history, timeout_s=60.0)
    await predicted(client, asking())
    pid = client.pid
    await client.close()
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    event = await client.predict(asking())
    assert isinstance(event, PredictionsFailed)


def test_the_daemon_imports_no_river_to_talk_to_it() -> None:
    code = (
        "import sys, simple_trader.adapters.learner.worker\n"
        "sys.exit(','.join({'river', 'numpy', 'pandas', 'scipy'} & sys.modules.keys()) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_there_is_no_pickle_anywhere() -> None:
    words = ("import pickle", "from pickle", "joblib", "cloudpickle", "import dill", "shelve")
    for path in (ROOT / "simple_trader").rglob("*.py"):
        text = path.read_text()
        assert not [word for word in words if word in text], path


async def _both_workers(predicting: int) -> list[int]:
    """The predicting process and the one that trains, once that has reached its work."""
    async with asyncio.timeout(30):
        while True:
            found = [pid for pid in _workers() if os.getpriority(os.PRIO_PROCESS, pid) >= 10]
            if len(found) == 2 and predicting in found:
                return found
            await asyncio.sleep(0.02)


def _workers() -> list[int]:
    """Learner processes that are children of this one."""
    mine = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[1]
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if int(parent) == os.getpid() and b"worker_main" in command:
                mine.append(int(entry.name))
    return mine
