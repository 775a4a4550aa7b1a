"""Standing: from health and memory to RUN, REDUCE or HALT, and telling of every change."""

from datetime import datetime, timedelta

import msgspec

from simple_trader.core.risk import breaker
from simple_trader.core.risk.case import HALT, REDUCE, RUN
from simple_trader.core.risk.venue_states import takes_cancels
from simple_trader.core.schedule.timers import RISK_CHECK
from simple_trader.core.state import EngineState
from simple_trader.domain.actions import Action, CancelAllOrders, CancelOrder, Note, Remember
from simple_trader.domain.instruments import VenueStatus
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.orders import Origin
from simple_trader.domain.reasons import TEXT, Reason
from simple_trader.domain.records import AuditRow, OrderStateRow, RiskRow

CANCELABLE = (OrderState.OPEN, OrderState.PARTIAL, OrderState.AMENDING)
TROUBLES = frozenset(
    {
        Reason.PRIVATE_DOWN,
        Reason.PUBLIC_DOWN,
        Reason.VENUE_NOT_ONLINE,
        Reason.MAINTENANCE_AHEAD,
        Reason.BALANCE_UNEXPLAINED,
        Reason.LOOP_LAG,
        Reason.STORE_SLOW,
        Reason.STORE_DOWN,
    }
)
SETTLE_S = timedelta(seconds=30)
ANNOUNCED_FOR = timedelta(hours=2)  # an announced maintenance that has not begun by then is off


def causes_of(state: EngineState) -> tuple[Reason, ...]:
    """Every reason that holds trading back now, the most telling first."""
    if state.memory.halted:
        return (state.memory.halt_reason or Reason.OPERATOR,)
    found = held_causes(state)
    settling = state.health.trouble_over_at is not None
    return found if found or not settling else (Reason.SETTLING,)


def held_causes(state: EngineState) -> tuple[Reason, ...]:
    """The causes below HALT, by health, books and limits as they stand now."""
    settings, health = state.settings, state.health
    found = {
        Reason.DAILY_LOSS: state.memory.day_stopped,
        Reason.DRAWDOWN: state.memory.drawdown_stopped,
        Reason.FEED_DISABLED: not (settings.enable_private_feed and settings.enable_public_feed),
        Reason.PRIVATE_DOWN: settings.enable_private_feed and not health.private_up,
        Reason.RECONCILING: not health.reconciled or bool(health.doubtful),
        Reason.LATE_EVIDENCE: health.late_since is not None,
        Reason.PUBLIC_DOWN: settings.enable_public_feed and not health.public_up,
        Reason.VENUE_NOT_ONLINE: health.venue is not VenueStatus.ONLINE,
        Reason.BALANCE_UNEXPLAINED: bool(health.unexplained),
        Reason.LOOP_LAG: health.loop_slow,
        Reason.MAINTENANCE_AHEAD: bool(health.announced),
    }
    causes = [reason for reason, holds in found.items() if holds]
    if health.store is not None:
        causes.append(health.store)
    return tuple(causes)


def restate(state: EngineState, at: datetime) -> list[Action]:
    """Bring the trading state in line with its causes; a change is a row, a note and, if it is
    latched or lifted, an audit row.
    """
    _follow_trouble(state, at)
    causes = causes_of(state)
    standing = HALT if state.memory.halted else REDUCE if causes else RUN
    if standing == state.trading_state and causes == state.causes:
        return []
    before, state.trading_state = state.trading_state, standing
    state.health.ran = state.health.ran or standing == RUN
    state.causes = causes
    why = " ".join(TEXT[cause] for cause in causes) or "Nothing holds it back."
    was = "" if before == standing else f" (was {before})"
    # A start that is still finding its feet is no trouble; a halt that was kept over it is.
    calm = standing == RUN or (standing == REDUCE and not state.ready)
    return [
        risk_row(state, at),
        Note(
            level="info" if calm else "warning",
            text=f"Trading state {standing}{was}. {why}",
            reason=causes[0] if causes else Reason.RECONCILED,
        ),
    ]


def _follow_trouble(state: EngineState, at: datetime) -> None:
    """Note when the last trouble of health ended: after a first RUN new risk waits SETTLE_S from
    then on. Reconciling is no trouble of its own: it goes on in that time.
    """
    health = state.health
    said = health.announced_at
    if said is not None and at - said > ANNOUNCED_FOR and health.venue is VenueStatus.ONLINE:
        health.announced, health.announced_at = "", None  # it never began
    troubled = not TROUBLES.isdisjoint(held_causes(state))
    if troubled or health.troubled:
        health.trouble_over_at = at if health.ran else None
        if not troubled:
            _look_at(state, at + SETTLE_S)
    elif health.trouble_over_at is not None and at - health.trouble_over_at >= SETTLE_S:
        health.trouble_over_at = None
    health.troubled = troubled


def _look_at(state: EngineState, moment: datetime) -> None:
    """Let the next risk check, which brings this up to date, come no later than `moment`."""
    due = state.timers.due
    due[RISK_CHECK] = min(moment, due.get(RISK_CHECK, moment))


def risk_row(state: EngineState, at: datetime) -> Remember:
    """The trading state and the memory of risk as they stand now."""
    return Remember(
        record=RiskRow(
            state=state.trading_state,
            reasons=state.causes,
            memory=state.memory,
            equity=state.equity(),
            at=at,
        )
    )


def audit(
    at: datetime, actor: str, origin: str, action: str, what: str, before: str, after: str
) -> Remember:
    """An audit row of something that was done."""
    return Remember(
        record=AuditRow(
            at=at,
            actor=actor,
            origin=origin,
            action=action,
            object=what,
            before=before,
            after=after,
            result="done",
        )
    )


def halt_on(state: EngineState, at: datetime, reason: Reason, detail: str) -> list[Action]:
    """Latch HALT by ourselves, and cancel what of ours still rests."""
    if state.memory.halted:
        return [Note(level="error", text=detail, reason=reason)]
    before = state.trading_state
    state.memory = breaker.latch(state.memory, reason, detail)
    return [
        Note(level="error", text=detail, reason=reason),
        audit(at, "engine", "engine", "halt", "trading", before, detail),
        *restate(state, at),
        *cancel_own(state, at, reason),
    ]


def cancel_entries(state: EngineState, at: datetime, reason: Reason) -> list[Action]:
    """Ask to cancel what of ours rests and raises exposure; what protects a position stays."""
    return cancel_own(state, at, reason, entries=True)


def cancel_own(
    state: EngineState, at: datetime, reason: Reason, *, entries: bool = False
) -> list[Action]:
    """Ask to cancel every resting order of ours, and of no one else (I-09).

    Their exposure counts until the exchange confirms (I-08). In maintenance nothing is sent: see
    `cancel_again`.
    """
    actions: list[Action] = []
    if not takes_cancels(state.health.venue):
        return actions
    for order in state.orders.live():
        if order.state not in CANCELABLE or (entries and order.origin is Origin.EXIT):
            continue
        after = state.orders.move(
            order, OrderState.PENDING_CANCEL, at, reason=Reason.CANCELED_BY_US
        )
        if after is not None:
            actions.append(Remember(record=OrderStateRow(order=after)))
        actions.append(
            CancelOrder(
                cl_ord_id=order.cl_ord_id,
                order_id=order.order_id,
                pair=order.request.pair,
                reason=reason,
            )
        )
    return actions


def cancel_again(state: EngineState, at: datetime) -> list[Action]:
    """Under HALT nothing of ours rests: cancel what could not be cancelled, or was refused."""
    if not state.memory.halted or not takes_cancels(state.health.venue):
        return []
    reason = state.memory.halt_reason or Reason.OPERATOR
    own = cancel_own(state, at, reason)
    if not state.memory.cancel_due:
        return own
    sent = cancel_all(state)
    return [*cover_all(own), risk_row(state, at), *sent]


def cancel_all(state: EngineState) -> list[Action]:
    """Cancel everything on the account, or as soon as the exchange takes cancels again (X22)."""
    due = not takes_cancels(state.health.venue)
    state.memory = msgspec.structs.replace(state.memory, cancel_due=due)
    if due:
        text = "The exchange takes no cancels in maintenance: everything is cancelled after it."
        return [Note(level="warning", text=text, reason=Reason.VENUE_NOT_ONLINE)]
    return [CancelAllOrders(reason=Reason.OPERATOR)]


def cover_all(actions: list[Action]) -> list[Action]:
    """CancelAllOrders covers the single cancels in one request: their rows are enough."""
    return [action for action in actions if isinstance(action, Remember)]
