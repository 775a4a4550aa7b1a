"""One pair's book as the upstream publishes it, in ticks and lots, verified message by message.

Source: protocol sections 4.2 and 4.3. Prices and quantities are whole numbers of the pair's
precision, taken digit by digit from the text on the wire, never through floats.
"""

import re
import zlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from simple_trader.simulator.liquidity import ASK, BID

_PLAIN = re.compile(r"(\d{1,18})(?:\.(\d{1,18}))?\Z", re.ASCII)
CHECKED_LEVELS = 10


class BadFrame(Exception):
    """A book or trade message that cannot be used; the text is a few words for the log."""


class Change(NamedTuple):
    """The new total at a price; zero lots: the level is gone."""

    tick: int
    lots: int


def units(text: object, precision: int) -> int:
    """Turn a number's text into whole units; raises BadFrame for anything but a plain number.

    More decimals than the precision are an error unless they are zeros: nothing is rounded.
    """
    found = _PLAIN.match(text) if isinstance(text, str) else None
    if found is None:
        raise BadFrame("a number that is none")
    whole, decimals = found[1], found[2] or ""
    if len(decimals) > precision:
        if decimals[precision:].strip("0"):
            raise BadFrame("a number with too many decimals")
        decimals = decimals[:precision]
    return int(whole + decimals.ljust(precision, "0"))


def read_levels(rows: object, price_precision: int, qty_precision: int) -> list[Change]:
    """Read `bids` or `asks` of a message, in its order."""
    if not isinstance(rows, list):
        raise BadFrame("no levels")
    changes = []
    for row in rows:
        if not isinstance(row, dict):
            raise BadFrame("a level that is none")
        tick = units(row.get("price"), price_precision)
        if tick == 0:
            raise BadFrame("a price of zero")
        changes.append(Change(tick, units(row.get("qty"), qty_precision)))
    return changes


class LiveBook:
    """Both sides up to `depth`; changes are gathered until someone takes them."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.sides: tuple[dict[int, int], dict[int, int]] = ({}, {})

    def snapshot(self, bids: Iterable[Change], asks: Iterable[Change], checksum: int) -> bool:
        """Replace everything; False when the checksum or the book itself is wrong."""
        self.sides = ({}, {})
        return self.update(bids, asks, checksum)

    def update(self, bids: Iterable[Change], asks: Iterable[Change], checksum: int) -> bool:
        """Apply one message, cut to depth, verify; False when the book cannot be trusted."""
        for side, changes in ((BID, bids), (ASK, asks)):
            levels = self.sides[side]
            for tick, lots in changes:
                if lots == 0:
                    levels.pop(tick, None)
                else:
                    levels[tick] = lots
            if len(levels) > self.depth:
                for tick in self.ticks(side)[self.depth :]:
                    del levels[tick]
        return not self._crossed() and self.checksum() == checksum

    def ticks(self, side: int) -> list[int]:
        """Give the prices of a side, best first."""
        return sorted(self.sides[side], reverse=side == BID)

    def _crossed(self) -> bool:
        bids, asks = self.sides
        return bool(bids and asks) and max(bids) >= min(asks)

    def checksum(self) -> int:
        """CRC-32 over the ten best levels, asks first (section 4.3)."""
        text = "".join(
            f"{tick}{self.sides[side][tick]}"
            for side in (ASK, BID)
            for tick in self.ticks(side)[:CHECKED_LEVELS]
        )
        return zlib.crc32(text.encode())

    def clear(self) -> None:
        """Forget the levels."""
        self.sides = ({}, {})


def changed(before: Mapping[int, int], after: Mapping[int, int]) -> list[Change]:
    """List what turns one side into another: levels gone, new and resized."""
    gone = [Change(tick, 0) for tick in before if tick not in after]
    return gone + [Change(tick, n) for tick, n in after.items() if before.get(tick) != n]
