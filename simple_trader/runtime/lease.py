"""The health lease: one conjunction without which no new risk is taken.

The dead man's switch is refreshed only while it is held.
Health never latches: the lease is held again as soon as every part is well. HALT is another matter.
"""

from collections.abc import Callable

import msgspec

LANE_AGE_MAX_S = 0.75  # as the brain's STORE_SLOW (ADR 0006)
SKEW_MAX_S = 5.0
LAG_MAX_S = 0.5
GAP_MAX_S = 5.0


class Vitals(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of the lease at one moment; spans in transport seconds."""

    lane_alive: bool
    lane_age_s: float
    private_up: bool
    reconciled: bool
    skew_s: float  # the exchange's clock minus ours
    lag_p99_s: float  # how late the event loop comes to everything
    gap_s: float  # since the loop's last beat


def lost(vitals: Vitals) -> str:
    """Which part takes the lease away, with its figure; '' while it is held."""
    if not vitals.lane_alive:
        return "the database session is gone"
    if vitals.lane_age_s > LANE_AGE_MAX_S:
        return f"the database is {vitals.lane_age_s:.1f} s behind"
    if not vitals.private_up:
        return "the private stream is down"
    if not vitals.reconciled:
        return "the account is not reconciled"
    if abs(vitals.skew_s) > SKEW_MAX_S:
        return f"the exchange's clock is {vitals.skew_s:+.1f} s from ours"
    if vitals.lag_p99_s > LAG_MAX_S:
        return f"the event loop is {vitals.lag_p99_s * 1000:.0f} ms late"
    if vitals.gap_s > GAP_MAX_S:
        return f"the event loop stood still for {vitals.gap_s:.1f} s"
    return ""


class Lease:
    """The lease of a running daemon, judged anew at each question."""

    def __init__(self, vitals: Callable[[], Vitals]) -> None:
        """`vitals` looks at all parts now, without an await."""
        self._vitals = vitals

    @property
    def lost(self) -> str:
        """Why the lease is not held, or ''."""
        return lost(self._vitals())

    @property
    def held(self) -> bool:
        """Whether it is held."""
        return not self.lost
