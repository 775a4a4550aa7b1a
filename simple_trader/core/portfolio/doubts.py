"""Doubts: which orders must be looked for, and when the next look at all of them together is due.

A look reads open orders, closed orders and trades: nine points of a REST counter that holds fifteen
to twenty (reliability section 1). So there is one look for every order in doubt, the first at once,
the next ones after longer pauses, and room is left before the one look that may conclude that an
order was never accepted: begun after deadline and lag margin (I-05), done by deadline + 90 s. Those
that were lost together are concluded together.
"""

from datetime import datetime, timedelta

import msgspec

from simple_trader.core.portfolio.balances import REST_LAG_S
from simple_trader.domain.moments import seconds

FRESH_S = 2.0  # least pause before a look for an order that no look has covered
RETRY_S = 5.0  # after a look that could have concluded and failed
PAUSES_S = ((5.0, 5.0), (15.0, 10.0))  # (age of the doubt below which, pause until the next look)
LONG_PAUSE_S = 20.0
TOGETHER_S = 6.0  # orders that can be concluded so soon after the first are concluded with it
_A_MOMENT = timedelta(milliseconds=1)

# The REST counter of the tier that is taken where none is named (hall_monitor.TIERS).
LOOK_COST = 9.0
ACCOUNT_COST = 11.0  # a full look: orders, trades, ledger, balances, fees
COUNTER_MAX = 20.0
DECAY_PER_S = 0.5


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


def conclusive(deadline: datetime, skew_s: float = 0.0) -> datetime:
    """The first moment at which a look may begin that takes an order as never accepted (I-05).

    Deadlines are by the exchange's clock, looks begin by ours: where it is behind ours (`skew_s`,
    its clock less ours, below zero) the deadline passes so much later (X34).
    """
    return deadline + seconds(REST_LAG_S + max(0.0, -skew_s)) + _A_MOMENT


class Doubts(msgspec.Struct):
    """The orders in doubt, when the last look at them began and was answered, and what was spent.

    A look that is repeated and cannot conclude leaves the cost of one that can: what concludes must
    not wait for what only hopes. The first look for an order takes what is there.
    """

    orders: dict[str, Doubt] = {}
    looked_for: tuple[str, ...] = ()  # by the last look
    began_at: datetime | None = None
    ended_at: datetime | None = None
    spent: float = 0.0
    spent_at: datetime | None = None

    def add(self, cl_ord_id: str, doubt: Doubt) -> None:
        """Look for an order from now on; one that is looked for already may be concluded now, too:
        it was asked about while it was SENT, and then fell into doubt.
        """
        known = self.orders.setdefault(cl_ord_id, doubt)
        if known.concludes_at is None:
            known.concludes_at = doubt.concludes_at
        known.asked = known.asked or doubt.asked

    def ask(self, at: datetime) -> tuple[str, ...]:
        """A look is asked for at all of them: their names; its cost is counted."""
        self.looked_for = tuple(self.orders)
        self.spend(at, LOOK_COST)
        return self.looked_for

    def spend(self, at: datetime, cost: float) -> None:
        """Something is asked of REST: count its cost."""
        self.spent, self.spent_at = self._spent(at) + cost, at

    def answered(self, looked_from: datetime, at: datetime) -> None:
        """A look came back, whatever it said; what it cost was spent up to now."""
        if self._spent(looked_from) > 0:
            self.spent, self.spent_at = self._spent(looked_from), at
        self.began_at, self.ended_at = looked_from, at

    def due_at(self) -> datetime | None:
        """When the next look shall begin; None where nothing is in doubt."""
        concluding = self._concluding_at()
        moments = [self._hoping_at(name, doubt, concluding) for name, doubt in self.orders.items()]
        return min((due for due in (concluding, *moments) if due is not None), default=None)

    def _concluding_at(self) -> datetime | None:
        """When a look concludes what can be concluded first, and with it what follows soon."""
        began, ended = self.began_at, self.ended_at
        moments: list[datetime] = []
        for doubt in self.orders.values():
            if doubt.concludes_at is None:
                continue
            if began is None or ended is None or began < doubt.concludes_at:
                moments.append(doubt.concludes_at)
            else:
                moments.append(ended + seconds(RETRY_S))
        if not moments:
            return None
        last = min(moments) + seconds(TOGETHER_S)
        together = max(moment for moment in moments if moment <= last)
        return together if ended is None else max(together, ended)

    def _hoping_at(self, name: str, doubt: Doubt, concluding: datetime | None) -> datetime | None:
        """When a look may find an order though it cannot conclude; None where it has concluded."""
        began, ended = self.began_at, self.ended_at
        if began is None or ended is None:
            return self._first_at(doubt.since, concluding)
        if began < doubt.since or name not in self.looked_for:
            return self._first_at(max(doubt.since, ended + seconds(FRESH_S)), concluding)
        if doubt.concludes_at is not None and began >= doubt.concludes_at:
            return None
        age_s = (ended - doubt.since).total_seconds()
        pause_s = next((pause for below, pause in PAUSES_S if age_s < below), LONG_PAUSE_S)
        return self._affordable_at(ended + seconds(pause_s), COUNTER_MAX - 2 * LOOK_COST)

    def _first_at(self, at: datetime, concluding: datetime | None) -> datetime:
        """A first look, at once if its cost is earned again before the next one that concludes."""
        due = self._affordable_at(at, COUNTER_MAX - LOOK_COST)
        if concluding is None or concluding - due >= seconds(LOOK_COST / DECAY_PER_S):
            return due
        return self._affordable_at(at, COUNTER_MAX - 2 * LOOK_COST)

    def _spent(self, at: datetime) -> float:
        if self.spent_at is None:
            return 0.0
        return max(0.0, self.spent - (at - self.spent_at).total_seconds() * DECAY_PER_S)

    def _affordable_at(self, at: datetime, most: float) -> datetime:
        """The first moment from `at` on at which no more than `most` is spent."""
        over = self._spent(at) - most
        return at if over <= 0 else at + seconds(over / DECAY_PER_S)
