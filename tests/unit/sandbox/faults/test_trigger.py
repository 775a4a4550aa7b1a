"""When a fault acts: the first so many pass, then it acts, so often, so long, with that chance."""

import pytest

from simple_trader.sandbox.faults.spec import read_line
from simple_trader.sandbox.faults.trigger import Armed, Now, Seen

FILL = Seen("private", 1, "executions", "", "BTC/USD", "trade", "update")


def at(market_s: float, real_s: float | None = None) -> Now:
    return Now(int(market_s * 1_000_000), market_s if real_s is None else real_s)


def armed(line: str, seed: int = 1) -> Armed:
    return Armed(1, read_line(line), at(100), seed)


def acted(fault: Armed, count: int, seen: Seen = FILL) -> list[bool]:
    return [fault.due(seen, at(100)) for _ in range(count)]


def test_after_lets_pass_and_count_ends() -> None:
    fault = armed("N05 after=2 count=2")
    assert acted(fault, 6) == [False, False, True, True, False, False]
    assert (fault.seen, fault.fired) == (4, 2)
    assert fault.over(at(100))


@pytest.mark.parametrize(
    ("line", "fits"),
    [
        ("N05", True),
        ("N05 pair=ETH/USD", False),
        ("N05 on=public", False),
        ("N05 on=ws", True),
        ("N05 on=rest", False),
        ("N05 exec_type=any", True),
        ("N05 exec_type=filled", False),
        ("N05 channel=balances", False),
        ("X05 type=snapshot", False),
    ],
)
def test_what_does_not_fit_is_not_even_counted(line: str, fits: bool) -> None:
    fault = armed(line)
    assert acted(fault, 1) == [fits]
    assert fault.seen == int(fits)


def test_both_clocks_open_and_close_the_window() -> None:
    fault = armed("N04 at_s=10 for_s=5")
    moments = [105, 110, 114.9, 115]
    assert [fault.due(FILL, at(moment, 100)) for moment in moments] == [False, True, True, False]
    fault = armed("N04 real_at_s=10 real_for_s=5")
    assert [fault.due(FILL, at(999, moment)) for moment in moments] == [False, True, True, False]


def test_a_chance_is_drawn_by_the_seed() -> None:
    first, same, other = (acted(armed("N05 chance=0.3 count=all", s), 400) for s in (1, 1, 2))
    assert first == same != other
    assert 80 < sum(first) < 160


def test_a_fault_of_time_repeats_at_its_pace() -> None:
    fault = armed("X28 count=3 every_s=10")
    assert [s for s in range(100, 150) if fault.due_by_itself(at(s))] == [100, 110, 120]


def test_a_stopped_fault_never_acts_again() -> None:
    fault = armed("N05 count=all")
    fault.stopped = True
    assert acted(fault, 3) == [False] * 3
