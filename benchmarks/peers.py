"""The book code of others, fed without a socket, and the best pure-Python design as a yardstick.

Each maker takes a snapshot and a depth and gives a function that eats updates and asserts that
every checksum held. A peer that is not installed is None.
"""

import asyncio
import json
from bisect import bisect_left
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from zlib import crc32

import msgspec
from streams import PAIR

Run = Callable[[list[bytes]], None]
Make = Callable[[bytes, int], Run]


class _Level(msgspec.Struct, gc=False):
    price: msgspec.Raw
    qty: msgspec.Raw


class _Data(msgspec.Struct, gc=False):
    bids: list[_Level]
    asks: list[_Level]
    checksum: int


class _Frame(msgspec.Struct, gc=False):
    data: list[_Data]


def best_design(snapshot: bytes, depth: int) -> Run:
    """Nothing but the hot path: typed decoder, raw digits, parallel lists, cached checksum text.

    One pair, one channel, no errors, no events: what a product adds to it is its own cost.
    """
    decode = msgspec.json.Decoder(_Frame).decode
    ticks: tuple[list[int], list[int]] = ([], [])
    texts: tuple[list[bytes], list[bytes]] = ([], [])
    tops = [0, b""]

    def side(number: int, levels: list[_Level], sign: int) -> None:
        mine, text, top = ticks[number], texts[number], False
        for level in levels:
            price = bytes(level.price).replace(b".", b"").lstrip(b"0")
            qty = bytes(level.qty).replace(b".", b"").lstrip(b"0")
            tick = sign * int(price)
            at = bisect_left(mine, tick)
            top = top or at < 10
            if at < len(mine) and mine[at] == tick:
                if qty:
                    text[at] = price + qty
                else:
                    del mine[at], text[at]
            elif qty:
                mine.insert(at, tick)
                text.insert(at, price + qty)
        if len(mine) > depth:
            del mine[depth:], text[depth:]
        if top:
            joined = b"".join(text[:10])
            tops[number] = joined if number else crc32(joined)

    def run(frames: list[bytes]) -> None:
        for frame in frames:
            data = decode(frame).data[0]
            if data.asks:
                side(0, data.asks, 1)
            if data.bids:
                side(1, data.bids, -1)
            assert crc32(tops[1], tops[0]) == data.checksum

    run([snapshot])
    return run


def naive(snapshot: bytes, depth: int) -> Run:
    """As the documentation describes it: json, Decimal, dict, sort, format."""
    sides: dict[str, dict[Decimal, Decimal]] = {"bids": {}, "asks": {}}

    def token(value: Decimal, decimals: int) -> str:
        return f"{value:.{decimals}f}".replace(".", "").lstrip("0")

    def run(frames: list[bytes]) -> None:
        for frame in frames:
            data: dict[str, Any] = json.loads(frame, parse_float=Decimal)["data"][0]
            text = ""
            for side in ("asks", "bids"):
                book = sides[side]
                for level in data[side]:
                    if level["qty"] == 0:
                        book.pop(level["price"], None)
                    else:
                        book[level["price"]] = level["qty"]
                best = sorted(book, reverse=side == "bids")
                for price in best[depth:]:
                    del book[price]
                text += "".join(token(p, 1) + token(book[p], 8) for p in best[:10])
            assert crc32(text.encode()) == data["checksum"]

    run([snapshot])
    return run


def python_kraken_sdk() -> Make | None:
    """python-kraken-sdk's SpotOrderBookClient."""
    try:
        from kraken.spot import SpotOrderBookClient
    except ImportError:
        return None

    def make(snapshot: bytes, depth: int) -> Run:
        state = {"bid": {}, "ask": {}, "valid": True, "price_decimals": 1, "qty_decimals": 8}

        async def opened() -> SpotOrderBookClient:
            client = SpotOrderBookClient(depth=depth, callback=lambda **_: None)
            await client.close()  # the socket is not needed
            # The decimals are given: it would ask Kraken for them.
            vars(client)["_SpotOrderBookClient__book"][PAIR] = state
            await client.on_message(json.loads(snapshot))
            return client

        async def feed(frames: list[bytes]) -> None:
            for frame in frames:
                await client.on_message(json.loads(frame))

        def run(frames: list[bytes]) -> None:
            asyncio.run(feed(frames))
            assert state["valid"]

        client = asyncio.run(opened())
        return run

    return make


def cryptofeed() -> Make | None:
    """cryptofeed's Kraken feed with its C book; it speaks v1 and gets the v1 twin."""
    try:
        from cryptofeed.exchanges.kraken import Kraken
        from yapic import json as fast_json
    except ImportError:
        return None

    def make(snapshot: bytes, depth: int) -> Run:
        feed = Kraken.__new__(Kraken)
        feed.max_depth, feed.checksum_validation, feed._l2_book = depth, True, {}

        async def told(*_: object, **__: object) -> None:
            """Nobody listens."""

        feed.book_callback = told

        async def eat(frames: list[bytes]) -> None:
            for frame in frames:
                # Raises BadChecksum by itself.
                await feed._book(fast_json.loads(frame, parse_float=Decimal), PAIR, 0.0)

        def run(frames: list[bytes]) -> None:
            asyncio.run(eat(frames))

        run([snapshot])
        return run

    return make
