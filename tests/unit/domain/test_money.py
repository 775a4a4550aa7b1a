"""Money is exact, finite, and rounding never makes more of it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simple_trader.domain.money import (
    at_precision,
    bps_of,
    ceil_to_step,
    exact,
    floor_to_step,
    is_on_step,
    plain,
    quantum,
)

amounts = st.decimals(min_value=0, max_value=10**9, places=8)
steps = st.sampled_from([Decimal(s) for s in ("0.00000001", "0.0001", "0.1", "0.5", "1", "5")])


@pytest.mark.parametrize("bad", ["NaN", "Infinity", "-Infinity", "sNaN", "", "1,5", "abc"])
def test_what_is_no_finite_number_is_refused(bad: str) -> None:
    with pytest.raises(ValueError):
        exact(bad)


def test_exact_keeps_every_digit() -> None:
    assert str(exact("0.10000000")) == "0.10000000"


@given(amounts, steps)
def test_rounding_down_never_creates_value_and_lands_on_the_step(value: Decimal, step: Decimal):
    rounded = floor_to_step(value, step)
    assert rounded <= value < rounded + step
    assert is_on_step(rounded, step)


@given(amounts, steps)
def test_rounding_up_is_never_below_and_lands_on_the_step(value: Decimal, step: Decimal) -> None:
    rounded = ceil_to_step(value, step)
    assert rounded - step < value <= rounded
    assert is_on_step(rounded, step)


def test_a_value_off_its_step_is_seen() -> None:
    assert not is_on_step(Decimal("0.15"), Decimal("0.1"))


def test_quantum_and_precision_count_decimals() -> None:
    assert quantum(2) == Decimal("0.01")
    assert at_precision(Decimal("0.125"), 2) == Decimal("0.12")


def test_basis_points_of_a_whole() -> None:
    assert bps_of(Decimal(1), Decimal(200)) == Decimal(50)


def test_plain_has_no_exponent() -> None:
    assert plain(Decimal("1E-8")) == "0.00000001"
