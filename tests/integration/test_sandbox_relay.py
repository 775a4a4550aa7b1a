"""The relay over real sockets, against a second sandbox that plays Kraken."""

import asyncio
import json
from pathlib import Path

import aiohttp
import faulty_sandbox
import pytest
from aiohttp import WSMsgType
from faulty_sandbox import raw_private
from relay_server import PAIR, live, relay_of, trusted
from waiting import until

pytestmark = pytest.mark.timeout(60)


# ------------------------------------------------------------------------------ verbatim


def recorded(path: Path, connection: str, way: str) -> list[str]:
    """What a sandbox recorded of one connection."""
    rows = [json.loads(line) for line in path.read_bytes().splitlines()]
    return [
        row["text"] for row in rows if row.get("connection") == connection and row.get("way") == way
    ]


SAID = [
    '{"method":"subscribe","params":{"channel":"instrument"},"req_id":1}',
    '{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD","NO/PAIR"],"depth":10}}',
    ' {"method":"subscribe","params":{"channel":"ticker","symbol":["ETH/USD"],"snapshot":true}} ',
    '{"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USD"],"snapshot":true}}',
    '{"method":"subscribe","params":{"channel":"ohlc","symbol":["BTC/USD"],"interval":5}}',
    '{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD"],"depth":11}}',
    '{"method":"unsubscribe","params":{"channel":"trade","symbol":["SOL/USD"]},"req_id":3}',
    '{"method":"nonsense","req_id":2}',
    "this is no JSON, and not ASCII: \u20bf \U0001f4b6",
    '{"method":"ping","params":{}}',
]


async def test_every_public_frame_passes_byte_for_byte_both_ways(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    record = tmp_path / "upstream.jsonl"
    async with (
        faulty_sandbox.faulty_sandbox(record=record) as upstream,
        relay_of(upstream.url, upstream.public, pairs=(PAIR,)) as relay,
        http.ws_connect(relay.public, max_msg_size=0, decode_text=False) as socket,
    ):
        got: list[str] = [bytes((await socket.receive()).data).decode()]
        connection = str(json.loads(got[0])["data"][0]["connection_id"])
        for text in SAID:
            await socket.send_frame(text.encode(), WSMsgType.TEXT)
        # An own order rests and one takes, in the middle of it all: no public frame may tell.
        await trusted(relay)
        async with raw_private(http, relay, "executions") as own:
            for side, price in (("buy", {"limit_price": 10_000}), ("sell", None)):
                kind = "limit" if price else "market"
                if side == "sell":
                    relay.do("transfer", asset="BTC", amount="1", kind="deposit")
                await own.answer(
                    "add_order", order_type=kind, side=side, symbol=PAIR, order_qty=0.001,
                    **(price or {}),
                )  # fmt: skip
            await own.until(exec_type="trade")
        await upstream.step(10)
        while got[-1] != '{"channel":"heartbeat"}':
            got.append(bytes((await socket.receive()).data).decode())
        await socket.send_frame(b'{"method":"ping","req_id":99}', WSMsgType.TEXT)
        while not got[-1].startswith('{"method":"pong","req_id":99'):
            got.append(bytes((await socket.receive()).data).decode())
        sent = recorded(record, connection, "out")
        assert got == sent[: len(got)]
        assert recorded(record, connection, "in") == [*SAID, '{"method":"ping","req_id":99}']
        kinds = {json.loads(text).get("channel") for text in got}
        assert kinds >= {"status", "heartbeat", "instrument", "book", "ticker", "trade", "ohlc"}


REST = [
    "/0/public/Time", "/0/public/SystemStatus", "/0/public/Assets?asset=XBT,ETH",
    "/0/public/AssetPairs", "/0/public/Ticker?pair=XBTUSD", "/0/public/Depth?pair=XBTUSD&count=3",
    "/0/public/OHLC?pair=BTC%2FUSD&interval=5", "/0/public/OHLC?pair=BTC/USD&since=0",
    "/0/public/Trades?pair=XBTUSD&count=20", "/0/public/Spread?pair=XBTUSD",
    "/0/public/Ticker?pair=NOPE", "/0/public/Unheard",
]  # fmt: skip


async def test_public_rest_passes_status_type_and_body(http: aiohttp.ClientSession) -> None:
    async with (
        faulty_sandbox.faulty_sandbox() as upstream,
        relay_of(upstream.url, upstream.public) as relay,
    ):
        for path in REST:
            answers = []
            for base in (upstream.url, relay.url):
                async with http.get(base + path) as response:
                    kind = response.headers["Content-Type"]
                    answers.append((response.status, kind, await response.read()))
            assert answers[0] == answers[1], path


# -------------------------------------------------------------------------------- own fills


async def test_a_market_order_fills_one_latency_later_at_the_upstreams_prices(
    http: aiohttp.ClientSession,
) -> None:
    async with (
        faulty_sandbox.faulty_sandbox() as upstream,
        relay_of(upstream.url, upstream.public, relay_latency_ms=(150, 200)) as relay,
        raw_private(http, relay, "executions") as own,
    ):
        # The first order of a pair nobody followed: its book is fetched while it is on its way.
        began = asyncio.get_running_loop().time()
        answer = await own.answer(
            "add_order", order_type="market", side="buy", symbol=PAIR, order_qty=0.01
        )
        assert answer["success"], answer
        assert asyncio.get_running_loop().time() - began >= 0.15
        trade = (await own.until(exec_type="trade"))["data"][0]
        async with http.get(f"{upstream.url}/0/public/Depth?pair=XBTUSD&count=1") as response:
            asks = (await response.json())["result"]["XXBTZUSD"]["asks"]
        assert trade["last_price"] == float(asks[0][0])
        assert trade["liquidity_ind"] == "t"
        assert upstream.exchange.truth()["trades"] == []


async def test_a_resting_order_fills_when_the_upstream_trades_through_it(
    http: aiohttp.ClientSession,
) -> None:
    async with (
        faulty_sandbox.faulty_sandbox(regime="chop") as upstream,
        relay_of(upstream.url, upstream.public, pairs=(PAIR,)) as relay,
        raw_private(http, relay, "executions") as own,
    ):
        await trusted(relay)
        book = live(relay)
        assert book is not None
        bid = max(book.sides[0]) / 10
        answer = await own.answer(
            "add_order", order_type="limit", side="buy", symbol=PAIR, order_qty=0.01,
            limit_price=bid,
        )  # fmt: skip
        assert answer["success"], answer
        for _ in range(600):
            await upstream.step(1)
            await asyncio.sleep(0)
            if relay.exchange.truth()["trades"]:
                break
        (trade, *_) = relay.exchange.truth()["trades"]
        assert trade["liquidity"] == "m"
        assert float(trade["price"]) == bid


async def test_a_bad_checksum_costs_its_pair_its_fills_until_it_is_subscribed_anew(
    http: aiohttp.ClientSession,
) -> None:
    async with (
        faulty_sandbox.faulty_sandbox() as upstream,
        relay_of(upstream.url, upstream.public, pairs=(PAIR, "ETH/USD")) as relay,
        raw_private(http, relay, "executions") as own,
    ):
        await trusted(relay)
        await trusted(relay, "ETH/USD")
        upstream.fault("X13 pair=BTC/USD")
        while live(relay) is not None:
            await upstream.step(1)
            await asyncio.sleep(0.01)
        order = {"order_type": "market", "side": "buy", "order_qty": 0.02}
        refused = await own.answer("add_order", symbol=PAIR, **order)
        assert refused["error"] == "EService:Unavailable"
        assert (await own.answer("add_order", symbol="ETH/USD", **order))["success"]
        upstream.stop_fault()
        await trusted(relay)
        assert (await own.answer("add_order", symbol=PAIR, **order))["success"]


async def test_a_relay_goes_on_by_itself_when_its_upstream_comes_back(
    http: aiohttp.ClientSession,
) -> None:
    async with (
        faulty_sandbox.faulty_sandbox() as upstream,
        relay_of(upstream.url, upstream.public, pairs=(PAIR,)) as relay,
        raw_private(http, relay, "executions") as own,
    ):
        await trusted(relay)
        resting = await own.answer(
            "add_order", order_type="limit", side="buy", symbol=PAIR, order_qty=0.01,
            limit_price=10_000,
        )  # fmt: skip
        assert resting["success"]
        upstream.fault("N10")
        await until(lambda: live(relay) is None)
        market = {"order_type": "market", "side": "buy", "symbol": PAIR, "order_qty": 0.01}
        assert (await own.answer("add_order", **market))["error"] == "EService:Unavailable"
        assert (await own.answer("cancel_all"))["result"]["count"] == 1
        upstream.stop_fault()
        await trusted(relay)
        assert (await own.answer("add_order", **market))["success"]


async def test_a_half_open_upstream_is_found_and_left(http: aiohttp.ClientSession) -> None:
    async with (
        faulty_sandbox.faulty_sandbox() as upstream,
        relay_of(upstream.url, upstream.public, pairs=(PAIR,)) as relay,
    ):
        await trusted(relay)
        upstream.fault("N02 on=public")
        await until(lambda: live(relay) is None)
        upstream.stop_fault()
        await trusted(relay)


async def test_orders_are_on_their_way_together_and_arrive_in_their_order(
    http: aiohttp.ClientSession,
) -> None:
    async with (
        faulty_sandbox.faulty_sandbox() as upstream,
        relay_of(
            upstream.url, upstream.public, pairs=(PAIR,), relay_latency_ms=(200, 400)
        ) as relay,
        raw_private(http, relay, "executions") as own,
    ):
        await trusted(relay)
        began = asyncio.get_running_loop().time()
        for number in range(8):
            await own.ask(
                "add_order", order_type="limit", side="buy", symbol=PAIR, order_qty=0.001,
                limit_price=10_000 + number,
            )  # fmt: skip
        last = await own.ask("cancel_all")
        answer = await own.until(req_id=last)
        assert answer["result"]["count"] == 8
        assert 0.2 <= asyncio.get_running_loop().time() - began < 1.2
        prices = [order["limit_price"] for order in relay.exchange.truth()["orders"]]
        assert prices == [str(10_000 + number) for number in range(8)]


async def test_the_upstreams_maintenance_is_followed(http: aiohttp.ClientSession) -> None:
    async with (
        faulty_sandbox.faulty_sandbox() as upstream,
        relay_of(upstream.url, upstream.public, pairs=(PAIR,)) as relay,
        raw_private(http, relay, "executions") as own,
    ):
        await trusted(relay)
        upstream.do("system", status="maintenance")
        await upstream.server.flush_all()
        assert (await own.until(channel="status"))["data"][0]["system"] == "maintenance"
        answer = await own.answer(
            "add_order", order_type="market", side="buy", symbol=PAIR, order_qty=0.01
        )
        assert answer["success"] is False
