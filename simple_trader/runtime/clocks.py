"""Clocks: the only file that reads the machine's time; market time and transport time never mix."""

import time
from datetime import UTC, datetime


class SystemClock:
    """Market time is the machine's time: `live` and `paper`; `sim` is stepped (ADR 0005)."""

    def now(self) -> datetime:
        """Market time."""
        return datetime.now(UTC)

    def wall(self) -> datetime:
        """Real time."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Transport seconds."""
        return time.monotonic()


class SteppedClock:
    """Market time that only the stepper moves, forward; transport time stays the machine's."""

    def __init__(self, start: datetime) -> None:
        """Begin at `start`, an aware moment of the market."""
        self._now = start

    def now(self) -> datetime:
        """Market time, as of the last step."""
        return self._now

    def wall(self) -> datetime:
        """Real time."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Transport seconds."""
        return time.monotonic()

    def move_to(self, moment: datetime) -> None:
        """Move market time forward to `moment`; an earlier moment changes nothing."""
        self._now = max(self._now, moment)
