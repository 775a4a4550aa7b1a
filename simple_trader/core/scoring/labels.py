"""Labels: settles predictions whose horizon is over, once, against the first price known then."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from simple_trader.domain.actions import Lesson
from simple_trader.domain.predictions import PendingPrediction
from simple_trader.domain.records import PredictionScoreRow


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What became known: scores to remember, lessons to learn, and what is still open."""

    scores: tuple[PredictionScoreRow, ...]
    lessons: tuple[Lesson, ...]
    still_open: tuple[PendingPrediction, ...]


def settle(pending: Iterable[PendingPrediction], mids: dict[str, Decimal], at: datetime) -> Settled:
    """Score the predictions that are due at `at`: outcome 1 if the mid is higher than it was.

    A pair without a mid stays open. Brier score is (probability - outcome) squared. A prediction
    settled later than one more horizon (the daemon was away) is scored but taught to nobody: its
    price is no longer the answer to what was asked.
    """
    scores: list[PredictionScoreRow] = []
    lessons: list[Lesson] = []
    still_open: list[PendingPrediction] = []
    for prediction in pending:
        mid = mids.get(prediction.pair)
        if mid is None or at < prediction.due_at:
            still_open.append(prediction)
            continue
        outcome = 1 if mid > prediction.mid else 0
        scores.append(
            PredictionScoreRow(
                prediction_id=prediction.prediction_id,
                outcome=outcome,
                brier=(prediction.probability - outcome) ** 2,
                mid=mid,
                scored_at=at,
            )
        )
        if at <= prediction.due_at + timedelta(seconds=prediction.horizon_s):
            lessons.append(
                Lesson(pair=prediction.pair, features=prediction.features, outcome=outcome)
            )
    return Settled(scores=tuple(scores), lessons=tuple(lessons), still_open=tuple(still_open))
