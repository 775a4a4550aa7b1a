"""The other traders' resting orders: a book that follows from best prices and a step count.

Best bid and ask stand exactly where the market source puts them; deeper levels stand on a grid of
about one basis point. The quantity of a level is a hash of (pair, side, price, epoch), and every
level takes a new epoch after its own number of steps, so one step changes a few levels, as on a
real book, and nothing but the step count need be remembered. In one epoch of eight a level is gone.

A thin book has wider gaps, levels missing from the grid, and between five and forty levels a side;
which are missing and where a side ends follow from slower epochs of the same step count.
"""

from collections.abc import Iterator
from decimal import Decimal

from simple_trader.simulator.dice import mix
from simple_trader.simulator.instruments import Instrument

BID = 0
ASK = 1

_SHAPE = (20, 50, 90, 150, 220, 300, 400, 520, 650, 800, 1000, 1300, 1700, 2300, 3200, 5200)
_CACHE_LIMIT = 20_000


class Liquidity:
    """The level sizes of one pair; `lot_scale` is lots per unit, `tick_scale` ticks per unit.

    Prices stand on multiples of `increment` ticks; a usual level is worth `level_quote`.
    """

    def __init__(
        self,
        key: int,
        tick_scale: int,
        lot_scale: int,
        level_quote: Decimal | int,
        *,
        increment: int = 1,
        thin: bool = False,
    ) -> None:
        self._key = key
        self._increment = increment
        self._thin = thin
        worth = level_quote / 3 if thin else level_quote
        self._level_lots = int(worth * tick_scale * lot_scale)
        self._cache: dict[tuple[int, int], tuple[int, int]] = {}

    def lots_at(self, side: int, tick: int, step: int, *, best: bool = False) -> int:
        """Give the size in lots that rests at one price at one step; the best is never empty."""
        where = (side, tick)
        if not best:
            known = self._cache.get(where)
            if known is not None and known[0] > step >= known[0] - 256:
                return known[1]
        seed = mix(self._key ^ (tick * 2 + side))
        period = 1 if best else 48 + (seed & 127)
        offset = (seed >> 8) % period
        epoch = (step + offset) // period
        draw = mix(seed ^ (epoch * 0x2545F4914F6CDD1D & 0xFFFFFFFFFFFFFFFF))
        usual = self._level_lots // (1 << (tick.bit_length() - 1))
        lots = usual * _SHAPE[draw & 15] * (512 + (draw >> 8) % 1024) // (1000 * 1024)
        if (draw >> 20) & 63 == 0:
            lots *= 6
        lots = max(1, lots)
        if not best:
            if (draw >> 40) & 7 == 0:
                lots = 0  # the level is gone for an epoch: a client must hear of it, or forget it
            if len(self._cache) > _CACHE_LIMIT:
                self._cache.clear()
            until = (epoch + 1) * period - offset
            if until - step <= 256:
                self._cache[where] = (until, lots)
        return lots

    def levels(self, side: int, best: int, step: int) -> Iterator[tuple[int, int]]:
        """Walk one side from the best price outwards as (tick, lots), while prices are positive."""
        yield best, self.lots_at(side, best, step, best=True)
        gap = max(1, (1 << (best.bit_length() - 1)) // 8192)
        if self._thin:
            yield from self._thin_levels(side, best, step, gap * 5)
            return
        gap = -(-gap // self._increment) * self._increment
        if side == BID:
            tick = (best - 1) // gap * gap
            while tick > 0:
                lots = self.lots_at(side, tick, step)
                if lots:
                    yield tick, lots
                tick -= gap
        else:
            tick = (best // gap + 1) * gap
            while True:
                lots = self.lots_at(side, tick, step)
                if lots:
                    yield tick, lots
                tick += gap

    def _thin_levels(self, side: int, best: int, step: int, gap: int) -> Iterator[tuple[int, int]]:
        gap = -(-gap // self._increment) * self._increment
        left = 4 + mix(self._key ^ (step // 240 * 2 + side)) % 36
        tick = (best - 1) // gap * gap if side == BID else (best // gap + 1) * gap
        while left > 0 and tick > 0:
            where = mix(self._key ^ (tick * 2 + side) ^ 0x5DEECE66D)
            # Each price of the grid comes and goes in epochs of its own length.
            epoch = (step + (where & 1023)) // (200 + (where >> 10 & 511))
            lots = self.lots_at(side, tick, step) if mix(where ^ epoch) & 3 else 0
            if lots:
                yield tick, lots
                left -= 1
            tick += -gap if side == BID else gap


def liquidity_of(pair: Instrument, key: int) -> Liquidity:
    """Make the other traders' book of a pair; `key` is that of its own dice stream."""
    return Liquidity(
        key,
        10**pair.price_precision,
        10**pair.qty_precision,
        pair.level_quote,
        increment=pair.increment_ticks,
        thin=pair.thin,
    )
