"""The panel: all indicators of one pair, moved on by each finished candle, kept as plain values.

What has a memory (EMA, Wilder's means, on-balance volume) is carried from candle to candle. What
has a window (SMA, bands, realised volatility, VWAP) is read from the kept past, exactly, when it is
asked for: nothing can drift. Formulas and start-up follow TA-Lib, with two deliberate differences:
what is undefined is None (TA-Lib says 0 for the RSI of a price that never moved), and a deviation
is taken about the mean, not as a difference of large squares.
"""

import msgspec

from simple_trader.core.market.indicators import momentum, trend, volatility, volume
from simple_trader.core.market.indicators.past import Past
from simple_trader.core.market.indicators.spec import names

THEMES = {
    "Trend": trend.SPECS,
    "Momentum": momentum.SPECS,
    "Volatility": volatility.SPECS,
    "Volume": volume.SPECS,
}
SPECS = tuple(spec for specs in THEMES.values() for spec in specs)
KEYS = names(SPECS)


class Indicators(msgspec.Struct, kw_only=True):
    """State of all indicators of one series; feed it one finished candle at a time.

    The struct can be encoded at any moment and goes on identically after decoding.
    """

    past: Past = msgspec.field(default_factory=Past)
    emas: trend.Exponentials = msgspec.field(default_factory=trend.Exponentials)
    macd: trend.Macd = msgspec.field(default_factory=trend.Macd)
    directional: trend.Directional = msgspec.field(default_factory=trend.Directional)
    strength: momentum.Strength = msgspec.field(default_factory=momentum.Strength)
    stochastic: momentum.Stochastic = msgspec.field(default_factory=momentum.Stochastic)
    true_range: volatility.TrueRange = msgspec.field(default_factory=volatility.TrueRange)
    flow: volume.Flow = msgspec.field(default_factory=volume.Flow)

    @property
    def count(self) -> int:
        """Finished candles since the series began."""
        return self.past.count

    def update(self, *, high: float, low: float, close: float, volume: float) -> None:
        """Take in the next finished candle: prices in quote units, volume in base units."""
        past = self.past
        past.take(high, low, close, volume)
        self.emas.update(past)
        self.macd.update(past)
        self.directional.update(past)
        self.strength.update(past)
        self.stochastic.update(past)
        self.true_range.update(past)
        self.flow.update(past)

    def values(self) -> dict[str, float | None]:
        """All indicators by name, in the order of KEYS; None where unknown or without meaning."""
        past = self.past
        if not past.count:
            return dict.fromkeys(KEYS)
        return {
            **trend.averages(past),
            **self.emas.values(past),
            **self.macd.values(past),
            **self.directional.values(past),
            **momentum.rates_of_change(past),
            **self.strength.values(past),
            **self.stochastic.values(),
            **volatility.bands(past),
            **self.true_range.values(past),
            **volatility.realised(past),
            **self.flow.values(past),
            **volume.activity(past),
            **volume.distances_from_vwap(past),
        }
