"""Money: exact Decimals, rounding that never creates value, and refusal of NaN and infinity."""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, InvalidOperation

ZERO = Decimal(0)
ONE = Decimal(1)
BPS = Decimal(10_000)


def exact(value: str | int | Decimal) -> Decimal:
    """A finite Decimal of `value`; raises ValueError for NaN, infinity or text that is no
    number.
    """
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"not a number: {value!r}") from None
    if not number.is_finite():
        raise ValueError(f"not a finite number: {value!r}")
    return number


def floor_to_step(value: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` that is not above `value`, written with the digits of
    `step`.
    """
    return ((value / step).to_integral_value(ROUND_FLOOR) * step).quantize(step)


def ceil_to_step(value: Decimal, step: Decimal) -> Decimal:
    """The smallest multiple of `step` that is not below `value`, written with the digits of
    `step`.
    """
    return ((value / step).to_integral_value(ROUND_CEILING) * step).quantize(step)


def is_on_step(value: Decimal, step: Decimal) -> bool:
    """Whether `value` is an exact multiple of `step`."""
    return value % step == ZERO


def quantum(decimals: int) -> Decimal:
    """The smallest step of a number with `decimals` decimals: quantum(2) is 0.01."""
    return Decimal(1).scaleb(-decimals)


def at_precision(value: Decimal, decimals: int) -> Decimal:
    """`value` at `decimals` decimals, half to even: for statistics, never to create money."""
    return value.quantize(quantum(decimals), ROUND_HALF_EVEN)


def bps_of(part: Decimal, whole: Decimal) -> Decimal:
    """`part` in basis points of `whole`."""
    return part / whole * BPS


def plain(value: Decimal) -> str:
    """`value` without exponent, its trailing zeros kept: the form for wires and people."""
    return format(value, "f")
