"""One question on its way: its prompt, its attempts, and the one event that ends it."""

from collections.abc import Iterator
from typing import Any

from simple_trader.adapters.llm.assets import LlmAssets
from simple_trader.adapters.llm.attempt import Attempt
from simple_trader.adapters.llm.prompts import Prompt, PromptError, render
from simple_trader.adapters.llm.provider import STAND_IN_LABEL, STAND_IN_MODEL, ProviderSettings
from simple_trader.domain.actions import AskAdvice
from simple_trader.domain.events import AdviceArrived, AdviceFailed, CallTried
from simple_trader.domain.reasons import Reason

_NO_PROMPT = Prompt(text="", prompt_hash="", template_hash="")


class Talk:
    """Collects what is known so far, for whichever event ends the question."""

    def __init__(self, request: AskAdvice) -> None:
        """Nothing has been asked yet."""
        self.request = request
        self.pairs = tuple(brief.pair for brief in request.briefs)
        self.prompt = _NO_PROMPT
        self._rendered: dict[bool, Prompt] = {}
        self._attempts: list[tuple[Attempt, Prompt]] = []
        self._nones: list[tuple[Reason, str]] = []

    def render(self, assets: LlmAssets, settings: ProviderSettings) -> bool:
        """Make the prompt for what this provider can do; whether that worked."""
        by_tool = settings.answers == "tools"
        if by_tool not in self._rendered:
            try:
                self._rendered[by_tool] = render(assets, self.request, is_function_calling=by_tool)
            except PromptError as error:
                self.none(Reason.PROMPT_FAILED, str(error))
                return False
        self.prompt = self._rendered[by_tool]
        return True

    def tried(self, one: Attempt) -> None:
        """An attempt is over."""
        self._attempts.append((one, self.prompt))

    def none(self, reason: Reason, detail: str) -> None:
        """Somebody was not asked, and why."""
        self._nones.append((reason, detail))

    def event(self) -> AdviceArrived | AdviceFailed:
        """What the brain is told: the last attempt, with those before it."""
        if not self._attempts:
            reason, detail = self._nones[-1]
            return AdviceFailed(
                question_id=self.request.question.question_id,
                reason=reason,
                detail="; ".join(text for _, text in self._nones) or detail,
                prompt=self.prompt.text,
                prompt_hash=self.prompt.prompt_hash,
                template_hash=self.prompt.template_hash,
            )
        one, prompt = self._attempts[-1]
        common: dict[str, Any] = {
            "question_id": self.request.question.question_id,
            "prompt": prompt.text,
            "prompt_hash": prompt.prompt_hash,
            "template_hash": prompt.template_hash,
            "provider": one.settings.name,
            "model": one.used.model or one.settings.model,
            "tokens_in": one.used.tokens_in,
            "tokens_out": one.used.tokens_out,
            "latency_ms": one.latency_ms,
            "status": one.status,
            "params": one.settings.params(),
            "cost_usd": one.cost_usd,
            "budget_tokens": one.budget_tokens,
            "budget_usd": one.budget_usd,
            "tried": tuple(_call(*earlier, prompt) for earlier in self._attempts[:-1]),
        }
        if one.answer is not None:
            return AdviceArrived(
                raw=one.answer.raw,
                kind=one.answer.kind,
                finish_reason=one.answer.finish_reason,
                advisor_label=_label(one),
                **common,
            )
        detail = "; ".join([one.error, *(text for _, text in self._nones)])
        return AdviceFailed(reason=one.reason, detail=detail, raw=one.raw, **common)

    def calls(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each attempt with a name of its own, as it is written into a file."""
        question_id = self.request.question.question_id
        for number, (one, prompt) in enumerate(self._attempts, start=1):
            yield (
                f"{question_id}-{number}",
                {
                    "question_id": question_id,
                    "cycle_id": self.request.cycle_id,
                    "advisor": self.request.advisor,
                    "provider": one.settings.name,
                    "model": one.used.model or one.settings.model,
                    "params": one.settings.params(),
                    "status": one.status,
                    "latency_ms": one.latency_ms,
                    "tokens_in": one.used.tokens_in,
                    "tokens_out": one.used.tokens_out,
                    "cost_usd": None if one.cost_usd is None else str(one.cost_usd),
                    "error": one.error,
                    "prompt": prompt.text,
                    "reply": one.raw if one.answer is None else one.answer.raw,
                },
            )


def _call(one: Attempt, prompt: Prompt, last: Prompt) -> CallTried:
    other = prompt.prompt_hash != last.prompt_hash
    return CallTried(
        provider=one.settings.name,
        model=one.used.model or one.settings.model,
        reason=one.reason,
        error=one.error,
        raw=one.raw,
        status=one.status,
        params=one.settings.params(),
        tokens_in=one.used.tokens_in,
        tokens_out=one.used.tokens_out,
        latency_ms=one.latency_ms,
        cost_usd=one.cost_usd,
        budget_tokens=one.budget_tokens,
        budget_usd=one.budget_usd,
        prompt=prompt.text if other else "",
        prompt_hash=prompt.prompt_hash if other else "",
    )


def _label(one: Attempt) -> str:
    model = one.used.model or one.settings.model
    return STAND_IN_LABEL if model == STAND_IN_MODEL else one.settings.label or model
