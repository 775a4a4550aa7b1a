"""Doubts: which orders must be looked for, and when the next look at all of them together is due.

A look reads open orders, closed orders and trades: nine points of a REST counter that holds fifteen
to twenty (reliability section 1). So there is one look for every order in doubt, the first at once,
the next ones after longer pauses, and room is left before the one look that may conclude that an
order was never accepted: begun after deadline and lag margin (I-05), done by deadline + 90 s.
"""

from datetime import datetime, timedelta

import msgspec

from simple_trader.domain.moments import seconds

LAG_MARGIN_S = 75.0  # REST may lag behind the stream by a minute (reliability 0.4)
FRESH_S = 2.0  # least pause before a look for an order that no look has covered
RETRY_S = 5.0  # after a look that could have concluded and failed
PAUSES_S = ((5.0, 5.0), (15.0, 10.0))  # (age of the doubt below which, pause until the next look)
LONG_PAUSE_S = 20.0
ROOM_S = 12.0  # no look so shortly before the one that concludes
_A_MOMENT = timedelta(milliseconds=1)


class Doubt(msgspec.Struct):
    """One order to look for.

    `from_at` is a moment before which the exchange cannot have it; `concludes_at` the first moment
    at which a look without a trace of it proves something, None where none does. One that was
    `asked` for stays until a look has covered it, whatever becomes known meanwhile.
    """

    since: datetime
    from_at: datetime
    concludes_at: datetime | None = None
    asked: bool = False


def conclusive(deadline: datetime) -> datetime:
    """The first moment at which a look may begin that takes an order as never accepted (I-05)."""
    return deadline + seconds(LAG_MARGIN_S) + _A_MOMENT


class Doubts(msgspec.Struct):
    """The orders in doubt, and when the last look at them began and was answered."""

    orders: dict[str, Doubt] = {}
    began_at: datetime | None = None
    ended_at: datetime | None = None

    def add(self, cl_ord_id: str, doubt: Doubt) -> None:
        """Look for an order from now on, unless it is looked for already."""
        self.orders.setdefault(cl_ord_id, doubt)

    def answered(self, looked_from: datetime, at: datetime) -> None:
        """A look came back, whatever it said."""
        self.began_at, self.ended_at = looked_from, at

    def due_at(self) -> datetime | None:
        """When the next look shall begin; None where nothing is in doubt."""
        return min(map(self._due_at, self.orders.values()), default=None)

    def _due_at(self, doubt: Doubt) -> datetime:
        began, ended = self.began_at, self.ended_at
        if began is None or ended is None:
            return doubt.since
        if began < doubt.since:
            return max(doubt.since, ended + seconds(FRESH_S))
        concludes = doubt.concludes_at
        if concludes is not None and began >= concludes:
            return ended + seconds(RETRY_S)
        age_s = (ended - doubt.since).total_seconds()
        pause_s = next((pause for below, pause in PAUSES_S if age_s < below), LONG_PAUSE_S)
        due = ended + seconds(pause_s)
        if concludes is not None and due > concludes - seconds(ROOM_S):
            return max(concludes, ended)
        return due
