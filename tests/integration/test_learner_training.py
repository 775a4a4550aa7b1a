"""The real learner process trains: models that beat chance, deadlines, and files it refuses."""

import asyncio
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from learner_parts import (
    HISTORY,
    LESSONS,
    asking,
    history,
    predicted,
    probability,
    question,
    training,
)

from simple_trader.adapters.learner.checkpoint import hash_of
from simple_trader.adapters.learner.rows import TrainingRow
from simple_trader.adapters.learner.worker import LearnerClient
from simple_trader.domain.actions import AskTraining, UseModel
from simple_trader.domain.errors import StoreError
from simple_trader.domain.events import ModelTrained, PredictionsFailed, TrainingSkipped
from simple_trader.domain.reasons import Reason


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
        (other,) = [pid for pid in await both_workers(predicting) if pid != predicting]
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
    assert workers() == [learner.pid]


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


async def both_workers(predicting: int) -> list[int]:
    """The predicting process and the one that trains, once that has reached its work."""
    async with asyncio.timeout(30):
        while True:
            found = [pid for pid in workers() if os.getpriority(os.PRIO_PROCESS, pid) >= 10]
            if len(found) == 2 and predicting in found:
                return found
            await asyncio.sleep(0.02)


def workers() -> list[int]:
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
