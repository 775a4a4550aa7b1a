"""The inbox: events on their way to the brain; quotes coalesce under load, money never does."""

import asyncio
from collections import deque

from simple_trader.domain.events import BookSeen, CandleSeen, Event, QuoteSeen

# Beyond this many waiting events a new quote, book or running candle replaces the waiting one of
# its pair: the brain then sees fewer prices, never older ones, and memory stays bounded (fault
# N12).
COALESCE_ABOVE = 500


def _market_key(event: Event) -> str | None:
    """What a newer event of the same key makes worthless; None for events that must all be seen."""
    if isinstance(event, QuoteSeen):
        return f"quote {event.quote.pair}"
    if isinstance(event, BookSeen):
        return f"book {event.book.pair}"
    if isinstance(event, CandleSeen):
        candle = event.candle
        return f"candle {candle.pair} {candle.interval_s} {candle.begin}"
    return None


class Inbox:
    """One queue with one consumer."""

    def __init__(self) -> None:
        """Start empty."""
        self._queue: deque[tuple[str | None, list[Event]]] = deque()
        self._waiting: dict[str, list[Event]] = {}  # market key -> the cell in the queue
        self._arrived = asyncio.Event()
        self._busy = False
        self.coalesced = 0

    def put(self, event: Event) -> None:
        """Queue an event, or replace the waiting market event of the same key under load."""
        key = _market_key(event)
        if key is not None and len(self._queue) > COALESCE_ABOVE and key in self._waiting:
            self._waiting[key][0] = event
            self.coalesced += 1
            return
        cell = [event]
        if key is not None:
            self._waiting[key] = cell
        self._queue.append((key, cell))
        self._arrived.set()

    async def get(self) -> Event:
        """The next event; the consumer calls `done` when it is processed."""
        while not self._queue:
            self._arrived.clear()
            await self._arrived.wait()
        key, cell = self._queue.popleft()
        if key is not None and self._waiting.get(key) is cell:
            del self._waiting[key]
        self._busy = True
        return cell[0]

    def done(self) -> None:
        """The event taken last is processed."""
        self._busy = False

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is being processed."""
        return not self._queue and not self._busy

    def __len__(self) -> int:
        """How many events wait."""
        return len(self._queue)
