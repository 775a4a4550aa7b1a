"""Replies: what came back for an order we sent, cancelled or looked for."""

from datetime import datetime

from simple_trader.core.portfolio.doubts import conclusive
from simple_trader.core.portfolio.open_orders import Closing
from simple_trader.core.reactions.asking import answered, ask_order, covered, plan_look
from simple_trader.core.reactions.booking import note_order
from simple_trader.core.reactions.on_execution import ENDS, amended, claim, opened, told_end
from simple_trader.core.reactions.refusals import count_refusal, count_taken
from simple_trader.core.reactions.standing import halt_on
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
from simple_trader.domain.order_states import RESTING, OrderState
from simple_trader.domain.orders import Order
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import OrderStateRow

SILENT_S = 10.0  # the desk gives up a few seconds after the deadline: then something went wrong
FOUND = "found by a look"
_OVER = (OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED)
_SILENT = (OrderState.DISPATCHING, OrderState.SENT, OrderState.VOID)
# The exchange has spoken of the order itself: that is the better proof.
_BETTER_KNOWN = (
    OrderState.FILLED,
    OrderState.CANCELED,
    OrderState.EXPIRED,
    OrderState.PARTIAL,
    OrderState.AMENDING,
)


def on_sent(state: EngineState, event: OrderSent, at: datetime) -> list[Action]:
    """The one send is out; reports may have overtaken this."""
    order = state.orders.find(event.cl_ord_id, None)
    if order is None or order.state not in (OrderState.DISPATCHING, OrderState.VOID):
        return []
    after = state.orders.move(order, OrderState.SENT, at)
    return [] if after is None else [Remember(record=OrderStateRow(order=after))]


def on_not_sent(state: EngineState, event: NotSent, at: datetime) -> list[Action]:
    """The gate kept it: VOID, and everything it reserved is free, its candle too.

    Of an order that is anything but DISPATCHING the gate cannot say so: that breaks the table.
    """
    order = state.orders.find(event.cl_ord_id, None)
    if order is None or order.state is OrderState.VOID:
        return []
    after = state.orders.move(order, OrderState.VOID, at, reason=event.reason, detail=event.detail)
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
    if order is None:
        return []
    return [*opened(state, order, event.order_id, at), *count_taken(state, order, at)]


def on_rejected(state: EngineState, event: OrderRejected, at: datetime) -> list[Action]:
    """A definitive refusal, unless fills prove otherwise."""
    order = state.orders.find(event.cl_ord_id, None)
    if order is None:
        return []
    if order.filled_qty > ZERO or order.state in _BETTER_KNOWN:
        text = f"Reject of {event.cl_ord_id} ignored, it is {order.state.value}: {event.error}"
        return [note_order("warning", text, order, Reason.LATE_EVIDENCE)]
    if order.state is OrderState.REJECTED:
        return []
    after = state.orders.move(
        order,
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
        *count_refusal(state, after, event, at),
        *claim(state, at),
    ]


def on_send_unknown(state: EngineState, event: SendUnknown, at: datetime) -> list[Action]:
    """It may or may not be there: reserved, never sent again, looked for."""
    order = state.orders.find(event.cl_ord_id, None)
    if order is None or order.state not in _SILENT:
        return []  # reports overtook this: more is known
    after = state.orders.move(
        order, OrderState.UNKNOWN, at, reason=Reason.SENT_UNKNOWN, detail=event.detail
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
        silent_since = order.request.deadline + seconds(SILENT_S)
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
    after = state.orders.move(order, target, at, detail=event.error)
    if after is None:
        return []
    return [Remember(record=OrderStateRow(order=after)), *ask_order(state, after, at)]


def on_looked(state: EngineState, event: OrderLooked, at: datetime) -> list[Action]:
    """What the look found of one order; no trace counts only if it began late enough (I-05)."""
    answered(state, event.looked_from, at)
    order = state.orders.find(event.cl_ord_id, event.order_id)
    actions: list[Action] = []
    if not event.error:
        if order is not None and event.status is None:
            actions = _no_trace(state, order, event, at)
        elif order is not None:
            actions = opened(state, order, event.order_id, at)
            actions.extend(_as_looked(state, order.cl_ord_id, event, at))
        covered(state, event.cl_ord_id, event.looked_from)
        actions.extend(_contradicted(state, event, at))
        actions.extend(_not_listed(state, event, at))
    actions.extend(claim(state, at))
    plan_look(state, at)
    return actions


def _not_listed(state: EngineState, event: OrderLooked, at: datetime) -> list[Action]:
    """An order that the exchange took and no list of REST shows yet (X08): its end may have been
    told to a life before this one, so it is asked about until the lag of REST is over.
    """
    order = state.orders.find(event.cl_ord_id, event.order_id)
    if order is None or event.status is not None or order.state not in RESTING:
        return []
    heard_at = order.changed_at or order.approved_at
    return ask_order(state, order, at) if event.looked_from < conclusive(heard_at) else []


def _contradicted(state: EngineState, event: OrderLooked, at: datetime) -> list[Action]:
    """An order that is over in our books and rests at the exchange: REST may lag behind its end for
    a while; what it says after that is true, and then our books are wrong (I-04).
    """
    order = state.orders.find(event.cl_ord_id, event.order_id)
    if order is None or order.state not in _OVER or event.status not in ("open", "pending"):
        return []
    ended_at = order.changed_at or order.approved_at
    if event.looked_from < conclusive(ended_at):
        return ask_order(state, order, at)
    detail = (
        f"Order {order.cl_ord_id} is {order.state.value} in our books and rests at the exchange."
    )
    return halt_on(state, at, Reason.INVARIANT, detail)


def _as_looked(state: EngineState, name: str, event: OrderLooked, at: datetime) -> list[Action]:
    """Follow the quantity, the limit and the end that REST tells, where the stream told no later
    word: REST lags (X08).
    """
    order = state.orders.orders[name]
    actions: list[Action] = []
    if order.state is OrderState.AMENDING or event.status in ENDS:
        actions = amended(state, order, event.qty, event.limit_price, event.looked_from, at)
        order = state.orders.orders[order.cl_ord_id]
    if event.status in ENDS:
        actions.extend(_found_end(state, order, event, at))
    return actions


def _found_end(state: EngineState, order: Order, event: OrderLooked, at: datetime) -> list[Action]:
    """Over, by REST. Missing fills are asked for again by the timer, not at once."""
    if order.is_terminal:
        return []
    target, reason = ENDS[str(event.status)]
    filled = order.qty if target is OrderState.FILLED else event.filled_qty
    qty = min(filled or ZERO, order.qty)
    after = state.orders.end(order, Closing(target, qty, reason, FOUND), at)
    if after is None:
        return []
    return [Remember(record=OrderStateRow(order=after)), *told_end(after, FOUND)]


def _no_trace(state: EngineState, order: Order, event: OrderLooked, at: datetime) -> list[Action]:
    """In neither open, closed nor trades: never accepted, if the look began after deadline + lag.

    An inference, not a proof: evidence that comes later opens the order again (`evidence.late`).
    """
    if order.state is not OrderState.UNKNOWN:
        return []
    if event.looked_from < conclusive(order.request.deadline, state.health.skew_s):
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
