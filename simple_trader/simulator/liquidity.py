"""The other traders' resting orders: a book that follows from best prices and a step count.

Best bid and ask stand exactly where the market source puts them; deeper levels stand on a grid of
about one basis point. The quantity of a level is a hash of (pair, side, price, epoch), and every
level takes a new epoch after its own number of steps, so one step changes a few levels, as on a
real book, and nothing but the step count need be remembered.
"""

from collections.abc import Iterator

from simple_trader.simulator.dice import mix

BID = 0
ASK = 1

_SHAPE = (20, 50, 90, 150, 220, 300, 400, 520, 650, 800, 1000, 1300, 1700, 2300, 3200, 5200)
_CACHE_LIMIT = 20_000


class Liquidity:
    """The level sizes of one pair; `lot_scale` is lots per unit, `tick_scale` ticks per unit."""

    def __init__(self, key: int, tick_scale: int, lot_scale: int, level_quote: int) -> None:
        self._key = key
        self._level_lots = level_quote * tick_scale * lot_scale
        self._cache: dict[tuple[int, int], tuple[int, int]] = {}

    def lots_at(self, side: int, tick: int, step: int, *, best: bool = False) -> int:
        """Give the size in lots that rests at one price at one step."""
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
        if side == BID:
            tick = (best - 1) // gap * gap
            while tick > 0:
                yield tick, self.lots_at(side, tick, step)
                tick -= gap
        else:
            tick = (best // gap + 1) * gap
            while True:
                yield tick, self.lots_at(side, tick, step)
                tick += gap
