"""Candles out of trades: open, high, low, close, volume and count of each interval with a trade."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from simple_trader.domain.history import PublicTrade
from simple_trader.domain.moments import floor_to
from simple_trader.domain.quotes import Candle


class CandleMaker:
    """Takes the trades of one pair in order; a candle is finished when a later interval begins.

    Intervals without a trade give no candle, as in Kraken's own download files (section 14).
    """

    def __init__(self, interval_s: int) -> None:
        """Intervals are multiples of `interval_s` seconds since the epoch."""
        self.interval_s = interval_s
        self._running: Candle | None = None

    @property
    def begin(self) -> datetime | None:
        """Where the running candle begins; None without one."""
        return None if self._running is None else self._running.begin

    def take(self, trade: PublicTrade) -> Candle | None:
        """Take one trade; the candle that it finished, if any. Raises ValueError out of order."""
        begin = floor_to(trade.at, self.interval_s)
        running = self._running
        if running is not None and begin < running.begin:
            raise ValueError(f"a trade at {trade.at.isoformat()} comes after a later candle")
        if running is None or begin > running.begin:
            self._running = Candle(
                pair=trade.pair,
                interval_s=self.interval_s,
                begin=begin,
                open=trade.price,
                high=trade.price,
                low=trade.price,
                close=trade.price,
                volume=trade.qty,
                trades=1,
            )
            return running
        self._running = Candle(
            pair=running.pair,
            interval_s=running.interval_s,
            begin=running.begin,
            open=running.open,
            high=max(running.high, trade.price),
            low=min(running.low, trade.price),
            close=trade.price,
            volume=running.volume + trade.qty,
            trades=running.trades + 1,
        )
        return None

    def finish(self) -> Candle | None:
        """The last candle, once it is known that nothing more belongs to it."""
        running, self._running = self._running, None
        return running


def candles_of(trades: Iterable[PublicTrade], interval_s: int) -> Iterator[Candle]:
    """All candles of some trades, the last one included."""
    maker = CandleMaker(interval_s)
    for trade in trades:
        done = maker.take(trade)
        if done is not None:
            yield done
    last = maker.finish()
    if last is not None:
        yield last
