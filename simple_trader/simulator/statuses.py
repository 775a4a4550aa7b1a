"""What each status of the exchange and of a pair lets through, and the words of a refusal.

Source: protocol sections 3.1, 3.6 and 9. Trading goes on only while the exchange is online and the
pair online, limit_only or reduce_only; otherwise the book stands still. A spot order opens or
closes no position, so a reduce_only pair takes cancels and nothing else.
"""

from simple_trader.simulator.orders import OrderType, PairStatus, SystemStatus
from simple_trader.simulator.triggers import LIMITS

UNAVAILABLE = "EService:Unavailable"

_DOWN: frozenset[str] = frozenset(("maintenance", "work_in_progress"))
_TRADING: frozenset[PairStatus] = frozenset(("online", "limit_only", "reduce_only"))


def matches(system: SystemStatus, pair: PairStatus) -> bool:
    """Say whether orders of the pair trade."""
    return system == "online" and pair in _TRADING


def refuse_new(
    system: SystemStatus, pair: PairStatus, order_type: OrderType, *, post_only: bool
) -> str | None:
    """Say why a new order may not come in; None when it may (delisted pairs are no pairs)."""
    for status in (system, pair):
        if status in _DOWN:
            return UNAVAILABLE
        if status in ("cancel_only", "reduce_only"):
            return _mode(status)
        if status == "post_only" and not post_only:
            return _mode(status)
        if status == "limit_only" and order_type not in LIMITS:
            return _mode(status)
    return None


def refuse_amend(system: SystemStatus, pair: PairStatus) -> str | None:
    """Say why an open order may not be changed; None when it may."""
    for status in (system, pair):
        if status in _DOWN:
            return UNAVAILABLE
        if status in ("cancel_only", "reduce_only"):
            return _mode(status)
    return None


def refuse_cancel(system: SystemStatus, pair: PairStatus) -> str | None:
    """Say why an open order may not be canceled; None when it may."""
    return UNAVAILABLE if system in _DOWN or pair in _DOWN else None


def _mode(status: str) -> str:
    return f"EService:Market in {status} mode"
