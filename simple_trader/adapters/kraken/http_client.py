"""One HTTP request with a time-out, by aiohttp: no redirects, cookies or proxies."""

import asyncio
from collections.abc import Mapping

import aiohttp

from simple_trader.ports import HttpFailed, HttpReply

_MAX_BODY = 64 * 1024 * 1024


class HttpClient:
    """The real part behind `ports.Http`; its connections are kept between requests."""

    def __init__(self, user_agent: str) -> None:
        """Nothing is opened before the first request."""
        self._user_agent = user_agent
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout_s: float,
    ) -> HttpReply:
        """Send and wait for the whole body; raises HttpFailed."""
        session = self._open()
        try:
            async with (
                asyncio.timeout(timeout_s),
                session.request(
                    method, url, headers=dict(headers), data=body, allow_redirects=False
                ) as answer,
            ):
                text = await answer.content.read(_MAX_BODY)
                if not answer.content.at_eof():
                    text += await self._rest(answer, len(text))
                return HttpReply(answer.status, text)
        except TimeoutError:
            raise HttpFailed(f"no answer within {timeout_s:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise HttpFailed(f"{type(error).__name__}: {error}") from None

    @staticmethod
    async def _rest(answer: aiohttp.ClientResponse, so_far: int) -> bytes:
        parts: list[bytes] = []
        while part := await answer.content.read(_MAX_BODY):
            parts.append(part)
            so_far += len(part)
            if so_far > _MAX_BODY:
                raise HttpFailed(f"an answer of more than {_MAX_BODY} bytes")
        return b"".join(parts)

    async def close(self) -> None:
        """Close what is open; may be called twice."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers={"User-Agent": self._user_agent},
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
                trust_env=False,
            )
        return self._session
