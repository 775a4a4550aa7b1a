"""Trains a fresh model from snapshots: labels from later rows only, scored before learned.

A row is labelled by the mid of the first snapshot of its pair at or after as_of + horizon. Rows are
walked in the order of time: a row is predicted when it was made and learned when its outcome was
known, so that the reported scores are those of a model that never saw the future (M02, I-42).
"""

import heapq
import math
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import msgspec

from simple_trader.adapters.learner.predictor import EDGE, PriceTrendPredictor
from simple_trader.adapters.learner.rows import TrainingRow


class Labelled(msgspec.Struct, frozen=True, kw_only=True):
    """A row with its outcome (1: higher mid) and the moment at which that was known."""

    row: TrainingRow
    outcome: int
    known_at: datetime


class TooFewRows(Exception):
    """There is too little history to train on."""


class Training(msgspec.Struct, frozen=True, kw_only=True):
    """What a training run made; `rows` were learned, `metrics` are progressive."""

    predictor: PriceTrendPredictor
    rows: int
    metrics: dict[str, float]


def label(
    rows: Sequence[TrainingRow], *, since: datetime, until: datetime, horizon_s: int
) -> tuple[list[Labelled], int]:
    """Rows with as_of in [since, until) that have an outcome before `until`, and how many leaked.

    A row leaks when an event behind it is younger than itself; it is neither learned nor used as an
    outcome. The order of `rows` does not matter; of two rows at one moment the last counts (M05).
    """
    import pandas as pd

    clean = {
        (row.pair, row.as_of): row
        for row in rows
        if since <= row.as_of < until and not _leaks(row) and row.mid.is_finite()
    }
    leaked = sum(1 for row in rows if _leaks(row))
    if not clean:
        return [], leaked
    kept = list(clean.values())
    frame = pd.DataFrame(
        {
            "pair": [row.pair for row in kept],
            "at": pd.to_datetime([row.as_of for row in kept], utc=True),
            "number": range(len(kept)),
        }
    ).sort_values("at", kind="stable")
    wanted = frame.assign(due=frame["at"] + pd.Timedelta(seconds=horizon_s))
    later = frame.rename(columns={"number": "outcome"})[["pair", "at", "outcome"]]
    joined = pd.merge_asof(
        wanted, later, left_on="due", right_on="at", by="pair", direction="forward"
    ).dropna(subset=["outcome"])
    numbers = zip(joined["number"].tolist(), joined["outcome"].astype(int).tolist(), strict=True)
    return [_labelled(kept[number], kept[outcome]) for number, outcome in numbers], leaked


def _leaks(row: TrainingRow) -> bool:
    return row.newest_event_at is not None and row.newest_event_at > row.as_of


def _labelled(row: TrainingRow, later: TrainingRow) -> Labelled:
    return Labelled(row=row, outcome=int(later.mid > row.mid), known_at=later.as_of)


def train(
    rows: Sequence[TrainingRow],
    *,
    since: datetime,
    until: datetime,
    horizon_s: int,
    min_rows: int,
    go_on: Callable[[], bool] = lambda: True,
) -> Training:
    """A fresh model; raises TooFewRows. `go_on` is asked now and then, False ends the run early."""
    labelled, leaked = label(rows, since=since, until=until, horizon_s=horizon_s)
    if len(labelled) < max(min_rows, 1):
        raise TooFewRows(
            f"{len(labelled)} of {len(rows)} snapshots have an outcome, {min_rows} are needed"
        )
    predictor = PriceTrendPredictor(horizon_s)
    scores = _Scores()
    for number, step in enumerate(_in_time(labelled)):
        step(predictor, scores)
        if number % 1_000 == 0 and not go_on():
            raise TooFewRows("the run was ended from outside")
    metrics = scores.metrics()
    metrics["leaked_rows"] = float(leaked)
    metrics["diverged_rows"] = float(predictor.diverged)
    return Training(predictor=predictor, rows=len(labelled), metrics=metrics)


_Step = Callable[[PriceTrendPredictor, "_Scores"], None]


def _in_time(labelled: list[Labelled]) -> Iterator[_Step]:
    """Predictions when rows were made, lessons when outcomes were known; lessons go first."""
    waiting: list[tuple[datetime, int, float | None]] = []
    order = sorted(range(len(labelled)), key=lambda index: (labelled[index].row.as_of, index))

    def predict(index: int) -> _Step:
        def step(predictor: PriceTrendPredictor, _: _Scores) -> None:
            row = labelled[index].row
            probability = predictor.predict_one(row.pair, row.features)
            heapq.heappush(waiting, (labelled[index].known_at, index, probability))

        return step

    def learn(index: int, probability: float | None) -> _Step:
        def step(predictor: PriceTrendPredictor, scores: _Scores) -> None:
            item = labelled[index]
            if probability is not None:
                scores.add(probability, item.outcome)
            predictor.learn_one(item.row.pair, item.row.features, item.outcome)

        return step

    for index in order:
        while waiting and waiting[0][0] <= labelled[index].row.as_of:
            _, known, probability = heapq.heappop(waiting)
            yield learn(known, probability)
        yield predict(index)
    while waiting:
        _, known, probability = heapq.heappop(waiting)
        yield learn(known, probability)


class _Scores:
    """Sums behind the metrics; climatology is the share of rises among the outcomes before."""

    def __init__(self) -> None:
        self.count = self.ups = self.hits = 0
        self.brier = self.log_loss = self.base_brier = self.base_log_loss = 0.0

    def add(self, probability: float, outcome: int) -> None:
        base = (self.ups + 1) / (self.count + 2)  # Laplace: one half before the first outcome
        self.brier += (probability - outcome) ** 2
        self.log_loss += _log_loss(probability, outcome)
        self.base_brier += (base - outcome) ** 2
        self.base_log_loss += _log_loss(base, outcome)
        self.hits += (probability > 0.5) == bool(outcome)
        self.count += 1
        self.ups += outcome

    def metrics(self) -> dict[str, float]:
        """Means over all scored rows; `brier_skill` above 0 is better than climatology."""
        count = max(self.count, 1)
        brier, base = self.brier / count, self.base_brier / count
        return {
            "scored_rows": float(self.count),
            "share_up": self.ups / count,
            "accuracy": self.hits / count,
            "brier": brier,
            "brier_climatology": base,
            "brier_skill": 1.0 - brier / base if base > 0 else 0.0,
            "log_loss": self.log_loss / count,
            "log_loss_climatology": self.base_log_loss / count,
        }


def _log_loss(probability: float, outcome: int) -> float:
    likelihood = probability if outcome else 1.0 - probability
    return -math.log(max(likelihood, EDGE))
