"""State snapshots: at the start, at midnight and at each new configuration version, for replay."""

import logging
from collections import deque
from datetime import datetime

from simple_trader.domain.errors import StoreError
from simple_trader.domain.events import Event, SettingsChanged, Started
from simple_trader.domain.moments import utc_day
from simple_trader.ports import Boot
from simple_trader.runtime.engine_loop import Brain

log = logging.getLogger(__name__)


class SnapshotKeeper:
    """Takes the state right after its event; writes it once that event is committed."""

    def __init__(self, brain: Brain, store: Boot) -> None:
        """Snapshots of `brain` into `store`."""
        self._brain, self._store = brain, store
        self._taken: deque[tuple[int, datetime, bytes, str]] = deque()
        self._day: datetime | None = None

    def after(self, seq: int, at: datetime, event: Event) -> None:
        """Take a snapshot if this event is an occasion."""
        day = utc_day(at)
        why = ""
        if isinstance(event, Started):
            why = "start"
        elif isinstance(event, SettingsChanged):
            why = "config"
        elif self._day is not None and day > self._day:
            why = "midnight"
        self._day = day
        if why:
            self._taken.append((seq, at, self._brain.snapshot(), why))

    def due(self, last_seq: int) -> bool:
        """Whether a snapshot waits whose event is committed."""
        return bool(self._taken) and self._taken[0][0] <= last_seq

    async def write(self, last_seq: int) -> None:
        """Write what is due; a failure costs only the snapshot, the journal has the events."""
        while self.due(last_seq):
            seq, at, state, why = self._taken.popleft()
            try:
                await self._store.snapshot(seq, at, state, why)
            except StoreError as error:
                log.warning("no state snapshot (%s): %s", why, error)
