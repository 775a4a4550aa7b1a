"""Advice and learning: whoever is asked what to do."""

from typing import Protocol

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
