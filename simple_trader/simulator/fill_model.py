"""Who fills at what price: takers walk the visible book, makers wait for the tape.

The model is pessimistic on purpose. A maker fills only when a print goes through its price, when
prints at its price have used up the queue that stood before it, or when the market's own quotes
would cross it; always at its own price, never better. Own fills do not print on the public tape.
"""

from collections.abc import Iterable
from typing import NamedTuple

from simple_trader.simulator.liquidity import ASK, BID
from simple_trader.simulator.matching import OwnLevel, PairBook, reaches


class Print(NamedTuple):
    """One trade of the tape: `buy` tells the side of the taker, `market` its order type."""

    tick: int
    lots: int
    buy: bool
    market: bool


class Fill(NamedTuple):
    """One fill to book, in ticks and lots."""

    tick: int
    lots: int


class Walk(NamedTuple):
    """What a taker would get: the fills, and whether an own order stood in the way."""

    fills: list[Fill]
    met_own: bool


def walk(book: PairBook, side: int, lots: int, limit: int | None) -> Walk:
    """Match a taker against the resting `side` up to `limit`; nothing is changed.

    It stops at the first own order it would meet (self-trade prevention, cancel newest).
    """
    own = book.best_own(side)
    fills: list[Fill] = []
    for tick, there in book.market_levels(side):
        if lots == 0 or not reaches(side, tick, limit):
            break
        if own is not None and (own <= tick if side == ASK else own >= tick):
            break
        take = min(lots, there)
        fills.append(Fill(tick, take))
        lots -= take
    met_own = lots > 0 and own is not None and reaches(side, own, limit)
    return Walk(fills, met_own)


def walk_cash(book: PairBook, quote_units: int, limit: int | None) -> Walk:
    """Match a market buy that spends up to `quote_units` (ticks x lots) on the asks."""
    own = book.best_own(ASK)
    fills: list[Fill] = []
    met_own = False
    for tick, there in book.market_levels(ASK):
        affordable = quote_units // tick
        if affordable == 0 or not reaches(ASK, tick, limit):
            break
        if own is not None and own <= tick:
            met_own = True
            break
        take = min(affordable, there)
        fills.append(Fill(tick, take))
        quote_units -= take * tick
    return Walk(fills, met_own)


def maker_fills(book: PairBook, prints: Iterable[Print]) -> list[tuple[OwnLevel, int]]:
    """Match own resting orders against one step of the market: (order, lots), in order.

    The levels' lots, the orders' queues and the eaten liquidity are updated here.
    """
    if not book.own[BID] and not book.own[ASK]:
        return []
    fills: list[tuple[OwnLevel, int]] = []
    for trade in prints:
        _fill_by_print(book, trade, fills)
    for side in (BID, ASK):
        _fill_by_quotes(book, side, fills)
    return fills


def _fill_by_print(book: PairBook, trade: Print, fills: list[tuple[OwnLevel, int]]) -> None:
    side = ASK if trade.buy else BID
    left = trade.lots
    for level in book.by_priority(side):
        if left <= 0 or level.lots == 0:
            continue
        through = level.tick < trade.tick if side == ASK else level.tick > trade.tick
        if not through and level.tick != trade.tick:
            break
        if not through:
            queue = min(level.order.queue_lots, left)
            level.order.queue_lots -= queue
            # Own orders at one price share the queue: what passed one has passed them all.
            if level.order.queue_lots > 0:
                continue
            take = min(level.lots, left - queue)
        else:
            level.order.queue_lots = 0
            take = min(level.lots, left)
        if take > 0:
            level.lots -= take
            left -= take
            fills.append((level, take))


def _fill_by_quotes(book: PairBook, side: int, fills: list[tuple[OwnLevel, int]]) -> None:
    opposite = ASK if side == BID else BID
    best = book.state.ask if side == BID else book.state.bid
    for level in book.by_priority(side):
        if not reaches(opposite, best, level.tick):
            return
        for tick, there in book.market_levels(opposite):
            if level.lots == 0 or not reaches(opposite, tick, level.tick):
                break
            take = min(level.lots, there)
            book.eat(opposite, tick, take)
            level.lots -= take
            fills.append((level, take))
