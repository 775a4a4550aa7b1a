"""Before a start writes anything, our clock and the journal's end agree with the exchange's clock.

What is written with a wrong clock binds every later life: market time never goes back (P04, X34).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from simple_trader.core.reactions.on_health import SKEW_HALT_S
from simple_trader.runtime.boot import patient
from simple_trader.runtime.clocks import SteppedClock, SystemClock

log = logging.getLogger(__name__)

LOOK_S = 5.0
TOLD_EVERY = 12  # looks: once a minute


async def agree_on_time(
    clock: SystemClock | SteppedClock,
    server_time: Callable[[], Awaitable[datetime]],
    newest_at: datetime | None,
) -> None:
    """Wait until `clock` is within 5 s of the exchange's and `newest_at` is not ahead of it.

    Each look takes the machine's time anew, so a clock that is set right ends the waiting.
    A stepped market is its own clock. Raises VenueRefused; an exchange that cannot be reached is
    waited for.
    """
    if not isinstance(clock, SystemClock):
        return
    looks = 0
    while True:
        clock.take_anew()
        before = clock.now()
        there = await patient(server_time)
        trouble = _trouble(before, there, clock.now(), newest_at)
        if not trouble:
            return
        if looks % TOLD_EVERY == 0:
            log.warning("waiting to start: %s", trouble)
        looks += 1
        await asyncio.sleep(LOOK_S)


def _trouble(before: datetime, there: datetime, after: datetime, newest_at: datetime | None) -> str:
    """What does not agree, as a sentence with its mending; empty where all does."""
    skew_s = certain_skew_s(before, there, after)
    if abs(skew_s) > SKEW_HALT_S:
        way = "ahead of" if skew_s > 0 else "behind"
        return (
            f"this machine's clock is {abs(skew_s):.0f} s {way} the exchange's: set it right "
            "(switch time synchronisation on)."
        )
    if newest_at is not None and newest_at - after > timedelta(seconds=SKEW_HALT_S):
        return (
            f"the newest entry of the database is dated {newest_at:%Y-%m-%d %H:%M:%S} UTC, which "
            "is still to come: it was written with a wrong clock; wait until then, or restore an "
            "older backup."
        )
    return ""


def certain_skew_s(before: datetime, there: datetime, after: datetime) -> float:
    """How far we are ahead at least (negative: behind); the answer is in whole seconds."""
    ahead = (before - (there + timedelta(seconds=1))).total_seconds()
    behind = (there - after).total_seconds()
    return max(ahead, 0.0) - max(behind, 0.0)
