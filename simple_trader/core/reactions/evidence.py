"""Evidence that comes late: orders taken as over that live, and orders of ours no book holds (D12).

What happened is booked in any case. Then new risk waits until the account was compared with the
exchange anew; people are told.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from simple_trader.core.reactions.asking import ask_order, ask_reconcile
from simple_trader.core.reactions.booking import note_order
from simple_trader.core.reactions.standing import audit, restate
from simple_trader.core.state import AI_OWNER, EngineState
from simple_trader.domain.actions import Action, Remember
from simple_trader.domain.events import ExecutionReport, Reconciled
from simple_trader.domain.ids import epoch_of
from simple_trader.domain.moments import EPOCH
from simple_trader.domain.money import ZERO
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.orders import (
    Order,
    OrderRequest,
    OrderType,
    Origin,
    Side,
    TimeInForce,
)
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import IntentRow

# Orders that ended in the last day before the books end are all in memory (recover_orders.sql).
_REMEMBERED = timedelta(days=1)


def late(state: EngineState, order: Order, text: str, at: datetime) -> list[Action]:
    """An order we took as over was not: told as an alert, REDUCE until reconciled (I-06)."""
    state.health.late_since = at
    return [
        note_order("error", text, order, Reason.LATE_EVIDENCE),
        *restate(state, at),
        *ask_reconcile(state, at),
    ]


def settle_evidence(state: EngineState, event: Reconciled) -> None:
    """A clean full look that began after the evidence came explains it.

    Orders that were taken into the books must be over besides, or known to rest.
    """
    health = state.health
    if not event.clean or health.late_since is None or event.looked_from < health.late_since:
        return
    imported = [state.orders.orders.get(name) for name in state.imported]
    if any(order is not None and order.state is OrderState.UNKNOWN for order in imported):
        return
    health.late_since = None
    state.imported.clear()


def lost_from_books(state: EngineState, event: ExecutionReport) -> bool:
    """Whether a report is of an order that we made and the books do not hold: a restored backup.

    Of this life, or long over before the books end, it is only no longer in memory.
    """
    epoch = epoch_of(event.cl_ord_id)
    if epoch is None or epoch == state.epoch:
        return False
    return event.venue_at > state.recovered_until - _REMEMBERED


def import_order(state: EngineState, event: ExecutionReport, at: datetime) -> list[Action] | None:
    """Take an order of ours into the books by what the exchange tells of it (D12); None where it
    tells too little: then it must be looked for.
    """
    name, qty = event.cl_ord_id, event.order_qty
    if name is None or not qty or event.pair is None or event.side is None:
        return None
    order = Order(
        request=_request(event, name, event.pair, event.side),
        origin=Origin.AI,
        owner=AI_OWNER,
        decision_id=None,
        reason=Reason.ORDER_IMPORTED,
        state=OrderState.UNKNOWN,
        state_reason=Reason.ORDER_IMPORTED,
        approved_at=event.venue_at,
        send_by=event.venue_at,
        params_hash="",
        config_hash=state.config_hash,
        notional=qty * _price(state, event, event.pair),
        order_id=event.order_id,
        changed_at=at,
    )
    state.orders.put(order)
    state.turnover.count(order)
    state.imported[name] = True
    text = (
        f"Order {name} is ours and was not in the books (a restored backup?): taken in as the "
        "exchange tells it; no new risk until everything is explained."
    )
    what = f"{name} {event.order_id}"
    return [
        Remember(record=IntentRow(order=order, epoch=epoch_of(name) or 0)),
        audit(at, "engine", "engine", "import", what, "", f"{event.side.value} {qty:f}"),
        *late(state, order, text, at),
        *ask_order(state, order, at),
    ]


def _request(event: ExecutionReport, name: str, pair: str, side: Side) -> OrderRequest:
    qty, price = event.order_qty, event.limit_price
    assert qty is not None
    return OrderRequest(
        cl_ord_id=name,
        pair=pair,
        side=side,
        order_type=OrderType.MARKET if price is None else OrderType.LIMIT,
        qty=qty,
        limit_price=price,
        time_in_force=TimeInForce.GTC,
        post_only=False,
        expire_at=None,
        deadline=event.venue_at,
    )


def _price(state: EngineState, event: ExecutionReport, pair: str) -> Decimal:
    """The price at which the rolling limits count an order taken in (PT3): its limit, else what it
    was filled at, else the mid; 0 where nobody knows any.
    """
    if event.limit_price:
        return event.limit_price
    if event.fill is not None:
        return event.fill.price
    return state.mids().get(pair, ZERO)


def books_end(last_trade_at: datetime | None, orders: tuple[Order, ...]) -> datetime:
    """The newest moment the recovered books know of."""
    moments = [order.changed_at or order.approved_at for order in orders]
    if last_trade_at is not None:
        moments.append(last_trade_at)
    return max(moments, default=EPOCH)
