"""A circuit breaker: who failed again and again is left alone for a while (L02)."""

from collections.abc import Callable

FAILURES = 3  # in a row
FIRST_REST_S = 60.0
LONGEST_REST_S = 900.0


class Breaker:
    """Closed, open for a while, then half open: one trial decides.

    Each opening in a row doubles the rest, from 60 s to 15 min; a success makes all as at first.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """`monotonic` gives seconds."""
        self._monotonic = monotonic
        self._failures = 0
        self._openings = 0
        self._closed_from = 0.0
        self._on_trial = False

    def waits_s(self) -> float:
        """Seconds until it may be asked; 0: now. While a trial is on its way, a second wait."""
        rest_s = max(0.0, self._closed_from - self._monotonic())
        return 1.0 if not rest_s and self._on_trial else rest_s

    def begin(self) -> None:
        """A question goes out; after a rest it is the trial."""
        self._on_trial = self._failures >= FAILURES

    def succeeded(self) -> None:
        """It answered."""
        self._failures = self._openings = 0
        self._on_trial = False

    def failed(self) -> None:
        """It did not; the third time in a row, and each trial, open it."""
        self._failures += 1
        self._on_trial = False
        if self._failures >= FAILURES:
            self._rest(min(FIRST_REST_S * 2**self._openings, LONGEST_REST_S))
            self._openings = min(self._openings + 1, 8)

    def abandoned(self) -> None:
        """Nobody waited for the end: it says nothing about the provider."""
        self._on_trial = False

    def asked_to_wait(self, seconds: float) -> None:
        """It named a Retry-After; more than 15 min is not believed."""
        self._rest(min(seconds, LONGEST_REST_S))

    def _rest(self, seconds: float) -> None:
        self._closed_from = max(self._closed_from, self._monotonic() + seconds)
