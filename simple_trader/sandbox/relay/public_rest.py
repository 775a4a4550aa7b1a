"""Kraken's public REST as it is: path and query go out, status, type and body come back.

A request is made anew from nothing but path, query and (for POST) a form: no header of the client
is copied, so no key or signature can leave (I-44). Bodies come back unchanged, transport
compression aside.
"""

import asyncio

import aiohttp
import msgspec
from yarl import URL

from simple_trader.sandbox.relay.gate import is_public_form, is_public_path

USER_AGENT = "simple-trader-relay"
TIMEOUT_S = 20.0
MAX_BODY = 64 * 1024 * 1024
MAX_FORM = 16 * 1024
_CHUNK = 256 * 1024
_FORM = "application/x-www-form-urlencoded"


class Answer(msgspec.Struct, frozen=True):
    """A response to hand on: HTTP status, content type as sent (may be empty), body."""

    status: int
    content_type: str
    body: bytes


UNKNOWN = Answer(200, "application/json", b'{"error":["EGeneral:Unknown method"]}')
BAD_ARGUMENTS = Answer(200, "application/json", b'{"error":["EGeneral:Invalid arguments"]}')
UNREACHABLE = Answer(502, "application/json", b'{"error":["EService:Unavailable"]}')


class PublicRest:
    """Asks the one upstream host; everything that is not a plain public request stays here."""

    def __init__(self, http: aiohttp.ClientSession, base: str) -> None:
        """`base` is scheme and host, from `read_upstream`."""
        self._http = http
        self._base = base
        self.trouble: str | None = None

    async def answer(self, method: str, raw_path: str, form: bytes = b"") -> Answer:
        """Pass one request on; `raw_path` as it stood on the request line, query included."""
        path, _, query = raw_path.partition("?")
        if not is_public_path(path) or method not in ("GET", "POST"):
            return UNKNOWN
        if not is_public_form(query) or len(form) > MAX_FORM:
            return BAD_ARGUMENTS
        if method == "POST" and (not form.isascii() or not is_public_form(form.decode())):
            return BAD_ARGUMENTS
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await self._ask(method, raw_path, form)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            self.trouble = f"{self._base} does not answer ({why(error)})"
            return UNREACHABLE

    async def _ask(self, method: str, raw_path: str, form: bytes) -> Answer:
        headers = {"User-Agent": USER_AGENT, "Accept": "*/*"}
        if method == "POST":
            headers["Content-Type"] = _FORM
        async with self._http.request(
            method,
            URL(self._base + raw_path, encoded=True),
            headers=headers,
            data=form if method == "POST" else None,
            allow_redirects=False,
        ) as response:
            body = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK):
                body += chunk
                if len(body) > MAX_BODY:
                    self.trouble = f"{self._base} sent more than {MAX_BODY} bytes"
                    return UNREACHABLE
            self.trouble = None
            kind = response.headers.get("Content-Type", "")
            return Answer(response.status, kind, bytes(body))


def why(error: Exception) -> str:
    """Say in a few words why a connection failed."""
    return "no answer in time" if isinstance(error, TimeoutError) else str(error)


def public_client() -> aiohttp.ClientSession:
    """Make the client of all relayed traffic: no cookies, no proxy of the environment's choice."""
    return aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
