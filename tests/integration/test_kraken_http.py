"""The HTTP client over a real socket: bodies whole, no redirects, no cookies, time-outs kept."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from simple_trader.adapters.kraken.http_client import HttpClient
from simple_trader.ports import HttpFailed

BIG = b"0123456789" * 300_000


async def echo(request: web.Request) -> web.Response:
    body = await request.read()
    said = f"{request.method} {request.headers.get('API-Key')} {request.headers['User-Agent']} "
    answer = web.Response(body=said.encode() + body)
    answer.set_cookie("session", "1")
    answer.headers["X-Cookies"] = str(len(request.cookies))
    if request.cookies:
        return web.Response(status=400)
    return answer


async def moved(_request: web.Request) -> web.Response:
    raise web.HTTPFound("/echo")


async def big(_request: web.Request) -> web.Response:
    return web.Response(body=BIG)


async def silent(_request: web.Request) -> web.Response:
    await asyncio.Event().wait()
    return web.Response()


@pytest.fixture
async def url() -> AsyncIterator[str]:
    app = web.Application()
    for path, handler in (("/echo", echo), ("/moved", moved), ("/big", big), ("/silent", silent)):
        app.router.add_route("*", path, handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    made = HttpClient("simple-trader/test")
    yield made
    await made.close()
    await made.close()


async def ask(client: HttpClient, url: str, limit_s: float = 5.0) -> tuple[int, bytes]:
    reply = await client.request(
        "POST", url, headers={"API-Key": "k"}, body=b"nonce=1", timeout_s=limit_s
    )
    return reply.status, reply.body


async def test_the_exact_body_and_headers_arrive(client: HttpClient, url: str) -> None:
    assert await ask(client, f"{url}/echo") == (200, b"POST k simple-trader/test nonce=1")


async def test_cookies_are_not_kept(client: HttpClient, url: str) -> None:
    assert [(await ask(client, f"{url}/echo"))[0] for _ in range(2)] == [200, 200]


async def test_redirects_are_not_followed_with_our_signature(client: HttpClient, url: str) -> None:
    status, _ = await ask(client, f"{url}/moved")
    assert status == 302


async def test_a_large_body_comes_whole(client: HttpClient, url: str) -> None:
    assert await ask(client, f"{url}/big") == (200, BIG)


async def test_silence_is_a_failure_within_the_limit(client: HttpClient, url: str) -> None:
    with pytest.raises(HttpFailed, match="no answer within"):
        await ask(client, f"{url}/silent", 0.05)


async def test_nobody_there_is_a_failure(client: HttpClient) -> None:
    with pytest.raises(HttpFailed):
        await ask(client, "http://127.0.0.1:9/")
