"""Which features the online model learns from: those that do not grow with price or volume.

A level in quote units (a moving average, a band, OBV) is not stationary: scaled by what it was
until yesterday it looks absurd after each larger move, and its weight learns where the price was
instead of a pattern. Shares, ratios, oscillators and scores mean the same at every price.
"""

from collections.abc import Mapping

from simple_trader.core.strategy.features import NEUTRAL

_GIVEN = frozenset(NEUTRAL)


def model_inputs(features: Mapping[str, float | None]) -> dict[str, float | None]:
    """The features of a snapshot that the online model is given."""
    return {name: value for name, value in features.items() if name in _GIVEN}
