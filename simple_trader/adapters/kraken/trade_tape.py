"""Public trades in order, each once: `trade_id` counts up by one in each book (section 3.3).

A snapshot after a reconnect repeats trades that were seen; a number that was left out is a hole.
The tape lives longer than a connection, so that it knows what the last one brought.
"""

from collections.abc import Sequence

import msgspec

from simple_trader.domain.history import PublicTrade


class Hole(msgspec.Struct, frozen=True):
    """Trades of a pair that were never seen: the first and the last missing number."""

    pair: str
    first: int
    last: int


class TradeTape:
    """The newest trade seen of each pair."""

    def __init__(self) -> None:
        """Nothing seen yet."""
        self._newest: dict[str, PublicTrade] = {}

    def take(
        self, trades: Sequence[PublicTrade], *, snapshot: bool
    ) -> tuple[tuple[PublicTrade, ...], list[Hole]]:
        """The trades that are new, by number within each pair, and the holes before them."""
        new: list[PublicTrade] = []
        holes: list[Hole] = []
        for pair in sorted({trade.pair for trade in trades}):
            mine = sorted(
                (trade for trade in trades if trade.pair == pair), key=lambda t: t.trade_id or 0
            )
            if snapshot:
                self._notice_restart(mine[-1])
            for trade in mine:
                before, number = self._newest.get(pair), trade.trade_id or 0
                due = None if before is None else (before.trade_id or 0) + 1
                if due is not None and number < due:
                    continue
                if due is not None and number > due:
                    holes.append(Hole(pair, due, number - 1))
                self._newest[pair] = trade
                new.append(trade)
        return tuple(new), holes

    def _notice_restart(self, newest: PublicTrade) -> None:
        """Later trades with lower numbers: the exchange began to count anew."""
        before = self._newest.get(newest.pair)
        if (
            before is not None
            and (newest.trade_id or 0) < (before.trade_id or 0)
            and newest.at > before.at
        ):
            del self._newest[newest.pair]
