"""When the dead man's switch is wanted, and how its firing is known (I-29, X30)."""

from collections.abc import Iterable

from simple_trader.domain.events import ExecutionReport
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.orders import Order, Origin, Side, TimeInForce

# From its send on, until it is known to be gone, an order may rest at the exchange.
_MAY_REST = (
    OrderState.SENT,
    OrderState.OPEN,
    OrderState.AMENDING,
    OrderState.PARTIAL,
    OrderState.PENDING_CANCEL,
    OrderState.UNKNOWN,
)
# How the exchange words it is not documented (protocol 8.6, 9): any of these.
_FIRED = ("dead man", "cancel_all_orders_after", "cancel all orders after", "cancelallordersafter")


def wants_switch(orders: Iterable[Order]) -> bool:
    """Whether orders that raise exposure may rest and no protective one does.

    The switch cancels everything on the account: with a stop there, it would take the protection.
    """
    resting = [order for order in orders if _rests(order)]
    if any(order.origin is Origin.EXIT for order in resting):
        return False
    return any(order.request.side is Side.BUY for order in resting)


def fired(report: ExecutionReport) -> bool:
    """Whether this report says that the dead man's switch cancelled the order just now."""
    words = report.reason.lower()
    return (
        not report.snapshot
        and report.exec_type in {"canceled", "expired"}
        and any(mark in words for mark in _FIRED)
    )


def _rests(order: Order) -> bool:
    if order.state not in _MAY_REST:
        return False
    return order.request.time_in_force is not TimeInForce.IOC
