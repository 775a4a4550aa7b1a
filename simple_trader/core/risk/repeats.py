"""Repeats: the repeated-execution throttle (PT6): the same side of a pair filled again and again.

What fills and refills thirty times in ten minutes is a loop, and no strategy here: HALT, until
a person has looked.
"""

from datetime import datetime, timedelta

import msgspec

SPAN = timedelta(minutes=10)
FILLED_MAX = 30


class Repeats(msgspec.Struct):
    """Moments at which orders of one owner, pair and side had their first fill."""

    filled: dict[str, list[datetime]] = {}

    def note(self, key: str, at: datetime) -> bool:
        """Count an order that was filled at `at`, whenever it is told; True when it is one too
        many.
        """
        moments = sorted([*self.filled.get(key, []), at])
        recent = [moment for moment in moments if moment > moments[-1] - SPAN]
        self.filled[key] = recent[-FILLED_MAX:]
        return len(recent) >= FILLED_MAX

    def forget(self) -> None:
        """An operator resumed."""
        self.filled.clear()
