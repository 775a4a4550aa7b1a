"""The soak's judge: what grows is seen, what only wavers is not (I-47)."""

from collections.abc import Callable

import pytest
from campaign.soak import EMPTY, MOST, SLOPE_MAX, judge, slope

FLAT = {"rss_mib": 130.0, "sandbox_rss_mib": 60.0, "files": 32.0, "threads": 9.0, "tasks": 30.0}


def samples(name: str, value: Callable[[float], float]) -> list[dict[str, float]]:
    """Two hours of one sample every ten seconds, flat but for `name`, a function of the hour."""
    base = {**dict.fromkeys((*SLOPE_MAX, *EMPTY), 2.0), **FLAT}
    hours = [n / 360 for n in range(720)]
    return [{**base, "at_h": hour, name: value(hour)} for hour in hours]


@pytest.mark.parametrize("name", SLOPE_MAX)
def test_i_47_what_grows_above_its_limit_is_told(name: str) -> None:
    limit = max(SLOPE_MAX[name], 3.0)
    start = FLAT.get(name, 2.0)
    said = judge(samples(name, lambda hour: start + 2.0 * limit * hour))
    assert any(line.startswith(f"I-47: {name} grew") for line in said)


@pytest.mark.parametrize("name", SLOPE_MAX)
def test_i_47_what_comes_and_goes_is_flat(name: str) -> None:
    start = FLAT.get(name, 2.0)
    assert judge(samples(name, lambda hour: start + (round(hour * 360) % 3))) == []


@pytest.mark.parametrize("name", EMPTY)
def test_i_47_a_queue_that_no_longer_empties_is_told(name: str) -> None:
    said = judge(samples(name, lambda hour: 0.0 if hour < 1.2 else EMPTY[name] + 1.0))
    assert any(f"{name} was usually" in line for line in said)


@pytest.mark.parametrize("name", MOST)
def test_i_47_one_moment_above_the_bound_is_told(name: str) -> None:
    start = FLAT.get(name, 2.0)
    said = judge(samples(name, lambda hour: MOST[name] + 1.0 if hour == 0.5 else start))
    assert f"I-47: {name} was {MOST[name] + 1:g}, above {MOST[name]}" in said


def test_the_warm_up_counts_for_nothing() -> None:
    grown = samples("rss_mib", lambda hour: 100.0 + min(hour, 0.7) * 100.0)
    assert slope(grown, "rss_mib") == pytest.approx(0.0, abs=1e-6)
    assert judge(grown) == []
