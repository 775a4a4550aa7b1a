"""Impossible books and quotes with right checksums (X14), and valid bursts of messages (N12)."""

from decimal import Decimal
from typing import Any

import msgspec

from simple_trader.sandbox.faults import frames

Level = tuple[str, str]  # price and quantity, digit by digit
HOW = ("crossed", "locked", "empty", "zero", "negative", "absurd")


def bad_levels(how: str, bids: list[Level], asks: list[Level]) -> tuple[list[Level], list[Level]]:
    """Give (bids, asks) as they stand once the bad thing is in them, best first."""
    if not bids or not asks:
        return bids, asks
    qty = bids[0][1]
    match how:
        case "locked":
            return [(asks[0][0], qty), *bids], asks
        case "empty":
            return [], asks
        case "zero":
            return bids, [(_like(asks[0][0], Decimal(0)), qty), *asks]
        case "negative":
            return bids, [(_like(asks[0][0], Decimal(-1)), qty), *asks]
        case "absurd":
            return [(bids[0][0], "9" * 21 + qty[-9:]), *bids[1:]], asks
        case _:
            price = Decimal(asks[0][0]) * Decimal("1.01")
            return [(_like(asks[0][0], price), qty), *bids], asks


def _like(example: str, price: Decimal) -> str:
    _, _, decimals = example.partition(".")
    return f"{price:.{len(decimals)}f}"


def bad_book(text: str, how: str, bids: list[Level], asks: list[Level]) -> str:
    """Make a book message (of which `bids` and `asks` are the outcome) lead to a bad book."""
    message = frames.read(text)
    row: dict[str, Any] = message["data"][0]
    bad_bids, bad_asks = bad_levels(how, bids, asks)
    if message["type"] == "snapshot":
        row["bids"], row["asks"] = _rows(bad_bids), _rows(bad_asks)
    else:
        for side, before, after in (("bids", bids, bad_bids), ("asks", asks, bad_asks)):
            gone = [(price, "0." + "0" * len(qty.partition(".")[2])) for price, qty in before
                    if price not in dict(after)]  # fmt: skip
            new = [level for level in after if dict(before).get(level[0]) != level[1]]
            row[side] = row[side] + _rows(gone) + _rows(new)
    row["checksum"] = frames.checksum(bad_asks, bad_bids)
    return frames.write(message)


def _rows(levels: list[Level]) -> list[dict[str, msgspec.Raw]]:
    return [{"price": frames.number(price), "qty": frames.number(qty)} for price, qty in levels]


def bad_ticker(text: str, how: str) -> str:
    """Make a ticker message say the same kind of thing."""
    message = frames.read(text)
    row: dict[str, Any] = message["data"][0]
    bid, ask = bytes(row["bid"]).decode(), bytes(row["ask"]).decode()
    bids, asks = bad_levels(how, [(bid, bytes(row["bid_qty"]).decode())],
                            [(ask, bytes(row["ask_qty"]).decode())])  # fmt: skip
    zero = _like(bid, Decimal(0))
    row["bid"] = frames.number(bids[0][0] if bids else zero)
    row["bid_qty"] = frames.number(bids[0][1] if bids else "0.0")
    row["ask"] = frames.number(asks[0][0])
    return frames.write(message)


def there_and_back(symbol: str, bids: list[Level], asks: list[Level], stamp: str) -> list[str]:
    """Give two valid book updates that cancel each other: a quantity moves and moves back."""
    if not bids or not asks:
        return []
    price, qty = bids[0]
    digits = len(qty.partition(".")[2])
    other = f"{Decimal(qty) + Decimal(1).scaleb(-digits):.{digits}f}"
    texts = []
    for size in (other, qty):
        row = {
            "symbol": symbol,
            "bids": _rows([(price, size)]),
            "asks": [],
            "checksum": frames.checksum(asks, [(price, size), *bids[1:]]),
            "timestamp": stamp,
        }
        texts.append(frames.write({"channel": "book", "type": "update", "data": [row]}))
    return texts
