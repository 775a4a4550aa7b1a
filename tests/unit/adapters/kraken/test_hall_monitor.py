"""The REST counter: costs, decay, the reserved share, and the sandbox that does not count."""

from datetime import timedelta
from pathlib import Path

import pytest
from kraken_parts import SetClock

from simple_trader.adapters.kraken.hall_monitor import (
    COSTS,
    TIERS,
    URGENT,
    FileCount,
    HallMonitor,
    PublicPace,
    cost_of,
)


def test_history_costs_four_orders_nothing_the_rest_one() -> None:
    assert (cost_of("TradesHistory"), cost_of("CancelOrder"), cost_of("Balance")) == (4, 0, 1)


def test_the_counter_grows_and_decays() -> None:
    clock = SetClock()
    monitor = HallMonitor("intermediate", clock.monotonic)
    monitor.charge(10)
    clock.seconds = 6
    assert monitor.value == pytest.approx(7.0)
    clock.seconds = 1000
    assert monitor.value == 0


def test_a_full_counter_says_how_long_to_wait() -> None:
    clock = SetClock()
    monitor = HallMonitor("starter", clock.monotonic)
    monitor.charge(10)
    assert monitor.wait_s(1) == pytest.approx(1 / 0.33)
    assert monitor.wait_s(1, urgent=True) == 0
    assert monitor.wait_s(0) == 0


def test_waiting_as_long_as_told_is_enough_whatever_the_digits() -> None:
    clock = SetClock()
    for tier in ("starter", "intermediate", "pro"):
        monitor = HallMonitor(tier, clock.monotonic)
        for number in range(500):
            clock.seconds += 0.01 + number / 7.0 % 0.37
            clock.seconds += monitor.wait_s(4)
            assert monitor.wait_s(4) == 0
            monitor.charge(4)


def test_the_exchange_is_believed_when_it_says_full() -> None:
    monitor = HallMonitor("pro", SetClock().monotonic)
    monitor.exhausted()
    assert monitor.wait_s(1, urgent=True) > 0


def test_a_counter_of_before_goes_on_decayed() -> None:
    monitor = HallMonitor("pro", SetClock().monotonic)
    monitor.restore(15, age_s=5)
    assert monitor.value == pytest.approx(10)


def test_the_counter_of_a_killed_process_goes_on_in_the_next(tmp_path: Path) -> None:
    clock, kept = SetClock(), FileCount(tmp_path / "rest_count")
    HallMonitor("intermediate", clock.monotonic, kept=kept, wall=clock.wall).charge(12)
    clock.seconds = 8.0
    later = HallMonitor("intermediate", clock.monotonic, kept=kept, wall=clock.wall)
    assert later.value == pytest.approx(8.0)


def test_a_clock_set_back_over_a_restart_ages_nothing(tmp_path: Path) -> None:
    clock, kept = SetClock(), FileCount(tmp_path / "rest_count")
    HallMonitor("pro", clock.monotonic, kept=kept, wall=clock.wall).charge(12)
    clock.at -= timedelta(hours=1)
    assert HallMonitor("pro", clock.monotonic, kept=kept, wall=clock.wall).value == 12


@pytest.mark.parametrize("text", ["", "twelve", '{"value": "NaN", "at": 1}', '{"value": 1e999}'])
def test_a_broken_counter_file_counts_as_none(
    text: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "rest_count"
    path.write_text(text)
    assert FileCount(path).load() is None
    assert str(path) in caplog.text


def test_a_counter_that_cannot_be_written_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = SetClock()
    kept = FileCount(tmp_path / "no" / "such")
    monitor = HallMonitor("pro", clock.monotonic, kept=kept, wall=clock.wall)
    monitor.charge(1)
    monitor.charge(1)
    assert caplog.text.count("cannot be written") == 1


def test_look_ups_of_orders_may_use_the_reserve_and_history_may_not() -> None:
    assert {"OpenOrders", "QueryOrders", "GetWebSocketsToken"} <= URGENT
    assert not URGENT & COSTS.keys()


@pytest.mark.parametrize(
    ("limit", "tier"),
    [(60, "starter"), (125, "intermediate"), (180, "pro"), (10, "starter"), (150, "intermediate")],
)
def test_the_private_stream_tells_the_tier(limit: int, tier: str) -> None:
    clock = SetClock()
    monitor = HallMonitor("intermediate", clock.monotonic)
    monitor.charge(12)
    clock.seconds = 4
    monitor.learn_tier(limit)
    assert monitor.tier is TIERS[tier]
    assert monitor.value == pytest.approx(10.0)


def test_a_sandbox_that_does_not_count_stays_uncounted() -> None:
    monitor = HallMonitor("none", SetClock().monotonic)
    monitor.learn_tier(125)
    assert monitor.tier is TIERS["none"]


def test_the_sandbox_does_not_count() -> None:
    monitor = HallMonitor("none", SetClock().monotonic)
    for _ in range(1000):
        monitor.charge(4)
    assert monitor.wait_s(4) == 0


def test_public_calls_are_spaced_after_a_burst() -> None:
    clock = SetClock()
    pace = PublicPace(clock.monotonic, burst=2)
    assert [pace.take_s() for _ in range(4)] == [0, 0, 1, 2]


@pytest.mark.parametrize(
    "text", ["", "locked", '{"until": 1}', '{"until":"2026-01-01","error":""}']
)
def test_a_broken_lockout_file_counts_as_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "rest_count.lockout").write_text(text)
    assert FileCount(tmp_path / "rest_count").load_lockout() is None
