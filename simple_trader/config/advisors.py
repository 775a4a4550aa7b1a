"""Who may be asked for advice: providers, shadows, budgets, and the hosts of mode live (L19)."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Literal
from urllib.parse import urlsplit

from simple_trader.config.fields import (
    BaseUrl,
    Flag,
    KeyVariable,
    Money,
    Name,
    Price,
    Real,
    Section,
    Text,
    Whole,
    setting,
)

# Mode live sends prompts (and keys) to no other host, unless llm_hosts names it.
KNOWN_HOSTS = frozenset(
    {
        "api.openai.com",
        "api.anthropic.com",
        "api.cohere.ai",
        "api.cohere.com",
        "api.deepseek.com",
        "api.groq.com",
        "api.mistral.ai",
        "api.together.xyz",
        "api.x.ai",
        "generativelanguage.googleapis.com",
        "openrouter.ai",
    }
)


OURS = "sandbox"


class Provider(Section):
    """One OpenAI-compatible provider of advice."""

    name: Name = setting(..., "How it is called here: a-z, 0-9, - and _.")
    base_url: BaseUrl = setting(..., "Address, as https://api.openai.com/v1.", min_length=1)
    model: Text = setting(..., "Model that is asked.", min_length=1, max_length=200)
    key_variable: KeyVariable = setting(
        "", "Variable of .env or the environment with its key, as OPENAI_API_KEY; empty: none."
    )
    temperature: Real = setting(0.3, "Spread of its words.", ge=0, le=2)
    max_tokens: Whole = setting(
        2000, "Upper bound of an answer.", unit="tokens", ge=64, le=200_000
    )  # fmt: skip
    is_reasoning_model: Flag = setting(
        False, "Whether it takes reasoning_effort instead of a temperature."
    )
    reasoning_effort: Literal["low", "medium", "high"] = setting(
        "low", "How long a reasoning model thinks."
    )
    answers: Literal["tools", "json_schema", "content"] = setting(
        "tools", "What it can do: a tool call, a strict JSON schema, or plain JSON in the text."
    )
    price_in: Price = setting(
        None, "What the prompt costs; empty: not known.", unit="USD per million tokens", ge=0,
        le=Decimal(100_000),
    )  # fmt: skip
    price_out: Price = setting(
        None, "What the answer costs; empty: not known.", unit="USD per million tokens", ge=0,
        le=Decimal(100_000),
    )  # fmt: skip
    timeout_seconds: Whole = setting(
        30, "Longest wait for one attempt; advice_deadline_seconds bounds them all together.",
        unit="seconds", ge=1, le=900,
    )  # fmt: skip
    shadow_only: Flag = setting(False, "Whether only shadows ask it: it is never traded on.")


class Shadow(Section):
    """A model or prompt that is asked, marked and never traded."""

    name: Name = setting(..., "How it is called here: a-z, 0-9, - and _.")
    provider: Text = setting("", "Name of the provider that is asked; empty: the first one.")
    template: Text = setting(
        "", "File below prompts/ of templates_dir; empty: that of the trading advisor."
    )


class LlmBudget(Section):
    """What advice may cost; a question beyond it is not asked, and the answer is HOLD (L17)."""

    tokens_per_hour: Whole = setting(
        500_000, "Most tokens, in and out, in any hour.", unit="tokens", ge=0, le=10**12,
        limit=True,
    )  # fmt: skip
    tokens_per_day: Whole = setting(
        3_000_000, "Most tokens, in and out, in any 24 hours.", unit="tokens", ge=0, le=10**12,
        limit=True,
    )  # fmt: skip
    usd_per_hour: Money = setting(
        Decimal(2), "Most money in any hour, by the prices of `providers`.", unit="USD", ge=0,
        le=Decimal(100_000), limit=True,
    )  # fmt: skip
    usd_per_day: Money = setting(
        Decimal(10), "Most money in any 24 hours, by the prices of `providers`.", unit="USD", ge=0,
        le=Decimal(100_000), limit=True,
    )  # fmt: skip


def advisor_faults(
    providers: Sequence[Provider],
    shadows: Sequence[Shadow],
    flat: Sequence[str],
    flat_url: str,
    pinned: Sequence[str] | None,
) -> Iterator[str]:
    """What does not fit together, a sentence each.

    `flat` names the flat keys that were changed; `pinned` are the further hosts of mode live, None
    in other modes, where any host may be asked.
    """
    names = [provider.name for provider in providers]
    if providers and flat:
        yield (
            f"{flat[0]} and providers both describe the advisor: say it in providers alone and "
            f"delete {', '.join(flat)} from this file"
        )
    for what, found in (("providers", names), ("shadows", [shadow.name for shadow in shadows])):
        for name in sorted({name for name in found if found.count(name) > 1}):
            yield f"{what}: the name {name} stands twice"
    if OURS in names:
        yield f"providers: the name {OURS} is that of the stand-in advisor; choose another"
    if providers and all(provider.shadow_only for provider in providers):
        yield "providers: all are shadow_only; one must be left to trade on"
    for shadow in shadows:
        if shadow.provider and shadow.provider not in names:
            yield (f"shadows: {shadow.name} asks {shadow.provider}, which is none of the providers")
    if pinned is not None:
        urls = [("openai_base_url", flat_url)] if flat_url else []
        for name, url in [*urls, *((f"providers: {p.name}", p.base_url) for p in providers)]:
            if trouble := host_trouble(url, pinned):
                yield f"{name}: {trouble}"


def host_trouble(url: str, llm_hosts: Sequence[str]) -> str | None:
    """Why mode live may not ask `url` for advice, or None (L19)."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    try:
        port = parts.port
    except ValueError:
        return "its port is no number from 0 to 65535"
    if is_listed(url, llm_hosts):
        return None
    if host not in KNOWN_HOSTS:
        return f"mode live asks only known LLM hosts; add {host} to llm_hosts if you trust it"
    if parts.scheme != "https" or port not in {None, 443}:
        return f"mode live asks {host} by https:// at its own port only"
    return None


def is_listed(url: str, llm_hosts: Sequence[str]) -> bool:
    """Whether llm_hosts names the host of `url`, alone or with its port."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return host in llm_hosts or f"{host}:{port}" in llm_hosts
