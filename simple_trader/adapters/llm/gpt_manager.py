"""The advisor over OpenAI chat completions at any base_url: always an answer, no exception."""

import asyncio
from typing import TYPE_CHECKING, Any

from simple_trader.adapters.llm.answers import Answer, Unusable, read_answer
from simple_trader.adapters.llm.assets import LlmAssets, function_name
from simple_trader.adapters.llm.prompts import Prompt, PromptError, render
from simple_trader.adapters.llm.provider import ProviderSettings, payload
from simple_trader.adapters.llm.transport import BadStatus, NoConnection, exchange, open_client
from simple_trader.domain.actions import AskAdvice
from simple_trader.domain.events import AdviceArrived, AdviceFailed
from simple_trader.domain.reasons import Reason

if TYPE_CHECKING:
    from openai import AsyncOpenAI

STAND_IN_MODEL = "stand-in-advisor"
STAND_IN_LABEL = "stand-in advisor, not an LLM"
_PAUSE_S = 0.5  # before the one retry, where the provider names no Retry-After
_MARGIN = 0.95  # of the question's deadline: the answer must be in before the body gives up
_NO_PROMPT = Prompt(text="", prompt_hash="", template_hash="")


class GPTManager:
    """ports.Advisor: renders the prompt, asks once (one retry on 429 and 5xx), hands back raw text.

    With `settings` None there is no provider and every question fails with NO_PROVIDER.
    """

    def __init__(self, assets: LlmAssets, settings: ProviderSettings | None) -> None:
        """Nothing is opened or imported yet."""
        self._assets = assets
        self._settings = settings
        self._open: tuple[ProviderSettings, AsyncOpenAI] | None = None
        self._retired: list[AsyncOpenAI] = []
        self._in_flight = 0

    def update(self, assets: LlmAssets, settings: ProviderSettings | None) -> None:
        """Use these from the next question on; one in flight ends with the old ones."""
        self._assets = assets
        self._settings = settings

    async def warm(self) -> None:
        """Import the SDK and make the client ahead of the first question."""
        if self._settings is not None and not self._settings.fault():
            await self._client(self._settings)

    async def close(self) -> None:
        """Close the connections."""
        self._retire()
        await self._close_retired()

    async def ask(self, request: AskAdvice) -> AdviceArrived | AdviceFailed:
        """Render, ask, hand back; within the deadline of the question and of the provider."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        assets, settings = self._assets, self._settings
        talk = _Talk(request, settings)
        if settings is None:
            return talk.failed(Reason.NO_PROVIDER, "no LLM provider is configured", 0.0)
        if fault := settings.fault():
            return talk.failed(Reason.NO_PROVIDER, fault, 0.0)
        try:
            talk.prompt = render(assets, request, is_function_calling=settings.is_function_calling)
        except PromptError as error:
            return talk.failed(Reason.PROMPT_FAILED, str(error), loop.time() - begun)
        limit_s = min(settings.timeout_s, request.question.deadline_s * _MARGIN)
        try:
            async with asyncio.timeout(limit_s):
                answer = await self._answer(
                    assets, settings, talk.prompt.text, request, begun + limit_s
                )
        except TimeoutError:
            detail = f"no complete answer within {limit_s:g} s"
            return talk.failed(Reason.ADVICE_TIMEOUT, detail, loop.time() - begun)
        except Unusable as error:
            return talk.failed(error.reason, error.detail, loop.time() - begun)
        except BadStatus as error:
            detail = f"HTTP {error.status}: {error.text}"
            return talk.failed(Reason.ADVICE_FAILED, detail, loop.time() - begun)
        except NoConnection as error:
            detail = f"{settings.name} cannot be reached: {error}"
            return talk.failed(Reason.ADVICE_FAILED, detail, loop.time() - begun)
        return talk.arrived(answer, loop.time() - begun)

    async def _answer(
        self,
        assets: LlmAssets,
        settings: ProviderSettings,
        prompt: str,
        request: AskAdvice,
        ends_at: float,
    ) -> Answer:
        pairs = tuple(brief.pair for brief in request.briefs)
        body = payload(settings, assets, prompt, pairs)
        self._in_flight += 1
        try:
            client = await self._client(settings)
            received = await _ask_twice_at_most(client, body, ends_at)
        finally:
            self._in_flight -= 1
        offered = function_name(assets.tool_schema) if settings.is_function_calling else None
        return read_answer(received, expected_function=offered)

    async def _client(self, settings: ProviderSettings) -> "AsyncOpenAI":
        """The client of these settings; that of others is retired and closed when it is idle."""
        if self._open is None or self._open[0] is not settings:
            self._retire()
            self._open = (settings, await open_client(settings))
        if self._in_flight <= 1:
            await self._close_retired()
        return self._open[1]

    def _retire(self) -> None:
        if self._open is not None:
            self._retired.append(self._open[1])
            self._open = None

    async def _close_retired(self) -> None:
        while self._retired:
            await self._retired.pop().close()


async def _ask_twice_at_most(client: "AsyncOpenAI", body: dict[str, Any], ends_at: float) -> bytes:
    """One retry, after Retry-After or a short pause, where the deadline leaves time for it."""
    try:
        return await exchange(client, body)
    except BadStatus as error:
        if not error.may_retry:
            raise
        pause_s = _PAUSE_S if error.retry_after_s is None else error.retry_after_s
        if asyncio.get_running_loop().time() + pause_s >= ends_at:
            raise  # waiting would only turn a clear refusal into a time-out
    await asyncio.sleep(pause_s)
    return await exchange(client, body)


class _Talk:
    """One question on its way: what is known so far, for whichever event ends it."""

    def __init__(self, request: AskAdvice, settings: ProviderSettings | None) -> None:
        self.request = request
        self.settings = settings
        self.prompt = _NO_PROMPT

    def failed(self, reason: Reason, detail: str, took_s: float) -> AdviceFailed:
        settings = self.settings
        return AdviceFailed(
            question_id=self.request.question.question_id,
            reason=reason,
            detail=detail if settings is None else settings.scrub(detail),
            prompt=self.prompt.text,
            prompt_hash=self.prompt.prompt_hash,
            provider="" if settings is None else settings.name,
            model="" if settings is None else settings.model,
            latency_ms=round(took_s * 1_000),
        )

    def arrived(self, answer: Answer, took_s: float) -> AdviceArrived:
        assert self.settings is not None
        model = answer.model or self.settings.model
        label = STAND_IN_LABEL if model == STAND_IN_MODEL else self.settings.label or model
        return AdviceArrived(
            question_id=self.request.question.question_id,
            prompt=self.prompt.text,
            prompt_hash=self.prompt.prompt_hash,
            template_hash=self.prompt.template_hash,
            raw=answer.raw,
            kind=answer.kind,
            finish_reason=answer.finish_reason,
            provider=self.settings.name,
            model=model,
            advisor_label=label,
            tokens_in=answer.tokens_in,
            tokens_out=answer.tokens_out,
            latency_ms=round(took_s * 1_000),
        )
