"""Statistics against hand-made figures and published ones."""

from datetime import UTC, datetime, timedelta
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simple_trader.core.scoring.statistics import (
    Forecast,
    base_rate,
    brier,
    brier_skill,
    calibration_error,
    calibration_table,
    deviation,
    independent_count,
    log_loss,
    mean,
    median,
    quantile,
    roi_skill,
    skill_bound,
    wilson,
)

T0 = datetime(2026, 3, 2, tzinfo=UTC)
forecast_lists = st.lists(
    st.builds(Forecast, st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=400
)


def window(series: str, begin: int, end: int) -> tuple[str, datetime, datetime]:
    return series, T0 + timedelta(minutes=begin), T0 + timedelta(minutes=end)


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, table I, method 3
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_intervals(
    hits: int, count: int, low: float, high: float
) -> None:
    assert wilson(hits, count) == pytest.approx((low, high), abs=5e-5)


def test_an_interval_of_nothing_is_everything() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_783_independent_calls_prove_55_percent_with_a_power_near_80() -> None:
    assert wilson(0.5352 * 783, 783)[0] > 0.5  # evaluation.md section 4: the share that just shows
    assert wilson(0.5340 * 783, 783)[0] < 0.5


def test_overlapping_windows_of_one_series_are_not_independent() -> None:
    overlapping = [window("a", begin, begin + 4) for begin in range(9)]
    assert independent_count(overlapping) == 3  # 0-4, 4-8, 8-12
    assert independent_count([*overlapping, *[window("b", 0, 4)]]) == 4
    assert independent_count([]) == 0


def test_the_most_windows_are_chosen_not_the_first() -> None:
    windows = [window("a", 0, 10), window("a", 1, 2), window("a", 2, 3), window("a", 3, 4)]
    assert independent_count(windows) == 3


def test_means_medians_and_quantiles() -> None:
    values = [4.0, 1.0, 3.0, 2.0]
    assert mean(values) == 2.5
    assert median(values) == 2.0
    assert quantile(values, 0.75) == 3.0
    assert quantile(values, 1.0) == 4.0
    assert quantile(values, 0.0) == 1.0
    assert deviation(values) == pytest.approx(1.2909944)
    assert deviation([1.0]) == 0.0


def test_brier_log_loss_and_skill_by_hand() -> None:
    told = [Forecast(0.9, 1), Forecast(0.8, 1), Forecast(0.3, 0), Forecast(0.6, 0)]
    assert base_rate(told) == 0.5
    assert brier(told) == pytest.approx((0.01 + 0.04 + 0.09 + 0.36) / 4)
    assert brier_skill(told) == pytest.approx(1 - 0.125 / 0.25)
    assert log_loss(told) == pytest.approx(-(log(0.9) + log(0.8) + log(0.7) + log(0.4)) / 4)


def test_a_certain_error_is_no_infinite_loss() -> None:
    assert log_loss([Forecast(0.0, 1)]) == pytest.approx(-log(1e-6))


def test_climatology_has_no_skill_and_no_gain() -> None:
    told = [Forecast(0.25, outcome) for outcome in (1, 0, 0, 0)]
    assert brier_skill(told) == 0.0
    assert skill_bound(told, 4, 1.8) == 0.0


def test_outcomes_that_are_all_alike_have_no_skill_to_tell() -> None:
    told = [Forecast(0.9, 1)] * 5
    assert brier_skill(told) is None
    assert skill_bound(told, 5, 1.8) is None


def test_a_table_has_bins_of_equal_mass_and_keeps_equal_ones_together() -> None:
    told = [Forecast(number / 200, number % 2) for number in range(200)]
    table = calibration_table(told)
    assert [line.count for line in table] == [50, 50, 50, 50]
    assert [line.seen for line in table] == [0.5] * 4
    same = [Forecast(0.7, number % 2) for number in range(500)]
    (line,) = calibration_table(same)
    assert (line.low, line.high, line.count, line.seen) == (0.7, 0.7, 500, 0.5)
    assert line.said == pytest.approx(0.7)
    assert line.seen_low < 0.5 < line.seen_high


def test_a_last_bin_that_is_too_small_joins_the_one_before() -> None:
    told = [Forecast(0.1, 0)] * 60 + [Forecast(0.9, 1)] * 45
    assert [line.count for line in calibration_table(told)] == [105]


def test_calibration_error_by_hand_and_too_few() -> None:
    told = [Forecast(0.8, int(number < 60)) for number in range(100)]
    assert calibration_error(told) == pytest.approx(0.2)
    assert calibration_error(told[:49]) is None
    assert calibration_table(told[:49]) == []


def test_predicting_no_move_has_the_ratio_one() -> None:
    assert roi_skill([(0.0, 1.5), (0.0, -0.5)]) == (1.0, 1.0)
    assert roi_skill([(1.0, 1.5), (-0.5, -0.5)]) == (0.25, 0.25)
    assert roi_skill([(1.0, 0.0)]) == (1.0, None)


@given(forecast_lists)
def test_a_table_holds_every_forecast_once(told: list[Forecast]) -> None:
    table = calibration_table(told)
    assert sum(line.count for line in table) == (len(told) if len(told) >= 50 else 0)
    assert all(line.count >= 50 for line in table)
    edges = [(line.low, line.high) for line in table]
    assert edges == sorted(edges)
    assert all(line.seen_low <= line.seen <= line.seen_high for line in table)


@given(forecast_lists)
def test_skill_never_exceeds_one_and_its_bound_never_the_skill(told: list[Forecast]) -> None:
    skill = brier_skill(told)
    bound = skill_bound(told, len(told), 1.8)
    assert skill is None or skill <= 1.0
    assert bound is None or skill is None or bound <= skill + 1e-9
