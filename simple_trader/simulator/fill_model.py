"""Who fills at what price: takers walk the book in price-time order, makers wait for the tape.

The model is pessimistic on purpose. A maker fills only when a print goes through its price, when
prints at its price have used up the queue that stood before it, when the market's own quotes would
cross it, or when another account's order takes it; always at its own price, never better. Own
fills do not print on the public tape.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from simple_trader.simulator.liquidity import ASK, BID
from simple_trader.simulator.matching import OwnLevel, PairBook, reaches
from simple_trader.simulator.orders import SelfTrade


class Print(NamedTuple):
    """One trade of the tape: `buy` tells the side of the taker, `market` its order type."""

    tick: int
    lots: int
    buy: bool
    market: bool


class Taker(NamedTuple):
    """Who takes: at most `lots` from the resting `side` up to `limit`, as far as `cash` goes.

    `cash` counts ticks x lots; None is no bound.
    """

    account: str
    side: int
    lots: int
    limit: int | None
    stp: SelfTrade = "cancel_newest"
    cash: int | None = None


class Fill(NamedTuple):
    """One meeting, in ticks and lots; without `maker` it is with the other traders.

    With `lots` 0 nothing trades: the maker is of the same account and has to go.
    """

    tick: int
    lots: int
    maker: OwnLevel | None = None


class Walk(NamedTuple):
    """What a taker would get, in order, and whether self-trade prevention ends it there."""

    fills: list[Fill]
    stopped: bool

    @property
    def takes(self) -> bool:
        """Whether the order would meet anything at all."""
        return bool(self.fills) or self.stopped

    @property
    def lots(self) -> int:
        """What would fill."""
        return sum(fill.lots for fill in self.fills)


class _Place(NamedTuple):
    """One place in the queue of a price: some of the market's lots, or an own order's slice."""

    maker: OwnLevel | None
    lots: int
    hidden: int = 0


def walk(book: PairBook, taker: Taker) -> Walk:
    """Match a taker against the resting side in price-time order; nothing is changed."""
    fills: list[Fill] = []
    lots, cash, stp = taker.lots, taker.cash, taker.stp
    for tick, places in _levels(book, taker.side):
        if not reaches(taker.side, tick, taker.limit):
            break
        while places:
            wanted = lots if cash is None else min(lots, cash // tick)
            if wanted <= 0:
                return Walk(fills, stopped=False)
            maker, there, hidden = places.popleft()
            if maker is not None and maker.order.account == taker.account:
                if stp != "cancel_newest":
                    fills.append(Fill(tick, 0, maker))
                if stp != "cancel_oldest":
                    return Walk(fills, stopped=True)
                continue
            take = min(wanted, there)
            fills.append(Fill(tick, take, maker))
            lots -= take
            cash = None if cash is None else cash - take * tick
            if maker is not None and take == there and hidden:
                shown = min(maker.slice_lots, hidden)
                places.append(_Place(maker, shown, hidden - shown))
    return Walk(fills, stopped=False)


def _levels(book: PairBook, side: int) -> Iterator[tuple[int, deque[_Place]]]:
    """Walk prices outwards, each with its queue: the market's lots and the own orders by age."""
    own = deque(book.by_priority(side))
    for tick, lots in book.market_levels(side):
        while own and (own[0].tick < tick if side == ASK else own[0].tick > tick):
            better = own[0].tick
            yield better, _queue(own, better, 0)
        yield tick, _queue(own, tick, lots)
    while own:
        yield own[0].tick, _queue(own, own[0].tick, 0)


def _queue(own: deque[OwnLevel], tick: int, market: int) -> deque[_Place]:
    places: deque[_Place] = deque()
    ahead = 0
    while own and own[0].tick == tick:
        level = own.popleft()
        # What is left of the market's lots that stood here before this order.
        before = min(market, level.order.queue_lots) - ahead
        if before > 0:
            places.append(_Place(None, before))
            ahead += before
        if level.lots > 0:
            places.append(_Place(level, level.lots, level.hidden))
    if market > ahead:
        places.append(_Place(None, market - ahead))
    return places


class MakerFill(NamedTuple):
    """One fill of a resting order at its own price; `refilled`: an iceberg then showed more."""

    level: OwnLevel
    lots: int
    refilled: bool


def maker_fills(book: PairBook, prints: Iterable[Print]) -> list[MakerFill]:
    """Match resting orders against one step of the market, in order.

    The levels' lots, the orders' queues and the eaten liquidity are updated here.
    """
    if not book.own[BID] and not book.own[ASK]:
        return []
    fills: list[MakerFill] = []
    for trade in prints:
        _fill_by_print(book, trade, fills)
    for side in (BID, ASK):
        _fill_by_quotes(book, side, fills)
    return fills


def _fill_by_print(book: PairBook, trade: Print, fills: list[MakerFill]) -> None:
    side = ASK if trade.buy else BID
    left = trade.lots
    for level in book.by_priority(side):
        through = level.tick < trade.tick if side == ASK else level.tick > trade.tick
        if left <= 0 or (not through and level.tick != trade.tick):
            break
        if level.lots == 0:
            continue
        if through:
            level.order.queue_lots = 0
            while left > 0 and level.lots > 0:
                left -= _fill(book, level, left, fills)
            continue
        queue = min(level.order.queue_lots, left)
        level.order.queue_lots -= queue
        # Own orders at one price share the queue: what passed one has passed them all.
        if level.order.queue_lots == 0 and left > queue:
            left -= _fill(book, level, left - queue, fills)


def _fill(book: PairBook, level: OwnLevel, most: int, fills: list[MakerFill]) -> int:
    take = min(level.lots, most)
    fills.append(MakerFill(level, take, book.take_own(level, take)))
    return take


def _fill_by_quotes(book: PairBook, side: int, fills: list[MakerFill]) -> None:
    if not book.own[side]:
        return
    opposite = ASK if side == BID else BID
    best = book.best_market(opposite)
    for level in book.by_priority(side):
        if best is None or not reaches(opposite, best, level.tick):
            return
        for tick, there in book.market_levels(opposite):
            if level.lots == 0 or not reaches(opposite, tick, level.tick):
                break
            left = there
            while left > 0 and level.lots > 0:
                taken = _fill(book, level, left, fills)
                book.eat(opposite, tick, taken)
                left -= taken
