"""One pair's book: the other traders' levels, and above them the orders of this venue's accounts.

The other traders come from a `Depth`: generated here, or handed in by whoever follows a real feed.
Their levels are told as they are; what the accounts' takers ate of them is the depth's to remember.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Protocol

import msgspec

from simple_trader.simulator.liquidity import ASK, BID, Liquidity
from simple_trader.simulator.orders import Order

WALK_LIMIT = 1000


class Depth(Protocol):
    """The other traders' side of a book, in ticks and lots."""

    def market_levels(self, side: int) -> Iterator[tuple[int, int]]:
        """Walk a side outwards from its best price as (tick, lots left), empty ones skipped."""

    def eat(self, side: int, tick: int, lots: int) -> None:
        """Take lots out of a level, and remember it as long as that should last."""

    def queue_at(self, side: int, tick: int) -> int:
        """Give the lots that stand before an order that comes to rest at a price now."""


class BookState(msgspec.Struct):
    """What a checkpoint keeps of a book; `eaten` maps tick to lots already taken, per side."""

    bid: int
    ask: int
    step: int = 0
    eaten: tuple[dict[int, int], dict[int, int]] = msgspec.field(default_factory=lambda: ({}, {}))


class GeneratedDepth:
    """Other traders out of the dice: quotes from the market source, sizes from `Liquidity`."""

    def __init__(self, liquidity: Liquidity, state: BookState) -> None:
        self.liquidity = liquidity
        self.state = state

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

    def queue_at(self, side: int, tick: int) -> int:
        """Give what is left at a price."""
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


class OwnLevel(msgspec.Struct):
    """One resting order of an account, in ticks and lots; an iceberg shows `slice_lots` at once."""

    order: Order
    tick: int
    lots: int
    hidden: int = 0
    slice_lots: int = 0


class PairBook:
    """Price-time priority over the other traders' levels and the accounts' resting orders."""

    def __init__(self, depth: Depth) -> None:
        self.depth = depth
        self.own: tuple[list[OwnLevel], list[OwnLevel]] = ([], [])

    def market_levels(self, side: int) -> Iterator[tuple[int, int]]:
        """Walk the other traders' levels outwards as (tick, lots left)."""
        return self.depth.market_levels(side)

    def top(self, side: int, depth: int) -> list[tuple[int, int]]:
        """Give the visible best levels, the accounts' orders included, best first."""
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

    def best_market(self, side: int) -> int | None:
        """Give the other traders' best price of a side in ticks."""
        for tick, _ in self.market_levels(side):
            return tick
        return None

    def lots_before(self, side: int, tick: int) -> int:
        """Give the market's lots at a price: the queue that a new order joins at its end."""
        return self.depth.queue_at(side, tick)

    def eat(self, side: int, tick: int, lots: int) -> None:
        """Take lots out of a market level; who waited behind them moves forward."""
        self.depth.eat(side, tick, lots)
        for level in self.own[side]:
            if level.tick == tick:
                level.order.queue_lots = max(0, level.order.queue_lots - lots)

    def rest(
        self, order: Order, tick: int, lots: int, *, hidden: int = 0, slice_lots: int = 0
    ) -> None:
        """Put an order into the book behind those that came before it."""
        level = OwnLevel(order, tick, lots, hidden, slice_lots)
        self.own[side_of(order)].append(level)

    def remove(self, order: Order) -> None:
        """Take an order out of the book, if it rests there."""
        for levels in self.own:
            if levels:
                levels[:] = [level for level in levels if level.order is not order]

    def level_of(self, order: Order) -> OwnLevel | None:
        """Find where an order rests."""
        for level in self.own[side_of(order)]:
            if level.order is order:
                return level
        return None

    def take_own(self, level: OwnLevel, lots: int) -> bool:
        """Take lots from a resting order; True: an iceberg showed its next slice, at the end."""
        level.lots -= lots
        if level.lots > 0 or level.hidden == 0:
            return False
        shown = min(level.slice_lots, level.hidden)
        level.lots, level.hidden = shown, level.hidden - shown
        side = side_of(level.order)
        levels = self.own[side]
        levels[:] = [other for other in levels if other is not level] + [level]
        level.order.queue_lots = self.lots_before(side, level.tick)
        return True

    def by_priority(self, side: int) -> list[OwnLevel]:
        """Give the own orders of a side, best price first, then oldest (the sort is stable)."""
        return sorted(self.own[side], key=lambda level: -level.tick if side == BID else level.tick)

    def best_own(self, side: int) -> int | None:
        """Give the best own price of a side in ticks."""
        ticks = [level.tick for level in self.own[side]]
        if not ticks:
            return None
        return max(ticks) if side == BID else min(ticks)


def side_of(order: Order) -> int:
    """Give the side of the book on which an order rests."""
    return BID if order.side == "buy" else ASK


def reaches(side: int, price: int, limit: int | None) -> bool:
    """Say whether a taker with this limit may trade at a price of the resting `side`."""
    if limit is None:
        return True
    return price <= limit if side == ASK else price >= limit


def total(levels: Iterable[tuple[int, int]]) -> int:
    """Add up the lots of some levels."""
    return sum(lots for _, lots in levels)
