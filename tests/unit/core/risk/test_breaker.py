"""The breaker: days, losses without flows, latches and the candle guard."""

from datetime import timedelta

import pytest
from brain_desk import BTC, T0, D, settings

from simple_trader.core.risk.breaker import (
    add_flow,
    candle_of,
    follow_peak,
    free_guard,
    guard_key,
    latch,
    loss_today,
    resume,
    roll_day,
    stop_day,
    take_guard,
)
from simple_trader.domain.memory import RiskMemory
from simple_trader.domain.orders import Side
from simple_trader.domain.reasons import Reason

TODAY = roll_day(RiskMemory(), D(1000), T0)
KEY = guard_key(BTC, Side.BUY)


def test_a_day_begins_with_the_equity_of_its_first_moment() -> None:
    assert TODAY.day_start_equity == D(1000)
    assert TODAY.loss_day == T0.replace(hour=0)
    assert roll_day(TODAY, D(900), T0 + timedelta(hours=13)) is TODAY


def test_the_opening_waits_for_a_known_equity() -> None:
    unknown = roll_day(RiskMemory(), None, T0)
    assert unknown.day_start_equity is None
    assert stop_day(unknown, None, settings()) is unknown
    assert roll_day(unknown, D(5), T0).day_start_equity == D(5)


@pytest.mark.parametrize(("equity", "stopped"), [("950.01", False), ("950", True), ("949", True)])
def test_the_daily_loss_limit_stops_at_its_figure(equity: str, stopped: bool) -> None:
    assert stop_day(TODAY, D(equity), settings()).day_stopped is stopped


def test_a_limit_of_zero_is_off() -> None:
    assert stop_day(TODAY, D(1), settings(daily_loss_limit=D(0))) is TODAY


def test_i_24_a_new_day_lifts_neither_the_daily_stop_nor_halt() -> None:
    stopped = latch(stop_day(TODAY, D(900), settings()), Reason.OPERATOR, "me")
    tomorrow = roll_day(stopped, D(900), T0 + timedelta(days=1))
    assert tomorrow.day_stopped
    assert tomorrow.halted
    assert tomorrow.day_start_equity == D(900)


def test_x28_deposits_and_withdrawals_are_no_gain_and_no_loss() -> None:
    richer = add_flow(TODAY, D(500))
    assert loss_today(richer, D(1500)) == 0
    poorer = add_flow(TODAY, D(-500))
    assert loss_today(poorer, D(500)) == 0
    assert stop_day(poorer, D(500), settings()) is poorer


def test_x28_flows_that_the_opening_equity_will_hold_are_not_counted_again() -> None:
    unopened = roll_day(TODAY, None, T0 + timedelta(days=1))
    assert add_flow(unopened, D(5)) is unopened
    fresh = RiskMemory()
    assert add_flow(fresh, D(5)) is fresh


def test_x28_i_24_the_peak_moves_with_flows_also_before_the_day_has_its_opening() -> None:
    peak = follow_peak(TODAY, D(1000), settings())
    unopened = roll_day(peak, None, T0 + timedelta(days=1))
    poorer = add_flow(unopened, D(-600))
    assert (poorer.peak_equity, poorer.net_flows_today) == (D(400), 0)
    assert not follow_peak(poorer, D(400), settings(max_drawdown=D("0.2"))).drawdown_stopped


def test_i_24_an_account_that_begins_the_day_empty_has_lost_nothing() -> None:
    empty = roll_day(RiskMemory(), D(0), T0)
    assert stop_day(empty, D(0), settings()) is empty
    assert stop_day(empty, None, settings()) is empty
    funded = add_flow(empty, D(1000))
    assert stop_day(funded, D(1000), settings()) is funded
    assert stop_day(funded, D(999), settings()).day_stopped, "a limit of nothing is reached"


def test_i_24_a_resume_while_equity_is_not_known_waits_for_one_that_is() -> None:
    stopped = stop_day(TODAY, D(900), settings())
    again = resume(stopped, None, T0)
    assert (again.day_stopped, again.day_start_equity) == (False, None)
    assert roll_day(again, D(880), T0).day_start_equity == D(880)


def test_resume_lifts_both_latches_and_counts_the_day_anew() -> None:
    stopped = latch(stop_day(TODAY, D(900), settings()), Reason.OPERATOR, "me")
    again = resume(stopped, D(900), T0)
    assert not again.halted
    assert not again.day_stopped
    assert stop_day(again, D(900), settings()) is again


def test_resume_from_halt_alone_keeps_the_loss_of_the_day() -> None:
    again = resume(latch(TODAY, Reason.OPERATOR, "me"), D(960), T0)
    assert again.day_start_equity == D(1000)


def test_the_guard_is_taken_per_pair_side_and_candle_and_freed_only_as_taken() -> None:
    begin = candle_of(T0 + timedelta(minutes=14, seconds=59), settings())
    assert begin == T0
    guarded = take_guard(TODAY, KEY, begin)
    assert guarded.candle_guard == {KEY: T0}
    assert free_guard(guarded, KEY, T0 + timedelta(minutes=15)) is guarded
    assert free_guard(guarded, KEY, begin).candle_guard == {}


def test_i_24_the_drawdown_stop_latches_at_its_figure_and_lifts_by_a_resume_alone() -> None:
    limit = settings(max_drawdown=D("0.2"))
    peak = follow_peak(follow_peak(TODAY, D(1000), limit), D(1250), limit)
    assert peak.peak_equity == D(1250)
    assert not follow_peak(peak, D("1000.01"), limit).drawdown_stopped
    stopped = follow_peak(peak, D(1000), limit)
    assert stopped.drawdown_stopped
    assert follow_peak(stopped, D(1300), limit).drawdown_stopped, "a new peak lifts nothing"
    assert roll_day(stopped, D(1000), T0 + timedelta(days=9)).drawdown_stopped
    again = resume(stopped, D(1000), T0)
    assert not again.drawdown_stopped
    assert again.peak_equity == D(1000), "the fall is counted anew"
    assert follow_peak(again, D(801), limit) is again


def test_i_24_an_unknown_equity_moves_no_peak_and_stops_nothing() -> None:
    peak = follow_peak(TODAY, D(1000), settings())
    assert follow_peak(peak, None, settings()) is peak


def test_i_24_the_peak_moves_with_deposits_and_withdrawals() -> None:
    peak = follow_peak(TODAY, D(1000), settings())
    assert add_flow(peak, D(500)).peak_equity == D(1500)
    poorer = add_flow(peak, D(-600))
    assert follow_peak(poorer, D(400), settings(max_drawdown=D("0.2"))) is poorer
