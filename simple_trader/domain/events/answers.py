"""Events that answer a question of the brain: advice, predictions, training."""

import msgspec

from simple_trader.domain.predictions import Prediction
from simple_trader.domain.reasons import Reason


class AdviceArrived(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The advisor answered: raw text or tool arguments as received; core/strategy/advice judges."""

    question_id: str
    prompt: str
    prompt_hash: str
    template_hash: str
    raw: str
    kind: str  # "tool_call" or "content"
    finish_reason: str
    provider: str
    model: str
    advisor_label: str  # "stand-in advisor, not an LLM" or the model's name
    tokens_in: int
    tokens_out: int
    latency_ms: int


class AdviceFailed(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """There is no answer, and why."""

    question_id: str
    reason: Reason
    detail: str
    prompt: str = ""
    prompt_hash: str = ""
    provider: str = ""
    model: str = ""
    latency_ms: int = 0


class PredictionsArrived(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The learner answered."""

    question_id: str
    model_id: str
    predictions: tuple[Prediction, ...]
    learned: int


class PredictionsFailed(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The learner gave no answer: the cycle goes on without."""

    question_id: str
    reason: Reason
    detail: str


class ModelTrained(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A training run ended with a new model; the blob is kept in model_snapshots under its hash."""

    question_id: str
    model_id: str
    sha256: str
    blob: bytes
    rows: int
    metrics: dict[str, float]


class TrainingSkipped(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A training run made no model."""

    question_id: str
    reason: Reason
    detail: str
