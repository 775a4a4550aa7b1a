"""An advisor that replays recorded answers, for replay and for tests without a provider."""

from collections.abc import Iterable

from simple_trader.adapters.llm.assets import LlmAssets
from simple_trader.adapters.llm.prompts import PromptError, render
from simple_trader.domain.actions import AskAdvice
from simple_trader.domain.events import AdviceArrived, AdviceFailed
from simple_trader.domain.reasons import Reason

LABEL = "recorded answer"


class RecordedAdvisor:
    """ports.Advisor: the given raw answers in order; NO_PROVIDER when they are used up.

    The prompt is rendered as for a real provider, so that its hash can be compared with the record.
    """

    def __init__(
        self, assets: LlmAssets, answers: Iterable[str], *, kind: str = "tool_call"
    ) -> None:
        """`answers` are raw texts exactly as a provider gave them."""
        self._assets = assets
        self._answers = iter(answers)
        self._kind = kind

    async def ask(self, request: AskAdvice) -> AdviceArrived | AdviceFailed:
        """The next recorded answer."""
        question_id = request.question.question_id
        try:
            prompt = render(self._assets, request)
        except PromptError as error:
            return AdviceFailed(
                question_id=question_id, reason=Reason.PROMPT_FAILED, detail=str(error)
            )
        raw = next(self._answers, None)
        if raw is None:
            return AdviceFailed(
                question_id=question_id,
                reason=Reason.NO_PROVIDER,
                detail="there is no recorded answer left",
                prompt=prompt.text,
                prompt_hash=prompt.prompt_hash,
            )
        return AdviceArrived(
            question_id=question_id,
            prompt=prompt.text,
            prompt_hash=prompt.prompt_hash,
            template_hash=prompt.template_hash,
            raw=raw,
            kind=self._kind,
            finish_reason="stop",
            provider="recorded",
            model="recorded",
            advisor_label=LABEL,
            tokens_in=0,
            tokens_out=0,
            latency_ms=0,
        )
