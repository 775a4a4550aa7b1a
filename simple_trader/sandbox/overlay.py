"""The relayed book with what own orders took out of it: the same quantity is never taken twice.

`shown` is what the upstream displays, `eaten` what own takers consumed of it. Own orders never
enter the upstream's book, so only this memory keeps them honest:

- a level that is gone is forgotten, with what was eaten of it: what comes back is new;
- a level that shrinks below what was eaten of it has nothing left to give;
- a level that grows gives what came on top.
"""

from collections.abc import Iterable, Iterator

import msgspec

from simple_trader.simulator.liquidity import ASK, BID

Levels = dict[int, int]
Changes = Iterable[tuple[int, int]]


class OverlayState(msgspec.Struct):
    """What a checkpoint keeps: per side (bids, asks), lots by tick; `lost` while in a gap."""

    shown: tuple[Levels, Levels] = msgspec.field(default_factory=lambda: ({}, {}))
    eaten: tuple[Levels, Levels] = msgspec.field(default_factory=lambda: ({}, {}))
    lost: bool = False


class Overlay:
    """One pair's levels as own orders meet them."""

    def __init__(self, state: OverlayState | None = None) -> None:
        self.state = state or OverlayState()

    def replace(self, bids: Changes, asks: Changes) -> None:
        """Take a whole book, after a gap or the first one."""
        for side, changes in ((BID, bids), (ASK, asks)):
            levels = dict(changes)
            gone = [(tick, 0) for tick in self.state.shown[side] if tick not in levels]
            self._change(side, [*gone, *levels.items()])
            # Of what was eaten before a restart, only what is still displayed counts.
            eaten = self.state.eaten[side]
            for tick in [tick for tick in eaten if tick not in levels]:
                del eaten[tick]

    def change(self, bids: Changes, asks: Changes) -> None:
        """Take new totals by price; zero lots: the level is gone."""
        self._change(BID, bids)
        self._change(ASK, asks)

    def _change(self, side: int, changes: Changes) -> None:
        shown, eaten = self.state.shown[side], self.state.eaten[side]
        for tick, lots in changes:
            if lots == 0:
                shown.pop(tick, None)
                eaten.pop(tick, None)
                continue
            shown[tick] = lots
            if eaten.get(tick, 0) > lots:
                eaten[tick] = lots

    def market_levels(self, side: int) -> Iterator[tuple[int, int]]:
        """Walk what is left of a side, best price first, as (tick, lots); empty ones skipped."""
        shown, eaten = self.state.shown[side], self.state.eaten[side]
        for tick in sorted(shown, reverse=side == BID):
            left = shown[tick] - eaten.get(tick, 0)
            if left > 0:
                yield tick, left

    def queue_at(self, side: int, tick: int) -> int:
        """Give all that is displayed at a price, eaten or not: a new order stands behind it."""
        return self.state.shown[side].get(tick, 0)

    def best(self, side: int) -> int | None:
        """Give the best price with anything left; None when a side is empty."""
        first = next(self.market_levels(side), None)
        return None if first is None else first[0]

    def eat(self, side: int, tick: int, lots: int) -> None:
        """Remember what an own order took."""
        eaten = self.state.eaten[side]
        eaten[tick] = eaten.get(tick, 0) + lots
