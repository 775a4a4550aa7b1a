"""Timers on the system clock: fire what the brain's schedule says is due, one at a time."""

import asyncio
from collections.abc import Callable

from simple_trader.domain.events import TimerFired
from simple_trader.ports import Clock
from simple_trader.runtime.engine_loop import Brain
from simple_trader.runtime.inbox import Inbox

LOOK_EVERY_S = 0.1


class Timers:
    """Used where market time is the machine's; in stepped worlds the stepper fires the timers."""

    def __init__(
        self,
        *,
        brain: Brain,
        inbox: Inbox,
        clock: Clock,
        held: Callable[[], bool] = lambda: False,
    ) -> None:
        """Timers of `brain`, judged by `clock`; none fires while `held` (the lane is full)."""
        self._brain, self._inbox, self._clock, self._held = brain, inbox, clock, held

    async def run(self) -> None:
        """Fire due timers until cancelled; the next one only after the last was processed."""
        while True:
            due = None if self._held() else self._brain.next_due()
            if due is not None and due[0] <= self._clock.now() and self._inbox.idle:
                self._inbox.put(TimerFired(name=due[1], due=due[0]))
                await asyncio.sleep(0)
                continue
            await asyncio.sleep(LOOK_EVERY_S)
