"""Executions: reports in any order become order states, lots, PnL and rows, once."""

from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.core.portfolio.account import rate_of
from simple_trader.core.portfolio.lots import EXTERNAL, Booked
from simple_trader.core.portfolio.open_orders import Closing, is_unresolved
from simple_trader.core.reactions.asking import ask_order
from simple_trader.core.reactions.standing import halt_on
from simple_trader.core.state import EngineState
from simple_trader.domain.actions import Action, Note, Remember
from simple_trader.domain.events import ExecutionReport
from simple_trader.domain.fills import Fill
from simple_trader.domain.ids import is_ours
from simple_trader.domain.instruments import quote_of
from simple_trader.domain.moments import utc_day
from simple_trader.domain.money import ONE, ZERO
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.orders import Order
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import ExecutionRow, LotRow, OrderStateRow, TradeRow

ENDS = {  # "closed" is the word of REST for filled
    "closed": (OrderState.FILLED, Reason.FILLED),
    "filled": (OrderState.FILLED, Reason.FILLED),
    "canceled": (OrderState.CANCELED, Reason.CANCELED_BY_VENUE),
    "expired": (OrderState.EXPIRED, Reason.EXPIRED_AT_VENUE),
}
_OPENS = ("new", "pending_new")
_LATE = (OrderState.NOT_ACCEPTED, OrderState.REJECTED, OrderState.CANCELED, OrderState.EXPIRED)


def on_report(state: EngineState, event: ExecutionReport, at: datetime) -> list[Action]:
    """One report of the exchange: inbox row, trade, lots, order, all in this one batch.

    A trade that was seen before changes nothing at all (I-12).
    """
    fill = event.fill
    if fill is not None and fill.exec_id in state.seen_execs:
        return []
    order = state.orders.find(event.cl_ord_id, event.order_id)
    if fill is not None and order is None and _may_be_ours(state, event):
        return _set_aside(state, event, at)
    actions: list[Action] = [_inbox(event)]
    if fill is not None:
        return [*actions, *_book(state, event, fill, order, at)]
    if order is None:
        return actions
    return [*actions, *_follow(state, event, order, at)]


def _inbox(event: ExecutionReport) -> Remember:
    return Remember(
        record=ExecutionRow(
            exec_id=None if event.fill is None else event.fill.exec_id,
            order_id=event.order_id,
            cl_ord_id=event.cl_ord_id,
            exec_type=event.exec_type,
            order_status=event.order_status,
            source=event.source,
            venue_at=event.venue_at,
            raw=event.raw,
        )
    )


# -- fills -------------------------------------------------------------------------------


def _book(
    state: EngineState, event: ExecutionReport, fill: Fill, order: Order | None, at: datetime
) -> list[Action]:
    """Book a fill for the first time: balances, tally, then lots and order if it is ours."""
    state.see_exec(fill.exec_id)
    state.balances.on_fill(fill, at)
    state.watermark = max(state.watermark or fill.venue_at, fill.venue_at)
    state.tally.fills += 1
    if order is None:
        return _book_external(fill)
    owned = msgspec.structs.replace(
        fill,
        cl_ord_id=order.cl_ord_id,
        owner=order.owner,
        origin=order.origin,
        decision_id=order.decision_id,
    )
    booked = state.lots.book(owned)
    _count(state, booked, owned, at)
    return [
        Remember(record=TradeRow(fill=owned, realised_pnl=booked.realised)),
        *_lot_rows(booked),
        *_fill_order(state, order, owned, at),
    ]


def _book_external(fill: Fill) -> list[Action]:
    """A trade of someone else on this account: remembered, never adopted (I-09)."""
    actions: list[Action] = []
    if is_ours(fill.cl_ord_id):
        text = f"Fill {fill.exec_id} names {fill.cl_ord_id}, which is not in our books."
        actions.append(Note(level="warning", text=text, cl_ord_id=fill.cl_ord_id))
    foreign = msgspec.structs.replace(fill, owner=EXTERNAL, origin=None, decision_id=None)
    return [Remember(record=TradeRow(fill=foreign, realised_pnl=ZERO)), *actions]


def _lot_rows(booked: Booked) -> list[Action]:
    actions: list[Action] = [
        Remember(record=TradeRow(fill=other, realised_pnl=pnl)) for other, pnl in booked.corrected
    ]
    actions.extend(Remember(record=LotRow(lot=lot)) for lot in booked.changed)
    actions.extend(Remember(record=LotRow(lot=lot, deleted=True)) for lot in booked.deleted)
    return actions


def _count(state: EngineState, booked: Booked, fill: Fill, at: datetime) -> None:
    """Add to the sums that people see, in the reporting currency at the rate of this moment."""
    if booked.delta == ZERO:
        return
    gain = booked.delta * (rate_of(quote_of(fill.pair), state.mids()) or ONE)
    state.tally.realised += gain
    if state.tally.today != utc_day(at):
        state.tally.today = utc_day(at)
        state.tally.realised_today = ZERO
    state.tally.realised_today += gain


def _fill_order(state: EngineState, order: Order, fill: Fill, at: datetime) -> list[Action]:
    """Grow the order by its fill; notice what should not be; finish it if its end waited."""
    if order.filled_qty + fill.qty > order.request.qty:
        detail = f"Fills of {order.cl_ord_id} exceed its quantity ({fill.exec_id})."
        return halt_on(state, at, Reason.INVARIANT, detail)
    after = state.orders.fill(order, fill, at)
    ended = state.orders.ready_to_end(after, at)
    actions: list[Action] = [Remember(record=OrderStateRow(order=ended or after))]
    if order.state is OrderState.VOID:
        detail = f"Order {order.cl_ord_id} was never sent and was filled ({fill.exec_id})."
        return [*actions, *halt_on(state, at, Reason.INVARIANT, detail)]
    if order.state in _LATE:
        text = f"Late fill of {order.cl_ord_id}, which was {order.state.value}: booked."
        actions.append(note_order("warning", text, order, Reason.LATE_EVIDENCE))
    actions.append(
        note_order(
            "info",
            f"Filled {fill.qty:f} {fill.pair} at {fill.price:f} "
            f"({after.filled_qty:f} of {order.request.qty:f})",
            order,
            Reason.FILLED,
        )
    )
    return actions


def note_order(level: str, text: str, order: Order, reason: Reason) -> Note:
    return Note(
        level=level,
        text=text,
        reason=reason,
        pair=order.request.pair,
        decision_id=order.decision_id,
        cl_ord_id=order.cl_ord_id,
    )


# -- fills that name no client order id ----------------------------------------------------


def _may_be_ours(state: EngineState, event: ExecutionReport) -> bool:
    """Whether a trade without our id may belong to an order that has no exchange id yet."""
    if event.cl_ord_id is not None or event.fill is None:
        return False
    fill = event.fill
    return any(
        is_unresolved(order)
        and order.order_id is None
        and order.request.pair == fill.pair
        and order.request.side is fill.side
        for order in state.orders.live()
    )


def _set_aside(state: EngineState, event: ExecutionReport, at: datetime) -> list[Action]:
    """Keep the trade until it is known whose it is, and ask about the orders in question."""
    fill = event.fill
    if fill is None or fill.exec_id in state.orphans:
        return []
    state.orphans[fill.exec_id] = event
    actions: list[Action] = []
    for order in state.orders.live():
        if is_unresolved(order) and order.request.pair == fill.pair:
            actions.extend(ask_order(state, order, at))
    return actions


def claim(state: EngineState, at: datetime) -> list[Action]:
    """Book set-aside trades that now have an owner, or of which nothing of ours
    can be the owner.
    """
    actions: list[Action] = []
    for exec_id, event in list(state.orphans.items()):
        known = state.orders.find(event.cl_ord_id, event.order_id)
        if known is not None or not _may_be_ours(state, event):
            del state.orphans[exec_id]
            actions.extend(on_report(state, event, at))
    return actions


# -- what is said about orders -----------------------------------------------------------------


def _follow(state: EngineState, event: ExecutionReport, order: Order, at: datetime) -> list[Action]:
    """A report without a fill: opening, end, or nothing that changes the order."""
    cum_qty = event.cum_qty or ZERO
    kind = event.order_status if event.snapshot else event.exec_type
    if kind in ENDS or event.exec_type in ENDS:
        ended = event.exec_type if event.exec_type in ENDS else kind
        qty = order.request.qty if ended == "filled" else cum_qty
        found: list[Action] = []
        if order.is_terminal and qty > order.filled_qty:
            # It was there after all: its exposure counts again until every fill is in.
            found = opened(state, order, event.order_id, at)
        known = state.orders.orders[order.cl_ord_id]
        return [*found, *_end(state, known, ended, qty, event.reason, at)]
    if kind in _OPENS or event.snapshot:
        return [*opened(state, order, event.order_id, at), *_missing(state, order, cum_qty, at)]
    return []


def _missing(state: EngineState, order: Order, cum_qty: Decimal, at: datetime) -> list[Action]:
    """Ask for fills that the exchange counts and we have not seen."""
    known = state.orders.orders[order.cl_ord_id]
    if cum_qty > known.filled_qty:
        return ask_order(state, known, at)
    return []


def opened(state: EngineState, order: Order, order_id: str | None, at: datetime) -> list[Action]:
    """The exchange has the order."""
    target = order.state
    if is_unresolved(order) or order.state in (OrderState.NOT_ACCEPTED, OrderState.REJECTED):
        target = OrderState.PARTIAL if order.filled_qty > ZERO else OrderState.OPEN
    after = state.orders.move(order, target, at, order_id=order_id)
    if after is None:
        return []
    actions: list[Action] = [Remember(record=OrderStateRow(order=after))]
    if order.state in _LATE and target is not order.state:
        text = f"Order {order.cl_ord_id} was {order.state.value} and is open after all."
        actions.append(note_order("warning", text, order, Reason.LATE_EVIDENCE))
    if order.order_id is None and after.order_id is not None:
        actions.extend(claim(state, at))
    return actions


def _end(
    state: EngineState, order: Order, word: str, cum_qty: Decimal, why: str, at: datetime
) -> list[Action]:
    """The exchange says it is over: at once if every fill is booked, else when they are (X06)."""
    target, reason = ENDS[word]
    if order.is_terminal and order.state not in (OrderState.NOT_ACCEPTED, OrderState.REJECTED):
        return []
    if order.state is OrderState.PENDING_CANCEL and target is OrderState.CANCELED:
        reason = Reason.CANCELED_BY_US
    closing = Closing(target, min(cum_qty, order.request.qty), reason, why)
    after = state.orders.end(order, closing, at)
    if after is None:
        return ask_order(state, order, at)
    return [Remember(record=OrderStateRow(order=after)), *told_end(after, why)]


def told_end(order: Order, why: str) -> list[Action]:
    if order.state is OrderState.FILLED:
        return []
    text = f"Order {order.cl_ord_id} {order.state.value.lower()}: {why or 'no reason given'}"
    return [note_order("info", text, order, order.state_reason or Reason.CANCELED_BY_VENUE)]
