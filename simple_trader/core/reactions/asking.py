"""Asking: reads of the exchange, one open question of a kind; orders are asked for together."""

from datetime import datetime, timedelta

from simple_trader.core.portfolio.doubts import ACCOUNT_COST, Doubt, conclusive
from simple_trader.core.schedule.timers import RESOLVE
from simple_trader.core.state import Cycle, EngineState
from simple_trader.domain.actions import Action, AskOrders, AskReconcile, Note
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.orders import Order
from simple_trader.domain.reasons import Reason

ORDERS_DEADLINE_S = 60.0
RECONCILE_DEADLINE_S = 120.0
OVERLAP = timedelta(minutes=2)  # looked at again before the watermark (fault X11)
FIRST_LOOK = timedelta(days=1)  # how far back where there was never a fill

ADVICE, PREDICTIONS, TRAINING = "advice", "predictions", "training"
SHADOW = "shadow"
ORDERS, ACCOUNT = "orders", "account"
CYCLE = "cycle"
LESSONS = "lessons"
ALL = "all"


def cycle_answered(state: EngineState, question_id: str, waits_for: str) -> Cycle | None:
    """The cycle that waits for this very answer; None for anything late or unknown.

    An answer of another kind ends no wait: the cycle would never hear of its own (L14).
    """
    cycle, question = state.cycle, state.questions.get(question_id)
    if question is None or question.kind != waits_for:
        return None
    state.close_question(question_id)
    if cycle is None or cycle.question_id != question_id:
        return None
    return cycle if cycle.waits_for == waits_for else None


def late(what: str) -> Note:
    """An answer that nobody waits for."""
    text = f"A {what} came to no open question and changes nothing."
    return Note(level="info", text=text, reason=Reason.ADVICE_LATE)


def ask_order(state: EngineState, order: Order, at: datetime) -> list[Action]:
    """Ask what became of one order, in the next look at all that are in doubt."""
    _doubt(state, order, at, asked=True)
    return ask_unresolved(state, at)


def ask_orders(state: EngineState, orders: list[Order], at: datetime) -> list[Action]:
    """Ask what became of these orders by one look: each list of the exchange is read once."""
    for order in orders:
        _doubt(state, order, at, asked=True)
    return ask_unresolved(state, at)


def ask_named(state: EngineState, cl_ord_id: str, from_at: datetime, at: datetime) -> list[Action]:
    """Ask about an order of ours that is not in the books; it was not there before `from_at`."""
    state.doubts.add(cl_ord_id, Doubt(at, from_at))
    return ask_unresolved(state, at)


def ask_unresolved(state: EngineState, at: datetime) -> list[Action]:
    """One look at every order whose outcome is unknown or whose fills are missing, when it is due.

    While a look is under way its answer is waited for; else the timer is set for the next one.
    """
    _gather(state, at)
    due = state.doubts.due_at()
    if due is None:
        return []
    if at < due:
        state.timers.wake(RESOLVE, due)
        return []
    question = state.open_question(ORDERS, ALL, at, ORDERS_DEADLINE_S)
    if question is None:
        return []
    since = min(doubt.from_at for doubt in state.doubts.orders.values())
    return [AskOrders(question=question, cl_ord_ids=state.doubts.ask(at), since=since)]


def answered(state: EngineState, looked_from: datetime, at: datetime) -> None:
    """The look came back: the next one may be asked for, at its moment.

    A look answers with one event for each order: the first of them is its end. No two looks begin
    at one moment, as there is a pause after each.
    """
    if looked_from != state.doubts.began_at:
        state.close_about(ORDERS, ALL)
        state.doubts.answered(looked_from, at)


def plan_look(state: EngineState, at: datetime) -> None:
    """Set the timer for the next look, also where it is due at once: the other orders of this one
    may be settled by the events that follow.
    """
    _gather(state, at)
    due = state.doubts.due_at()
    if due is not None:
        state.timers.wake(RESOLVE, max(due, at))


def covered(state: EngineState, cl_ord_id: str, looked_from: datetime) -> None:
    """A look told all of one order: what is still open of it stays in doubt, else it is settled."""
    doubt = state.doubts.orders.get(cl_ord_id)
    if doubt is None or looked_from < doubt.since:
        return
    order = state.orders.orders.get(cl_ord_id)
    if order is None or not _is_open_question(state, order):
        del state.doubts.orders[cl_ord_id]


def _gather(state: EngineState, at: datetime) -> None:
    """All that are in doubt; what the stream settled meanwhile need not be looked for."""
    for order in state.orders.live():
        if _is_open_question(state, order):
            _doubt(state, order, at)
    doubts = state.doubts.orders
    for name, doubt in list(doubts.items()):
        known = state.orders.orders.get(name)
        if known is not None and known.is_terminal and not doubt.asked:
            del doubts[name]


def _is_open_question(state: EngineState, order: Order) -> bool:
    """Whether its outcome is unknown, or fills that the exchange counts are missing."""
    return not order.is_terminal and (
        order.state is OrderState.UNKNOWN or order.cl_ord_id in state.orders.closing
    )


def _doubt(state: EngineState, order: Order, at: datetime, *, asked: bool = False) -> None:
    unknown = order.state is OrderState.UNKNOWN
    skew_s = state.health.skew_s
    concludes = conclusive(order.request.deadline, skew_s) if unknown else None
    state.doubts.add(order.cl_ord_id, Doubt(at, order.approved_at, concludes, asked))


def look_anew(state: EngineState, at: datetime) -> list[Action]:
    """What is known of the account is not to be relied on: only a full look that begins now or
    later is enough. One that is under way answers too, and is left out (`on_reconciled`).
    """
    state.health.reconciled = False
    state.health.look_after = at
    state.close_about(ACCOUNT, ALL)
    return ask_reconcile(state, at)


def ask_reconcile(state: EngineState, at: datetime) -> list[Action]:
    """Ask for a full look at the account since the last fill we know, with overlap."""
    question = state.open_question(ACCOUNT, ALL, at, RECONCILE_DEADLINE_S)
    if question is None:
        return []
    state.doubts.spend(at, ACCOUNT_COST)
    since = state.watermark or state.started_at - FIRST_LOOK
    return [AskReconcile(question=question, since=since - OVERLAP)]
