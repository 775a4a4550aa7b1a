"""The advisor of a run: which provider is asked, with the templates of the right version."""

from collections import OrderedDict

from simple_trader.adapters.llm.assets import LlmAssets
from simple_trader.adapters.llm.gpt_manager import STAND_IN_LABEL, STAND_IN_MODEL, GPTManager
from simple_trader.adapters.llm.provider import ProviderSettings
from simple_trader.config.env import Secrets
from simple_trader.config.loader import PROMPT_TEMPLATE, TOOL_SCHEMA, Config, uses_stand_in
from simple_trader.domain.actions import AskAdvice
from simple_trader.domain.errors import ConfigError
from simple_trader.domain.events import AdviceArrived, AdviceFailed

KEPT_VERSIONS = 4
OPENAI_BASE_URL = "https://api.openai.com/v1"


def provider_of(config: Config, secrets: Secrets, stand_in_url: str | None) -> ProviderSettings:
    """The provider that `config` names, or the sandbox's stand-in; raises ModeError in live."""
    settings = config.settings
    if stand_in_url is not None and uses_stand_in(settings, secrets):
        return ProviderSettings(
            name="sandbox",
            base_url=stand_in_url,
            model=STAND_IN_MODEL,
            is_function_calling=settings.is_function_calling_model,
            max_tokens=settings.model_max_tokens,
            timeout_s=settings.advice_deadline_seconds,
            label=STAND_IN_LABEL,
        )
    uses_stand_in(settings, secrets)
    return ProviderSettings(
        name="openai" if not settings.openai_base_url else settings.openai_base_url,
        base_url=settings.openai_base_url or OPENAI_BASE_URL,
        model=settings.openai_model,
        api_key=secrets.openai_api_key or None,
        is_function_calling=settings.is_function_calling_model,
        is_reasoning=settings.is_reasoning_model,
        reasoning_effort=settings.reasoning_effort,
        max_tokens=settings.model_max_tokens,
        timeout_s=settings.advice_deadline_seconds,
    )


def assets_of(config: Config) -> LlmAssets:
    """Template and tool schema of a configuration version."""
    try:
        return LlmAssets.from_texts(config.templates[PROMPT_TEMPLATE], config.tools[TOOL_SCHEMA])
    except ValueError as error:
        raise ConfigError(f"{config.directories[1] / TOOL_SCHEMA}: {error}.") from error


class AdvisorDesk:
    """ports.Advisor: each question is asked with the version it was made under (I-50)."""

    def __init__(self) -> None:
        """Knows no version yet."""
        self._versions: OrderedDict[str, tuple[LlmAssets, ProviderSettings]] = OrderedDict()
        self._manager: GPTManager | None = None

    def learn(self, config_hash: str, assets: LlmAssets, provider: ProviderSettings) -> None:
        """Keep a version; the last few stay for questions that are on their way."""
        self._versions[config_hash] = (assets, provider)
        self._versions.move_to_end(config_hash)
        while len(self._versions) > KEPT_VERSIONS:
            self._versions.popitem(last=False)
        if self._manager is None:
            self._manager = GPTManager(assets, provider)

    async def ask(self, request: AskAdvice) -> AdviceArrived | AdviceFailed:
        """Ask with the templates, schema and provider of the question's own version."""
        assert self._manager is not None, "a version is learnt before the first question"
        newest = next(reversed(self._versions.values()))
        version = self._versions.get(request.question.config_hash, newest)
        # No await between the two: a question keeps what it starts with.
        self._manager.update(*version)
        return await self._manager.ask(request)

    async def warm(self) -> None:
        """Import the SDK ahead of the first question."""
        if self._manager is not None:
            await self._manager.warm()

    async def close(self) -> None:
        """Close the connections."""
        if self._manager is not None:
            await self._manager.close()
