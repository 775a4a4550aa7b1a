"""Asking: reads of the exchange, one open question for each subject."""

from datetime import datetime, timedelta

from simple_trader.core.state import EngineState
from simple_trader.domain.actions import Action, AskOrders, AskReconcile
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.orders import Order

ORDERS_DEADLINE_S = 60.0
RECONCILE_DEADLINE_S = 120.0
OVERLAP = timedelta(minutes=2)  # looked at again before the watermark (fault X11)
FIRST_LOOK = timedelta(days=1)  # how far back where there was never a fill

ADVICE, PREDICTIONS, TRAINING = "advice", "predictions", "training"
ORDERS, ACCOUNT = "orders", "account"
CYCLE = "cycle"


def ask_order(state: EngineState, order: Order, at: datetime) -> list[Action]:
    """Ask what became of one order, unless that is already being asked."""
    question = state.open_question(ORDERS, order.cl_ord_id, at, ORDERS_DEADLINE_S)
    if question is None:
        return []
    return [AskOrders(question=question, cl_ord_ids=(order.cl_ord_id,), since=order.approved_at)]


def ask_unresolved(state: EngineState, at: datetime) -> list[Action]:
    """Ask about every order whose outcome is unknown or whose fills are missing."""
    actions: list[Action] = []
    for order in state.orders.live():
        if order.state is OrderState.UNKNOWN or order.cl_ord_id in state.orders.closing:
            actions.extend(ask_order(state, order, at))
    return actions


def ask_reconcile(state: EngineState, at: datetime) -> list[Action]:
    """Ask for a full look at the account since the last fill we know, with overlap."""
    question = state.open_question(ACCOUNT, "all", at, RECONCILE_DEADLINE_S)
    if question is None:
        return []
    since = state.watermark or state.started_at - FIRST_LOOK
    return [AskReconcile(question=question, since=since - OVERLAP)]
