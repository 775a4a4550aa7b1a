"""One bounded HTTP exchange through the openai SDK: no redirects, no retries of its own."""

import asyncio
import importlib
import logging
import re
from collections.abc import AsyncIterator, Mapping
from email.utils import mktime_tz, parsedate_tz
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from simple_trader.adapters.llm.answers import Unusable
from simple_trader.adapters.llm.guard import guarded_transport
from simple_trader.adapters.llm.provider import ProviderSettings
from simple_trader.domain.reasons import Reason

if TYPE_CHECKING:
    from openai import AsyncOpenAI

MAX_REPLY_BYTES = 1_048_576
_MAX_ERROR_BYTES = 4_096
_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")
_LONGEST_WAIT_S = 1e9
_PUT_OFF = ("openai.resources.chat.chat", "openai.resources.chat.completions.completions")
_LIBRARY_LOGS = ("openai", "httpx2", "httpcore2", "httpx", "httpcore")


class BadStatus(Exception):
    """An HTTP status other than 2xx, with the first bytes of its body as text."""

    def __init__(self, status: int, text: str, retry_after_s: float | None) -> None:
        """Keep all three."""
        super().__init__(f"HTTP {status}")
        self.status = status
        self.text = text
        self.retry_after_s = retry_after_s

    @property
    def may_retry(self) -> bool:
        """Whether asking once more can help: 408, 429 and 5xx."""
        return self.status in (408, 429) or self.status >= 500


class NoConnection(Exception):
    """The provider could not be reached or hung up; `was_sent`: it may have had the question."""

    def __init__(self, text: str, *, was_sent: bool) -> None:
        """Keep both."""
        super().__init__(text)
        self.was_sent = was_sent


class Received:
    """What came so far: kept by the caller, so that it is there when the exchange is cut."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.status: int | None = None
        self.body = bytearray()

    @property
    def text(self) -> str:
        """The body as text; wrong bytes become the replacement character."""
        return self.body.decode(errors="replace")


class _Reply(Protocol):
    """The part of an httpx response that a hook needs."""

    status_code: int
    headers: Mapping[str, str]

    def aiter_bytes(self) -> AsyncIterator[bytes]:
        """The body in pieces."""
        ...


async def open_client(settings: ProviderSettings) -> "AsyncOpenAI":
    """A client for one provider; the caller closes it.

    Raises NoConnection where the environment (proxies, certificates) lets none be made.
    """
    # The imports take about a second and run beside the loop; the SDK puts some off to their use.
    sdk: Any = await asyncio.to_thread(_import_sdk)
    for name in _LIBRARY_LOGS:
        # At DEBUG they write whole requests. What was asked is in llm_calls.
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        client: AsyncOpenAI = sdk.AsyncOpenAI(
            api_key=settings.key,
            base_url=settings.base_url,
            max_retries=0,
            timeout=settings.timeout_s,
            default_headers={
                "Accept-Encoding": "identity",  # what is counted is what is read
                "OpenAI-Organization": sdk.omit,  # else taken from the environment, for any host
                "OpenAI-Project": sdk.omit,
            },
            http_client=sdk.DefaultAsyncHttpx2Client(
                base_url=settings.base_url,
                follow_redirects=False,
                event_hooks={"response": [_refuse_bad_status]},
                **_way(settings),
            ),
        )
    except (ImportError, ValueError, OSError) as error:
        raise NoConnection(
            f"look at HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE of the environment ({error})",
            was_sent=False,
        ) from error
    return client


def _import_sdk() -> ModuleType:
    for name in _PUT_OFF:
        importlib.import_module(name)
    return importlib.import_module("openai")


def _way(settings: ProviderSettings) -> dict[str, Any]:
    """How its host is reached: in live by addresses that were looked at, and by no proxy (L19)."""
    if settings.reach == "any":
        return {"trust_env": not settings.is_local}
    return {"trust_env": False, "transport": guarded_transport(settings.reach)}


async def exchange(client: "AsyncOpenAI", body: dict[str, Any], received: Received) -> None:
    """Send `body` as a chat completion and fill `received`, with no more than MAX_REPLY_BYTES.

    Raises BadStatus, NoConnection, Unusable(ADVICE_TOO_LONG). The caller sets the deadline.
    """
    import httpx2  # the SDK's own client: its errors pass through while a body is streamed
    from openai import OpenAIError

    try:
        async with client.chat.completions.with_streaming_response.create(**body) as reply:
            received.status = reply.status_code
            async for piece in reply.iter_bytes():
                received.body += piece[: MAX_REPLY_BYTES + 1 - len(received.body)]
                if len(received.body) > MAX_REPLY_BYTES:
                    raise Unusable(
                        Reason.ADVICE_TOO_LONG, f"the reply is longer than {MAX_REPLY_BYTES} bytes"
                    )
    except (OpenAIError, httpx2.HTTPError, httpx2.InvalidURL, OSError, ExceptionGroup) as error:
        cause = error.__cause__ or error
        # Groups come from the race of a name's addresses, before there is a connection.
        before = (
            httpx2.ConnectError,
            httpx2.ConnectTimeout,
            httpx2.UnsupportedProtocol,
            ExceptionGroup,
        )
        raise NoConnection(
            f"{type(cause).__name__}: {cause}", was_sent=not isinstance(cause, before)
        ) from error


async def _refuse_bad_status(reply: _Reply) -> None:
    """Stop before the SDK reads an error's body, however long it is; redirects count as errors."""
    if 200 <= reply.status_code < 300:
        return
    text = bytearray()
    async for piece in reply.aiter_bytes():
        text += piece
        if len(text) >= _MAX_ERROR_BYTES:
            break
    raise BadStatus(
        reply.status_code,
        bytes(text[:_MAX_ERROR_BYTES]).decode(errors="replace"),
        _retry_after(reply.headers),
    )


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that it asks to wait: `retry-after-ms`, or `Retry-After` in seconds or as a date.

    A date is read against the reply's own `Date`, so that no clock of ours matters.
    """
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "").strip()
        if _SECONDS.fullmatch(value):
            return min(float(value) * unit_s, _LONGEST_WAIT_S)
    until, now = (_moment(headers.get(name, "")) for name in ("retry-after", "date"))
    return None if until is None or now is None else min(max(until - now, 0.0), _LONGEST_WAIT_S)


def _moment(date: str) -> float | None:
    """Unix seconds of a date as HTTP writes it, None where it is none."""
    parts = parsedate_tz(date)
    try:
        return None if parts is None else float(mktime_tz(parts))
    except (ValueError, OverflowError):
        return None
