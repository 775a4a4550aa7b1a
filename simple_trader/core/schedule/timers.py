"""Timers: the market moments at which the brain wants to be woken; missed ones coalesce to one."""

from datetime import datetime

import msgspec

from simple_trader.domain.moments import next_multiple
from simple_trader.domain.settings import TradingSettings

AGGREGATE = "aggregate"
RISK_CHECK = "risk_check"
TRAIN = "train"
RECONCILE = "reconcile"
BALANCES = "balances"
DAY = "day"
RESOLVE = "resolve"  # the next look at orders in doubt: set when it is known, no interval

# At one moment the day begins first and a decision is taken last, on what the others found.
ORDER = (DAY, RESOLVE, RISK_CHECK, BALANCES, RECONCILE, TRAIN, AGGREGATE)

BALANCES_EVERY_S = 60  # the stream against the books (reliability PT16)
RECONCILE_EVERY_S = 900  # a full look by REST (reliability PT16)
DAY_S = 86_400


def intervals(settings: TradingSettings) -> dict[str, int]:
    """Seconds between two firings of each timer that runs under these settings."""
    spans = {
        DAY: DAY_S,
        RISK_CHECK: settings.risk_manager_interval_s,
        BALANCES: BALANCES_EVERY_S,
        RECONCILE: RECONCILE_EVERY_S,
    }
    if settings.enable_model:
        spans[TRAIN] = settings.training_interval_s
    if settings.enable_aggregator:
        spans[AGGREGATE] = settings.aggregator_interval_s
    return spans


class Timers(msgspec.Struct):
    """When each timer is due next; absent means it does not run."""

    due: dict[str, datetime] = {}

    def begin(
        self, settings: TradingSettings, at: datetime, *, last_training_at: datetime | None
    ) -> None:
        """Set all timers at the start: each at its next multiple from the epoch after `at`.

        Training is due at once where the last one is more than its interval ago.
        """
        spans = intervals(settings)
        self.due = {name: next_multiple(at, spans[name]) for name in ORDER if name in spans}
        if TRAIN in spans and last_training_at is not None:
            self.due[TRAIN] = max(at, next_multiple(last_training_at, spans[TRAIN]))

    def fired(self, name: str, settings: TradingSettings, at: datetime) -> None:
        """Set the next moment after a firing at `at`; what was missed in between is not made up."""
        spans = intervals(settings)
        if name in spans:
            self.due[name] = next_multiple(at, spans[name])
        else:
            self.due.pop(name, None)

    def changed(self, before: TradingSettings, after: TradingSettings, at: datetime) -> None:
        """Follow changed settings: new, gone and changed intervals only; the others stay due."""
        old, new = intervals(before), intervals(after)
        for name in ORDER:
            if name == RESOLVE:
                continue
            if name not in new:
                self.due.pop(name, None)
            elif old.get(name) != new[name]:
                self.due[name] = next_multiple(at, new[name])

    def wake(self, name: str, due: datetime) -> None:
        """Wake the brain once at `due`, in place of what was set before."""
        self.due[name] = due

    def first_cycle(
        self, settings: TradingSettings, at: datetime, last_cycle_at: datetime | None
    ) -> None:
        """Let the first cycle come at once, unless its interval has already seen one."""
        if AGGREGATE not in self.due:
            return
        step = settings.aggregator_interval_s
        if last_cycle_at is None or next_multiple(last_cycle_at, step) <= at:
            self.due[AGGREGATE] = at

    def soonest(self) -> tuple[datetime, str] | None:
        """The next moment and its timer; None when nothing is to come."""
        best: tuple[datetime, str] | None = None
        for name in ORDER:
            due = self.due.get(name)
            if due is not None and (best is None or due < best[0]):
                best = (due, name)
        return best
