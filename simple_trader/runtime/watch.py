"""Watchers of the house itself: the event loop's beat and the ledger lane's age."""

import asyncio
from collections.abc import Callable

from simple_trader.domain.events import StoreHealth
from simple_trader.domain.reasons import Reason
from simple_trader.ports import Emit, Lane
from simple_trader.runtime.gate import LOOP_GAP_MAX_S, LoopGap

BEAT_S = 0.1
# A batch without an action waits up to 200 ms for company, so slow begins well above that.
STORE_SLOW_S = 0.75
STORE_DOWN_S = 5.0
WATCHDOG_S = 5.0


class LoopWatch:
    """Beats; after a gap (suspend, SIGSTOP, a blocking call) the private feed is made to start
    anew.
    """

    def __init__(
        self, gap: LoopGap, *, on_gap: Callable[[float], None], on_beat: Callable[[], None]
    ) -> None:
        """`on_gap` gets the seconds of a gap over 5 s (I-27); `on_beat` feeds the systemd
        watchdog.
        """
        self._gap, self._on_gap, self._on_beat = gap, on_gap, on_beat

    async def run(self) -> None:
        """Beat until cancelled."""
        since_watchdog_s = 0.0
        while True:
            await asyncio.sleep(BEAT_S)
            gap_s = self._gap.beat()
            since_watchdog_s += gap_s
            if since_watchdog_s >= WATCHDOG_S:
                since_watchdog_s = 0.0
                self._on_beat()
            if gap_s > LOOP_GAP_MAX_S:
                self._on_gap(gap_s)


class StoreWatch:
    """Tells the brain when the ledger lane becomes slow, is down, and is well again."""

    def __init__(
        self, lane: Lane, emit: Emit, *, closing: Callable[[], bool] = lambda: False
    ) -> None:
        """Watch `lane`; once `closing` is true its end is our own doing and no news."""
        self._lane, self._emit, self._closing = lane, emit, closing
        self._said: Reason | None = None

    def look(self) -> None:
        """Judge the lane once and speak only on a change."""
        if self._closing():
            return
        age_s = self._lane.oldest_age_s
        state: Reason | None = None
        if age_s > STORE_DOWN_S or not self._lane.alive:
            state = Reason.STORE_DOWN
        elif age_s > STORE_SLOW_S:
            state = Reason.STORE_SLOW
        if state is not self._said:
            self._said = state
            self._emit(StoreHealth(ok=state is None, reason=state, oldest_age_s=round(age_s, 3)))

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(BEAT_S)
