"""One case: an order, its fate and what became of it; and how a world without a past is opened."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from virtual_time import VirtualClock

from lost_acks.fates import Fate
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.orders import Order, OrderRequest, Origin
from simple_trader.domain.reasons import Reason
from simple_trader.sandbox import sources_generated
from simple_trader.sandbox.exchange import Exchange
from simple_trader.sandbox.opening import open_exchange
from simple_trader.sandbox.settings import SandboxOptions


@dataclass
class Case:
    """One order, its fate, and what became of it."""

    name: str
    fate: Fate
    request: OrderRequest
    sends: int = 0
    seen_at: datetime | None = None  # first moment at which the stream showed it to us
    states: list[tuple[datetime, OrderState]] = field(default_factory=list)
    looks: list[tuple[datetime, datetime, str | None, str]] = field(default_factory=list)
    fills: list[str] = field(default_factory=list)


def intent_of(case: Case, now: datetime) -> Order:
    """The order as the risk manager leaves it."""
    return Order(
        request=case.request,
        origin=Origin.AI,
        owner="ai",
        decision_id=None,
        reason=Reason.BIAS_BUY,
        state=OrderState.DISPATCHING,
        approved_at=now,
        send_by=now + timedelta(seconds=2),
        params_hash="",
        config_hash="",
        changed_at=now,
    )


def short_past(options: SandboxOptions, clock: VirtualClock) -> Exchange:
    """A market without much of a past: nobody asks for it here."""
    usual = sources_generated.HISTORY_MINUTES
    sources_generated.HISTORY_MINUTES = options.history_bars
    try:
        return open_exchange(options, clock.wall)
    finally:
        sources_generated.HISTORY_MINUTES = usual
