"""Timers: multiples from the epoch, the first cycle at once, missed ones coalesce."""

from datetime import timedelta

from brain_desk import T0, settings

from simple_trader.core.schedule.timers import (
    AGGREGATE,
    DAY,
    RECONCILE,
    RISK_CHECK,
    TRAIN,
    Timers,
    intervals,
)

LATER = T0 + timedelta(seconds=3)  # T0 is a multiple of every interval here


def begun(**changes: object) -> Timers:
    """Timers of a start three seconds after ten o'clock."""
    timers = Timers()
    timers.begin(settings(**changes), LATER, last_training_at=None)
    return timers


def test_each_timer_begins_at_its_next_multiple() -> None:
    due = begun(enable_model=True).due
    assert due[AGGREGATE] == T0 + timedelta(minutes=15)
    assert due[RECONCILE] == T0 + timedelta(minutes=15)
    assert due[RISK_CHECK] == T0 + timedelta(seconds=10)
    assert due[DAY] == T0.replace(hour=0) + timedelta(days=1)


def test_what_is_switched_off_has_no_timer() -> None:
    assert AGGREGATE not in intervals(settings(enable_aggregator=False))
    assert TRAIN not in intervals(settings(enable_model=False))


def test_the_first_cycle_comes_at_once_where_its_interval_saw_none() -> None:
    timers = begun()
    timers.first_cycle(settings(), LATER, None)
    assert timers.soonest() == (LATER, AGGREGATE)
    timers.fired(AGGREGATE, settings(), LATER)
    assert timers.due[AGGREGATE] == T0 + timedelta(minutes=15)


def test_after_a_restart_in_the_same_interval_the_cycle_is_not_repeated() -> None:
    timers = begun()
    timers.first_cycle(settings(), LATER, T0)
    assert timers.due[AGGREGATE] == T0 + timedelta(minutes=15)
    timers.first_cycle(settings(), LATER, T0 - timedelta(seconds=1))
    assert timers.due[AGGREGATE] == LATER


def test_missed_cycles_coalesce_to_one() -> None:
    timers = begun()
    timers.fired(AGGREGATE, settings(), T0 + timedelta(hours=5, seconds=1))
    assert timers.due[AGGREGATE] == T0 + timedelta(hours=5, minutes=15)


def test_training_is_due_at_once_when_the_last_is_long_ago() -> None:
    timers = Timers()
    model = settings(enable_model=True)
    timers.begin(model, LATER, last_training_at=T0 - timedelta(days=3))
    assert timers.due[TRAIN] == LATER


def test_changed_settings_move_only_their_own_timers() -> None:
    timers = begun()
    before = dict(timers.due)
    timers.changed(settings(), settings(aggregator_interval_s=60), LATER)
    assert timers.due[AGGREGATE] == T0 + timedelta(minutes=1)
    assert timers.due[RISK_CHECK] == before[RISK_CHECK]
    timers.changed(settings(), settings(enable_aggregator=False), LATER)
    assert AGGREGATE not in timers.due


def test_at_one_moment_a_decision_comes_last() -> None:
    timers = Timers(due={AGGREGATE: T0, RECONCILE: T0, RISK_CHECK: T0, DAY: T0})
    seen = []
    while (soonest := timers.soonest()) is not None:
        seen.append(soonest[1])
        del timers.due[soonest[1]]
    assert seen == [DAY, RISK_CHECK, RECONCILE, AGGREGATE]
