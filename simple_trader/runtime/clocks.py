"""Clocks: the only file that reads the machine's time; market time and transport time never mix."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def _wall() -> datetime:
    return datetime.now(UTC)


def _steady() -> float:
    """Seconds that nobody can set, a suspended machine's included where the system counts them."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class SystemClock:
    """Market time is the machine's time as it was at the start, carried on by a steady clock.

    Somebody who sets the machine's clock (P04, I-49) moves `wall` alone: an order's deadline, the
    age of a quote and the next cycle do not jump with it. A clock that was wrong at the start shows
    as skew against the exchange. `sim` is stepped (ADR 0005).
    """

    def __init__(
        self, wall: Callable[[], datetime] = _wall, steady: Callable[[], float] = _steady
    ) -> None:
        """Take the machine's time once, from `wall`; `steady` carries it on in seconds."""
        self._wall, self._steady = wall, steady
        self.take_anew()

    def take_anew(self) -> None:
        """Take the machine's time once more: only before the first event (time_check)."""
        self._begun_at, self._begun = self._wall(), self._steady()

    def now(self) -> datetime:
        """Market time."""
        return self._begun_at + timedelta(seconds=self._steady() - self._begun)

    def wall(self) -> datetime:
        """Real time, as the machine has it."""
        return self._wall()

    def monotonic(self) -> float:
        """Transport seconds; a suspended machine's count, where the system knows them (P03)."""
        return _steady()


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
        """Transport seconds; a suspended machine's count, where the system knows them (P03)."""
        return _steady()

    def move_to(self, moment: datetime) -> None:
        """Move market time forward to `moment`; an earlier moment changes nothing."""
        self._now = max(self._now, moment)
