"""What an indicator or feature is called, how it is made, and when it is first known."""

from typing import Literal

import msgspec

Unit = Literal["price", "base", "pct", "bps", "0..100", "-1..1", "share", "sd", "ratio"]
_LEVELS: tuple[Unit, ...] = ("price", "base")


class Spec(msgspec.Struct, frozen=True):
    """One named figure.

    `candles` finished ones are needed before it is known (0: it is not made of candles), or
    `seconds` of a trusted book. `talib` is the call of TA-Lib that gives the same. Units: `price`
    in quote units, `base` in base units, `pct` percent, `share` 0 at the lower and 1 at the upper
    end, `sd` standard deviations.
    """

    name: str
    unit: Unit
    formula: str
    candles: int = 0
    talib: str = ""
    seconds: int = 0

    @property
    def is_level(self) -> bool:
        """Whether it is as large as the price or the volume, so that pairs cannot be compared."""
        return self.unit in _LEVELS


def names(specs: tuple[Spec, ...]) -> tuple[str, ...]:
    """The names of some specs, in their order."""
    return tuple(spec.name for spec in specs)


def percent(part: float, whole: float) -> float | None:
    """`part` in percent of `whole`; None where the whole is not positive."""
    return part / whole * 100.0 if whole > 0.0 else None
