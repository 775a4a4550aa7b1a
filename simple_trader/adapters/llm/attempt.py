"""One attempt at one provider: an answer, or why there is none, in bounded time (L01)."""

import asyncio
from decimal import Decimal
from typing import Any

import msgspec

from simple_trader.adapters.llm.answers import Answer, Unusable, Used, read_answer
from simple_trader.adapters.llm.clients import Clients
from simple_trader.adapters.llm.provider import ProviderSettings
from simple_trader.adapters.llm.transport import BadStatus, NoConnection, Received, exchange
from simple_trader.domain.reasons import Reason

SHORTEST_KEY = 12  # anything shorter may be a word of the answer, as `ollama`
MAX_RAW = 65_536  # of what came instead of an answer: enough to see what it was


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """How it ended: with `answer`, or with `reason` and `error`.

    `raw` is what came instead of an answer. `its_fault` says that the provider failed, rather than
    that its model said nothing usable: then another provider is asked. `sent_tokens` is whether the
    provider can have charged for it.
    """

    settings: ProviderSettings
    answer: Answer | None = None
    reason: Reason = Reason.ADVICE_FAILED
    error: str = ""
    raw: str = ""
    status: int | None = None
    used: Used = Used()
    latency_ms: int = 0
    its_fault: bool = False
    may_retry: bool = False
    retry_after_s: float | None = None
    may_cost: bool = True
    budget_tokens: int = 0  # what it counts for against llm_budget
    budget_usd: Decimal = Decimal(0)

    @property
    def cost_usd(self) -> Decimal | None:
        """What the provider charged by its own count, None where prices or tokens are not known."""
        used = self.used
        if used.tokens_in and used.tokens_out:
            return self.settings.cost(used.tokens_in, used.tokens_out)
        return None if self.may_cost else Decimal(0)


async def attempt(
    clients: Clients,
    settings: ProviderSettings,
    body: dict[str, Any],
    *,
    limit_s: float,
    expected_function: str | None,
) -> Attempt:
    """Send `body` and read the answer within `limit_s`; never raises but when it is cancelled."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    received = Received()

    def ended(**how: Any) -> Attempt:
        how.setdefault("status", received.status)
        took_ms = round((loop.time() - begun) * 1_000)
        return Attempt(settings=settings, latency_ms=took_ms, **how)

    def broke(reason: Reason, error: str, **how: Any) -> Attempt:
        how.setdefault("raw", settings.without_key(received.text)[:MAX_RAW])
        return ended(reason=reason, error=settings.scrub(error), **how)

    try:
        async with asyncio.timeout(limit_s), clients.lend(settings) as client:
            await exchange(client, body, received)
        answer = _without_key(
            read_answer(bytes(received.body), expected_function=expected_function), settings
        )
    except TimeoutError:
        error = f"{settings.name}: no complete answer within {limit_s:.3g} s"
        return broke(Reason.ADVICE_TIMEOUT, error, its_fault=True)
    except Unusable as error:
        used = error.used or Used()
        return broke(
            error.reason,
            error.detail,
            used=msgspec.structs.replace(used, model=settings.without_key(used.model)),
            its_fault=error.its_fault,
        )
    except BadStatus as error:
        return broke(
            Reason.ADVICE_FAILED,
            f"{settings.name} answered HTTP {error.status}: {error.text}",
            raw=settings.without_key(error.text)[:MAX_RAW],
            status=error.status,
            its_fault=True,
            may_retry=error.may_retry,
            retry_after_s=error.retry_after_s,
            may_cost=error.status == 408 or error.status >= 500,
        )
    except NoConnection as error:
        sentence = f"{settings.name} cannot be reached: {error}"
        return broke(Reason.ADVICE_FAILED, sentence, its_fault=True, may_cost=error.was_sent)
    used = Used(
        model=answer.model,
        tokens_in=answer.tokens_in,
        tokens_out=answer.tokens_out,
        completion=answer.completion,
    )
    return ended(answer=answer, used=used)


def _without_key(answer: Answer, settings: ProviderSettings) -> Answer:
    """A provider that sends our key back does not get it into a row; a short word is no key."""
    if len(settings.key) < SHORTEST_KEY:
        return answer
    texts = {name: getattr(answer, name) for name in ("raw", "model", "finish_reason")}
    return msgspec.structs.replace(
        answer, **{name: settings.without_key(text) for name, text in texts.items()}
    )
