"""The hall monitor: a model of Kraken's REST counter, so that we never run into it (section 11.3).

The counter grows with each call and decays with time; a share of it is kept for cancels and
look-ups, which must get through when everything else is used up (X18).
"""

import logging
import math
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec

log = logging.getLogger(__name__)


class Tier(msgspec.Struct, frozen=True):
    """Most the counter may hold, and how much of it decays in a second."""

    limit: float
    decay_per_s: float


TIERS = {
    "starter": Tier(15, 0.33),
    "intermediate": Tier(20, 0.5),
    "pro": Tier(20, 1.0),
    "none": Tier(1e12, 1e12),  # our own sandbox does not count
}
RESERVED = 5.0  # an OpenOrders and a QueryTrades, or a token, on top of what came before
# Ledger and history calls cost 4 on the newest page, 2 on older ones: 4 is the safe reading.
COSTS = {"Ledgers": 4.0, "QueryLedgers": 4.0, "TradesHistory": 4.0, "ClosedOrders": 4.0}
FREE = frozenset({"AddOrder", "CancelOrder", "CancelAll"})  # these use the trading counter
# Look-ups of orders, the token without which no private stream comes, and the dead man's switch.
URGENT = frozenset(
    {"OpenOrders", "QueryOrders", "QueryTrades", "GetWebSocketsToken", "CancelAllOrdersAfter"}
)
_PUBLIC_GAP_S = 1.0
_ROUNDING = 1e-6
_TRADING_LIMITS = (("starter", 60), ("intermediate", 125), ("pro", 180))  # section 10


def cost_of(endpoint: str) -> float:
    """What a private call adds to the counter."""
    return 0.0 if endpoint in FREE else COSTS.get(endpoint, 1.0)


class Lockout(msgspec.Struct, frozen=True):
    """The exchange's words for shutting us out, and until when we ask nothing private."""

    until: datetime
    error: str


class KeepsCount(Protocol):
    """Where counter and lockout are kept over restarts: the exchange goes on counting meanwhile."""

    def load(self) -> tuple[float, datetime] | None:
        """Value and real moment at which it was put down; None where there is none."""
        ...

    def save(self, value: float, at: datetime) -> None:
        """Put it down."""
        ...

    def load_lockout(self) -> Lockout | None:
        """The last lockout, which may be over; None where there was none."""
        ...

    def save_lockout(self, lockout: Lockout) -> None:
        """Put it down: a restart in the middle of it must not ask again."""
        ...


class FileCount:
    """The counter in a small file; it must survive a killed process, not a power loss."""

    def __init__(self, path: Path) -> None:
        """Keep it at `path`; the directory must exist."""
        self._path = path
        self._failed = False

    def load(self) -> tuple[float, datetime] | None:
        """As KeepsCount; a file that cannot be read is told and counts as none."""
        try:
            kept = _KEPT.decode(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (msgspec.DecodeError, OSError) as error:
            log.warning("The REST counter in %s cannot be read: %s", self._path, error)
            return None
        if not math.isfinite(kept.value) or kept.at.tzinfo is None:
            log.warning("The REST counter in %s is no counter.", self._path)
            return None
        return kept.value, kept.at

    def load_lockout(self) -> Lockout | None:
        """As KeepsCount; a file that cannot be read is told and counts as none."""
        try:
            kept = _LOCKOUT.decode(self._path.with_suffix(".lockout").read_bytes())
        except FileNotFoundError:
            return None
        except (msgspec.DecodeError, UnicodeError, OSError) as error:
            log.warning("The lockout beside %s cannot be read: %s", self._path, error)
            return None
        return kept if kept.until.tzinfo is not None else None

    def save_lockout(self, lockout: Lockout) -> None:
        """As KeepsCount."""
        self._write(self._path.with_suffix(".lockout"), lockout)

    def save(self, value: float, at: datetime) -> None:
        """Write beside, rename; a failure is told once and costs only exactness."""
        self._write(self._path, _Kept(round(value, 3), at))

    def _write(self, path: Path, what: msgspec.Struct) -> None:
        beside = path.with_suffix(".new")
        try:
            beside.write_bytes(msgspec.json.encode(what))
            beside.replace(path)
            self._failed = False
        except OSError as error:
            if not self._failed:
                log.warning("The REST counter cannot be written to %s: %s", self._path, error)
            self._failed = True


class _Kept(msgspec.Struct, frozen=True):
    value: float
    at: datetime


_KEPT = msgspec.json.Decoder(_Kept)
_LOCKOUT = msgspec.json.Decoder(Lockout)


class HallMonitor:
    """The counter of one API key; times are monotonic seconds."""

    def __init__(
        self,
        tier: str,
        monotonic: Callable[[], float],
        *,
        kept: KeepsCount | None = None,
        wall: Callable[[], datetime] | None = None,
    ) -> None:
        """`tier` is a name of TIERS; raises KeyError for another.

        With `kept` and `wall` it goes on from where the last process was, decayed since then.
        """
        self.tier = TIERS[tier]
        self._monotonic = monotonic
        self._kept, self._wall = kept, wall
        self._value = 0.0
        self._at = monotonic()
        before = None if kept is None or wall is None else kept.load()
        if before is not None and wall is not None:
            self.restore(before[0], (wall() - before[1]).total_seconds())

    @property
    def value(self) -> float:
        """The counter as we model it now."""
        now = self._monotonic()
        self._value = max(0.0, self._value - (now - self._at) * self.tier.decay_per_s)
        self._at = now
        return self._value

    def restore(self, value: float, age_s: float) -> None:
        """Go on from a value that was written down `age_s` ago; a clock set back ages nothing."""
        old = max(0.0, value - max(0.0, age_s) * self.tier.decay_per_s)
        self._value = min(old, self.tier.limit)
        self._at = self._monotonic()

    def learn_tier(self, max_rate_count: int) -> None:
        """`maxratecount` of the executions ack tells the account's tier; the lower one in doubt."""
        if self.tier is TIERS["none"]:
            return
        value = self.value  # decayed as before up to this moment
        fitting = [name for name, least in _TRADING_LIMITS if max_rate_count >= least]
        self.tier = TIERS[fitting[-1] if fitting else "starter"]
        self._value = value

    def wait_s(self, cost: float, *, urgent: bool = False) -> float:
        """How long to wait before a call of `cost`; urgent ones may use the reserved share."""
        room = self.tier.limit - (0.0 if urgent else RESERVED) - self.value - cost
        # What is missing by rounding alone would be waited for without end by a clock of steps.
        return 0.0 if room > -_ROUNDING or cost == 0 else -room / self.tier.decay_per_s

    def charge(self, cost: float) -> None:
        """A call is made."""
        self._put(self.value + cost)

    def exhausted(self) -> None:
        """The exchange said that the counter is full: believe it."""
        self._put(max(self.value, self.tier.limit))

    def _put(self, value: float) -> None:
        changed = value != self._value
        self._value = value
        if changed and self._kept is not None and self._wall is not None:
            self._kept.save(value, self._wall())


class PublicPace:
    """Spaces public calls: about one a second is safe; a burst at the start is tolerated."""

    def __init__(self, monotonic: Callable[[], float], burst: int = 10) -> None:
        """Allow `burst` calls at once, then one a second."""
        self._monotonic = monotonic
        self._burst = burst
        self._free_at = monotonic() - burst * _PUBLIC_GAP_S

    def take_s(self) -> float:
        """Take the next place; how long to wait for it."""
        now = self._monotonic()
        self._free_at = max(self._free_at, now - self._burst * _PUBLIC_GAP_S) + _PUBLIC_GAP_S
        return max(0.0, self._free_at - now)
