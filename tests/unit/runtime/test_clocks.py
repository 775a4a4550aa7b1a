"""Clocks: the machine's time, carried on steadily, and time that only a stepper moves."""

from datetime import UTC, datetime, timedelta

from simple_trader.runtime.clocks import SteppedClock, SystemClock

T0 = datetime(2026, 3, 2, 10, tzinfo=UTC)


class Machine:
    """A machine whose clock somebody sets."""

    def __init__(self) -> None:
        self.wall, self.steady = T0, 100.0

    def clock(self) -> SystemClock:
        return SystemClock(lambda: self.wall, lambda: self.steady)

    def later(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.steady += seconds


def test_p04_i_49_setting_the_clock_moves_no_market_time() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.later(10)
    for step in (timedelta(hours=1), timedelta(hours=-2), timedelta(seconds=1)):
        machine.wall += step
        assert clock.now() == T0 + timedelta(seconds=10)
        assert clock.wall() == machine.wall
    machine.later(5)
    assert clock.now() == T0 + timedelta(seconds=15)


def test_the_clock_of_the_machine_agrees_with_itself() -> None:
    clock = SystemClock()
    assert abs((clock.now() - clock.wall()).total_seconds()) < 1
    first = clock.now()
    assert clock.now() >= first


def test_a_stepped_clock_never_goes_back() -> None:
    clock = SteppedClock(T0)
    clock.move_to(T0 + timedelta(seconds=1))
    clock.move_to(T0)
    assert clock.now() == T0 + timedelta(seconds=1)
