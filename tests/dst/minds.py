"""Who is asked: an advisor that trades a lot and fails as told (family L), and the real model."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable

from simple_trader.adapters.learner.checkpoint import hash_of, model_id_of
from simple_trader.adapters.learner.online import OnlineModel
from simple_trader.adapters.llm.assets import LlmAssets
from simple_trader.adapters.llm.prompts import render
from simple_trader.assets import asset_path
from simple_trader.domain.actions import AskAdvice, AskPredictions, AskTraining, UseModel
from simple_trader.domain.events import (
    AdviceArrived,
    AdviceFailed,
    PredictionsArrived,
    TrainingSkipped,
)
from simple_trader.domain.predictions import ModelState
from simple_trader.domain.reasons import Reason

PREDICTION_S = 0.02
TEXTS = {
    name: asset_path(name).read_text("utf-8")
    for name in ("templates/prompts/aggregator.mustache", "tools/aggregator_function.json")
}
GARBAGE = (
    "",
    "I cannot help with that.",
    "{",
    '{"decisions": []}',
    '{"decisions": [{"pair": "BTC/USD", "action": "buy", "confidence": "0.9"}]}',
    '{"decisions": [{"pair": "BTC/USD", "action": "buy", "confidence": 1e309}]}',
    '{"decisions": [{"pair": "XBT/USD", "action": "all-in", "confidence": 0.9}]}',
    '{"decisions": null, "rationale": "\\u0000", "confidence": 0.9}',
    "[[[[" * 50_000,
    '{"decisions": [' + '{"pair": "BTC/USD"},' * 1000 + "{}]}",
)


class DrawnAdvisor:
    """ports.Advisor: the real prompt is rendered, the decisions come from the seed's dice."""

    def __init__(self, dice: random.Random, told: Callable[[str], None]) -> None:
        """`told` hears of each fault that acts."""
        self._assets = LlmAssets.from_texts(*TEXTS.values())
        self._dice, self._told = dice, told
        self.next_fault = ""
        self.asked = Counter[str]()

    async def ask(self, request: AskAdvice) -> AdviceArrived | AdviceFailed:
        """See ports.Advisor; a fault is used up by one question."""
        prompt = render(self._assets, request)
        raw = json.dumps(self._decisions(request))
        wait_s = self._dice.uniform(0.05, 3.0)
        fault, self.next_fault = self.next_fault, ""
        self.asked[fault or "well"] += 1
        if fault:
            self._told(fault)
        if fault == "L01":  # a hang: the desk in front of the provider ends it at the deadline
            await asyncio.sleep(request.question.deadline_s)
            return AdviceFailed(
                question_id=request.question.question_id,
                reason=Reason.ADVICE_TIMEOUT,
                detail="no answer",
            )
        if fault == "L15":
            wait_s = request.question.deadline_s - self._dice.uniform(-0.5, 0.5)
        if fault == "L03":
            raw = self._dice.choice(GARBAGE)
        await asyncio.sleep(wait_s)
        if fault == "L02":
            return AdviceFailed(
                question_id=request.question.question_id,
                reason=Reason.ADVICE_FAILED,
                detail="the provider answered 503",
            )
        return AdviceArrived(
            question_id=request.question.question_id,
            prompt=prompt.text,
            prompt_hash=prompt.prompt_hash,
            template_hash=prompt.template_hash,
            raw=raw,
            kind="content",
            finish_reason="stop",
            provider="drawn",
            model="dice",
            advisor_label="dice, not an LLM",
            tokens_in=0,
            tokens_out=0,
            latency_ms=round(wait_s * 1000),
        )

    def _decisions(self, request: AskAdvice) -> dict[str, object]:
        decisions = []
        for item in request.briefs:
            held = item.holding_fraction > 0
            weights = (2, 6, 1) if held else (8, 1, 1)
            action = self._dice.choices(("buy", "sell", "hold"), weights)[0]
            decisions.append(
                {
                    "pair": item.pair,
                    "action": action,
                    "confidence": 0.9,
                    "risk_level": self._dice.choice(("low", "medium")),
                    "rationale": "drawn",
                    # Its marks are still open at the end: dice earn no confidence, and what they
                    # earned would leave them nothing to trade with.
                    "horizon_minutes": 1440,
                }
            )
        return {"decisions": decisions, "rationale": "drawn", "confidence": 0.9}


class DirectLearner:
    """ports.Learner: the real model in the same process, which virtual time does not notice."""

    def __init__(self) -> None:
        """A fresh model; a life that begins anew `use`s the newest checkpoint, as the daemon."""
        self._model, self._model_id = OnlineModel(), "virtual"

    async def predict(self, request: AskPredictions) -> PredictionsArrived:
        """See ports.Learner."""
        taught = self._model.teach(request.lessons)
        await asyncio.sleep(PREDICTION_S)
        return PredictionsArrived(
            question_id=request.question.question_id,
            model_id=self._model_id,
            predictions=self._model.predict(request.items, request.horizons, request.cycle_s),
            learned=taught.learned,
            refused=taught.refused,
            diverged=taught.diverged,
            drifted=taught.drifted,
            checkpoint=self._saved() if request.checkpoint and request.lessons else None,
        )

    def _saved(self) -> ModelState:
        blob = self._model.predictor.to_blob()
        sha256 = hash_of(blob)
        return ModelState(
            model_id=model_id_of(sha256), basis=self._model_id, sha256=sha256, blob=blob
        )

    async def train(self, request: AskTraining) -> TrainingSkipped:
        """See ports.Learner."""
        return TrainingSkipped(
            question_id=request.question.question_id, reason=Reason.MODEL_OFF, detail="virtual"
        )

    async def use(self, action: UseModel) -> None:
        """See ports.Learner."""
        self._model.use(action.blob, action.sha256)
        self._model_id = action.model_id

    async def close(self) -> None:
        """See ports.Learner."""
