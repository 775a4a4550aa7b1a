"""Events that answer a question of the brain: advice, predictions, training."""

from decimal import Decimal

import msgspec

from simple_trader.domain.predictions import ModelOf, ModelState, Prediction
from simple_trader.domain.reasons import Reason


class CallTried(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt that gave no answer before the one the event tells: another provider, a retry.

    `status` is that of HTTP, None where none came; `raw` is what came, if anything; `cost_usd` is
    None where tokens or prices are not known; `budget_tokens` and `budget_usd` are what it counts
    for against llm_budget. `prompt` is empty where it was that of the event.
    """

    provider: str
    model: str
    reason: Reason
    error: str
    raw: str = ""
    status: int | None = None
    params: str = "{}"
    tokens_in: int = 0
    tokens_out: int = 0
    latency_ms: int = 0
    cost_usd: Decimal | None = None
    budget_tokens: int = 0
    budget_usd: Decimal = Decimal(0)
    prompt: str = ""
    prompt_hash: str = ""


class AdviceArrived(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The advisor answered: raw text or tool arguments as received; core/strategy/advice judges.

    `params` is a JSON object of what went with the prompt (temperature, max_tokens, ...);
    `cost_usd` is what this attempt cost, None where tokens or prices are not known; `budget_tokens`
    and `budget_usd` are what it counts for against llm_budget: the same, or the most it can be
    where the provider did not say. `tried` are the attempts before it, in their order.
    """

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
    status: int | None = None
    params: str = "{}"
    cost_usd: Decimal | None = None
    budget_tokens: int = 0
    budget_usd: Decimal = Decimal(0)
    tried: tuple[CallTried, ...] = ()


class AdviceFailed(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """There is no answer, and why; `raw` is what came of the last attempt, if anything."""

    question_id: str
    reason: Reason
    detail: str
    prompt: str = ""
    prompt_hash: str = ""
    template_hash: str = ""
    provider: str = ""
    model: str = ""
    raw: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    latency_ms: int = 0
    status: int | None = None
    params: str = "{}"
    cost_usd: Decimal | None = None
    budget_tokens: int = 0
    budget_usd: Decimal = Decimal(0)
    tried: tuple[CallTried, ...] = ()


class PredictionsArrived(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The learner answered.

    `diverged`: models put back to their last good state (M03); `drifted`: models whose errors
    changed; `refused`: lessons that would have leaked (M02); `checkpoint` where one was asked for.
    """

    question_id: str
    model_id: str
    predictions: tuple[Prediction, ...]
    learned: int
    refused: int = 0
    diverged: tuple[ModelOf, ...] = ()
    drifted: tuple[ModelOf, ...] = ()
    checkpoint: ModelState | None = None


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


class OperatorTrain(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A person wants the model trained now (`simple-trader train`)."""

    actor: str
    detail: str


class TrainingSkipped(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A training run made no model."""

    question_id: str
    reason: Reason
    detail: str
