"""Advice and learning: whoever is asked what to do."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol

import msgspec

from simple_trader.domain.actions import (
    AskAdvice,
    AskPredictions,
    AskTraining,
    UseModel,
)
from simple_trader.domain.events import (
    AdviceArrived,
    AdviceFailed,
    ModelTrained,
    PredictionsArrived,
    PredictionsFailed,
    TrainingSkipped,
)


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens (in and out) and USD that advice took, `age_s` real seconds ago."""

    age_s: float
    tokens: int
    usd: Decimal


class AdviceHistory(msgspec.Struct, frozen=True, kw_only=True):
    """What a start is told of the calls before it.

    `spent` of the last 24 real hours; `cut_off`: the ages in seconds of questions in them whose end
    nobody wrote down, since the daemon ended first; `named`: as which model a provider last
    answered, by the provider and the model that it was asked for.
    """

    spent: tuple[Spent, ...] = ()
    cut_off: tuple[float, ...] = ()
    named: Mapping[tuple[str, str], str] = {}


class Advisor(Protocol):
    """Whoever gives advice; always answers, also with a failure, within the question's deadline."""

    async def ask(self, request: AskAdvice) -> AdviceArrived | AdviceFailed:
        """Render, ask, return the raw answer."""
        ...


class Learner(Protocol):
    """The online model in its worker process; always answers within the question's deadline."""

    async def predict(self, request: AskPredictions) -> PredictionsArrived | PredictionsFailed:
        """Learn the lessons, then predict."""
        ...

    async def train(self, request: AskTraining) -> ModelTrained | TrainingSkipped:
        """Train a fresh model from history."""
        ...

    async def use(self, action: UseModel) -> None:
        """Predict with this model from now on."""
        ...

    async def close(self) -> None:
        """End the worker."""
        ...
