"""Baselines: same moments, same costs, and a random timing of the very same calls."""

from datetime import UTC, datetime, timedelta

import pytest

from simple_trader.core.scoring import baselines
from simple_trader.core.scoring.baselines import Window, hold_mean, profit, random_means

T0 = datetime(2026, 3, 2, tzinfo=UTC)


def window(
    number: int, side: int, change: float, past: float | None = None, pair: str = "BTC/USD"
) -> Window:
    begin = T0 + timedelta(minutes=number)
    return Window(
        pair=pair,
        begin=begin,
        end=begin + timedelta(minutes=1),
        side=side,
        change=change,
        cost=0.5,
        past=past,
    )


def test_nothing_made_nothing() -> None:
    assert profit([]) is None


def test_profit_is_after_fees_and_a_hold_makes_nothing() -> None:
    found = profit([window(0, 1, 2.0), window(1, -1, -1.0), window(2, 0, 5.0), window(3, 1, -1.0)])
    assert found is not None
    assert (found.count, found.trades, found.independent) == (4, 3, 4)
    assert found.independent_trades == 3
    assert found.mean_bps == pytest.approx(100 * (1.5 + 0.5 + 0.0 - 1.5) / 4)
    assert found.low_bps < found.mean_bps < found.high_bps
    assert found.cash_bps == 0.0


def test_many_trades_are_dealt_fewer_times_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(baselines, "MOST_STEPS", 3000)
    monkeypatch.setattr(baselines, "FEWEST_DRAWS", 20)
    for trades, draws in ((3, 500), (10, 300), (300, 20)):
        found = profit([window(n, 1, 1.0) for n in range(trades)], draws=500)
        assert found is not None
        assert found.draws == draws


def test_holding_pays_one_round_trip_for_each_pair() -> None:
    windows = [window(0, 0, 1.0), window(1, 0, 2.0), window(0, 0, 3.0, pair="ETH/USD")]
    assert hold_mean(windows) == pytest.approx((6.0 - 2 * 0.5) / 3)


def test_momentum_goes_with_the_last_move_where_one_is_known() -> None:
    found = profit([window(0, 0, 2.0, past=1.0), window(1, 0, 2.0, past=-1.0), window(2, 0, 9.0)])
    assert found is not None
    assert found.momentum_bps == pytest.approx(100 * (1.5 - 2.5) / 2)
    unknown = profit([window(0, 0, 2.0)])
    assert unknown is not None
    assert unknown.momentum_bps is None


def test_random_deals_keep_the_turnover_and_lose_only_the_timing() -> None:
    windows = [window(n, 1 if n == 3 else 0, float(n)) for n in range(10)]
    means = random_means(windows, draws=2000, seed=1)
    assert {round(value, 6) for value in means} == {round((n - 0.5) / 10, 6) for n in range(10)}
    assert sum(means) / len(means) == pytest.approx((4.5 - 0.5) / 10, abs=0.02)


def test_perfect_timing_stands_above_all_random_deals_the_same_call_always_in_the_middle() -> None:
    changes = [float((n * 7919) % 41 - 20) for n in range(300)]
    knowing = profit([window(n, 1 if c > 0 else -1, c) for n, c in enumerate(changes)])
    always = profit([window(n, 1, c) for n, c in enumerate(changes)])
    assert knowing is not None
    assert always is not None
    assert knowing.percentile > 99
    assert knowing.random_high_bps < knowing.mean_bps
    assert always.percentile == pytest.approx(50)


def test_the_same_seed_deals_the_same() -> None:
    windows = [window(n, n % 3 - 1, float(n * 7 % 5)) for n in range(50)]
    assert profit(windows, draws=200, seed=5) == profit(windows, draws=200, seed=5)
    assert random_means(windows, draws=200, seed=5) != random_means(windows, draws=200, seed=6)


def test_the_order_in_which_marks_are_read_changes_nothing() -> None:
    windows = [window(n, n % 3 - 1, float(n * 7 % 5)) for n in range(50)]
    assert profit(windows) == profit(windows[::-1])
