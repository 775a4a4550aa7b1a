"""The replayed market: a file's bars or trades as timed ticks, stamps and gaps as in the data.

The path inside a bar (rule): the bar is cut into slots of one second (bars up to five minutes) or
five seconds (longer bars), and each slot gives one tick, stamped inside [start, end). The first
slot prints the open. Further prints stand in slots drawn by the seed; the last of them prints the
close, two others the high and the low in an order drawn by the seed, the rest wander between their
neighbours, never outside [low, high]. Their number is the bar's trade count, at least what open,
high, low and close need and at most 24 (120 in long bars); their volumes add up to the bar's. Slots
without a print repeat the last price with fresh quotes. The draw depends on the seed and the bar's
own stamp only. Where the file has no bar, nothing happens.

Trades files print each row at its own stamp (side by the tick rule); quotes are refreshed each
second for up to a minute after a trade; longer silences stay gaps.

Quotes stand around the last price: half a spread of 1 to 3 basis points, at least one tick.
"""

from bisect import bisect_right
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import msgspec

from simple_trader.sandbox.replay_files import Bar, ReplayFile, TapeTrade, read_replay
from simple_trader.sandbox.sources import MINUTE, SECOND, SourceError, Tick
from simple_trader.simulator.dice import CounterDice, stream_key
from simple_trader.simulator.fill_model import Print
from simple_trader.simulator.instruments import INSTRUMENT_BY_SYMBOL, INSTRUMENTS, Instrument
from simple_trader.simulator.instruments import find_pair as find_known

SHORT_BAR = 300
UNCOUNTED_PRINTS = 12


class Position(msgspec.Struct):
    """Where the replay stands: which bar (or minute of trades) and which tick of it."""

    index: int
    tick: int


class ReplaySource:
    """One pair's file as a market; it ends with the file."""

    def __init__(self, path: Path, pair: str, history_bars: int, seed: int) -> None:
        known = find_known(pair, INSTRUMENT_BY_SYMBOL)
        if known is None:
            names = ", ".join(instrument.symbol for instrument in INSTRUMENTS)
            raise SourceError(f"--replay-pair {pair} is unknown; choose one of {names}.")
        self._file = read_replay(path)
        precision = max(known.price_precision, self._file.decimals)
        self._pair = msgspec.structs.replace(known, price_precision=precision)
        self.world = f"replay {self._file.digest}"
        self.pairs: dict[str, Instrument] = {known.symbol: self._pair}
        self._key = stream_key(seed, "replay")
        self._lead = history_bars
        self._blocks = _blocks(self._file)
        if history_bars < 1 or history_bars >= len(self._blocks):
            raise SourceError(
                f"replay file {path.name} holds {len(self._blocks)} bars, so the "
                f"{history_bars} bars of history before the start leave nothing to replay."
            )
        self.start = self._blocks[history_bars]
        self._at = Position(history_bars, 0)
        self._loaded = -1
        self._ticks: list[Tick] = []

    def history(self) -> Iterator[Tick]:
        """Give the ticks of the first `history_bars` bars."""
        for index in range(self._lead):
            yield from self._past_bar(index) if self._file.bars else self._path(index)

    def _past_bar(self, index: int) -> Iterator[Tick]:
        # Only prints make history; the quotes between them are drawn where someone can see them.
        bar, interval = self._file.bars[index], self._file.interval
        dice = CounterDice(stream_key(self._key, bar.at // SECOND))
        for slot, trade in bar_prints(self._pair, bar, interval, dice).items():
            bid, ask = quotes_around(trade.tick, dice)
            at = bar.at + slot * _spacing(interval) * SECOND
            yield Tick(at, self._pair.symbol, bid, ask, (trade,))

    def next_at(self) -> int | None:
        """Give the stamp of the next tick, or None at the end of the file."""
        ticks = self._current()
        return ticks[self._at.tick].at if ticks else None

    def step(self) -> list[Tick]:
        """Give the next tick."""
        ticks = self._current()
        if not ticks:
            return []
        tick = ticks[self._at.tick]
        self._at.tick += 1
        return [tick]

    def save(self) -> bytes:
        """Give the position as bytes."""
        return msgspec.msgpack.encode(self._at)

    def restore(self, saved: bytes) -> None:
        """Go to a saved position."""
        try:
            self._at = msgspec.msgpack.decode(saved, type=Position)
        except msgspec.MsgspecError as error:
            raise SourceError(f"the saved market position cannot be read: {error}") from error

    def _current(self) -> list[Tick]:
        while self._at.index < len(self._blocks):
            if self._loaded != self._at.index:
                self._ticks = self._path(self._at.index)
                self._loaded = self._at.index
            if self._at.tick < len(self._ticks):
                return self._ticks
            self._at = Position(self._at.index + 1, 0)
        return []

    def _path(self, index: int) -> list[Tick]:
        at = self._blocks[index]
        dice = CounterDice(stream_key(self._key, at // SECOND))
        if self._file.bars:
            return bar_path(self._pair, self._file.bars[index], self._file.interval, dice)
        return trade_path(self._pair, self._file.trades, at, dice)


def _blocks(file: ReplayFile) -> list[int]:
    if file.bars:
        return [bar.at for bar in file.bars]
    return sorted({trade.at // MINUTE * MINUTE for trade in file.trades})


def _ticks_of(pair: Instrument, price: Decimal) -> int:
    exact = pair.ticks_of(price)
    if exact is not None:
        return exact
    return max(1, int(price.scaleb(pair.price_precision).to_integral_value(ROUND_HALF_EVEN)))


def bar_path(pair: Instrument, bar: Bar, interval: int, dice: CounterDice) -> list[Tick]:
    """Draw one bar's ticks by the rule of this module; `interval` in seconds."""
    prints = bar_prints(pair, bar, interval, dice)
    spacing = _spacing(interval)
    ticks: list[Tick] = []
    last = 0
    for slot in range(interval // spacing):
        trade = prints.get(slot)
        if trade is not None:
            last = trade.tick
        bid, ask = quotes_around(last, dice)
        at = bar.at + slot * spacing * SECOND
        ticks.append(Tick(at, pair.symbol, bid, ask, (trade,) if trade is not None else ()))
    return ticks


def _spacing(interval: int) -> int:
    return 1 if interval <= SHORT_BAR else 5


def bar_prints(pair: Instrument, bar: Bar, interval: int, dice: CounterDice) -> dict[int, Print]:
    """Draw one bar's prints by slot; slot 0 always has one."""
    slots = interval // _spacing(interval)
    prices = _price_points(pair, bar, slots, dice, cap=24 if interval <= SHORT_BAR else 120)
    volumes = _volumes(int(bar.volume.scaleb(pair.qty_precision)), len(prices), dice)
    prints: dict[int, Print] = {}
    before = prices[0][1]
    for (slot, tick), lots in zip(prices, volumes, strict=True):
        buy = tick > before or (tick == before and dice.random() < 0.5)
        prints[slot] = Print(tick, lots, buy, dice.random() < 0.35)
        before = tick
    return prints


def _price_points(
    pair: Instrument, bar: Bar, slots: int, dice: CounterDice, cap: int
) -> list[tuple[int, int]]:
    opened, high, low, close = (_ticks_of(pair, price) for price in bar[1:5])
    extremes = [tick for tick in (high, low) if tick not in (opened, close)]
    if len(extremes) == 2 and (extremes[0] == extremes[1] or dice.random() < 0.5):
        extremes.reverse()
    flat = high == low
    needed = len(extremes) + (1 if flat else 2)
    wanted = UNCOUNTED_PRINTS if bar.trades is None else bar.trades
    count = max(needed, min(wanted, cap, slots))
    chosen: set[int] = set()
    while len(chosen) < count - 1:
        chosen.add(1 + dice.below(slots - 1))
    places = [0, *sorted(chosen)]
    anchors = {0: opened}
    if count > 1:
        anchors[count - 1] = close
    inner: set[int] = set()
    while len(inner) < len(extremes):
        inner.add(1 + dice.below(count - 2))
    anchors.update(zip(sorted(inner), extremes, strict=True))
    return list(zip(places, _bridge(anchors, count, low, high, dice), strict=True))


def _bridge(
    anchors: dict[int, int], count: int, low: int, high: int, dice: CounterDice
) -> list[int]:
    fixed = sorted(anchors)
    path: list[int] = []
    for place in range(count):
        known = anchors.get(place)
        if known is not None:
            path.append(known)
            continue
        target = fixed[bisect_right(fixed, place)]
        before = path[-1]
        pull = (anchors[target] - before) // (target - place + 1)
        swing = (high - low) // 6
        noise = dice.below(2 * swing + 1) - swing
        path.append(min(high, max(low, before + pull + noise)))
    return path


def _volumes(lots: int, count: int, dice: CounterDice) -> list[int]:
    weights = [1 + dice.below(1000) for _ in range(count)]
    whole = sum(weights)
    parts = [max(1, lots * weight // whole) for weight in weights]
    parts[-1] = max(1, parts[-1] + lots - sum(parts))
    return parts


def quotes_around(last: int, dice: CounterDice) -> tuple[int, int]:
    """Draw bid and ask in ticks around the last price: 1 to 3 basis points, 1 tick at least."""
    half = max(1, last * (100 + dice.below(200)) // 1_000_000)
    bid = max(1, last - half)
    return bid, max(bid + 1, last + half)


def trade_path(pair: Instrument, trades: list[TapeTrade], at: int, dice: CounterDice) -> list[Tick]:
    """Give one minute of trades as ticks, with fresh quotes each second until the next trade.

    The quotes go on for at most a minute after the last trade.
    """
    first = bisect_right(trades, at - 1, key=lambda trade: trade.at)
    end = bisect_right(trades, at + MINUTE - 1, key=lambda trade: trade.at)
    before = trades[max(0, first - 1)].price
    moments: dict[int, list[Print]] = {}
    for trade in trades[first:end]:
        lots = max(1, int(trade.volume.scaleb(pair.qty_precision)))
        buy = trade.price > before or (trade.price == before and dice.random() < 0.5)
        before = trade.price
        moments.setdefault(trade.at, []).append(
            Print(_ticks_of(pair, trade.price), lots, buy, dice.random() < 0.35)
        )
    opening, silent = trades[first].at, trades[end - 1].at + MINUTE
    until = min(trades[end].at, silent) if end < len(trades) else silent
    for second in range(opening // SECOND + 1, (until - 1) // SECOND + 1):
        moments.setdefault(second * SECOND, [])
    ticks: list[Tick] = []
    last = _ticks_of(pair, trades[first].price)
    for moment in sorted(moments):
        prints = moments[moment]
        last = prints[-1].tick if prints else last
        bid, ask = quotes_around(last, dice)
        ticks.append(Tick(moment, pair.symbol, bid, ask, prints))
    return ticks
