"""Who gives advice: the settings of one OpenAI-compatible provider and the request it is sent."""

import ipaddress
from decimal import Decimal
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

import msgspec

from simple_trader.adapters.llm.assets import LlmAssets, function_name, tool_for

STAND_IN_MODEL = "stand-in-advisor"
STAND_IN_LABEL = "stand-in advisor, not an LLM"
_MILLION = Decimal(1_000_000)


class Revealing(Protocol):
    """A secret that shows itself only when asked to."""

    def reveal(self) -> str:
        """The secret in clear."""
        ...


class ProviderSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One provider; `label` is how it is called wherever it shows, empty: the model's own name.

    `timeout_s` bounds one attempt. `api_key` may be None for servers that ask for none. `answers`
    is what it can do: a tool call, a strict JSON schema, or plain JSON in the content. Prices are
    USD per million tokens, None where not known. `reach` is which addresses its host may have:
    `any`, `public` (a known host of mode live) or `listed` (one that llm_hosts names, L19).
    """

    name: str
    base_url: str
    model: str
    api_key: Any = None  # Revealing | None: msgspec knows no Protocol
    key_variable: str = ""
    answers: Literal["tools", "json_schema", "content"] = "tools"
    is_reasoning: bool = False
    reasoning_effort: str | None = None
    max_tokens: int = 2_000
    temperature: float = 0.3
    timeout_s: float = 60.0
    label: str = ""
    price_in: Decimal | None = None
    price_out: Decimal | None = None
    reach: Literal["any", "public", "listed"] = "any"

    @property
    def key(self) -> str:
        """The API key in clear, or a word that is no secret where none is needed."""
        if self.api_key is None:
            return _NO_KEY
        secret: Revealing = self.api_key
        return secret.reveal().strip() or _NO_KEY

    @property
    def is_stand_in(self) -> bool:
        """Whether it is the sandbox's own: it costs nothing and answers the same to the same."""
        return self.label == STAND_IN_LABEL

    @property
    def is_local(self) -> bool:
        """Whether `base_url` is on loopback: then no proxy of the environment is used."""
        host = urlsplit(self.base_url).hostname or ""
        if host == "localhost":
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False

    def fault(self) -> str:
        """What makes these settings unusable, in one sentence that names the setting; else empty.

        A key is never repeated.
        """
        try:
            parts = urlsplit(self.base_url)
            port = parts.port
        except ValueError as error:
            return f"base_url of {self.name} is no address: {error}"
        if not self.base_url.isprintable() or parts.scheme not in {"http", "https"}:
            return f"base_url of {self.name} must begin with http:// or https://"
        if not parts.hostname or port == 0:
            return f"base_url of {self.name} names no host"
        if not is_host(parts.hostname):
            return f"base_url of {self.name} names a host that cannot be"
        if len(self.base_url) > _MAX_URL:
            return f"base_url of {self.name} is longer than {_MAX_URL} characters"
        if parts.username or parts.password:
            return f"base_url of {self.name} must not hold a user name or password"
        if self.key_variable and self.key == _NO_KEY:
            return f"{self.name} has no key: put {self.key_variable} into .env and start again"
        if not (self.key.isascii() and self.key.isprintable()):
            return f"the API key of {self.name} holds characters that no key has"
        return ""

    def scrub(self, text: str) -> str:
        """`text` on one line, without the key and without control characters, 300 at most.

        Providers like to repeat a refused key in their error.
        """
        printable = "".join(char if char.isprintable() else " " for char in self.without_key(text))
        return " ".join(printable.split())[:300]

    def without_key(self, text: str) -> str:
        """`text` with the key as `***`."""
        return text if self.key == _NO_KEY else text.replace(self.key, "***")

    def cost(self, tokens_in: int, tokens_out: int) -> Decimal | None:
        """USD for so many tokens at the prices of the configuration; None where one is missing."""
        if self.price_in is None or self.price_out is None:
            return None
        return (tokens_in * self.price_in + tokens_out * self.price_out) / _MILLION

    def params(self) -> str:
        """What goes with the prompt, as JSON with a fixed order: it stands in `llm_calls`."""
        shown: dict[str, Any] = {"answers": self.answers, "model": self.model}
        shown |= _knobs(self)
        return msgspec.json.encode(shown, order="sorted").decode()


def is_host(name: str) -> bool:
    """Whether it can be an address or a name of the DNS, a foreign one as its xn-- form."""
    labels = name.removesuffix(".").split(".")
    return name.isascii() and len(name) <= 253 and all(0 < len(one) <= 63 for one in labels)


_NO_KEY = "none"
_MAX_URL = 2_000


def _knobs(settings: ProviderSettings) -> dict[str, Any]:
    if settings.is_reasoning:
        knobs: dict[str, Any] = {"max_completion_tokens": settings.max_tokens}
        if settings.reasoning_effort:
            knobs["reasoning_effort"] = settings.reasoning_effort
        return knobs
    return {"max_tokens": settings.max_tokens, "temperature": settings.temperature}


def payload_text(settings: ProviderSettings, text: str) -> dict[str, Any]:
    """The body of one chat completion that asks for text."""
    return {
        "model": settings.model,
        "messages": [{"role": "user", "content": text}],
        **_knobs(settings),
    }


def payload(
    settings: ProviderSettings, assets: LlmAssets, prompt: str, pairs: tuple[str, ...]
) -> dict[str, Any]:
    """The body of one chat completion, as what the provider can do has it."""
    body = payload_text(settings, prompt)
    if settings.answers == "content":
        return body  # `response_format` is left out: not every server knows it
    tool = tool_for(assets.tool_schema, pairs)
    name = function_name(assets.tool_schema)
    if settings.answers == "tools":
        body["tools"] = [tool]
        body["tool_choice"] = {"type": "function", "function": {"name": name}}
    else:
        schema = {"name": name, "strict": True, "schema": tool["function"]["parameters"]}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return body
