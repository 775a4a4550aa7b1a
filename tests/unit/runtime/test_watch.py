"""The house watches itself: a slow store and a loop that stood still are told once."""

import asyncio

from runtime_parts import HandClock, ListLane

from simple_trader.domain.events import LoopLagSeen, StoreHealth
from simple_trader.domain.reasons import Reason
from simple_trader.runtime.gate import LoopGap
from simple_trader.runtime.watch import (
    BEAT_S,
    LAG_BEATS,
    WATCHDOG_S,
    LagMeter,
    LoopWatch,
    StoreWatch,
)


def test_the_store_is_called_slow_then_down_then_well_each_once() -> None:
    lane, events = ListLane(), []
    watch = StoreWatch(lane, events.append)
    for age in (0.1, 0.8, 0.9, 6.0, 7.0, 0.0, 0.0):
        lane.oldest_age_s = age
        watch.look()
    assert [(e.ok, e.reason) for e in events if isinstance(e, StoreHealth)] == [
        (False, Reason.STORE_SLOW),
        (False, Reason.STORE_DOWN),
        (True, None),
    ]


def test_a_lost_lock_counts_as_a_store_that_is_down() -> None:
    lane, events = ListLane(), []
    lane.alive = False
    StoreWatch(lane, events.append).look()
    assert events[0].reason is Reason.STORE_DOWN


async def test_a_pause_of_the_process_is_noticed() -> None:
    clock = HandClock()
    gaps: list[float] = []
    watch = LoopWatch(LoopGap(clock), on_gap=gaps.append, on_beat=lambda: None)
    running = asyncio.ensure_future(watch.run())
    await asyncio.sleep(0)
    clock.real += 90.0
    async with asyncio.timeout(5):
        while not gaps:
            await asyncio.sleep(0.01)
    running.cancel()
    assert gaps == [90.0]


def lag_of(*gaps_s: float) -> list[LoopLagSeen]:
    """What a meter tells of these gaps between beats."""
    meter = LagMeter()
    return [news for news in map(meter.add, gaps_s) if news is not None]


def test_p03_a_year_of_suspension_is_counted_in_no_time() -> None:
    (news,) = lag_of(365 * 86400.0 * 1000)
    assert not news.over
    assert news.p99_ms <= LAG_BEATS * BEAT_S * 1000


def test_p05_a_loop_that_was_blocked_for_ten_seconds_is_told_and_over_a_minute_later() -> None:
    told = lag_of(*[BEAT_S] * 100, 10.0, *[BEAT_S] * LAG_BEATS)
    assert [news.over for news in told] == [False, True]
    assert told[0].p99_ms > 5000


def test_p09_a_starved_machine_is_told_and_an_idle_hiccup_is_not() -> None:
    assert lag_of(*[BEAT_S] * 600, 0.7, *[BEAT_S] * 600) == []
    (told,) = lag_of(*[BEAT_S + 0.6, *[BEAT_S] * 20] * 30)
    assert not told.over
    assert told.p99_ms > 500


async def test_n07_d02_the_watchdog_is_fed_from_the_loops_own_beat_and_nothing_else() -> None:
    clock, fed = HandClock(), []
    watch = LoopWatch(LoopGap(clock), on_gap=lambda gap: None, on_beat=lambda: fed.append(1))
    running = asyncio.ensure_future(watch.run())
    await asyncio.sleep(0)
    for _ in range(3):
        clock.real += WATCHDOG_S
        async with asyncio.timeout(5):
            before = len(fed)
            while len(fed) == before:
                await asyncio.sleep(0.01)
    running.cancel()
    assert len(fed) == 3
