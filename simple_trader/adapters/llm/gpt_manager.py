"""The advisor over OpenAI chat completions: always an answer in time, no exception."""

import asyncio
import importlib
import logging
from decimal import Decimal
from typing import Any

import msgspec

from simple_trader.adapters.llm.answers import MAX_TOKENS, Used
from simple_trader.adapters.llm.assets import LlmAssets, function_name
from simple_trader.adapters.llm.attempt import Attempt, attempt
from simple_trader.adapters.llm.breaker import Breaker
from simple_trader.adapters.llm.call_files import CallFiles
from simple_trader.adapters.llm.clients import Clients
from simple_trader.adapters.llm.identity import Identity
from simple_trader.adapters.llm.plan import LlmPlan
from simple_trader.adapters.llm.provider import ProviderSettings, payload
from simple_trader.adapters.llm.spending import Spending, Ticket
from simple_trader.adapters.llm.talk import Talk
from simple_trader.domain.actions import AskAdvice
from simple_trader.domain.events import AdviceArrived, AdviceFailed
from simple_trader.domain.reasons import Reason
from simple_trader.ports import AdviceHistory

log = logging.getLogger("simple_trader.advisor")

_PAUSE_S = 0.5  # before the one retry, where the provider names no Retry-After
_PATIENCE_S = 2.0  # a longer Retry-After is waited for only where nobody else can be asked
_MARGIN = 0.95  # of the question's deadline: the answer must be in before the body gives up
_SHORTEST_S = 0.05  # less time is left: asking would only cost
_FAIR_SHARE = 0.5  # of a provider's own time-out: with less it is not to blame for being too slow
_FILES_SHARE = 0.02  # of the question's deadline, for log_llm_files: the answer waits no longer


class GPTManager:
    """ports.Advisor: renders the prompt, asks the providers in their order, hands back raw text.

    A provider that fails is asked once more where it says that helps (429, 5xx), then the next one
    is; what the model itself says is final. All attempts together keep the question's deadline.
    """

    def __init__(
        self,
        plan: LlmPlan,
        *,
        history: AdviceHistory | None = None,
        files: CallFiles | None = None,
    ) -> None:
        """Nothing is opened or imported yet; needs a running loop, whose clock all spans are by.

        `history` is what went lately, and who answered (L16, L17).
        """
        self._plan = plan
        self._loop = asyncio.get_running_loop()
        self._clients = Clients()
        self._clients.want(plan.everyone())
        self._breakers: dict[tuple[str, str, str], Breaker] = {}
        known = history or AdviceHistory()
        self._spending = Spending(self._loop.time, known.spent, known.cut_off)
        self._identity = Identity(known.named)
        self._files = files

    def update(self, plan: LlmPlan) -> None:
        """Use this from the next question on; one in flight ends with the old one."""
        if plan is not self._plan:
            self._plan = plan
            self._clients.want(plan.everyone())

    async def warm(self) -> None:
        """Import what a question needs and make the clients: no question shall stop the loop."""
        await asyncio.to_thread(importlib.import_module, "pystache.renderer")
        await self._clients.warm(self._plan.everyone())

    async def close(self) -> None:
        """Close the connections."""
        await self._clients.close()

    async def ask(self, request: AskAdvice) -> AdviceArrived | AdviceFailed:
        """Render, ask, hand back; within the deadline of the question."""
        plan = self._plan
        ends_at = self._loop.time() + request.question.deadline_s * _MARGIN
        talk = Talk(request)
        assets, providers = plan.assets, plan.providers
        if request.advisor:
            shadow = plan.shadows.get(request.advisor)
            if shadow is None:
                talk.none(Reason.NO_PROVIDER, f"there is no shadow {request.advisor} any more")
                return talk.event()
            assets, providers = shadow.assets, (shadow.provider,)
        if not providers:
            talk.none(Reason.NO_PROVIDER, "no LLM provider is configured")
        for number, settings in enumerate(providers):
            is_last = number + 1 == len(providers)
            if await self._ask_one(plan, assets, settings, talk, ends_at, is_last=is_last):
                break
        await self._write_down(plan, talk)
        return talk.event()

    async def _ask_one(
        self,
        plan: LlmPlan,
        assets: LlmAssets,
        settings: ProviderSettings,
        talk: Talk,
        ends_at: float,
        *,
        is_last: bool,
    ) -> bool:
        """Ask one provider, twice at most; whether the question is over."""
        breaker = self._breaker(settings, talk.request.advisor)
        if fault := settings.fault():
            talk.none(Reason.NO_PROVIDER, fault)
            return False
        if not talk.render(assets, settings):
            return True  # the template is at fault: it is the same for all
        waits_s = breaker.waits_s()
        if waits_s and not settings.is_stand_in:
            talk.none(Reason.LLM_BREAKER, f"{settings.name} rests for another {waits_s:.0f} s")
            return False
        body = payload(settings, assets, talk.prompt.text, talk.pairs)
        expected = function_name(assets.tool_schema) if settings.answers == "tools" else None
        for may_repeat in (True, False):
            left_s = ends_at - self._loop.time()
            if left_s < _SHORTEST_S:
                talk.none(Reason.ADVICE_TIMEOUT, "no time was left to ask any further")
                return True
            found = self._spending.take(settings, body, plan.budget, asker=talk.request.advisor)
            if isinstance(found, str):
                talk.none(Reason.LLM_BUDGET, found)
                return False
            one = await self._attempt(
                settings, body, found, breaker, min(settings.timeout_s, left_s), expected
            )
            talk.tried(one)
            if not one.its_fault:
                return True
            pause_s = self._pause_s(one, ends_at, is_last=is_last) if may_repeat else None
            if pause_s is None or breaker.waits_s() > pause_s:
                return False
            await asyncio.sleep(pause_s)
        return False

    async def _attempt(
        self,
        settings: ProviderSettings,
        body: dict[str, Any],
        ticket: Ticket,
        breaker: Breaker,
        limit_s: float,
        expected: str | None,
    ) -> Attempt:
        breaker.begin()
        one: Attempt | None = None
        try:
            one = await attempt(
                self._clients, settings, body, limit_s=limit_s, expected_function=expected
            )
        finally:
            # Also when nobody waits any more: what was sent may be charged.
            tokens, usd = charged(one, ticket, settings)
            self._spending.settle(ticket, tokens, usd)
            if one is None:
                breaker.abandoned()
        one = msgspec.structs.replace(one, budget_tokens=tokens, budget_usd=usd)
        if one.reason is Reason.ADVICE_TIMEOUT and limit_s < settings.timeout_s * _FAIR_SHARE:
            breaker.abandoned()
        elif one.its_fault:
            breaker.failed()
            if one.retry_after_s is not None:
                breaker.asked_to_wait(one.retry_after_s)
        else:
            breaker.succeeded()
        if one.answer is not None:
            self._identity.note(settings, one.answer)
            if self._identity.is_replay(settings, one.answer):
                return replayed(one)
        return one

    def _pause_s(self, one: Attempt, ends_at: float, *, is_last: bool) -> float | None:
        """How long to wait before the same provider is asked once more, None: not at all."""
        if not one.may_retry:
            return None
        pause_s = _PAUSE_S if one.retry_after_s is None else one.retry_after_s
        if pause_s > _PATIENCE_S and not is_last:
            return None
        # Waiting beyond the deadline would only turn a clear refusal into a time-out.
        return pause_s if self._loop.time() + pause_s + _SHORTEST_S < ends_at else None

    def _breaker(self, settings: ProviderSettings, advisor: str) -> Breaker:
        """One for each who asks: what a shadow meets must not silence the trading advisor."""
        key = (advisor, settings.name, settings.base_url)
        if key not in self._breakers:
            self._breakers[key] = Breaker(self._loop.time)
        return self._breakers[key]

    async def _write_down(self, plan: LlmPlan, talk: Talk) -> None:
        if not plan.log_files or self._files is None:
            return
        try:
            async with asyncio.timeout(talk.request.question.deadline_s * _FILES_SHARE):
                for name, call in talk.calls():
                    await asyncio.to_thread(self._files.write, name, call)
        except TimeoutError:
            log.warning("The disk is too slow for log_llm_files: a call is not in logs/llm.")


def charged(one: Attempt | None, ticket: Ticket, settings: ProviderSettings) -> tuple[int, Decimal]:
    """Tokens and USD to count: the provider's own, the most it can be where it does not say."""
    if settings.is_stand_in:
        return 0, Decimal(0)
    used = Used() if one is None else one.used
    if one is not None and not one.may_cost and not (used.tokens_in or used.tokens_out):
        return 0, Decimal(0)
    tokens_in = used.tokens_in or ticket.tokens_in
    tokens_out = used.tokens_out or ticket.tokens_out
    usd = settings.cost(tokens_in, tokens_out) or Decimal(0)
    return min(tokens_in + tokens_out, MAX_TOKENS), usd


def replayed(one: Attempt) -> Attempt:
    """The same attempt as a failure: its answer belongs to an earlier question (L14)."""
    assert one.answer is not None
    return msgspec.structs.replace(
        one,
        answer=None,
        reason=Reason.ADVICE_MALFORMED,
        error=f"{one.settings.name} sent the completion of an earlier question again",
        raw=one.answer.raw,
    )
