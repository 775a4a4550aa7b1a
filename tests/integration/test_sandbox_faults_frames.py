"""Frames that lie, stall or swell are really produced: books (X13 to X15) and the protocol's S."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from faulty_orders import BTC, kinds, orders, resting, told
from faulty_sandbox import Raw, Rest, There, raw_public

from simple_trader.sandbox.faults.frames import checksum

pytestmark = pytest.mark.timeout(30)
SANDBOX = {"capital": Decimal(100_000)}


@pytest.mark.parametrize("how", ["checksum", "quantity"])
async def test_x13_bad_checksum_once(there: There, http: aiohttp.ClientSession, how: str) -> None:
    async with raw_public(http, there) as public:
        there.fault(f"X13 count=1 how={how}")
        await public.ask("subscribe", channel="book", symbol=[BTC], depth=10)
        frames = [f for f in await public.drained() if f.get("channel") == "book"]
        assert not sound(there, frames[0])
        await public.answer("unsubscribe", channel="book", symbol=[BTC])
        await public.ask("subscribe", channel="book", symbol=[BTC], depth=10)
        frames = [f for f in await public.drained() if f.get("channel") == "book"]
        assert sound(there, frames[0])


def sound(there: There, frame: dict[str, Any]) -> bool:
    """Whether a snapshot's checksum fits its levels."""
    pair = there.exchange.pairs[BTC]
    row = frame["data"][0]
    sides = [
        [(f"{x['price']:.{pair.price_precision}f}", f"{x['qty']:.{pair.qty_precision}f}")
         for x in row[side]] for side in ("asks", "bids")
    ]  # fmt: skip
    return bool(row["checksum"] == checksum(sides[0], sides[1]))


BAD = {
    "crossed": lambda bids, asks: bids[0] > asks[0],
    "locked": lambda bids, asks: bids[0] == asks[0],
    "empty": lambda bids, asks: not bids,
    "zero": lambda bids, asks: asks[0] == 0,
    "negative": lambda bids, asks: asks[0] < 0,
    "absurd": lambda bids, asks: True,
}


@pytest.mark.parametrize("how", BAD)
async def test_x14_bad_book_with_a_right_checksum(
    there: There, http: aiohttp.ClientSession, how: str
) -> None:
    async with raw_public(http, there) as public:
        there.fault(f"X14 how={how}")
        await public.ask("subscribe", channel="book", symbol=[BTC], depth=10)
        await public.ask("subscribe", channel="ticker", symbol=[BTC])
        frames = await public.drained()
        book = next(f for f in frames if f.get("channel") == "book")
        row = book["data"][0]
        bids, asks = ([level["price"] for level in row[side]] for side in ("bids", "asks"))
        assert BAD[how](bids, asks)
        if how != "absurd":
            assert how == "negative" or sound(there, book)
        else:
            assert row["bids"][0]["qty"] > 1e18
        ticker = told(frames, "ticker")[0]
        if how == "crossed":
            assert ticker["bid"] > ticker["ask"]
        there.stop_fault()
        there.fault(f"X14 how={how} channel=book type=update")
        await there.step(5)
        assert there.fired("X14") > 2


async def test_x15_wick_falls_and_comes_back(there: There, http: aiohttp.ClientSession) -> None:
    async with raw_public(http, there) as public:
        await public.answer("subscribe", channel="ticker", symbol=[BTC], event_trigger="bbo")
        await there.step(3)
        before = told(await public.drained(), "ticker")[-1]["bid"]
        there.fault("X15 percent=-60 lasts_s=20")
        await there.step(10)
        during = told(await public.drained(), "ticker")[-1]["bid"]
        await there.step(20)
        after = told(await public.drained(), "ticker")[-1]["bid"]
        assert during < before * 0.45
        assert abs(after - before) < before * 0.1


async def test_s01_text_frame_that_is_not_json(there: There, client: Raw) -> None:
    there.fault("S01")
    message = await client.socket.receive(timeout=5)
    while message.data == '{"channel":"heartbeat"}':
        message = await client.socket.receive(timeout=5)
    assert message.data == "CloudFlare WebSocket proxy restarting"


async def test_s02_backlog_arrives_late_whole_and_in_order(
    there: There, http: aiohttp.ClientSession
) -> None:
    async with raw_public(http, there) as public:
        await public.answer("subscribe", channel="trade", symbol=[BTC], snapshot=False)
        line = next(iter(there.server.lines.values()))
        there.fault("S02 hold_s=26 channel=trade")
        await there.step(1)
        written = line.written
        await there.step(24)
        assert line.busy
        assert line.written == written
        await there.step(5)
        ids = [row["trade_id"] for row in told(await public.drained(), "trade")]
        assert len(ids) > 5
        assert ids == list(range(ids[0], ids[0] + len(ids)))


async def test_s03_exponents_and_s04_a_frame_above_a_mebibyte(
    there: There, http: aiohttp.ClientSession
) -> None:
    async with raw_public(http, there) as public:
        there.fault("S03")
        there.fault("S04")
        await public.ask("subscribe", channel="instrument")
        message = await public.socket.receive(timeout=10)
        while '"type":"snapshot"' not in message.data:
            message = await public.socket.receive(timeout=10)
        assert len(message.data) > 1024 * 1024
        assert '"qty_increment":1e-08' in message.data
        pairs = json.loads(message.data)["data"]["pairs"]
        assert {pair["symbol"] for pair in pairs} >= {BTC}


async def test_s05_snapshot_withheld(there: There, http: aiohttp.ClientSession) -> None:
    async with raw_public(http, there) as public:
        there.fault("S05")
        await public.ask("subscribe", channel="book", symbol=[BTC], depth=10)
        assert [f.get("method") for f in await public.drained()] == ["subscribe"]
        await there.step(5)
        assert {f["type"] for f in await public.drained()} == {"update"}


async def test_s06_unavailable_although_the_order_lives(
    there: There, client: Raw, rest: Rest
) -> None:
    there.fault("S06 count=2")
    await client.ask("add_order", **resting(there))
    frames = await client.drained()
    answer = next(f for f in frames if f.get("method") == "add_order")
    assert (answer["success"], answer["error"]) == (False, "EService:Unavailable")
    assert kinds(frames) == ["pending_new", "new"]
    envelope = await rest.ask(
        "AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="0.001"
    )
    assert envelope["error"] == ["EService:Unavailable"]
    assert [o.status for o in orders(there)] == ["new", "filled"]


async def test_s07_public_trades_are_told_again_after_a_reconnect(
    there: There, http: aiohttp.ClientSession
) -> None:
    there.fault("S07")
    async with raw_public(http, there) as public:
        await public.answer("subscribe", channel="trade", symbol=[BTC], snapshot=True)
        await there.step(60)
        before = [f for f in await public.drained() if f.get("type") == "update"]
    async with raw_public(http, there) as public:
        await public.ask("subscribe", channel="trade", symbol=[BTC], snapshot=True)
        frames = await public.drained()
        assert [f for f in frames if f.get("type") == "update"] == before[-5:]


async def test_s08_too_chatty(there: There, client: Raw) -> None:
    there.fault("S08")
    async with asyncio.timeout(5):
        while await client.frame() != {"Error": "Exceeded msg rate"}:
            continue
