"""Training beside the daemon: the same learner process on the rows of the database, kept there."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from simple_trader.adapters.learner.rows import TrainingRow
from simple_trader.adapters.learner.worker import LearnerClient
from simple_trader.adapters.store.training import keep_model, newest_snapshot, training_rows
from simple_trader.core.reactions.on_model import TRAINING_DEADLINE_S
from simple_trader.domain.actions import AskTraining, Question
from simple_trader.domain.events import ModelTrained, TrainingSkipped
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import ModelRow
from simple_trader.domain.settings import TradingSettings


def rows_of(dsn: str) -> Callable[[datetime, datetime], Awaitable[Sequence[TrainingRow]]]:
    """The learner's view of ai_snapshots."""

    async def rows(since: datetime, until: datetime) -> Sequence[TrainingRow]:
        found = await training_rows(dsn, since, until)
        return [
            TrainingRow(
                pair=row.pair,
                as_of=row.as_of,
                mid=row.mid,
                features=row.features,
                newest_event_at=row.newest_event_at,
            )
            for row in found
        ]

    return rows


async def train_now(dsn: str, settings: TradingSettings) -> ModelTrained | TrainingSkipped:
    """Train on the newest `model_lookback_days` of rows and keep the model for the next start.

    No daemon may run: the writer's lock is taken to keep it. Raises StoreError.
    """
    newest = await newest_snapshot(dsn)
    if newest is None:
        return TrainingSkipped(
            question_id="cli", reason=Reason.TOO_FEW_ROWS, detail="there are no snapshots"
        )
    request = _request(settings, newest)
    learner = LearnerClient(rows_of(dsn))
    try:
        event = await learner.train(request)
    finally:
        await learner.close()
    if isinstance(event, ModelTrained):
        await keep_model(dsn, _row(event, newest), newest)
    return event


def _request(settings: TradingSettings, newest: datetime) -> AskTraining:
    return AskTraining(
        question=Question(
            question_id="cli",
            kind="training",
            subject="model",
            asked_at=newest,
            deadline_s=TRAINING_DEADLINE_S,
            config_hash="",
        ),
        since=newest - timedelta(days=settings.model_lookback_days),
        until=newest + timedelta(microseconds=1),
        horizons=settings.model_horizons,
        cycle_s=settings.aggregator_interval_s,
        min_rows=settings.min_training_rows,
    )


def _row(event: ModelTrained, at: datetime) -> ModelRow:
    return ModelRow(
        model_id=event.model_id,
        kind="trained",
        basis="",
        trained_at=at,
        sha256=event.sha256,
        blob=event.blob,
        rows=event.rows,
        metrics=event.metrics,
    )
