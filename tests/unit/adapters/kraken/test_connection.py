"""Reconnecting: quick tries, a floor, jitter, and never more than 120 in ten minutes."""

from itertools import pairwise

import pytest
from kraken_parts import Even

from simple_trader.adapters.kraken.connection import Backoff, Budget, is_loopback, open_wire
from simple_trader.ports import WireClosed


def test_two_quick_tries_then_the_floor_then_a_cap() -> None:
    backoff = Backoff(Even(), floor_s=5.0)
    delays = [backoff.delay_s(0.0) for _ in range(8)]
    assert delays[0] == 0
    assert all(0 < delay < 0.3 for delay in delays[1:3])
    assert 5.0 <= delays[3] <= 5.75
    assert all(5.0 <= delay <= 30.75 for delay in delays[3:])
    assert delays == sorted(delays)


def test_our_own_sandbox_is_tried_again_within_seconds() -> None:
    backoff = Backoff.for_url("ws://127.0.0.1:8900/v2", Even())
    assert all(backoff.delay_s(0.0) <= 2.75 for _ in range(20))
    assert is_loopback("ws://localhost:1/v2")
    assert not is_loopback("wss://ws.kraken.com/v2")


def test_never_more_than_120_attempts_in_ten_minutes() -> None:
    backoff, now, made = Backoff(Even(), floor_s=1.0), 0.0, []
    for _ in range(500):
        now += backoff.delay_s(now)
        made.append(now)
        backoff.lasted(31.0)  # every connection looks stable: each next try is quick
    for first, last in zip(made, made[120:], strict=False):
        assert last - first >= 600.0


def test_all_connections_together_make_no_more_than_120_attempts_in_ten_minutes() -> None:
    url, budget = "wss://ws.kraken.com/v2", Budget()
    backoffs = [Backoff.for_url(url, Even(), budget) for _ in range(2)]
    due, made = [0.0, 0.0], []
    for _ in range(500):
        which = due.index(min(due))
        now = due[which]
        due[which] = now + backoffs[which].delay_s(now)
        made.append(due[which])
        backoffs[which].lasted(31.0)
    made.sort()
    for first, last in zip(made, made[120:], strict=False):
        assert last - first >= 600.0


def test_a_storm_of_closed_connections_stays_far_below_the_budget() -> None:
    """N06: accepted and closed, 200 times."""
    backoff, now, made = Backoff.for_url("wss://ws.kraken.com/v2", Even()), 0.0, []
    for _ in range(200):
        now += backoff.delay_s(now)
        made.append(now)
        backoff.lasted(0.1)
    assert max(sum(at <= other < at + 600 for other in made) for at in made) <= 120
    assert all(later - earlier >= 5.0 for earlier, later in pairwise(made[3:]))


def test_a_stable_connection_starts_the_count_anew_and_a_short_one_does_not() -> None:
    backoff = Backoff(Even(), floor_s=5.0)
    for _ in range(6):
        backoff.delay_s(0.0)
    backoff.lasted(29.0)
    assert backoff.delay_s(0.0) >= 5.0
    backoff.lasted(30.0)
    assert backoff.delay_s(0.0) < 0.3


async def test_a_port_where_nobody_listens_is_a_closed_wire() -> None:
    with pytest.raises(WireClosed, match="."):
        await open_wire("ws://127.0.0.1:9/v2")
