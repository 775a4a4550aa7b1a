"""The public side of one pair: last price, tape, candles and 24 hours, all from the source alone.

Own fills never touch it, so the same source gives the same tape whatever is traded against it.
"""

from collections import deque
from typing import NamedTuple

import msgspec

from simple_trader.sandbox.candles import Candles, CandleState
from simple_trader.sandbox.sources import SECOND, Tick
from simple_trader.simulator.dice import stream_key
from simple_trader.simulator.fill_model import Print
from simple_trader.simulator.instruments import Instrument

TAPE_KEPT = 1000


class TapeTrade(msgspec.Struct, array_like=True, frozen=True):
    """One public trade; `at` in microseconds, `trade_id` counts by one per pair."""

    at: int
    tick: int
    lots: int
    buy: bool
    market: bool
    trade_id: int


class MarketState(msgspec.Struct):
    """What a checkpoint keeps of a pair's public side."""

    bid: int
    ask: int
    at: int
    last: TapeTrade | None
    next_trade_id: int
    tape: list[TapeTrade]
    candles: CandleState


class Moved(NamedTuple):
    """What one tick did: its trades as they stand on the tape."""

    at: int
    trades: list[TapeTrade]


class PairMarket:
    """One pair's public memory; fed with ticks in market time."""

    def __init__(self, pair: Instrument, state: MarketState | None = None) -> None:
        self.pair = pair
        first_id = 10_000_000 + stream_key(0, "trade ids", pair.symbol) % 60_000_000
        self.bid = state.bid if state else 0
        self.ask = state.ask if state else 0
        self.at = state.at if state else 0
        self.last = state.last if state else None
        self.next_trade_id = state.next_trade_id if state else first_id
        self.tape: deque[TapeTrade] = deque(state.tape if state else [], TAPE_KEPT)
        self.candles = Candles(state.candles if state else None)

    def save(self) -> MarketState:
        """Give everything that `__init__` needs to go on."""
        return MarketState(
            self.bid,
            self.ask,
            self.at,
            self.last,
            self.next_trade_id,
            list(self.tape),
            self.candles.save(),
        )

    def take(self, tick: Tick, at: int) -> Moved:
        """Take one tick of the source at its market moment."""
        self.bid, self.ask, self.at = tick.bid, tick.ask, at
        trades = []
        for trade in tick.prints:
            entry = TapeTrade(
                at, trade.tick, trade.lots, trade.buy, trade.market, self.next_trade_id
            )
            self.next_trade_id += 1
            self.tape.append(entry)
            self.candles.take(at, trade)
            self.last = entry
            trades.append(entry)
        if self.last is None:
            # A market has a price before its first print: the middle of its quotes, unprinted.
            middle = Print((tick.bid + tick.ask) // 2, 0, buy=True, market=False)
            self.last = TapeTrade(at, middle.tick, 0, True, False, self.next_trade_id - 1)
        return Moved(at, trades)


class Timeline(msgspec.Struct):
    """How source time maps to market time: one to one until `source`, then `speed` times as fast.

    Stepped markets keep speed 1 and both origins equal: the stamps are the data's.
    """

    source: int = 0
    market: int = 0
    speed: float = 1.0

    def market_time(self, source: int) -> int:
        """Map a moment of the source to the wire's clock, in microseconds."""
        ahead = source - self.source
        if ahead <= 0 or self.speed == 1.0:
            return self.market + ahead
        return self.market + int(ahead / self.speed)


def shifted(start: int, to: int) -> int:
    """Shift a start by whole minutes only, so that candles before it keep their minutes."""
    minute = 60 * SECOND
    return start + (to - start) // minute * minute
