"""One pair's book: the market's levels, what own takers ate of them, and own resting orders."""

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from simple_trader.simulator.liquidity import ASK, BID, Liquidity
from simple_trader.simulator.orders import Order

WALK_LIMIT = 1000


class BookState(msgspec.Struct):
    """What a checkpoint keeps of a book; `eaten` maps tick to lots already taken, per side."""

    bid: int
    ask: int
    step: int = 0
    eaten: tuple[dict[int, int], dict[int, int]] = msgspec.field(default_factory=lambda: ({}, {}))


class OwnLevel(msgspec.Struct):
    """One own resting order as the book sees it, in ticks and lots."""

    order: Order
    tick: int
    lots: int


class PairBook:
    """Price-time priority over synthetic levels and own orders; own orders never cross it."""

    def __init__(self, liquidity: Liquidity, state: BookState) -> None:
        self.liquidity = liquidity
        self.state = state
        self.own: tuple[list[OwnLevel], list[OwnLevel]] = ([], [])

    def move(self, bid: int, ask: int) -> None:
        """Take the market's next quotes; half of what was eaten grows back."""
        if not 0 < bid < ask:
            raise ValueError(f"quotes must be positive and uncrossed, got bid {bid}, ask {ask}")
        state = self.state
        state.bid, state.ask, state.step = bid, ask, state.step + 1
        for side in (BID, ASK):
            eaten = state.eaten[side]
            if eaten:
                halved = {tick: lots // 2 for tick, lots in eaten.items() if lots > 1}
                eaten.clear()
                eaten.update(halved)

    def market_levels(self, side: int) -> Iterator[tuple[int, int]]:
        """Walk the market's own levels outwards as (tick, lots left), empty ones skipped."""
        state = self.state
        eaten = state.eaten[side]
        best = state.bid if side == BID else state.ask
        levels = islice(self.liquidity.levels(side, best, state.step), WALK_LIMIT)
        if not eaten:
            yield from levels
            return
        for tick, lots in levels:
            left = lots - eaten.get(tick, 0)
            if left > 0:
                yield tick, left

    def top(self, side: int, depth: int) -> list[tuple[int, int]]:
        """Give the visible best levels, own orders included, best first."""
        own = self.own[side]
        if not own:
            return list(islice(self.market_levels(side), depth))
        merged = dict(islice(self.market_levels(side), depth))
        for level in own:
            merged[level.tick] = merged.get(level.tick, 0) + level.lots
        return sorted(merged.items(), reverse=side == BID)[:depth]

    def best(self, side: int) -> tuple[int, int] | None:
        """Give the visible best level of a side, or None when nothing rests there."""
        levels = self.top(side, 1)
        return levels[0] if levels else None

    def lots_before(self, side: int, tick: int) -> int:
        """Give the market's lots at a price: the queue that a new own order joins at its end."""
        for level_tick, lots in self.market_levels(side):
            if level_tick == tick:
                return lots
            if (level_tick < tick) if side == BID else (level_tick > tick):
                return 0
        return 0

    def eat(self, side: int, tick: int, lots: int) -> None:
        """Take lots out of a market level."""
        eaten = self.state.eaten[side]
        eaten[tick] = eaten.get(tick, 0) + lots

    def rest(self, order: Order, tick: int, lots: int) -> None:
        """Put an own order into the book behind those that came before it."""
        self.own[BID if order.side == "buy" else ASK].append(OwnLevel(order, tick, lots))

    def remove(self, order: Order) -> None:
        """Take an own order out of the book, if it rests there."""
        for levels in self.own:
            levels[:] = [level for level in levels if level.order is not order]

    def resize(self, order: Order, lots: int) -> None:
        """Make a resting own order smaller without losing its place."""
        for levels in self.own:
            for level in levels:
                if level.order is order:
                    level.lots = lots

    def by_priority(self, side: int) -> list[OwnLevel]:
        """Give the own orders of a side, best price first, then oldest (the sort is stable)."""
        return sorted(self.own[side], key=lambda level: -level.tick if side == BID else level.tick)

    def best_own(self, side: int) -> int | None:
        """Give the best own price of a side in ticks."""
        ticks = [level.tick for level in self.own[side]]
        if not ticks:
            return None
        return max(ticks) if side == BID else min(ticks)


def reaches(side: int, price: int, limit: int | None) -> bool:
    """Say whether a taker with this limit may trade at a price of the resting `side`."""
    if limit is None:
        return True
    return price <= limit if side == ASK else price >= limit


def total(levels: Iterable[tuple[int, int]]) -> int:
    """Add up the lots of some levels."""
    return sum(lots for _, lots in levels)
