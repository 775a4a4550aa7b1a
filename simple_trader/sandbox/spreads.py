"""The latest best prices of each pair, for the REST endpoint Spread (section 11.4)."""

from collections import deque
from typing import NamedTuple

KEPT = 200


class SpreadRow(NamedTuple):
    """Best prices in ticks since a moment in microseconds."""

    at: int
    bid: int
    ask: int


class Spreads:
    """Keeps the last 200 changes of each pair; they are not part of the saved state."""

    def __init__(self) -> None:
        self._rows: dict[str, deque[SpreadRow]] = {}

    def note(self, symbol: str, row: SpreadRow) -> None:
        """Keep best prices when they differ from the last ones."""
        rows = self._rows.setdefault(symbol, deque(maxlen=KEPT))
        if not rows or (rows[-1].bid, rows[-1].ask) != (row.bid, row.ask):
            rows.append(row)

    def rows(self, symbol: str) -> list[SpreadRow]:
        """Give what is kept of a pair, oldest first."""
        return list(self._rows.get(symbol, ()))
