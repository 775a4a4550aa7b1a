"""Books rebuilt from raw frames by section 4 of the protocol sheet, every checksum verified."""

from decimal import Decimal
from typing import Any

from contract_facts import Levels
from contract_wire import checksum


class RawBooks:
    """The books of one public connection."""

    def __init__(self) -> None:
        self._sides: dict[str, dict[str, dict[Decimal, Decimal]]] = {}
        self._digits: dict[str, tuple[Decimal, Decimal]] = {}

    def learn(self, pairs: list[dict[str, Any]]) -> None:
        """Decimals of each pair (section 4.3 takes them from the instrument channel)."""
        for row in pairs:
            price, qty = row["price_precision"], row["qty_precision"]
            self._digits[row["symbol"]] = (Decimal(1).scaleb(-price), Decimal(1).scaleb(-qty))

    def take(self, frame: dict[str, Any], depth: int) -> list[str]:
        """Apply a message; gives the pairs whose book it broke."""
        broken: list[str] = []
        for row in frame["data"]:
            symbol = row["symbol"]
            if frame["type"] == "snapshot":
                self._sides[symbol] = {"bids": {}, "asks": {}}
            sides = self._sides.get(symbol)
            if sides is None:
                continue
            for side in ("bids", "asks"):
                for level in row[side]:
                    if level["qty"] == 0:
                        sides[side].pop(level["price"], None)
                    else:
                        sides[side][level["price"]] = level["qty"]
                for price in _ordered(sides[side], side)[depth:]:
                    del sides[side][price]
            bids, asks = self._levels(symbol)
            if checksum(bids, asks) != row["checksum"] or bids[0][0] >= asks[0][0]:
                del self._sides[symbol]
                broken.append(symbol)
        return broken

    def book(self, pair: str) -> tuple[Levels, Levels] | None:
        """(bids, asks), best first."""
        return self._levels(pair) if pair in self._sides else None

    def _levels(self, symbol: str) -> tuple[Levels, Levels]:
        price_step, qty_step = self._digits[symbol]
        bids, asks = (
            [
                (price.quantize(price_step), self._sides[symbol][side][price].quantize(qty_step))
                for price in _ordered(self._sides[symbol][side], side)
            ]
            for side in ("bids", "asks")
        )
        return bids, asks


def _ordered(side: dict[Decimal, Decimal], name: str) -> list[Decimal]:
    return sorted(side, reverse=name == "bids")
