"""Who gives advice: the settings of one OpenAI-compatible provider and the request it is sent."""

import ipaddress
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec

from simple_trader.adapters.llm.assets import LlmAssets, function_name, tool_for


class Revealing(Protocol):
    """A secret that shows itself only when asked to."""

    def reveal(self) -> str:
        """The secret in clear."""
        ...


class ProviderSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One provider; `label` is how it is called wherever it shows, empty: the model's own name.

    `timeout_s` is the total transport time of one question, retry included. `api_key` may be None
    for servers that ask for none.
    """

    name: str
    base_url: str
    model: str
    api_key: Any = None  # Revealing | None: msgspec knows no Protocol
    is_function_calling: bool = True
    is_reasoning: bool = False
    reasoning_effort: str | None = None
    max_tokens: int = 2_000
    temperature: float = 0.3
    timeout_s: float = 60.0
    label: str = ""

    @property
    def key(self) -> str:
        """The API key in clear, or a word that is no secret where none is needed."""
        if self.api_key is None:
            return _NO_KEY
        secret: Revealing = self.api_key
        return secret.reveal().strip() or _NO_KEY

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
        if parts.username or parts.password:
            return f"base_url of {self.name} must not hold a user name or password"
        if not (self.key.isascii() and self.key.isprintable()):
            return f"the API key of {self.name} holds characters that no key has"
        return ""

    def scrub(self, text: str) -> str:
        """`text` on one line, without the key and without control characters, 300 at most.

        Providers like to repeat a refused key in their error.
        """
        if self.key != _NO_KEY:
            text = text.replace(self.key, "***")
        printable = "".join(char if char.isprintable() else " " for char in text)
        return " ".join(printable.split())[:300]


_NO_KEY = "none"


def payload(
    settings: ProviderSettings, assets: LlmAssets, prompt: str, pairs: tuple[str, ...]
) -> dict[str, Any]:
    """The body of one chat completion; `response_format` is left out, not every server knows it."""
    body: dict[str, Any] = {
        "model": settings.model,
        "messages": [{"role": "user", "content": prompt}],
    }
    if settings.is_reasoning:
        body["max_completion_tokens"] = settings.max_tokens
        if settings.reasoning_effort:
            body["reasoning_effort"] = settings.reasoning_effort
    else:
        body["max_tokens"] = settings.max_tokens
        body["temperature"] = settings.temperature
    if settings.is_function_calling:
        body["tools"] = [tool_for(assets.tool_schema, pairs)]
        name = function_name(assets.tool_schema)
        body["tool_choice"] = {"type": "function", "function": {"name": name}}
    return body
