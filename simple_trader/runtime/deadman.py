"""The dead man's switch: armed while entries rest, kept from firing only while the lease is held.

The switch is account-wide and fires once (protocol 8.6), so it is armed exactly while orders that
raise exposure may rest and no protective one does (I-29), and disarmed before an announced
maintenance. Its refresh is the health lease made visible to the exchange: without the lease it
lapses, and the exchange cancels what nobody watches.
"""

import asyncio
import logging
from collections.abc import Callable

from simple_trader.domain.venue_replies import SwitchArmed, SwitchRejected, SwitchUnknown
from simple_trader.ports import Clock, Venue

log = logging.getLogger(__name__)

TIMEOUT_S = 60
REFRESH_S = 20.0  # between the 15 and 30 s that Kraken recommends
LOOK_EVERY_S = 0.25
RETRY_S = 5.0


class DeadMan:
    """Arms, refreshes and disarms; every wait is transport time, as the switch's own."""

    def __init__(
        self,
        *,
        venue: Venue,
        clock: Clock,
        wanted: Callable[[], bool],
        held: Callable[[], bool],
    ) -> None:
        """`wanted` is the brain's word on what rests, `held` the lease's."""
        self._venue, self._clock, self._wanted, self._held = venue, clock, wanted, held
        self._set_at: float | None = None  # of the last call that may have armed it
        self._may_be_armed = False
        self._retry_at = 0.0
        self._lapsing = False

    def take_over(self) -> None:
        """The last run may have left it armed: it had orders that want it."""
        self._may_be_armed = True

    def has_fired(self) -> None:
        """It fired, so the exchange has disarmed it: arm it anew where it is wanted (X30)."""
        self._set_at, self._may_be_armed, self._retry_at = None, False, 0.0

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Do what is due now, at most one call."""
        now = self._clock.monotonic()
        if now < self._retry_at:
            return
        if not self._wanted():
            if self._may_be_armed:
                await self._set(0, now)
            return
        due = self._set_at is None or now - self._set_at >= REFRESH_S
        if not due:
            return
        if self._held():
            await self._set(TIMEOUT_S, now)
        elif self._may_be_armed and not self._lapsing:
            self._lapsing = True
            log.warning("the health lease is lost: the dead man's switch is not refreshed")

    async def _set(self, timeout_s: int, now: float) -> None:
        self._may_be_armed = True  # from here on, whatever comes back
        outcome = await self._venue.arm_switch(timeout_s)
        if isinstance(outcome, SwitchArmed):
            self._set_at = now if timeout_s else None
            self._may_be_armed, self._lapsing = bool(timeout_s), False
            return
        self._retry_at = now + RETRY_S
        log.warning("the dead man's switch could not be set: %s", _why(outcome))


def _why(outcome: SwitchRejected | SwitchUnknown) -> str:
    return outcome.error if isinstance(outcome, SwitchRejected) else outcome.detail
