"""Questions and lessons for a learner, and a market whose next move is told in advance."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from simple_trader.adapters.learner.rows import TrainingRow
from simple_trader.adapters.learner.worker import LearnerClient
from simple_trader.domain.actions import AskPredictions, AskTraining, Lesson, PredictFor, Question
from simple_trader.domain.events import PredictionsArrived

START = datetime(2026, 3, 2, tzinfo=UTC)
UP: dict[str, float | None] = {"roc_1_pct": 1.0, "rsi_14": None}
DOWN: dict[str, float | None] = {"roc_1_pct": -1.0, "rsi_14": None}
HOUR = timedelta(hours=1)


def lesson(features: dict[str, float | None], outcome: int, **changes: Any) -> Lesson:
    """A lesson of one hour, with changes."""
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
    """A question for predictions of both pairs, with these lessons."""
    return AskPredictions(
        question=question(deadline_s, number),
        lessons=lessons,
        items=ITEMS,
        horizons=(1,),
        cycle_s=3600,
        checkpoint=True,
    )


def question(deadline_s: float, number: int = 1) -> Question:
    """A plain question."""
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
    """A question for a training on these rows."""
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
    """What the store tells of the planted market."""
    return [row for row in HISTORY if since <= row.as_of < until]


async def predicted(client: LearnerClient, ask: AskPredictions) -> PredictionsArrived:
    """The answer; fails where there is none."""
    event = await client.predict(ask)
    assert isinstance(event, PredictionsArrived), event
    return event


def probability(event: PredictionsArrived, pair: str = "BTC/USD") -> float:
    """What was predicted for a pair."""
    return {item.pair: item.probability for item in event.predictions}[pair]
