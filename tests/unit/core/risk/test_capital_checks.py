"""Checks of capital: the value of orders in a minute, an hour and a day."""

from typing import Any

import pytest
from brain_case import case
from brain_desk import D, settings

from simple_trader.core.risk.capital_checks import within_turnover
from simple_trader.core.risk.turnover import Flow
from simple_trader.domain.reasons import Reason

R = Reason

SPANS = ("minute", "hour", "day")


def why(side: str, limit: dict[str, Any], flow: Flow) -> R | None:
    """The reason for an order of 100.02 USD."""
    objection = within_turnover(case(side, settings=settings(**limit), flow=flow))
    return None if objection is None else objection[0]


@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("prefix", ["", "pair_"])
def test_pt3_i_22_each_window_holds_to_the_last_cent_and_entries_use_half(
    prefix: str, span: str
) -> None:
    limit = {f"max_{prefix}notional_per_{span}": D(1000)}

    def flow(value: str) -> Flow:
        return Flow(**{f"{prefix}{span}": D(value)})

    assert why("sell", limit, flow("899.98")) is None
    assert why("sell", limit, flow("899.99")) is R.NOTIONAL_LIMIT
    assert why("buy", limit, flow("399.98")) is None
    assert why("buy", limit, flow("399.99")) is R.NOTIONAL_LIMIT
