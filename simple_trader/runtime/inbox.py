"""The inbox: events on their way to the brain; quotes coalesce under load, money never does."""

import asyncio
from collections import deque

from simple_trader.domain.events import BookSeen, CandleSeen, Event, QuoteSeen

# Beyond this many waiting events a new quote, book or running candle replaces the waiting one of
# its pair: the brain then sees fewer prices, never older ones, and memory stays bounded (fault
# N12).
COALESCE_ABOVE = 500


def market_key(event: Event) -> str | None:
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
        self._kept: dict[str, Event] = {}
        self.coalesced = 0

    @property
    def waiting(self) -> int:
        """Events that wait."""
        return len(self._queue)

    def put(self, event: Event) -> None:
        """Queue an event, or replace the waiting market event of the same key under load."""
        key = market_key(event)
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

    def keep(self, event: Event) -> bool:
        """Keep a market event for later, in the place of an older one; False when it is none.

        For a time in which nothing can be written down (fault D02): what is kept is bounded by the
        number of pairs and candles, and it never counts as waiting.
        """
        key = market_key(event)
        if key is None:
            return False
        self.coalesced += key in self._kept
        self._kept[key] = event
        return True

    def release(self, taken: Event) -> None:
        """What was kept comes next, and then `taken`, which is newer and was taken already."""
        self._queue.appendleft((None, [taken]))
        for key, event in reversed(self._kept.items()):
            self._queue.appendleft((key, [event]))
        self._kept.clear()

    @property
    def kept(self) -> int:
        """How many market events are kept for later."""
        return len(self._kept)

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is being processed."""
        return not self._queue and not self._busy

    def __len__(self) -> int:
        """How many events wait."""
        return len(self._queue)
