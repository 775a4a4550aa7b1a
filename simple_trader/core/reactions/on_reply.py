"""Replies: what came back for an order we sent, cancelled or looked for."""

from datetime import datetime

from simple_trader.core.portfolio.open_orders import Closing
from simple_trader.core.reactions.asking import ORDERS, ask_order
from simple_trader.core.reactions.on_execution import ENDS, claim, note_order, opened, told_end
from simple_trader.core.reactions.trade import release_guard
from simple_trader.core.state import EngineState
from simple_trader.domain.actions import Action, Remember
from simple_trader.domain.events import (
    CancelRejected,
    NotSent,
    OrderAcked,
    OrderLooked,
    OrderRejected,
    OrderSent,
    SendUnknown,
)
from simple_trader.domain.moments import seconds
from simple_trader.domain.money import ZERO
from simple_trader.domain.order_states import OrderState, may_become
from simple_trader.domain.orders import Order
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import OrderStateRow

LAG_MARGIN_S = 75.0  # REST may lag behind the stream by a minute (reliability 0.4)
FOUND = "found by a look"


def _move(
    state: EngineState,
    cl_ord_id: str,
    target: OrderState,
    at: datetime,
    *,
    reason: Reason | None,
    detail: str = "",
) -> Order | None:
    order = state.orders.find(cl_ord_id, None)
    if order is None or order.state is target or not may_become(order.state, target):
        return None
    return state.orders.move(order, target, at, reason=reason, detail=detail)


def on_sent(state: EngineState, event: OrderSent, at: datetime) -> list[Action]:
    """The one send is out; reports may have overtaken this."""
    after = _move(state, event.cl_ord_id, OrderState.SENT, at, reason=None)
    return [] if after is None else [Remember(record=OrderStateRow(order=after))]


def on_not_sent(state: EngineState, event: NotSent, at: datetime) -> list[Action]:
    """The gate kept it: VOID, and everything it reserved is free, its candle too."""
    after = _move(
        state,
        event.cl_ord_id,
        OrderState.VOID,
        at,
        reason=event.reason,
        detail=event.detail,
    )
    if after is None:
        return []
    freed = release_guard(state, after)
    text = f"Order {event.cl_ord_id} was not sent: {event.detail or event.reason.value}"
    return [
        Remember(record=OrderStateRow(order=after)),
        *freed,
        note_order("info", text, after, event.reason),
    ]


def on_acked(state: EngineState, event: OrderAcked, at: datetime) -> list[Action]:
    """The exchange acknowledged; a fill may have come first (X04)."""
    order = state.orders.find(event.cl_ord_id, event.order_id)
    return [] if order is None else opened(state, order, event.order_id, at)


def on_rejected(state: EngineState, event: OrderRejected, at: datetime) -> list[Action]:
    """A definitive refusal, unless fills prove otherwise."""
    order = state.orders.find(event.cl_ord_id, None)
    if order is None:
        return []
    if order.filled_qty > ZERO:
        text = f"Reject of {event.cl_ord_id} ignored, it has fills: {event.error}"
        return [note_order("warning", text, order, Reason.LATE_EVIDENCE)]
    after = _move(
        state,
        event.cl_ord_id,
        OrderState.REJECTED,
        at,
        reason=Reason.REJECTED_BY_VENUE,
        detail=event.error,
    )
    if after is None:
        return []
    text = f"Order {event.cl_ord_id} rejected: {event.error}"
    return [
        Remember(record=OrderStateRow(order=after)),
        note_order("warning", text, after, Reason.REJECTED_BY_VENUE),
        *claim(state, at),
    ]


def on_send_unknown(state: EngineState, event: SendUnknown, at: datetime) -> list[Action]:
    """It may or may not be there: reserved, never sent again, looked for."""
    after = _move(
        state,
        event.cl_ord_id,
        OrderState.UNKNOWN,
        at,
        reason=Reason.SENT_UNKNOWN,
        detail=event.detail,
    )
    if after is None:
        return []
    text = f"Order {event.cl_ord_id} has an unknown outcome: {event.detail}"
    return [
        Remember(record=OrderStateRow(order=after)),
        note_order("warning", text, after, Reason.SENT_UNKNOWN),
        *ask_order(state, after, at),
    ]


def doubt_silent(state: EngineState, at: datetime) -> list[Action]:
    """An order sent long ago of which nothing was ever heard has an unknown outcome too."""
    actions: list[Action] = []
    for order in state.orders.live():
        silent_since = order.request.deadline + seconds(LAG_MARGIN_S)
        if order.state is OrderState.SENT and at > silent_since:
            doubted = SendUnknown(cl_ord_id=order.cl_ord_id, detail="no reply and no report")
            actions.extend(on_send_unknown(state, doubted, at))
    return actions


def on_cancel_rejected(state: EngineState, event: CancelRejected, at: datetime) -> list[Action]:
    """A refused cancel: the order stands as before, or is already over, which a look will tell."""
    order = state.orders.find(event.cl_ord_id, None)
    if order is None or order.state is not OrderState.PENDING_CANCEL:
        return []
    target = OrderState.PARTIAL if order.filled_qty > ZERO else OrderState.OPEN
    after = _move(state, event.cl_ord_id, target, at, reason=None, detail=event.error)
    if after is None:
        return []
    return [Remember(record=OrderStateRow(order=after)), *ask_order(state, after, at)]


def on_looked(state: EngineState, event: OrderLooked, at: datetime) -> list[Action]:
    """What the resolver found; no trace counts only when the look began late enough (I-05)."""
    state.close_about(ORDERS, event.cl_ord_id)
    order = state.orders.find(event.cl_ord_id, event.order_id)
    if order is None or event.error:
        return claim(state, at)
    if event.status is None:
        return [*_no_trace(state, order, event, at), *claim(state, at)]
    actions = opened(state, order, event.order_id, at)
    known = state.orders.orders[order.cl_ord_id]
    if event.status in ENDS:
        actions.extend(_found_end(state, known, event, at))
    return [*actions, *claim(state, at)]


def _found_end(state: EngineState, order: Order, event: OrderLooked, at: datetime) -> list[Action]:
    """Over, by REST. Missing fills are asked for again by the timer, not at once."""
    if order.is_terminal:
        return []
    target, reason = ENDS[str(event.status)]
    filled = order.request.qty if target is OrderState.FILLED else event.filled_qty
    qty = min(filled or ZERO, order.request.qty)
    after = state.orders.end(order, Closing(target, qty, reason, FOUND), at)
    if after is None:
        return []
    return [Remember(record=OrderStateRow(order=after)), *told_end(after, FOUND)]


def _no_trace(state: EngineState, order: Order, event: OrderLooked, at: datetime) -> list[Action]:
    """In neither open, closed nor trades: never accepted, if the look began after deadline + lag.

    An inference, not a proof: evidence that comes later opens the order again, books it and warns;
    trading goes on, as its exposure counts from that moment.
    """
    if order.state is not OrderState.UNKNOWN:
        return []
    if event.looked_from <= order.request.deadline + seconds(LAG_MARGIN_S):
        return []
    after = state.orders.move(
        order, OrderState.NOT_ACCEPTED, at, reason=Reason.NEVER_ACCEPTED, detail="no trace"
    )
    if after is None:
        return []
    text = f"Order {order.cl_ord_id} was never accepted: no trace after its deadline."
    return [
        Remember(record=OrderStateRow(order=after)),
        note_order("info", text, after, Reason.NEVER_ACCEPTED),
    ]
