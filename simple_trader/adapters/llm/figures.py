"""Figures: numbers of a snapshot as a reader wants them: grouped, with units, few digits."""

import math
from collections.abc import Collection
from decimal import Decimal

from simple_trader.core.strategy.features import GROUPS, SPECS
from simple_trader.domain.money import plain
from simple_trader.domain.predictions import HorizonView

NOT_AVAILABLE = "n/a"
OTHER = "Other"
_SHOWN_IN_FULL = (1e-10, 1e15)
_UNITS = {spec.name: spec.unit for spec in SPECS}
_SPANS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


def grouped(features: Collection[str]) -> list[tuple[str, list[str]]]:
    """Feature names by subject, in a fixed order; what is known to none stands under OTHER."""
    found = [
        (group, [spec.name for spec in specs if spec.name in features])
        for group, specs in GROUPS.items()
    ]
    found.append((OTHER, sorted(name for name in features if name not in _UNITS)))
    return [(group, names) for group, names in found if names]


def figure(name: str, value: float | None, *, pair: str, decimals: int) -> str:
    """A feature of `pair` with its unit; levels of the price have `decimals` decimals or more."""
    if value is None or not math.isfinite(value):
        return NOT_AVAILABLE
    match _UNITS.get(name):
        case "price":
            return _digits(value, decimals)
        case "base":
            return f"{_digits(value, 0)} {pair.partition('/')[0]}"
        case "pct":
            return signed_percent(value)
        case "bps":
            return f"{value + 0.0:.1f} bps"
        case "0..100":
            return f"{value + 0.0:.1f}"
        case "-1..1":
            return _signed(value, 2)
        case "sd":
            return f"{_signed(value, 1)} sd"
        case "share" | "ratio":
            return f"{value + 0.0:.2f}"
        case _:
            return f"{value + 0.0:,.6g}"


def decimals_of(*prices: Decimal) -> int:
    """The most decimals that any of these prices has."""
    exponents = (price.as_tuple().exponent for price in prices)
    return max((-found for found in exponents if isinstance(found, int) and found < 0), default=0)


def price(value: Decimal) -> str:
    """A price with the exchange's digits and thousands apart."""
    whole, dot, decimals = plain(value).partition(".")
    return f"{Decimal(whole):,}{dot}{decimals}"


def share(fraction: float) -> str:
    """A fraction in percent, one decimal."""
    return f"{fraction * 100:.1f} %" if math.isfinite(fraction) else NOT_AVAILABLE


def signed_percent(value: float | None) -> str:
    """Percent with its sign, two decimals or two digits."""
    if value is None or not math.isfinite(value):
        return NOT_AVAILABLE
    return f"{_signed(value, 2 if abs(value) >= 0.1 else 3)} %"


def span(seconds: int) -> str:
    """A span in its largest whole unit."""
    for unit_s, unit in _SPANS:
        if seconds >= unit_s and seconds % unit_s == 0:
            count = seconds // unit_s
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds} seconds"


def chance(view: HorizonView) -> str:
    """What the online model says of one horizon, with what that has been worth."""
    when = f"in {span(view.horizon_s)}"
    if view.quarantined:
        return f"{when} not shown (quarantined: worse than the base rate)"
    if view.probability is None or not math.isfinite(view.probability):
        return f"{when} unknown"
    return f"{when} {share(view.probability)} ({skill(view)})"


def skill(view: HorizonView) -> str:
    """The measured skill, or that there is none yet: never a number that was not earned."""
    if view.quarantined:
        return "quarantined"
    if view.skill is None or not math.isfinite(view.skill):
        return "unproven"
    return f"skill {_signed(view.skill * 100, 1)} % over {view.scored:,} outcomes"


def _digits(value: float, decimals: int) -> str:
    """At least `decimals` decimals, and as many as four significant digits need."""
    if value and not _SHOWN_IN_FULL[0] < abs(value) < _SHOWN_IN_FULL[1]:
        return f"{value:.4g}"
    size = math.floor(math.log10(abs(value))) if value else 3
    return f"{value + 0.0:,.{max(decimals, 3 - size)}f}"


def _signed(value: float, decimals: int) -> str:
    text = f"{value:+.{decimals}f}"
    return text if text.strip("+-0.") else text.lstrip("+-")
