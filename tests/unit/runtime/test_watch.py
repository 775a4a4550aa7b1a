"""The house watches itself: a slow store and a loop that stood still are told once."""

import asyncio

from runtime_parts import HandClock, ListLane

from simple_trader.domain.events import StoreHealth
from simple_trader.domain.reasons import Reason
from simple_trader.runtime.gate import LoopGap
from simple_trader.runtime.watch import LoopWatch, StoreWatch


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
