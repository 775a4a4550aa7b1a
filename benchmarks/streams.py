"""Generated book streams for the benchmarks: the same market as WS v2 frames and as its v1 twin.

Seeded; about 1.6 levels a message, checksums included. cryptofeed reads v1 only, so it gets the
same changes in v1's words.
"""

import json
import random
from dataclasses import dataclass
from zlib import crc32

PAIR = "BTC/USD"
Levels = list[tuple[int, int]]


@dataclass(frozen=True)
class Stream:
    """A snapshot and its updates, frame by frame in both dialects."""

    v2: list[bytes]
    v1: list[bytes]


class Market:
    """A book of `depth` levels a side that changes at random."""

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

    def checksum(self) -> int:
        text = "".join(
            f"{price}{self.sides[side][price]}"
            for side in ("asks", "bids")
            for price in self.best(side)[:10]
        )
        return crc32(text.encode())

    def v2(self, kind: str, changes: dict[str, Levels], number: int) -> bytes:
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
            f'"checksum":{self.checksum()},"timestamp":"{stamp}"}}]}}'
        ).encode()

    def v1(self, kind: str, changes: dict[str, Levels]) -> bytes:
        rows = {
            name: [
                [f"{price / 10:.1f}", f"{lots / 1e8:.8f}", "1762000000.000001"]
                for price, lots in changes[side]
            ]
            for side, name in (("bids", "b"), ("asks", "a"))
            if changes[side]
        }
        if kind == "snapshot":
            parts = [{f"{name}s": found for name, found in rows.items()}]
        else:
            # Two sides come as two objects, the last one with the checksum.
            parts = [{name: found} for name, found in rows.items()]
            parts[0] = {**parts[0], "c": str(self.checksum())}
        name = f"book-{self.depth}"
        return json.dumps([336, *parts, name, "XBT/USD"], separators=(",", ":")).encode()


def generate(depth: int, count: int) -> Stream:
    """A snapshot and `count` updates of a book of `depth`."""
    market = Market(depth, seed=depth)
    whole = {side: [(p, market.sides[side][p]) for p in market.best(side)] for side in market.sides}
    v2, v1 = [market.v2("snapshot", whole, 0)], [market.v1("snapshot", whole)]
    for number in range(1, count + 1):
        changes: dict[str, Levels] = {"bids": [], "asks": []}
        for _ in range(2 if market.dice.random() < 0.17 else 1):
            side = market.dice.choice(["bids", "asks"])
            changes[side] += market.change(side)
        v2.append(market.v2("update", changes, number))
        v1.append(market.v1("update", changes))
    return Stream(v2, v1)
