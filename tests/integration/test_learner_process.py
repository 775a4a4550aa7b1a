"""The real learner process: answers, learns, and may be killed or stopped at any moment."""

import asyncio
import math
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from learner_parts import (
    HISTORY,
    HOUR,
    LESSONS,
    START,
    UP,
    asking,
    history,
    lesson,
    predicted,
    probability,
    training,
)

from simple_trader.adapters.learner.checkpoint import hash_of
from simple_trader.adapters.learner.worker import FRESH_MODEL, LearnerClient
from simple_trader.domain.actions import AskPredictions, UseModel
from simple_trader.domain.events import PredictionsArrived, PredictionsFailed, TrainingSkipped
from simple_trader.domain.predictions import ModelOf
from simple_trader.domain.reasons import Reason

ROOT = Path(__file__).resolve().parents[2]


async def recovered(client: LearnerClient, ask: AskPredictions) -> PredictionsArrived:
    """The first answer after a loss; a process that died young is started after a pause."""
    async with asyncio.timeout(30):
        while not isinstance(event := await client.predict(ask), PredictionsArrived):
            assert event.reason is Reason.MODEL_FAILED
            await asyncio.sleep(0.1)
        return event


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
