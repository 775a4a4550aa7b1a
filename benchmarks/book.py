"""Book messages (decode, apply, verify CRC-32): ours, python-kraken-sdk and a naive twin.

Run: python benchmarks/book.py [--messages 20000] [--rounds 5]. Input is generated with a fixed seed
(about 1.6 levels a message). All take the same frames in turn, round by round, so that the ratios
mean something on a busy machine. `session` is the whole way from frame to state and events, as the
daemon does it; the others only keep the book. Depth 1000 is cut short for the slow ones.
"""

import argparse
import asyncio
import gc
import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zlib import crc32

from kraken.spot import SpotOrderBookClient

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from simple_trader.adapters.kraken import wire
from simple_trader.adapters.kraken.order_books import OrderBook, Throttle
from simple_trader.adapters.kraken.public_session import PublicPlan, PublicSession
from simple_trader.adapters.kraken.session import Timing
from simple_trader.adapters.kraken.symbols import Symbols

PAIR = "BTC/USD"
AT = datetime(2026, 11, 1, tzinfo=UTC)
Levels = list[tuple[int, int]]
Run = Callable[[list[bytes]], None]


# -- input ---------------------------------------------------------------------------------


class Market:
    """A book of `depth` levels a side that changes at random, written as Kraken writes it."""

    def __init__(self, depth: int, seed: int) -> None:
        self.dice = random.Random(seed)
        self.depth = depth
        self.sides: dict[str, dict[int, int]] = {
            "bids": {600_000 - i: self.lots() for i in range(depth)},
            "asks": {600_001 + i: self.lots() for i in range(depth)},
        }

    def lots(self) -> int:
        return self.dice.randint(1_000, 500_000_000)

    def best(self, side: str) -> list[int]:
        return sorted(self.sides[side], reverse=side == "bids")

    def change(self, side: str) -> Levels:
        """One change: a new quantity, or a level that goes and one that moves into the window."""
        book, best = self.sides[side], self.best(side)
        rank = min(int(self.dice.expovariate(0.25)), self.depth - 1)
        price = best[rank]
        if self.dice.random() < 0.6:
            book[price] = self.lots()
            return [(price, book[price])]
        worst = best[-1] + (-1 if side == "bids" else 1)
        del book[price]
        book[worst] = self.lots()
        return [(price, 0), (worst, book[worst])]

    def frame(self, kind: str, changes: dict[str, Levels], number: int) -> str:
        text = "".join(
            f"{price}{self.sides[side][price]}"
            for side in ("asks", "bids")
            for price in self.best(side)[:10]
        )
        stamp = f"2026-11-01T00:{number // 1200 % 60:02d}:{number // 20 % 60:02d}.{number:06d}Z"
        body = ",".join(
            f'"{side}":['
            + ",".join(
                f'{{"price":{price / 10:.1f},"qty":{lots / 1e8:.8f}}}'
                for price, lots in changes[side]
            )
            + "]"
            for side in ("bids", "asks")
        )
        return (
            f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{PAIR}",{body},'
            f'"checksum":{crc32(text.encode())},"timestamp":"{stamp}"}}]}}'
        )


def generate(depth: int, count: int) -> list[bytes]:
    """A snapshot and `count` updates."""
    market = Market(depth, seed=depth)
    whole = {side: [(p, market.sides[side][p]) for p in market.best(side)] for side in market.sides}
    frames = [market.frame("snapshot", whole, 0)]
    for number in range(1, count + 1):
        changes: dict[str, Levels] = {"bids": [], "asks": []}
        for _ in range(2 if market.dice.random() < 0.17 else 1):
            side = market.dice.choice(["bids", "asks"])
            changes[side] += market.change(side)
        frames.append(market.frame("update", changes, number))
    return [frame.encode() for frame in frames]


# -- contestants ---------------------------------------------------------------------------


def ours_book(snapshot: bytes, depth: int) -> Run:
    """Our book alone."""
    book, read = OrderBook(PAIR, depth), wire.read
    book.snapshot(read(snapshot).data[0])

    def run(frames: list[bytes]) -> None:
        for frame in frames:
            book.update(read(frame).data[0])
        assert book.trusted

    return run


def ours_session(snapshot: bytes, depth: int) -> Run:
    """Our session: frame to state and events."""
    session = PublicSession(
        Timing(),
        0.0,
        plan=PublicPlan(pairs=(PAIR,), book_depth=depth),
        symbols=Symbols(),
        market_now=lambda: AT,
        throttle=Throttle(1.0),
    )
    session.receive(snapshot, 0.0)

    def run(frames: list[bytes]) -> None:
        for frame in frames:
            session.receive(frame, 0.0)
            if session.has_events:
                session.take_events()
        assert session.books[PAIR].trusted

    return run


def sdk(snapshot: bytes, depth: int) -> Run:
    """python-kraken-sdk's SpotOrderBookClient, fed without a socket."""
    state = {"bid": {}, "ask": {}, "valid": True, "price_decimals": 1, "qty_decimals": 8}

    async def make() -> SpotOrderBookClient:
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

    client = asyncio.run(make())
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


CONTESTANTS: dict[str, Callable[[bytes, int], Run]] = {
    "ours, book": ours_book,
    "ours, session": ours_session,
    "python-kraken-sdk": sdk,
    "naive json+Decimal": naive,
}
SLOW_AT_1000 = {"python-kraken-sdk": 20, "naive json+Decimal": 10}


def rate(make: Callable[[bytes, int], Run], frames: list[bytes], depth: int) -> float:
    """Updates a second of one run; the snapshot is not timed."""
    run = make(frames[0], depth)
    gc.collect()
    began = time.perf_counter()
    run(frames[1:])
    return (len(frames) - 1) / (time.perf_counter() - began)


def main() -> None:
    """Print rates and ratios for each depth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    for depth in (10, 25, 1000):
        frames = generate(depth, chosen.messages)
        rates: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
        for _ in range(chosen.rounds):
            for name, make in CONTESTANTS.items():
                share = SLOW_AT_1000.get(name, 1) if depth == 1000 else 1
                rates[name].append(rate(make, frames[: len(frames) // share], depth))
        print(f"depth {depth}: {len(frames) - 1} updates, {chosen.rounds} rounds in turn")
        for name, found in rates.items():
            ratios = [own / other for own, other in zip(rates["ours, session"], found, strict=True)]
            print(
                f"  {name:20} {max(found):10,.0f} msgs/s (worst {min(found):,.0f})"
                f"  {1e6 / max(found):8.2f} us/msg"
                f"  session is {statistics.median(ratios):.2f} x"
                f" ({min(ratios):.2f} to {max(ratios):.2f})"
            )


if __name__ == "__main__":
    main()
