"""Momentum: how fast the price moved. Rate of change, Wilder's RSI, Lane's stochastic."""

import msgspec

from simple_trader.core.market.indicators.past import Past
from simple_trader.core.market.indicators.spec import Spec, percent

ROC_SPANS = (1, 5, 15, 60)
RSI_SPANS = (7, 14, 21)
STOCH_SPAN, STOCH_SLOW = 14, 3
STOCH_AT = STOCH_SPAN + 2 * (STOCH_SLOW - 1)
_FAST_KEPT = 2 * STOCH_SLOW - 1  # raw values behind one %D
_NO_CHANGE = 1e-14  # TA-Lib's own bound: smaller mean changes count as none

SPECS = (
    *(
        Spec(f"roc_{n}_pct", "pct", f"close / close {n} candles ago - 1", n + 1, f"ROC(close, {n})")
        for n in ROC_SPANS
    ),
    *(
        Spec(
            f"rsi_{n}",
            "0..100",
            f"gains in percent of gains and losses, both smoothed by Wilder over {n}",
            n + 1,
            f"RSI(close, {n})",
        )
        for n in RSI_SPANS
    ),
    Spec(
        "stoch_k_14",
        "0..100",
        "place of the close between low and high of 14 candles, mean of 3",
        STOCH_AT,
        "STOCH(high, low, close, 14, 3, 0, 3, 0)[0]",
    ),
    Spec(
        "stoch_d_14",
        "0..100",
        "mean of 3 stoch_k_14",
        STOCH_AT,
        "STOCH(high, low, close, 14, 3, 0, 3, 0)[1]",
    ),
)


_ROC_NAMES = tuple(f"roc_{span}_pct" for span in ROC_SPANS)
_RSI_NAMES = tuple(f"rsi_{span}" for span in RSI_SPANS)
_SHARES = tuple(1.0 / span for span in RSI_SPANS)


def rates_of_change(past: Past) -> dict[str, float | None]:
    """The change of the close over each span, in percent."""
    known = dict[str, float | None].fromkeys(_ROC_NAMES)
    closes = past.closes
    close = closes[-1]
    for span, name in zip(ROC_SPANS, _ROC_NAMES, strict=True):
        if past.count > span:
            then = closes[-1 - span]
            known[name] = percent(close - then, then)
    return known


class Strength(msgspec.Struct):
    """Relative strength: mean gains and losses of each span, smoothed as Wilder did."""

    gains: list[float] = []
    losses: list[float] = []

    def update(self, past: Past) -> None:
        """Take the newest change of the close."""
        count = past.count
        if count < 2:
            return
        change = past.closes[-1] - past.closes[-2]
        gain, loss = (change, 0.0) if change > 0.0 else (0.0, -change)
        if count > RSI_SPANS[-1] + 1:
            self.gains = [m + (gain - m) * s for m, s in zip(self.gains, _SHARES, strict=True)]
            self.losses = [m + (loss - m) * s for m, s in zip(self.losses, _SHARES, strict=True)]
            return
        self.gains = self._start(self.gains, gain, count - 1)
        self.losses = self._start(self.losses, loss, count - 1)

    @staticmethod
    def _start(means: list[float], newest: float, changes: int) -> list[float]:
        """The means during the first `changes`: gathered until a span is full, then faded."""
        return [
            mean + (newest if changes <= span else newest - mean) / span
            for mean, span in zip(means or [0.0] * len(RSI_SPANS), RSI_SPANS, strict=True)
        ]

    def values(self, past: Past) -> dict[str, float | None]:
        """The RSI of each span; None also where the price did not move at all."""
        known = dict[str, float | None].fromkeys(_RSI_NAMES)
        pairs = zip(RSI_SPANS, _RSI_NAMES, self.gains, self.losses, strict=False)
        for span, name, gain, loss in pairs:
            if past.count > span and gain + loss > _NO_CHANGE:
                known[name] = 100.0 * gain / (gain + loss)
        return known


class Stochastic(msgspec.Struct):
    """The slow stochastic 14, 3, 3; `fast` are the newest raw values (None: no range at all)."""

    fast: list[float | None] = []

    def update(self, past: Past) -> None:
        """Place the newest close between the lowest low and highest high of the span."""
        if past.count < STOCH_SPAN:
            return
        low, high = min(past.lows[-STOCH_SPAN:]), max(past.highs[-STOCH_SPAN:])
        self.fast.append(100.0 * (past.closes[-1] - low) / (high - low) if high > low else None)
        if len(self.fast) > _FAST_KEPT:
            del self.fast[0]

    def values(self) -> dict[str, float | None]:
        """%K and %D; None where one of the windows behind them had no range."""
        fast = [value for value in self.fast if value is not None]
        if len(fast) < _FAST_KEPT:
            return {"stoch_k_14": None, "stoch_d_14": None}
        slow = [sum(fast[at : at + STOCH_SLOW]) / STOCH_SLOW for at in range(STOCH_SLOW)]
        return {"stoch_k_14": slow[-1], "stoch_d_14": sum(slow) / STOCH_SLOW}
