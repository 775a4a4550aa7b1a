"""The engine loop: the one consumer of events and the one writer of trading state.

It takes an event, stamps it (number, market time), lets the brain process it and hands the batch
to the ledger lane. It never awaits the store: state in memory runs ahead of disk, what is visible
waits.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import msgspec

from simple_trader.domain.actions import VISIBLE, Action, Remember
from simple_trader.domain.events import Event, ExecutionReport, Stamped
from simple_trader.domain.orders import Intent
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import BookMetricsRow, LedgerRecord, PriceRow
from simple_trader.domain.views import StatusView
from simple_trader.ports import Batch, Clock, Lane, MarketRows
from simple_trader.runtime.dispatcher import Dispatcher
from simple_trader.runtime.inbox import Inbox

# After this many events in one go the loop lets other tasks run, so that a burst of quotes cannot
# delay a heartbeat or a cancel.
EVENTS_PER_TURN = 64


class Brain(Protocol):
    """What the body needs of the engine."""

    def process(self, stamped: Stamped) -> list[Action]:
        """New state and actions of one event."""
        ...

    def next_due(self) -> tuple[datetime, str] | None:
        """The earliest timer."""
        ...

    def view(self, at: datetime) -> StatusView:
        """What people are shown."""
        ...

    def snapshot(self) -> bytes:
        """The whole state."""
        ...

    @property
    def trading_state(self) -> str:
        """RUN, REDUCE or HALT."""
        ...

    @property
    def wants_switch(self) -> bool:
        """Whether the dead man's switch shall be armed."""
        ...

    @property
    def venue_ahead_s(self) -> float:
        """The exchange's clock minus ours, as last told."""
        ...

    def venue_refuses(self, intent: Intent) -> tuple[Reason, str] | None:
        """Why exchange or pair do not take this intent now, or None."""
        ...

    @property
    def reconciled(self) -> bool:
        """Whether the account was compared with the exchange since the private stream came up."""
        ...


class EngineLoop:
    """Feeds the brain and passes on what it wants."""

    def __init__(
        self,
        *,
        brain: Brain,
        inbox: Inbox,
        lane: Lane,
        market: MarketRows,
        dispatcher: Dispatcher,
        clock: Clock,
        last_seq: int,
        last_at: datetime | None,
        after: Callable[[Event], None],
        before: Callable[[datetime], None] = lambda at: None,
    ) -> None:
        """`last_seq` and `last_at` continue the journal; `after` is told each processed event, and
        `before` the market time of each that will be.
        """
        self.brain = brain
        self._inbox, self._lane, self._market = inbox, lane, market
        self._dispatcher, self._clock = dispatcher, clock
        self._before, self._after = before, after
        self.seq = last_seq
        self.last_at = last_at
        self._encode = msgspec.json.Encoder().encode

    def handle(self, event: Event) -> None:
        """Process one event: number it, think, put the batch into the lane, obey what may go at
        once.
        """
        at = self._clock.now()
        if self.last_at is not None and at < self.last_at:
            at = self.last_at  # market time never goes back, also across a restart
        self._before(at)
        self.last_at = at
        self.seq += 1
        stamped = Stamped(self.seq, at, event)
        actions = self.brain.process(stamped)
        records: list[LedgerRecord] = []
        visible: list[Action] = []
        at_once: list[Action] = []
        for action in actions:
            if isinstance(action, Remember):
                if isinstance(action.record, (PriceRow, BookMetricsRow)):
                    self._market.put(action.record)
                else:
                    records.append(action.record)
            elif isinstance(action, VISIBLE):
                visible.append(action)
            else:
                at_once.append(action)
        for action in visible:
            self._dispatcher.hold(self.seq, action)
        urgent = bool(visible) or isinstance(event, ExecutionReport)
        self._lane.put(Batch(self.seq, at, self._encode(stamped), tuple(records), urgent))
        for action in at_once:
            self._dispatcher.now(action)
        self._after(event)

    async def run(self) -> None:
        """Consume the inbox until cancelled.

        While the lane is full no market event is processed: it would only fill it more. The newest
        of each kind is kept; whatever is about orders and money is processed as always.
        """
        handled = 0
        while True:
            event = await self._inbox.get()
            try:
                if self._lane.full and self._inbox.keep(event):
                    pass  # it waits for room, or for a newer one
                elif self._inbox.kept and not self._lane.full:
                    self._inbox.release(event)
                else:
                    self.handle(event)
            finally:
                self._inbox.done()
            handled += 1
            if handled % EVENTS_PER_TURN == 0:
                await asyncio.sleep(0)
