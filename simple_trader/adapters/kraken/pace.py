"""How fast we may speak on one connection: at most ten messages in any second (section 1).

Kraken's limit is dynamic and not published; `{"Error":"Exceeded msg rate"}` says that it was
passed. Then we speak at half the pace for a while. Orders and cancels are never held back, they
only use up what subscriptions and pings may still send.
"""

_BURST = 6.0
_PER_S = 4.0
_SLOWEST_PER_S = 0.5
_SLOW_FOR_S = 30.0


class Pace:
    """A bucket of messages; `now` is monotonic seconds."""

    def __init__(self, now: float) -> None:
        """Full."""
        self._left = _BURST
        self._at = now
        self._per_s = _PER_S
        self._slow_until = 0.0

    @property
    def slowed(self) -> bool:
        """Whether the exchange said that we are too fast, and the pause for it is not over."""
        return self._per_s < _PER_S

    def may_send(self, now: float) -> bool:
        """Take a place for one message, if there is one."""
        self._fill(now)
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True

    def spend(self, now: float) -> None:
        """A message that is not held back goes out: the others wait for it."""
        self._fill(now)
        self._left = max(self._left - 1.0, -_BURST)

    def exceeded(self, now: float) -> None:
        """The exchange said that we were too fast."""
        self._fill(now)
        self._left = min(self._left, 0.0)
        self._per_s = max(_SLOWEST_PER_S, self._per_s / 2)
        self._slow_until = now + _SLOW_FOR_S

    def _fill(self, now: float) -> None:
        if self.slowed and now >= self._slow_until:
            self._per_s = _PER_S
        self._left = min(_BURST, self._left + max(0.0, now - self._at) * self._per_s)
        self._at = now
