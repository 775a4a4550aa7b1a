"""The online model: River's StandardScaler | LogisticRegression by pair and horizon, kept as JSON.

The probability is that of a higher mid after the horizon. Features that are None or not finite are
left out; a model whose weights are no usable numbers any more is put back to what it was (M03).
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

LEARNING_RATE = 0.003  # small: most of some forty features tell nothing, and each costs its noise
MAX_SCALED = 8.0  # standard deviations: one absurd figure must not move every weight
MAX_WEIGHT = 1e3  # beyond it the smallest wobble decides: it has diverged
GOOD_EVERY = 50  # lessons between two states that are kept to be put back
EDGE = 1e-6  # a probability is in [EDGE, 1 - EDGE], so that its log loss is finite

Features = Mapping[str, float | None]


class PairModel:
    """Scaler and regression of one pair and horizon."""

    def __init__(self) -> None:
        """A model that knows nothing: probability one half."""
        self.learned = 0
        self._scaler: Any = StandardScaler()  # River has no types
        self._regression: Any = _regression()
        self._good: PairState | None = None

    def predict_one(self, features: Features) -> float | None:
        """Probability in (0, 1), or None when it is not finite (I-42)."""
        scaled = self._scaled(usable(features))
        probability: float = self._regression.predict_proba_one(scaled)[True]
        if not math.isfinite(probability):
            return None
        return min(1.0 - EDGE, max(EDGE, probability))

    def learn_one(self, features: Features, outcome: int) -> bool:
        """Learn one outcome (1: higher); False when it diverged: it is then what it last was when
        all was well, up to GOOD_EVERY lessons ago.
        """
        if self._good is None or self.learned - self._good.learned >= GOOD_EVERY:
            self._good = self.state()
        known = usable(features)
        self._scaler.learn_one(known)
        self._regression.learn_one(self._scaled(known), bool(outcome))
        self.learned += 1
        if self._is_sound(known):
            return True
        self._set(self._good)
        return False

    def _is_sound(self, known: dict[str, float]) -> bool:
        """Whether what this lesson touched is still usable."""
        regression, scaler = self._regression, self._scaler
        if not math.isfinite(regression.intercept):
            return False
        weights = dict(regression.weights)
        return all(
            abs(weights.get(name, 0.0)) <= MAX_WEIGHT
            and math.isfinite(scaler.means[name])
            and math.isfinite(scaler.vars[name])
            for name in known
        )

    def state(self) -> PairState:
        """All figures, as plain numbers."""
        scaler, weights = self._scaler, dict(self._regression.weights)
        names = sorted(scaler.counts)
        return PairState(
            learned=self.learned,
            steps=self._regression.optimizer.n_iterations,
            intercept=self._regression.intercept,
            names=names,
            weights=[weights.get(name, 0.0) for name in names],
            counts=[scaler.counts[name] for name in names],
            means=[scaler.means[name] for name in names],
            variances=[scaler.vars[name] for name in names],
        )

    @classmethod
    def of(cls, state: PairState) -> Self:
        """The model with these figures."""
        model = cls()
        model._set(state)
        return model

    def _set(self, state: PairState) -> None:
        self._good = state
        self.learned = state.learned
        self._scaler = StandardScaler()
        self._scaler.counts.update(dict(zip(state.names, state.counts, strict=True)))
        self._scaler.means.update(dict(zip(state.names, state.means, strict=True)))
        self._scaler.vars.update(dict(zip(state.names, state.variances, strict=True)))
        self._regression = _regression()
        self._regression.intercept = state.intercept
        self._regression.optimizer.n_iterations = state.steps
        # River has no public way to put weights back; the round trip is held by a test.
        weights = dict(zip(state.names, state.weights, strict=True))
        self._regression._weights = VectorDict(weights)

    def _scaled(self, known: dict[str, float]) -> dict[str, float]:
        # Features never seen before would be scaled by nothing; they count once they were learned.
        seen = {name: value for name, value in known.items() if name in self._scaler.counts}
        scaled = self._scaler.transform_one(seen)
        return {name: max(-MAX_SCALED, min(MAX_SCALED, z)) for name, z in scaled.items()}


class PriceTrendPredictor:
    """One PairModel for each pair and horizon (in market seconds) that was ever learned."""

    def __init__(self) -> None:
        """A predictor that knows nothing."""
        self._models: dict[str, dict[int, PairModel]] = {}

    @property
    def learned(self) -> int:
        """Outcomes learned over all models."""
        return sum(one.learned for models in self._models.values() for one in models.values())

    def predict_one(self, pair: str, horizon_s: int, features: Features) -> float | None:
        """Probability in (0, 1) of a higher mid; one half for what was never learned."""
        return self._models.get(pair, {}).get(horizon_s, _UNLEARNED).predict_one(features)

    def learn_one(self, pair: str, horizon_s: int, features: Features, outcome: int) -> bool:
        """Learn one outcome, 0 or 1; raises ValueError for any other. False when it diverged."""
        if outcome not in {0, 1}:
            raise ValueError(f"an outcome is 0 or 1, not {outcome!r}")
        models = self._models.setdefault(pair, {})
        model = models.get(horizon_s)
        if model is None:
            model = models[horizon_s] = PairModel()
        return model.learn_one(features, outcome)

    def to_blob(self) -> bytes:
        """The checkpoint: canonical JSON, so that the same model has the same hash."""
        checkpoint = Checkpoint(
            format=FORMAT,
            version=VERSION,
            models={
                pair: {horizon_s: model.state() for horizon_s, model in sorted(models.items())}
                for pair, models in sorted(self._models.items())
            },
        )
        return msgspec.json.encode(checkpoint)

    @classmethod
    def from_blob(cls, blob: bytes, sha256: str) -> Self:
        """The model in `blob`; raises ModelRefused for a wrong hash, shape or figure (C08)."""
        predictor = cls()
        for pair, states in read_checkpoint(blob, sha256).models.items():
            predictor._models[pair] = {
                horizon_s: PairModel.of(state) for horizon_s, state in states.items()
            }
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
