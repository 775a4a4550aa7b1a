"""Means of the book: weighed by how long each look held, and nothing before they know enough."""

import math
import random
from datetime import timedelta
from itertools import pairwise

import msgspec
import pytest
from market_parts import T0

from simple_trader.core.market.book_means import LONG_S, SHORT_S, BookMeans

Look = tuple[float, float, float]


def seconds(count: float) -> timedelta:
    """A span of seconds."""
    return timedelta(seconds=count)


def seen(*looks: Look) -> BookMeans:
    """Means after looks of (seconds after T0, imbalance, spread)."""
    means = BookMeans()
    for at, imbalance, spread in looks:
        means.see(T0 + seconds(at), imbalance, spread)
    return means


def drawn(count: int, seed: int) -> list[Look]:
    """Looks at uneven times."""
    dice = random.Random(seed)
    moments = sorted(round(dice.uniform(0, 900), 3) for _ in range(count))
    return [(at, dice.uniform(-1, 1), dice.uniform(1, 30)) for at in moments]


def batch(looks: list[Look], span_s: int, column: int) -> float:
    """The same in one sum: each look weighs the fading weight of the time for which it held."""
    end, first = looks[-1][0], looks[0]
    total = first[column] * math.exp(-(end - first[0]) / span_s)  # as if it had held for ever
    for look, after in pairwise(looks):
        until, since = math.exp(-(end - after[0]) / span_s), math.exp(-(end - look[0]) / span_s)
        total += look[column] * (until - since)
    return total


@pytest.mark.parametrize("seed", range(5))
def test_one_look_after_another_equals_all_in_one_sum(seed: int) -> None:
    looks = [(0.0, 0.5, 10.0), *drawn(400, seed)]
    means = BookMeans()
    for count, look in enumerate(looks, 1):
        means.see(T0 + seconds(look[0]), look[1], look[2])
        assert means.imbalance_1m == pytest.approx(batch(looks[:count], SHORT_S, 1), abs=1e-9)
        assert means.imbalance_5m == pytest.approx(batch(looks[:count], LONG_S, 1), abs=1e-9)
        assert means.spread_5m_bps == pytest.approx(batch(looks[:count], LONG_S, 2), abs=1e-8)


def test_m01_a_mean_needs_its_whole_span_of_trust() -> None:
    assert set(seen().values().values()) == {None}
    assert set(seen((0, 0.5, 10)).values().values()) == {None}
    assert seen((0, 0.5, 10), (59.9, 0.5, 10)).values()["imbalance_1m"] is None
    minute = seen((0, 0.5, 10), (60, 0.5, 10)).values()
    assert minute == {"imbalance_1m": 0.5, "imbalance_5m": None, "spread_5m_bps": None}
    long = seen((0, 0.5, 10), (300, 0.1, 90)).values()
    assert long["imbalance_5m"] == 0.5, "what is seen now has not held yet"
    assert long["spread_5m_bps"] == 10.0


def test_a_burst_of_looks_weighs_no_more_than_the_time_it_took() -> None:
    calm = [(float(at), 0.2, 10.0) for at in range(0, 301, 60)]
    burst = [*calm[:-1], *((240 + n / 1e6, -1.0, 500.0) for n in range(1, 1_000)), (300, 0.2, 10.0)]
    steady, hasty = seen(*calm), seen(*burst[:-2], (240.001, 0.2, 10.0), burst[-1])
    assert hasty.imbalance_1m == pytest.approx(steady.imbalance_1m, abs=1e-4)
    assert hasty.spread_5m_bps == pytest.approx(steady.spread_5m_bps, abs=1e-2)


@pytest.mark.parametrize("junk", [math.nan, math.inf])
def test_late_looks_and_no_numbers_change_nothing(junk: float) -> None:
    means = seen((0, 0.5, 10), (100, 0.3, 12))
    before = msgspec.json.encode(means)
    means.see(T0 + seconds(99), -1.0, 99.0)
    means.see(T0 + seconds(101), junk, 12.0)
    means.see(T0 + seconds(101), 0.3, junk)
    assert msgspec.json.encode(means) == before


def test_they_go_on_identically_after_a_snapshot() -> None:
    looks = drawn(200, 9)
    straight = seen(*looks)
    halfway = msgspec.json.decode(msgspec.json.encode(seen(*looks[:100])), type=BookMeans)
    for at, imbalance, spread in looks[100:]:
        halfway.see(T0 + seconds(at), imbalance, spread)
    assert halfway == straight
