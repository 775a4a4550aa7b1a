"""Predict, then learn: lessons are checked, learned and watched for drift; then it predicts.

The learner process and the simulation, which has it in its own process, use this same class.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import msgspec
from river.drift import ADWIN

from simple_trader.adapters.learner.predictor import PriceTrendPredictor
from simple_trader.domain.actions import Lesson, PredictFor
from simple_trader.domain.predictions import ModelOf, Prediction

_ADWIN: Any = ADWIN  # River has no types


class Taught(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the lessons."""

    learned: int
    refused: int
    diverged: tuple[ModelOf, ...]
    drifted: tuple[ModelOf, ...]


class OnlineModel:
    """The predictor and, for each of its models, a window of its errors (ADWIN).

    The windows are not part of a checkpoint: after a restart they fill anew.
    """

    def __init__(self) -> None:
        """A model that knows nothing."""
        self.predictor = PriceTrendPredictor()
        self._drift: dict[tuple[str, int], DriftWatch] = {}

    def use(self, blob: bytes, sha256: str) -> None:
        """Go on from this checkpoint; raises ModelRefused (C08), and is then unchanged."""
        self.predictor = PriceTrendPredictor.from_blob(blob, sha256)

    def teach(self, lessons: Iterable[Lesson]) -> Taught:
        """Learn in the order given; a lesson whose outcome was not known yet is refused (M02)."""
        learned = refused = 0
        diverged: dict[ModelOf, None] = {}
        drifted: dict[ModelOf, None] = {}
        for lesson in lessons:
            if lesson.known_at < lesson.made_at + timedelta(seconds=lesson.horizon_s):
                refused += 1
                continue
            key = (lesson.pair, lesson.horizon_s)
            model = ModelOf(pair=lesson.pair, horizon_s=lesson.horizon_s)
            watch = self._drift.setdefault(key, DriftWatch(lesson.horizon_cycles))
            if watch.worsened((lesson.probability - lesson.outcome) ** 2):
                drifted[model] = None
            if self.predictor.learn_one(*key, lesson.features, lesson.outcome):
                learned += 1
            else:
                diverged[model] = None
        return Taught(
            learned=learned,
            refused=refused,
            diverged=tuple(diverged),
            drifted=tuple(drifted),
        )

    def predict(
        self, items: Sequence[PredictFor], horizons: Sequence[int], cycle_s: int
    ) -> tuple[Prediction, ...]:
        """A probability for each item and horizon (in cycles), without those that are not finite
        (I-42).
        """
        made: list[Prediction] = []
        for item in items:
            for cycles in horizons:
                found = self.predictor.predict_one(item.pair, cycles * cycle_s, item.features)
                if found is not None:
                    made.append(
                        Prediction(pair=item.pair, horizon_cycles=cycles, probability=found)
                    )
        return tuple(made)


class DriftWatch:
    """Tells when the errors of one model have grown: ADWIN over those that do not overlap."""

    def __init__(self, overlap: int) -> None:
        """Every `overlap`-th error counts: the others share their outcome with it in part."""
        self._adwin = _ADWIN()
        self._overlap, self._seen = max(1, overlap), 0

    def worsened(self, error: float) -> bool:
        """Take the next error in; whether with it the older, smaller ones were dropped."""
        self._seen += 1
        if self._seen % self._overlap:
            return False
        before: float = self._adwin.estimation
        self._adwin.update(error)
        return bool(self._adwin.drift_detected) and self._adwin.estimation > before
