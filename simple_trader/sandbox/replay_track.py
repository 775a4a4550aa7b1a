"""One pair's replay file as a run of blocks, read forwards; a block is a bar or a minute of trades.

Only the block at hand is held. Its ticks follow from the seed, the pair and the block's own stamp,
so a position is two numbers: the block's first row and the tick inside it.
"""

from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby

import msgspec

from simple_trader.sandbox.replay_files import ReplayFile, stream
from simple_trader.sandbox.replay_paths import bar_path, past_prints, trade_path
from simple_trader.sandbox.replay_rows import Bar, TapeTrade
from simple_trader.sandbox.sources import MINUTE, SECOND, Tick
from simple_trader.simulator.dice import CounterDice, stream_key
from simple_trader.simulator.instruments import Instrument


class Position(msgspec.Struct):
    """Where a replay stands: the first row of the block, and which tick of it comes next."""

    row: int
    tick: int


class Block(msgspec.Struct):
    """One bar, or the trades of one minute with the price before and the moment after them."""

    row: int
    at: int
    bar: Bar | None = None
    trades: list[TapeTrade] = []
    before: Decimal = Decimal(0)
    next_at: int | None = None


class Track:
    """One pair's file; `at` is the position of the next tick."""

    def __init__(self, file: ReplayFile, pair: Instrument, seed: int) -> None:
        self.file = file
        self.pair = pair
        self._key = stream_key(seed, "replay", pair.symbol)
        self.at = Position(0, 0)
        self._blocks: Iterator[Block] = iter(())
        self._ticks: list[Tick] = []
        self._row = -1

    def history(self, until: int) -> Iterator[Tick]:
        """Give the ticks before a moment, of bars only those that print."""
        for block in blocks(self.file):
            if block.at >= until:
                return
            if block.bar is None:
                ticks = self._path(block)
            else:
                ticks = past_prints(self.pair, block.bar, self.file.interval, self._dice(block))
            for tick in ticks:
                if tick.at >= until:
                    break
                yield tick

    def begin(self, start: int) -> None:
        """Go to the first tick at or after a moment; the search begins at the lead block."""
        self.go(Position(max(0, self.file.lead_row), 0))
        while (tick := self.peek()) is not None and tick.at < start:
            self.take()

    def go(self, to: Position) -> None:
        """Go to a position."""
        self.at = to
        self._blocks = blocks(self.file, to.row)
        self._row = -1

    def peek(self) -> Tick | None:
        """Give the next tick, or None at the end of the file."""
        while self._row != self.at.row or self.at.tick >= len(self._ticks):
            if self._row == self.at.row:
                self.at = Position(-1, 0)
            block = next(self._blocks, None)
            if block is None:
                self.at, self._row, self._ticks = Position(self.file.rows, 0), -1, []
                return None
            self._ticks = self._path(block)
            self._row = block.row
            self.at = Position(block.row, max(0, self.at.tick))
        return self._ticks[self.at.tick]

    def take(self) -> None:
        """Move past the next tick."""
        self.at.tick += 1

    def _dice(self, block: Block) -> CounterDice:
        return CounterDice(stream_key(self._key, block.at // SECOND))

    def _path(self, block: Block) -> list[Tick]:
        dice = self._dice(block)
        if block.bar is not None:
            return bar_path(self.pair, block.bar, self.file.interval, dice)
        return trade_path(self.pair, block.trades, block.before, block.next_at, dice)


def blocks(file: ReplayFile, row: int = 0) -> Iterator[Block]:
    """Give the blocks of a file, from the one that begins at `row` on."""
    if file.bars:
        for placed in stream(file, row):
            if isinstance(placed.row, Bar):
                yield Block(placed.number, placed.row.at, placed.row)
        return
    yield from _minutes(file, row)


def _minutes(file: ReplayFile, row: int) -> Iterator[Block]:
    before: Decimal | None = None
    waiting: Block | None = None
    # The row before tells the price that the first one is compared with.
    trades = (
        (placed.number, placed.row)
        for placed in stream(file, max(0, row - 1))
        if isinstance(placed.row, TapeTrade)
    )
    for minute, group in groupby(trades, key=lambda numbered: numbered[1].at // MINUTE * MINUTE):
        numbered = list(group)
        if numbered[0][0] < row:
            before = numbered[0][1].price
            numbered = numbered[1:]
            if not numbered:
                continue
        first, trades_of = numbered[0][0], [trade for _, trade in numbered]
        if waiting is not None:
            waiting.next_at = trades_of[0].at
            yield waiting
        waiting = Block(
            first, minute, None, trades_of, trades_of[0].price if before is None else before
        )
        before = trades_of[-1].price
    if waiting is not None:
        yield waiting
