"""Candles of one pair in all of Kraken's intervals, in whole ticks and lots."""

from collections import deque
from collections.abc import Iterator

import msgspec

from simple_trader.sandbox.sources import MINUTE
from simple_trader.simulator.fill_model import Print

INTERVALS = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)
KEPT = 720
DAY_MINUTES = 1440
DAY_US = DAY_MINUTES * MINUTE


class Candle(msgspec.Struct):
    """One candle; `begin` in microseconds, prices in ticks, `turnover` in ticks x lots."""

    begin: int
    open: int
    high: int
    low: int
    close: int
    volume: int = 0
    turnover: int = 0
    count: int = 0

    def take(self, trade: Print) -> None:
        """Add one trade."""
        self.high = max(self.high, trade.tick)
        self.low = min(self.low, trade.tick)
        self.close = trade.tick
        self.volume += trade.lots
        self.turnover += trade.tick * trade.lots
        self.count += 1

    def join(self, later: "Candle") -> None:
        """Add a later candle to this one."""
        self.high = max(self.high, later.high)
        self.low = min(self.low, later.low)
        self.close = later.close
        self.volume += later.volume
        self.turnover += later.turnover
        self.count += later.count


class Day(msgspec.Struct):
    """The rolling 24 hours: open, high, low in ticks, volume in lots, turnover, trades."""

    open: int
    high: int
    low: int
    volume: int
    turnover: int
    count: int


Row = tuple[int, int, int, int, int, int, int, int, int, int]


class CandleState(msgspec.Struct):
    """What a checkpoint keeps: closed candles by interval and the running ones, as plain rows.

    A volume or turnover may exceed 64 bits, so a row holds each in two parts.
    """

    closed: dict[int, list[Row]]
    minute: Row | None = None
    running: dict[int, Row] = msgspec.field(default_factory=dict)


_LOW = (1 << 60) - 1


def _row(c: Candle) -> Row:
    volume, turnover = _parts(c.volume), _parts(c.turnover)
    return (c.begin, c.open, c.high, c.low, c.close, *volume, *turnover, c.count)


def _parts(number: int) -> tuple[int, int]:
    return number >> 60, number & _LOW


def _candle(row: Row) -> Candle:
    return Candle(*row[:5], (row[5] << 60) | row[6], (row[7] << 60) | row[8], row[9])


class Candles:
    """Folds trades into minutes and closed minutes into every longer interval."""

    def __init__(self, state: CandleState | None = None) -> None:
        state = state or CandleState(closed={})
        self._closed: dict[int, deque[Candle]] = {
            interval: deque(
                map(_candle, state.closed.get(interval, [])),
                DAY_MINUTES if interval == 1 else KEPT,
            )
            for interval in INTERVALS
        }
        self._minute = None if state.minute is None else _candle(state.minute)
        # The longer candles hold closed minutes only; `running` adds the minute that runs.
        self._running = {interval: _candle(row) for interval, row in state.running.items()}
        self._day: Day | None = None
        self._day_begin = -1

    def save(self) -> CandleState:
        """Give everything that `__init__` needs to go on."""
        minute = self._minute
        return CandleState(
            {
                interval: [_row(candle) for candle in rows]
                for interval, rows in self._closed.items()
            },
            None if minute is None else _row(minute),
            {interval: _row(candle) for interval, candle in self._running.items()},
        )

    def take(self, at: int, trade: Print) -> None:
        """Add one trade at a moment that does not lie before the last one's minute."""
        begin = at // MINUTE * MINUTE
        minute = self._minute
        if minute is None or begin > minute.begin:
            if minute is not None:
                self._close(minute)
            minute = Candle(begin, trade.tick, trade.tick, trade.tick, trade.tick)
            self._minute = minute
        minute.take(trade)

    def _close(self, minute: Candle) -> None:
        self._closed[1].append(minute)
        self._day = None
        for interval in INTERVALS[1:]:
            width = interval * MINUTE
            begin = minute.begin // width * width
            current = self._running.get(interval)
            if current is not None and current.begin == begin:
                current.join(minute)
                continue
            if current is not None:
                self._closed[interval].append(current)
            self._running[interval] = _copy(minute, begin)

    def running(self, interval: int) -> Candle | None:
        """Give the candle of an interval that the last trade belongs to."""
        minute = self._minute
        if minute is None or interval == 1:
            return minute
        width = interval * MINUTE
        begin = minute.begin // width * width
        longer = self._running.get(interval)
        if longer is None or longer.begin != begin:
            return _copy(minute, begin)
        whole = _copy(longer, begin)
        whole.join(minute)
        return whole

    def rows(self, interval: int, limit: int = KEPT) -> list[Candle]:
        """Give the newest candles of an interval, oldest first, the running one last."""
        rows = list(self._closed[interval])
        running = self.running(interval)
        if running is not None:
            longer = self._running.get(interval)
            if interval != 1 and longer is not None and longer.begin != running.begin:
                rows.append(longer)
            rows.append(running)
        return rows[-limit:]

    def day(self, now: int) -> Day | None:
        """Give the rolling 24 hours that end now (microseconds); None without a trade in them.

        They are made of whole minutes: the one that runs and the 1439 before it.
        """
        minute = self._minute
        if minute is None:
            return None
        begin = (max(now, minute.begin) // MINUTE - (DAY_MINUTES - 1)) * MINUTE
        if minute.begin < begin:
            return None
        if self._day is None or self._day_begin != begin:
            self._day = _fold(self._since(begin))
            self._day_begin = begin
        closed = self._day
        if closed is None:
            closed = Day(minute.open, minute.high, minute.low, 0, 0, 0)
        return Day(
            closed.open,
            max(closed.high, minute.high),
            min(closed.low, minute.low),
            closed.volume + minute.volume,
            closed.turnover + minute.turnover,
            closed.count + minute.count,
        )

    def today(self, now: int) -> Candle | None:
        """Give the candle of the running UTC day; None when nothing has traded in it."""
        day = self.running(DAY_MINUTES)
        return day if day is not None and day.begin == now // DAY_US * DAY_US else None

    def _since(self, begin: int) -> Iterator[Candle]:
        return (candle for candle in self._closed[1] if candle.begin >= begin)


def _copy(candle: Candle, begin: int) -> Candle:
    return msgspec.structs.replace(candle, begin=begin)


def _fold(candles: Iterator[Candle]) -> Day | None:
    day: Day | None = None
    for candle in candles:
        if day is None:
            day = Day(candle.open, candle.high, candle.low, 0, 0, 0)
        day.high = max(day.high, candle.high)
        day.low = min(day.low, candle.low)
        day.volume += candle.volume
        day.turnover += candle.turnover
        day.count += candle.count
    return day


def filled_rows(
    candles: list[Candle], interval: int, since: int, limit: int = KEPT
) -> list[Candle]:
    """Add flat candles for the intervals without trades, as Kraken's REST does (section 11.4)."""
    width = interval * MINUTE
    rows: list[Candle] = []
    for candle in candles:
        missing = (candle.begin - rows[-1].begin) // width - 1 if rows else 0
        if missing > 0:
            start = candle.begin - min(missing, limit) * width
            flat = rows[-1].close
            rows.extend(
                Candle(begin, flat, flat, flat, flat) for begin in range(start, candle.begin, width)
            )
        rows.append(candle)
    return [row for row in rows[-limit:] if row.begin > since or since <= 0]
