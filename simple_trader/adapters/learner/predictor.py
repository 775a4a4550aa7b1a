"""The online model: River's StandardScaler | LogisticRegression, one for each pair, saved as JSON.

The probability is that of a higher mid after the horizon. Features that are None or not finite are
left out; a model whose weights stop being finite is put back to what it was before (M03).
"""

import math
from collections.abc import Mapping
from typing import Any, Self

import msgspec
from river.linear_model import LogisticRegression
from river.optim import SGD
from river.preprocessing import StandardScaler
from river.utils import VectorDict

from simple_trader.adapters.learner.checkpoint import (
    FORMAT,
    VERSION,
    Checkpoint,
    PairState,
    read_checkpoint,
)

LEARNING_RATE = 0.01
MAX_SCALED = 8.0  # standard deviations: one absurd figure must not move every weight
EDGE = 1e-6  # a probability is in [EDGE, 1 - EDGE], so that its log loss is finite

Features = Mapping[str, float | None]


class PairModel:
    """Scaler and regression of one pair."""

    def __init__(self) -> None:
        """A model that knows nothing: probability one half."""
        self.learned = 0
        self._scaler: Any = StandardScaler()  # River has no types
        self._regression: Any = _regression()

    def predict_one(self, features: Features) -> float | None:
        """Probability in (0, 1), or None when it is not finite (I-42)."""
        scaled = self._scaled(usable(features))
        probability: float = self._regression.predict_proba_one(scaled)[True]
        if not math.isfinite(probability):
            return None
        return min(1.0 - EDGE, max(EDGE, probability))

    def learn_one(self, features: Features, outcome: int) -> bool:
        """Learn one outcome (1: higher); False when it was undone because it diverged."""
        before = self.state()
        known = usable(features)
        self._scaler.learn_one(known)
        self._regression.learn_one(self._scaled(known), bool(outcome))
        self.learned += 1
        if self.state().is_finite():
            return True
        self._set(before)
        return False

    def state(self) -> PairState:
        """All figures, as plain numbers."""
        return PairState(
            learned=self.learned,
            steps=self._regression.optimizer.n_iterations,
            intercept=self._regression.intercept,
            weights=dict(self._regression.weights),
            counts=dict(self._scaler.counts),
            means=dict(self._scaler.means),
            variances=dict(self._scaler.vars),
        )

    @classmethod
    def of(cls, state: PairState) -> Self:
        """The model with these figures."""
        model = cls()
        model._set(state)
        return model

    def _set(self, state: PairState) -> None:
        self.learned = state.learned
        self._scaler = StandardScaler()
        self._scaler.counts.update(state.counts)
        self._scaler.means.update(state.means)
        self._scaler.vars.update(state.variances)
        self._regression = _regression()
        self._regression.intercept = state.intercept
        self._regression.optimizer.n_iterations = state.steps
        # River has no public way to put weights back; the round trip is held by a test.
        self._regression._weights = VectorDict(dict(state.weights))

    def _scaled(self, known: dict[str, float]) -> dict[str, float]:
        # Features never seen before would be scaled by nothing; they count once they were learned.
        seen = {name: value for name, value in known.items() if name in self._scaler.counts}
        scaled = self._scaler.transform_one(seen)
        return {name: max(-MAX_SCALED, min(MAX_SCALED, z)) for name, z in scaled.items()}


class PriceTrendPredictor:
    """One PairModel for each pair that was ever learned."""

    def __init__(self, horizon_s: int = 0) -> None:
        """`horizon_s` in market seconds, kept with the checkpoint; 0 until a model says so."""
        self.horizon_s = horizon_s
        self.diverged = 0
        self._models: dict[str, PairModel] = {}

    @property
    def learned(self) -> int:
        """Outcomes learned over all pairs."""
        return sum(model.learned for model in self._models.values())

    def predict_one(self, pair: str, features: Features) -> float | None:
        """Probability in (0, 1) of a higher mid; one half for a pair never learned."""
        return self._models.get(pair, _UNLEARNED).predict_one(features)

    def learn_one(self, pair: str, features: Features, outcome: int) -> bool:
        """Learn one outcome, 0 or 1; raises ValueError for any other. False when undone."""
        if outcome not in {0, 1}:
            raise ValueError(f"an outcome is 0 or 1, not {outcome!r}")
        is_kept = self._models.setdefault(pair, PairModel()).learn_one(features, outcome)
        self.diverged += not is_kept
        return is_kept

    def to_blob(self) -> bytes:
        """The checkpoint: canonical JSON, so that the same model has the same hash."""
        checkpoint = Checkpoint(
            format=FORMAT,
            version=VERSION,
            horizon_s=self.horizon_s,
            pairs={pair: model.state() for pair, model in self._models.items()},
        )
        return msgspec.json.encode(checkpoint, order="sorted")

    @classmethod
    def from_blob(cls, blob: bytes, sha256: str) -> Self:
        """The model in `blob`; raises ModelRefused for a wrong hash, shape or figure (C08)."""
        checkpoint = read_checkpoint(blob, sha256)
        predictor = cls(checkpoint.horizon_s)
        for pair, state in checkpoint.pairs.items():
            predictor._models[pair] = PairModel.of(state)
        return predictor


def usable(features: Features) -> dict[str, float]:
    """The features that have a finite value, in the order of their names."""
    return {
        name: float(value)
        for name, value in sorted(features.items())
        if value is not None and math.isfinite(value)
    }


def _regression() -> LogisticRegression:
    return LogisticRegression(optimizer=SGD(LEARNING_RATE))


_UNLEARNED = PairModel()
