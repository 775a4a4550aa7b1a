"""Checks of the state: stops that only an operator lifts, cool-downs and pauses."""

from datetime import timedelta

import pytest
from brain_case import case
from brain_desk import T0

from simple_trader.core.risk import state_checks as checks
from simple_trader.domain.memory import Strike
from simple_trader.domain.reasons import Reason

R = Reason


def test_i_24_the_drawdown_stop_refuses_entries_only() -> None:
    assert checks.no_loss_stop(case(drawdown_stopped=True)) == (
        R.DRAWDOWN,
        "stopped until an operator resumes",
    )
    assert checks.no_loss_stop(case("sell", drawdown_stopped=True)) is None


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize(("left_s", "waits"), [(0.001, True), (0, False), (-1, False)])
def test_x16_x18_cool_down_and_pause_hold_orders_of_both_sides_until_their_end(
    side: str, left_s: float, waits: bool
) -> None:
    until = T0 + timedelta(seconds=left_s)
    for held in ({"strike": Strike(row=5, until=until)}, {"paused_until": until}):
        objection = checks.cooled_down(case(side, **held))
        assert (objection is not None) is waits
        assert objection is None or objection[0] is R.COOL_DOWN


def test_x16_a_strike_without_a_cool_down_holds_nothing() -> None:
    assert checks.cooled_down(case(strike=Strike(row=4))) is None
