"""Trains a fresh model from snapshots: labels from later rows only, scored before learned.

A row is labelled by the mid of the first snapshot of its pair at or after as_of + horizon, unless
that came later than one more horizon. Rows are walked in the order of time: a row is predicted when
it was made and learned when its outcome was known, so that the reported scores are those of a model
that never saw the future (M02, I-42).
"""

import heapq
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from simple_trader.adapters.learner.predictor import PriceTrendPredictor
from simple_trader.adapters.learner.rows import TrainingRow
from simple_trader.core.scoring.labels import seen_after
from simple_trader.core.scoring.skill import base_rate, brier_skill, scored
from simple_trader.core.strategy.model_inputs import model_inputs
from simple_trader.domain.predictions import ModelSkill

ASK_EVERY = 1_000  # steps between two looks whether to go on


class Labelled(msgspec.Struct, frozen=True, kw_only=True):
    """A row with its outcome (1: higher mid) and the moment at which that was known."""

    row: TrainingRow
    horizon_cycles: int
    horizon_s: int
    outcome: int
    known_at: datetime


class TooFewRows(Exception):
    """There is too little history to train on."""


class Training(msgspec.Struct, frozen=True, kw_only=True):
    """What a training run made; `rows` were learned at the shortest horizon, `metrics` are
    progressive.
    """

    predictor: PriceTrendPredictor
    rows: int
    metrics: dict[str, float]


def clean(
    rows: Sequence[TrainingRow], *, since: datetime, until: datetime
) -> tuple[dict[str, list[TrainingRow]], int]:
    """Rows with as_of in [since, until) by pair, in time, and how many leaked.

    A row leaks when an event behind it is younger than itself; it is neither learned nor used as an
    outcome. Of two rows at one moment the last counts (M05).
    """
    kept = {
        (row.pair, row.as_of): row
        for row in rows
        if since <= row.as_of < until and not _leaks(row) and row.mid.is_finite()
    }
    by_pair: dict[str, list[TrainingRow]] = {}
    for _, row in sorted(kept.items(), key=lambda item: item[0]):
        by_pair.setdefault(row.pair, []).append(row)
    return by_pair, sum(1 for row in rows if _leaks(row))


def _leaks(row: TrainingRow) -> bool:
    return row.newest_event_at is not None and row.newest_event_at > row.as_of


def label(by_pair: dict[str, list[TrainingRow]], *, cycles: int, cycle_s: int) -> list[Labelled]:
    """The rows with an outcome `cycles` times `cycle_s` seconds later; none begins or ends at a row
    of a time in which nothing was seen of the market (as in core/scoring/labels).
    """
    horizon = timedelta(seconds=cycles * cycle_s)
    found: list[Labelled] = []
    for rows in by_pair.values():
        moments = [row.as_of for row in rows]
        for row in rows:
            place = bisect_left(moments, row.as_of + horizon)
            if place == len(rows) or moments[place] > row.as_of + 2 * horizon:
                continue
            later = rows[place]
            if _is_stale(row) or _is_stale(later):
                continue
            found.append(
                Labelled(
                    row=row,
                    horizon_cycles=cycles,
                    horizon_s=cycles * cycle_s,
                    outcome=int(later.mid > row.mid),
                    known_at=later.as_of,
                )
            )
    return found


def _is_stale(row: TrainingRow) -> bool:
    seen = row.newest_event_at
    return seen is not None and seen <= seen_after(row.as_of)


def train(
    rows: Sequence[TrainingRow],
    *,
    since: datetime,
    until: datetime,
    horizons: Sequence[int],
    cycle_s: int,
    min_rows: int,
    go_on: Callable[[], bool] = lambda: True,
) -> Training:
    """A fresh model; raises TooFewRows. `go_on` is asked now and then, False ends the run early."""
    by_pair, leaked = clean(rows, since=since, until=until)
    labelled = [label(by_pair, cycles=cycles, cycle_s=cycle_s) for cycles in sorted(horizons)]
    enough = len(labelled[0]) if labelled else 0
    if enough < max(min_rows, 1):
        raise TooFewRows(
            f"{enough} of {len(rows)} snapshots have an outcome, {min_rows} are needed"
        )
    run = _Run()
    for number, step in enumerate(_in_time([item for items in labelled for item in items])):
        step(run)
        if number % ASK_EVERY == 0 and not go_on():
            raise TooFewRows("the run was ended from outside")
    metrics = run.metrics() | {"leaked_rows": float(leaked), "diverged_rows": float(run.diverged)}
    return Training(predictor=run.predictor, rows=enough, metrics=metrics)


class _Run:
    """A model on its way through history, and its scores so far."""

    def __init__(self) -> None:
        self.predictor = PriceTrendPredictor()
        self.skills: dict[tuple[str, int], ModelSkill] = {}
        self.diverged = 0

    def predict(self, item: Labelled) -> tuple[float | None, float]:
        """The probability and the base rate at that time."""
        row = item.row
        known = self.skills.get((row.pair, item.horizon_s))
        return (
            self.predictor.predict_one(row.pair, item.horizon_s, model_inputs(row.features)),
            base_rate(known),
        )

    def learn(self, item: Labelled, probability: float | None, base: float) -> None:
        """Score what was predicted, then learn."""
        row, key = item.row, (item.row.pair, item.horizon_s)
        if probability is not None:
            skill = self.skills.get(key) or ModelSkill(
                pair=row.pair, horizon_cycles=item.horizon_cycles, horizon_s=item.horizon_s
            )
            self.skills[key] = scored(
                skill, probability=probability, base=base, outcome=item.outcome
            )
        if not self.predictor.learn_one(*key, model_inputs(row.features), item.outcome):
            self.diverged += 1

    def metrics(self) -> dict[str, float]:
        """Means over all scored rows, and the skill of each horizon; above 0 is better than
        climatology.
        """
        skills = list(self.skills.values())
        count = max(1, sum(skill.scored for skill in skills))
        brier, base = sum(one.brier for one in skills), sum(one.base_brier for one in skills)
        found = {
            "scored_rows": float(sum(skill.scored for skill in skills)),
            "share_up": sum(skill.ups for skill in skills) / count,
            "brier": brier / count,
            "brier_climatology": base / count,
            "brier_skill": 1.0 - brier / base if base > 0 else 0.0,
            "log_loss": sum(skill.log_loss for skill in skills) / count,
            "log_loss_climatology": sum(skill.base_log_loss for skill in skills) / count,
        }
        for horizon_s in sorted({skill.horizon_s for skill in skills}):
            found[f"brier_skill_{horizon_s}s"] = _pooled_skill(skills, horizon_s)
        return found


def _pooled_skill(skills: list[ModelSkill], horizon_s: int) -> float:
    ours = [skill for skill in skills if skill.horizon_s == horizon_s]
    whole = msgspec.structs.replace(
        ours[0],
        brier=sum(skill.brier for skill in ours),
        base_brier=sum(skill.base_brier for skill in ours),
    )
    return brier_skill(whole) or 0.0


_Step = Callable[[_Run], None]


def _in_time(labelled: list[Labelled]) -> Iterator[_Step]:
    """Predictions when rows were made, lessons when outcomes were known; lessons go first."""
    waiting: list[tuple[datetime, int, float | None, float]] = []
    order = sorted(range(len(labelled)), key=lambda index: (labelled[index].row.as_of, index))

    def predict(index: int) -> _Step:
        def step(run: _Run) -> None:
            probability, base = run.predict(labelled[index])
            heapq.heappush(waiting, (labelled[index].known_at, index, probability, base))

        return step

    def learn(index: int, probability: float | None, base: float) -> _Step:
        return lambda run: run.learn(labelled[index], probability, base)

    for index in order:
        while waiting and waiting[0][0] <= labelled[index].row.as_of:
            _, known, probability, base = heapq.heappop(waiting)
            yield learn(known, probability, base)
        yield predict(index)
    while waiting:
        _, known, probability, base = heapq.heappop(waiting)
        yield learn(known, probability, base)
