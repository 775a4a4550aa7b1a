"""The past of one series: its last candles as plain floats, as far back as any window reaches."""

from math import log

import msgspec

REACH_CLOSES = 200
REACH = 61  # the last 60 changes


class Past(msgspec.Struct, kw_only=True):
    """The newest candles, oldest first; `count` is how many there were since the series began.

    Prices in quote units, volumes in base units; `turnovers` are typical price ((high + low +
    close) / 3) times volume, quote units; `logs` are natural logarithms of the closes.
    """

    count: int = 0
    closes: list[float] = []
    highs: list[float] = []
    lows: list[float] = []
    volumes: list[float] = []
    turnovers: list[float] = []
    logs: list[float] = []

    def take(self, high: float, low: float, close: float, volume: float) -> None:
        """Append one finished candle and forget what no window reaches any more."""
        self.count += 1
        self.closes.append(close)
        self.highs.append(high)
        self.lows.append(low)
        self.volumes.append(volume)
        self.turnovers.append((high + low + close) / 3.0 * volume)
        self.logs.append(log(close) if close > 0.0 else 0.0)  # the parsers let no such price in
        if self.count > REACH:
            del self.highs[0], self.lows[0], self.volumes[0], self.turnovers[0], self.logs[0]
            if self.count > REACH_CLOSES:
                del self.closes[0]
