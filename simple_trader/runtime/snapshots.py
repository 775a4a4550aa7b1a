"""State snapshots for replay: at each start, midnight, configuration version, and many events."""

import logging
from collections import deque
from datetime import datetime

from simple_trader.domain.errors import StoreError
from simple_trader.domain.events import Event, SettingsChanged, Started
from simple_trader.domain.moments import utc_day
from simple_trader.ports import Boot
from simple_trader.runtime.engine_loop import Brain

log = logging.getLogger(__name__)


# So many events are processed again in a few seconds: no replay of one decision takes longer.
EVENTS_BETWEEN = 50_000


class SnapshotKeeper:
    """Takes the state before or after an event; writes it once that event is committed."""

    def __init__(self, brain: Brain, store: Boot) -> None:
        """Snapshots of `brain` into `store`."""
        self._brain, self._store = brain, store
        self._taken: deque[tuple[int, datetime, bytes, str]] = deque()
        self._seq = 0  # of the newest snapshot

    def before(self, seq: int, at: datetime, next_at: datetime) -> None:
        """Take a snapshot after event `seq` of moment `at` if the next event begins a new day.

        Before its first event: so a day is replayed whole from the state that it began with.
        """
        if utc_day(next_at) > utc_day(at):
            self._take(seq, at, "midnight")

    def after(self, seq: int, at: datetime, event: Event) -> None:
        """Take a snapshot if this event is an occasion."""
        if isinstance(event, Started):
            self._take(seq, at, "start")
        elif isinstance(event, SettingsChanged):
            self._take(seq, at, "config")
        elif seq - self._seq >= EVENTS_BETWEEN:
            self._take(seq, at, "many")

    def _take(self, seq: int, at: datetime, why: str) -> None:
        self._seq = seq
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
