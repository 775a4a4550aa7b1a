"""One tiny question to one provider: does it answer, how fast, and what does that cost."""

from decimal import Decimal

import msgspec

from simple_trader.adapters.llm.attempt import attempt
from simple_trader.adapters.llm.clients import Clients
from simple_trader.adapters.llm.provider import ProviderSettings, payload_text

_WORDS = "Answer with the one word: ok"
_TOKENS = 16
_TOKENS_TO_THINK = 256


class Probed(msgspec.Struct, frozen=True, kw_only=True):
    """How it went; `error` is empty where it answered, `model` is how it calls itself."""

    error: str
    status: int | None
    model: str
    latency_ms: int
    tokens: int
    cost_usd: Decimal | None


async def probe(settings: ProviderSettings, *, limit_s: float) -> Probed:
    """Ask, within `limit_s` seconds; no tool and no prompt of ours is sent."""
    if fault := settings.fault():
        return Probed(error=fault, status=None, model="", latency_ms=0, tokens=0, cost_usd=None)
    most = _TOKENS_TO_THINK if settings.is_reasoning else _TOKENS
    small = msgspec.structs.replace(settings, max_tokens=most)
    clients = Clients()
    try:
        await clients.warm((small,))  # the import of the SDK is no latency of the provider
        one = await attempt(
            clients, small, payload_text(small, _WORDS), limit_s=limit_s, expected_function=None
        )
    finally:
        await clients.close()
    return Probed(
        error=one.error,
        status=one.status,
        model=one.used.model,
        latency_ms=one.latency_ms,
        tokens=one.used.tokens_in + one.used.tokens_out,
        cost_usd=one.cost_usd,
    )
