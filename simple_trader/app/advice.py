"""The advisor of a run: who is asked, with the templates and prices of the right version."""

from collections import OrderedDict
from decimal import Decimal
from typing import Literal

from simple_trader.adapters.llm.assets import LlmAssets
from simple_trader.adapters.llm.call_files import CallFiles
from simple_trader.adapters.llm.gpt_manager import GPTManager
from simple_trader.adapters.llm.plan import Budget, LlmPlan, ShadowPlan
from simple_trader.adapters.llm.provider import STAND_IN_LABEL, STAND_IN_MODEL, ProviderSettings
from simple_trader.config.advisors import OURS, Provider, is_listed
from simple_trader.config.env import Secrets
from simple_trader.config.loader import PROMPT_TEMPLATE, TOOL_SCHEMA, Config, uses_stand_in
from simple_trader.config.schema import Settings
from simple_trader.domain.actions import AskAdvice
from simple_trader.domain.errors import ConfigError
from simple_trader.domain.events import AdviceArrived, AdviceFailed
from simple_trader.ports import AdviceHistory

KEPT_VERSIONS = 4
OPENAI_BASE_URL = "https://api.openai.com/v1"


def plan_of(config: Config, secrets: Secrets, stand_in_url: str | None) -> LlmPlan:
    """Who is asked under `config`; raises ModeError in live without a provider, and ConfigError."""
    settings = config.settings
    everyone = _everyone(settings, secrets, stand_in_url)
    limits = settings.llm_budget
    return LlmPlan(
        assets=assets_of(config),
        providers=tuple(
            one for one in everyone.values() if one.name not in _only_for_shadows(settings)
        ),
        shadows={
            shadow.name: ShadowPlan(
                assets=assets_of(config, shadow.template),
                provider=everyone[shadow.provider or next(iter(everyone))],
            )
            for shadow in settings.shadows
        },
        budget=Budget(
            tokens_per_hour=limits.tokens_per_hour,
            tokens_per_day=limits.tokens_per_day,
            usd_per_hour=limits.usd_per_hour,
            usd_per_day=limits.usd_per_day,
        ),
        log_files=settings.log_llm_files,
    )


def assets_of(config: Config, template: str = "") -> LlmAssets:
    """The tool schema of a version with a template below prompts/, empty: that which is traded."""
    name = f"prompts/{template}" if template else PROMPT_TEMPLATE
    try:
        return LlmAssets.from_texts(config.templates[name], config.tools[TOOL_SCHEMA])
    except ValueError as error:
        raise ConfigError(f"{config.directories[1] / TOOL_SCHEMA}: {error}.") from error


def _everyone(
    settings: Settings, secrets: Secrets, stand_in_url: str | None
) -> dict[str, ProviderSettings]:
    """All providers by name, in their order."""
    if settings.providers:
        return {one.name: _named(one, settings, secrets) for one in settings.providers}
    stands_in = uses_stand_in(settings, secrets)  # raises ModeError
    if stands_in and stand_in_url is not None:
        one = _stand_in(settings, stand_in_url)
    else:
        one = _flat(settings, secrets)
    return {one.name: one}


def _only_for_shadows(settings: Settings) -> frozenset[str]:
    return frozenset(one.name for one in settings.providers if one.shadow_only)


def _named(one: Provider, settings: Settings, secrets: Secrets) -> ProviderSettings:
    key = secrets.provider_key(one.key_variable) if one.key_variable else None
    return ProviderSettings(
        name=one.name,
        base_url=one.base_url,
        model=one.model,
        api_key=key or None,
        key_variable=one.key_variable,
        answers=one.answers,
        is_reasoning=one.is_reasoning_model,
        reasoning_effort=one.reasoning_effort,
        max_tokens=one.max_tokens,
        temperature=one.temperature,
        timeout_s=one.timeout_seconds,
        price_in=one.price_in,
        price_out=one.price_out,
        reach=_reach(one.base_url, settings),
    )


def _flat(settings: Settings, secrets: Secrets) -> ProviderSettings:
    """The provider of the flat keys."""
    url = settings.openai_base_url or OPENAI_BASE_URL
    return ProviderSettings(
        name=settings.openai_base_url or "openai",
        base_url=url,
        model=settings.openai_model,
        api_key=secrets.openai_api_key or None,
        answers=_answers(settings),
        is_reasoning=settings.is_reasoning_model,
        reasoning_effort=settings.reasoning_effort,
        max_tokens=settings.model_max_tokens,
        timeout_s=settings.advice_deadline_seconds,
        reach=_reach(url, settings),
    )


def _stand_in(settings: Settings, url: str) -> ProviderSettings:
    return ProviderSettings(
        name=OURS,
        base_url=url,
        model=STAND_IN_MODEL,
        answers=_answers(settings),
        max_tokens=settings.model_max_tokens,
        timeout_s=settings.advice_deadline_seconds,
        label=STAND_IN_LABEL,
        price_in=Decimal(0),
        price_out=Decimal(0),
    )


def _answers(settings: Settings) -> Literal["tools", "content"]:
    return "tools" if settings.is_function_calling_model else "content"


def _reach(url: str, settings: Settings) -> Literal["any", "public", "listed"]:
    """Which addresses the host may have: in live public ones, or those a person listed (L19)."""
    if settings.mode != "live":
        return "any"
    return "listed" if is_listed(url, settings.llm_hosts) else "public"


class AdvisorDesk:
    """ports.Advisor: each question is asked with the version it was made under (I-50)."""

    def __init__(
        self, *, history: AdviceHistory | None = None, files: CallFiles | None = None
    ) -> None:
        """Knows no version yet; `history` is what went before this start."""
        self._versions: OrderedDict[str, LlmPlan] = OrderedDict()
        self._manager: GPTManager | None = None
        self._history, self._files = history, files

    def learn(self, config_hash: str, plan: LlmPlan) -> None:
        """Keep a version; the last few stay for questions that are on their way."""
        self._versions[config_hash] = plan
        self._versions.move_to_end(config_hash)
        while len(self._versions) > KEPT_VERSIONS:
            self._versions.popitem(last=False)
        if self._manager is None:
            self._manager = GPTManager(plan, history=self._history, files=self._files)

    def plan(self, config_hash: str) -> LlmPlan:
        """A version that was learnt; the newest where that one is gone."""
        newest = next(reversed(self._versions.values()))
        return self._versions.get(config_hash, newest)

    async def ask(self, request: AskAdvice) -> AdviceArrived | AdviceFailed:
        """Ask with the templates, schema and providers of the question's own version."""
        assert self._manager is not None, "a version is learnt before the first question"
        # No await between the two: a question keeps what it starts with.
        self._manager.update(self.plan(request.question.config_hash))
        return await self._manager.ask(request)

    async def warm(self) -> None:
        """Import the SDK ahead of the first question."""
        if self._manager is not None:
            await self._manager.warm()

    async def close(self) -> None:
        """Close the connections."""
        if self._manager is not None:
            await self._manager.close()
