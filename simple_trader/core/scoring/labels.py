"""Labels: settles predictions whose horizon is over, once, against the first price known then."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from simple_trader.core.scoring.skill import log_loss
from simple_trader.domain.actions import Lesson
from simple_trader.domain.predictions import PendingPrediction
from simple_trader.domain.quotes import Quote
from simple_trader.domain.records import PredictionScoreRow

QUIET = timedelta(minutes=1)  # a pair may have no new quote for so long, and its price still counts
FORGET_AFTER = timedelta(days=2)  # a pair that has no price for so long: its outcome stays unknown


def seen_after(at: datetime) -> datetime:
    """How new the price must be that a prediction or mark begins at, or is told by, at `at`.

    While nothing is seen of the market, its last price is no answer to where it stands: a move
    counted from it holds what happened before, and one counted up to it misses what happened since.
    """
    return at - QUIET


def is_new(quote: Quote, at: datetime, venue_ahead_s: float) -> bool:
    """Whether a quote's price is that new; `venue_ahead_s`: the exchange's clock before ours."""
    return quote.moment(venue_ahead_s) > seen_after(at)


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What became known: scores to remember, lessons to learn, and what is still open.

    `timely` are the predictions whose score says how good they were, with their outcome.
    """

    scores: tuple[PredictionScoreRow, ...]
    timely: tuple[tuple[PendingPrediction, int], ...]
    lessons: tuple[Lesson, ...]
    still_open: tuple[PendingPrediction, ...]


def settle(
    pending: Iterable[PendingPrediction],
    mids: Mapping[str, Decimal],
    features: Mapping[str, dict[str, float | None]],
    at: datetime,
) -> Settled:
    """Score the predictions that are due at `at`: outcome 1 if the mid is higher than it was.

    `features` by snapshot id. A pair without a mid stays open. Brier score is (probability -
    outcome) squared. A prediction settled later than one more horizon (the daemon was away) is
    written down but neither taught nor counted as skill: its price is no longer the answer to what
    was asked. Nothing is settled before its horizon is over (M02).
    """
    scores: list[PredictionScoreRow] = []
    timely: list[tuple[PendingPrediction, int]] = []
    lessons: list[Lesson] = []
    still_open: list[PendingPrediction] = []
    for prediction in pending:
        mid = mids.get(prediction.pair)
        if mid is None or at < prediction.due_at:
            if at - prediction.due_at < FORGET_AFTER:
                still_open.append(prediction)
            continue
        outcome = 1 if mid > prediction.mid else 0
        scores.append(_score(prediction, outcome, mid, at))
        if at > prediction.due_at + timedelta(seconds=prediction.horizon_s):
            continue
        timely.append((prediction, outcome))
        shown = features.get(prediction.snapshot_id)
        if shown is not None:
            lessons.append(_lesson(prediction, shown, outcome, at))
    return Settled(
        scores=tuple(scores),
        timely=tuple(timely),
        lessons=tuple(lessons),
        still_open=tuple(still_open),
    )


def _score(
    prediction: PendingPrediction, outcome: int, mid: Decimal, at: datetime
) -> PredictionScoreRow:
    return PredictionScoreRow(
        prediction_id=prediction.prediction_id,
        outcome=outcome,
        brier=(prediction.probability - outcome) ** 2,
        log_loss=log_loss(prediction.probability, outcome),
        mid=mid,
        scored_at=at,
    )


def _lesson(
    prediction: PendingPrediction, shown: dict[str, float | None], outcome: int, at: datetime
) -> Lesson:
    return Lesson(
        pair=prediction.pair,
        horizon_cycles=prediction.horizon_cycles,
        horizon_s=prediction.horizon_s,
        made_at=prediction.made_at,
        known_at=at,
        features=shown,
        probability=prediction.probability,
        outcome=outcome,
    )
