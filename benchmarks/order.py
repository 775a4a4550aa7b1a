"""An order's round trip, request to acknowledgement: our client, python-kraken-sdk and a bare
socket.

Run: make bench ARGS=order. A sandbox each, in processes of their own on loopback; each places
resting limit orders one after the other and cancels them, in turn, round by round. The bare
socket sends ready-made text and looks for its request id: what the exchange and the loop alone
cost.
"""

import argparse
import asyncio
import base64
import hashlib
import hmac
import json
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import kraken.base_api
from kraken.spot import SpotWSClient
from websockets.asyncio.client import connect

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from simple_trader.adapters.kraken.auth import Credentials
from simple_trader.adapters.kraken.connection import open_wire
from simple_trader.adapters.kraken.http_client import HttpClient
from simple_trader.adapters.kraken.rest_client import RestClient
from simple_trader.adapters.kraken.rest_manager import KrakenRest
from simple_trader.adapters.kraken.ws_manager import KrakenVenue
from simple_trader.config.env import Secret
from simple_trader.domain.events import Event, FeedUp, OrderAcked
from simple_trader.domain.moments import floor_ms
from simple_trader.domain.orders import OrderRequest, OrderType, Side, TimeInForce
from simple_trader.ports import FeedPlan
from simple_trader.runtime.clocks import SystemClock

ROOT = Path(__file__).resolve().parents[1]
KEY, SIGNING_TEXT = "sandbox-key", "c2FuZGJveC1zZWNyZXQ="
PRICE = Decimal("1000.0")  # far below the market: it rests
Trip = Callable[[int], Awaitable[None]]


class _NoMark:
    def load(self) -> int:
        return 0

    def save(self, nonce: int) -> None:
        """Nothing to keep."""


async def ours(stack: AsyncExitStack, url: str) -> tuple[Trip, Trip]:
    """The daemon's venue: encode, audit, send, typed reply."""
    http, clock = HttpClient("benchmark"), SystemClock()
    stack.push_async_callback(http.close)
    client = RestClient(
        url=url,
        http=http,
        clock=clock,
        dice=Random(1),
        credentials=Credentials(Secret(KEY), Secret(SIGNING_TEXT)),
        high_water=_NoMark(),
    )
    events: list[Event] = []

    async def room() -> None:
        """There is always room."""

    venue = KrakenVenue(
        public_url=url.replace("http", "ws") + "/v2",
        private_url=url.replace("http", "ws") + "/auth/v2",
        rest=KrakenRest(client),
        clock=clock,
        dice=Random(2),
        open_wire=open_wire,
        emit=events.append,
        room=room,
    )
    group = await stack.enter_async_context(asyncio.TaskGroup())
    running = group.create_task(venue.run())
    stack.callback(running.cancel)
    venue.apply(FeedPlan(pairs=(), public=False, private=True, book=False, book_depth=10))
    while not any(isinstance(event, FeedUp) for event in events):
        await asyncio.sleep(0.01)

    async def place(number: int) -> None:
        request = OrderRequest(
            cl_ord_id=f"ours-{number}",
            pair="BTC/USD",
            side=Side.BUY,
            order_type=OrderType.LIMIT,
            qty=Decimal("0.001"),
            limit_price=PRICE,
            time_in_force=TimeInForce.GTC,
            post_only=True,
            expire_at=None,
            deadline=floor_ms(clock.now() + timedelta(seconds=5)),
        )
        wire = venue.encode_order(request)
        assert venue.decode_order(wire) == request
        answer = await venue.place(request, wire)
        assert isinstance(answer, OrderAcked), answer

    async def clear(_: int) -> None:
        await venue.cancel_all()

    return place, clear


async def python_kraken_sdk(stack: AsyncExitStack, url: str) -> tuple[Trip, Trip]:
    """python-kraken-sdk's websocket client; it hands every message to one callback."""
    waiting: dict[int, asyncio.Future[None]] = {}

    async def heard(message: Any) -> None:
        future = waiting.pop(message.get("req_id", 0), None) if isinstance(message, dict) else None
        if future is not None:
            assert message["success"], message
            future.set_result(None)

    kraken.base_api.SpotClient.URL = url
    client = SpotWSClient(
        key=KEY,
        secret=SIGNING_TEXT,
        callback=heard,
        rest_url=url,
        ws_url=url.replace("http", "ws"),
        auth_ws_url=url.replace("http", "ws") + "/auth",
    )
    await client.start()
    stack.push_async_callback(client.close)
    await client.subscribe(params={"channel": "executions"})

    async def ask(method: str, params: dict[str, Any], req_id: int) -> None:
        waiting[req_id] = future = asyncio.get_running_loop().create_future()
        await client.send_message({"method": method, "params": params, "req_id": req_id})
        await future

    async def place(number: int) -> None:
        await ask("add_order", order_of("sdk", number), number)

    async def clear(number: int) -> None:
        await ask("cancel_all", {}, number)

    return place, clear


async def bare_socket(stack: AsyncExitStack, url: str) -> tuple[Trip, Trip]:
    """A socket and ready-made text."""
    async with aiohttp.ClientSession() as http:
        body = f"nonce={time.time_ns()}"
        path = "/0/private/GetWebSocketsToken"
        digest = hashlib.sha256((body[6:] + body).encode()).digest()
        mac = hmac.new(base64.b64decode(SIGNING_TEXT), path.encode() + digest, hashlib.sha512)
        headers = {
            "API-Key": KEY,
            "API-Sign": base64.b64encode(mac.digest()).decode(),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        async with http.post(url + path, data=body, headers=headers) as answer:
            token = (await answer.json())["result"]["token"]
    address = url.replace("http", "ws") + "/auth/v2"
    line = await stack.enter_async_context(connect(address, compression=None))

    async def ask(method: str, params: dict[str, Any], req_id: int) -> None:
        request = {"method": method, "params": {**params, "token": token}, "req_id": req_id}
        await line.send(json.dumps(request))
        mark = f'"req_id":{req_id},'.encode()
        while mark not in (reply := await line.recv(decode=False)):
            continue
        assert b'"success":true' in reply, reply

    async def place(number: int) -> None:
        await ask("add_order", order_of("bare", number), number)

    async def clear(number: int) -> None:
        await ask("cancel_all", {}, number)

    return place, clear


def order_of(name: str, number: int) -> dict[str, Any]:
    """The parameters of the resting order that all of them place."""
    deadline = datetime.now(UTC) + timedelta(seconds=5)
    return {
        "order_type": "limit",
        "side": "buy",
        "symbol": "BTC/USD",
        "order_qty": 0.001,
        "limit_price": float(PRICE),
        "post_only": True,
        "deadline": deadline.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "cl_ord_id": f"{name}-{number}",
    }


Make = Callable[[AsyncExitStack, str], Awaitable[tuple[Trip, Trip]]]
CONTESTANTS: dict[str, Make] = {
    "ours": ours,
    "python-kraken-sdk": python_kraken_sdk,
    "bare socket": bare_socket,
}


async def measure(urls: list[str], orders: int, rounds: int) -> dict[str, list[list[float]]]:
    """Milliseconds of each order, by contestant and round."""
    spans: dict[str, list[list[float]]] = {name: [] for name in CONTESTANTS}
    async with AsyncExitStack() as stack:
        ready = {
            name: await make(stack, url)
            for (name, make), url in zip(CONTESTANTS.items(), urls, strict=True)
        }
        number = 0
        for _ in range(rounds):
            for name, (place, clear) in ready.items():
                found = []
                for _ in range(orders):
                    number += 1
                    began = time.perf_counter()
                    await place(number)
                    found.append((time.perf_counter() - began) * 1000)
                spans[name].append(found)
                number += 1
                await clear(number)
    return spans


def main() -> int:
    """Print medians, 99th percentiles and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=50, help="in one round")
    parser.add_argument("--rounds", type=int, default=10)
    chosen = parser.parse_args()
    with ExitStack() as stack:
        # A sandbox each: one key cannot serve programs that count their nonces differently.
        urls = [stack.enter_context(sandbox()) for _ in CONTESTANTS]
        spans = asyncio.run(measure(urls, chosen.orders, chosen.rounds))
    medians = {name: [statistics.median(r) for r in found] for name, found in spans.items()}
    print(f"{chosen.rounds} rounds of {chosen.orders} orders in turn, request to acknowledgement")
    for name, found in spans.items():
        every = sorted(span for part in found for span in part)
        ratios = [o / m for o, m in zip(medians["ours"], medians[name], strict=True)]
        print(
            f"  {name:20} median {statistics.median(every):6.2f} ms, 99th percentile "
            f"{every[int(len(every) * 0.99)]:6.2f} ms  ours takes {statistics.median(ratios):.2f} x"
            f" ({min(ratios):.2f} to {max(ratios):.2f})"
        )
    return 0


@contextmanager
def sandbox() -> Iterator[str]:
    """A sandbox process; its address."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    call = [sys.executable, "-m", "simple_trader", "sandbox", "--port", str(port), "--seed", "7"]
    call += ["--pairs", "BTC/USD", "--no-counters"]  # a burst like this is over Kraken's limits
    with subprocess.Popen(call, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


if __name__ == "__main__":
    sys.exit(main())
