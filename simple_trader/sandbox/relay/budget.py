"""How often the relay may connect: Kraken bans an address after 150 attempts in ten minutes."""

from collections import deque

WINDOW_S = 600.0
MOST = 120  # section 1 says about 150; other programs of this address need some as well
RESERVED = 20  # of these, only for the relay's own connection


class ConnectBudget:
    """Attempts of the last ten minutes, of all clients and the relay together."""

    def __init__(self, most: int = MOST, reserved: int = RESERVED) -> None:
        self._most = most
        self._reserved = reserved
        self._made: deque[float] = deque()

    def take(self, now: float, *, own: bool = False) -> bool:
        """Count an attempt at `now` (seconds); False when it must not be made."""
        while self._made and now - self._made[0] >= WINDOW_S:
            self._made.popleft()
        if len(self._made) >= (self._most if own else self._most - self._reserved):
            return False
        self._made.append(now)
        return True
