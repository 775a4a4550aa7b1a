"""Watchers of the house itself: the event loop's beat and lag, and the ledger lane's age."""

import asyncio
from collections import deque
from collections.abc import Callable

from simple_trader.domain.events import LoopLagSeen, StoreHealth
from simple_trader.domain.reasons import Reason
from simple_trader.ports import Emit, Lane
from simple_trader.runtime.gate import LOOP_GAP_MAX_S, LoopGap
from simple_trader.runtime.lease import LAG_MAX_S, LANE_AGE_MAX_S

BEAT_S = 0.1
# A batch without an action waits up to 200 ms for company, so slow begins well above that.
STORE_SLOW_S = LANE_AGE_MAX_S
STORE_DOWN_S = 5.0
WATCHDOG_S = 5.0
LAG_BEATS = 600  # a minute


class LagMeter:
    """How late the beats of the last minute came. A long block counts as every beat it swallowed:
    else the worst seconds would be one sample of hundreds.
    """

    def __init__(self) -> None:
        """Nothing seen yet."""
        self._late_s: deque[float] = deque(maxlen=LAG_BEATS)
        self._slow = False

    def add(self, gap_s: float) -> LoopLagSeen | None:
        """A beat came `gap_s` after the one before; news where the limit is passed, either way.

        It is over when half the limit is kept.
        """
        # After a night of suspension only the last minute's worth of beats would be kept anyway.
        late_s = min(gap_s, LAG_BEATS * BEAT_S) - BEAT_S
        while True:
            self._late_s.append(max(0.0, late_s))
            late_s -= BEAT_S
            if late_s <= 0:
                break
        p99_s = self.p99_s
        if self._slow == (p99_s > (LAG_MAX_S / 2 if self._slow else LAG_MAX_S)):
            return None
        self._slow = not self._slow
        return LoopLagSeen(p99_ms=round(p99_s * 1000, 1), over=not self._slow)

    @property
    def p99_s(self) -> float:
        """Of all beats of the last minute one in a hundred came later than this."""
        few = LAG_BEATS // 100
        # Almost always nothing is late: no need to sort six hundred beats ten times a second.
        late = [value for value in self._late_s if value > BEAT_S]
        return sorted(late)[-few] if len(late) >= few else 0.0


class LoopWatch:
    """Beats; a gap (suspend, SIGSTOP, a blocking call) and lasting lag are told. The watchdog of
    systemd is fed from here alone: an outage of exchange or database must not restart us.
    """

    def __init__(
        self,
        gap: LoopGap,
        *,
        on_gap: Callable[[float], None],
        on_beat: Callable[[], None],
        on_lag: Callable[[LoopLagSeen], None] = lambda news: None,
        meter: LagMeter | None = None,
    ) -> None:
        """`on_gap` gets the seconds of a gap over 5 s (I-27); `on_beat` feeds the systemd
        watchdog. `on_lag` is told what `meter` finds.
        """
        self._gap, self._on_gap, self._on_beat = gap, on_gap, on_beat
        self._on_lag, self._meter = on_lag, meter or LagMeter()

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
            news = self._meter.add(gap_s)
            if news is not None:
                self._on_lag(news)


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
