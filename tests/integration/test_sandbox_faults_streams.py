"""Streams that burst, speak garbage, stay silent or are read slowly (N12 to N17) are real."""

import asyncio
import json
from decimal import Decimal

import aiohttp
import pytest
from faulty_sandbox import SOON, There, ended, raw_public

from simple_trader.sandbox.faults.frames import checksum

pytestmark = pytest.mark.timeout(30)


async def test_n12_burst_sends_thousands_of_valid_book_messages(
    there: There, http: aiohttp.ClientSession
) -> None:
    async with raw_public(http, there) as client:
        await client.answer("subscribe", channel="book", symbol=["BTC/USD"], depth=10)
        snapshot = (await client.until(channel="book", type="snapshot"))["data"][0]
        there.fault("N12 rate=10000 lasts_s=0.5")
        text = json.dumps(snapshot)
        sides = json.loads(text, parse_float=str, parse_int=str)
        book = {s: {r["price"]: r["qty"] for r in _exact(there, s)} for s in ("bids", "asks")}
        assert len(sides["bids"]) == 10
        count = 0
        async with asyncio.timeout(30):
            while count < 4000:
                message = await client.socket.receive(timeout=SOON)
                frame = json.loads(message.data, parse_float=str, parse_int=str)
                if frame.get("channel") != "book":
                    continue
                count += 1
                row = frame["data"][0]
                for side in ("bids", "asks"):
                    book[side].update({level["price"]: level["qty"] for level in row[side]})
                assert int(row["checksum"]) == checksum(
                    sorted(book["asks"].items(), key=lambda level: Decimal(level[0])),
                    sorted(book["bids"].items(), key=lambda level: -Decimal(level[0])),
                )


def _exact(there: There, side: str) -> list[dict[str, str]]:
    """Give the book's levels digit by digit, as the snapshot told them."""
    connection = next(iter(there.server.lines))
    levels = there.script.desk.levels(connection, "BTC/USD")
    assert levels is not None
    chosen = levels[0] if side == "bids" else levels[1]
    return [{"price": price, "qty": qty} for price, qty in chosen]


GARBAGE = {
    "big": lambda raw: len(raw) == 20_000_000 and json.loads(raw),
    "nested": lambda raw: raw.startswith(b"[" * 1000) and len(raw) == 2_000_000,
    "channel": lambda raw: json.loads(raw)["channel"] == "tea_leaves",
    "fields": lambda raw: "colour" in json.loads(raw),
    "enum": lambda raw: json.loads(raw)["data"][0]["system"] == "hypothetical",
    "event": lambda raw: json.loads(raw)["data"][0]["exec_type"] == "hypothetical",
    "types": lambda raw: json.loads(raw)["channel"] == 7,
    "infinity": lambda raw: b"1e999" in raw,
}


@pytest.mark.parametrize("how", GARBAGE)
async def test_n13_garbage_arrives_as_one_whole_frame(
    there: There, http: aiohttp.ClientSession, how: str
) -> None:
    async with raw_public(http, there) as client:
        there.fault(f"N13 how={how}")
        async with asyncio.timeout(20):
            message = await client.socket.receive()
        raw = message.data.encode()
        assert GARBAGE[how](raw)
        assert await client.drained() == []


async def test_n13_invalid_utf8_makes_a_strict_client_close(
    there: There, http: aiohttp.ClientSession
) -> None:
    async with raw_public(http, there) as client:
        there.fault("N13 how=utf8")
        assert await ended(client) in (aiohttp.WSMsgType.ERROR, aiohttp.WSMsgType.CLOSED)


async def test_n14_symbol_refused_and_the_others_served(
    there: There, http: aiohttp.ClientSession
) -> None:
    async with raw_public(http, there) as client:
        there.fault("N14 pair=ETH/USD")
        await client.ask("subscribe", channel="ticker", symbol=["BTC/USD", "ETH/USD", "SOL/USD"])
        frames = await client.drained()
        refused = [frame for frame in frames if frame.get("success") is False]
        assert [(f["symbol"], f["error"]) for f in refused] == [
            ("ETH/USD", "Currency pair not supported ETH/USD")
        ]
        good = {f["result"]["symbol"] for f in frames if f.get("success")}
        assert good == {"BTC/USD", "SOL/USD"}


@pytest.mark.parametrize("how", ["swallowed", "lost"])
async def test_n15_ack_never_comes(there: There, http: aiohttp.ClientSession, how: str) -> None:
    async with raw_public(http, there) as client:
        there.fault(f"N15 how={how}")
        await client.ask("subscribe", channel="ticker", symbol=["BTC/USD"])
        frames = await client.drained()
        assert [f for f in frames if f.get("method") == "subscribe"] == []
        assert bool(frames) is (how == "lost"), "a lost ack leaves the subscription served"
        again = await client.answer("subscribe", channel="ticker", symbol=["ETH/USD"])
        assert again["success"]


async def test_n16_old_subscription_speaks_after_the_new_ack(
    there: There, http: aiohttp.ClientSession
) -> None:
    async with raw_public(http, there) as client:
        there.fault("N16 channel=book")
        await client.answer("subscribe", channel="book", symbol=["BTC/USD"], depth=10)
        await there.step(10)
        before = [f for f in await client.drained() if f.get("type") == "update"]
        await client.answer("unsubscribe", channel="book", symbol=["BTC/USD"], depth=10)
        await client.ask("subscribe", channel="book", symbol=["BTC/USD"], depth=10)
        frames = await client.drained()
        kinds = [f.get("type") or f.get("method") for f in frames]
        assert kinds == ["subscribe", "update", "update", "update", "snapshot"]
        assert frames[1:4] == before[-3:]


async def test_n17_slow_consumer_reads_no_more_until_it_does(
    there: There, http: aiohttp.ClientSession
) -> None:
    async with raw_public(http, there) as client:
        there.fault("N17")
        async with asyncio.timeout(SOON):
            while not there.fired("N17"):
                await asyncio.sleep(0)

        async def talk() -> None:
            while True:  # until the kernel's and the library's buffers are full
                await client.socket.send_json({"method": "ping", "req_id": 1, "x": "y" * 60_000})

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(talk(), timeout=1)
        there.stop_fault("N17")
        assert (await client.socket.receive_json(timeout=SOON)).get("error")
