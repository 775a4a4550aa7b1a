"""Executions: reports in any order become order states, lots, PnL and rows, once."""

from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.core.portfolio.lots import EXTERNAL
from simple_trader.core.portfolio.open_orders import Closing, is_unresolved
from simple_trader.core.reactions.asking import ask_named, ask_order
from simple_trader.core.reactions.booking import count_gain, lot_rows, note_order
from simple_trader.core.reactions.evidence import import_order, late, lost_from_books
from simple_trader.core.reactions.fee_corrections import on_repeated_fill, with_known_fees
from simple_trader.core.reactions.on_account import add_trade_flow
from simple_trader.core.reactions.refusals import count_filled, count_taken
from simple_trader.core.reactions.standing import halt_on
from simple_trader.core.state import EngineState
from simple_trader.domain.actions import Action, Note, Remember
from simple_trader.domain.events import ExecutionReport
from simple_trader.domain.fills import Fill
from simple_trader.domain.ids import is_ours
from simple_trader.domain.instruments import base_of
from simple_trader.domain.money import ZERO
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.orders import Order, OrderType
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import ExecutionRow, OrderStateRow, TradeRow

ENDS = {  # "closed" is the word of REST for filled
    "closed": (OrderState.FILLED, Reason.FILLED),
    "filled": (OrderState.FILLED, Reason.FILLED),
    "canceled": (OrderState.CANCELED, Reason.CANCELED_BY_VENUE),
    "expired": (OrderState.EXPIRED, Reason.EXPIRED_AT_VENUE),
}
_OPENS = ("new", "pending_new")
_RESTS = ("new", "pending_new", "partially_filled")
_AMENDS = ("amended", "restated")
_OVER = (OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED)
_LATE = (OrderState.NOT_ACCEPTED, OrderState.REJECTED, OrderState.CANCELED, OrderState.EXPIRED)


def on_report(state: EngineState, event: ExecutionReport, at: datetime) -> list[Action]:
    """One report of the exchange: inbox row, trade, lots, order, all in this one batch.

    A trade that was seen before changes nothing (I-12), unless only now it tells its fee (X26).
    """
    fill = event.fill
    if fill is not None and fill.exec_id in state.seen_execs:
        return on_repeated_fill(state, fill, at)
    order = state.orders.find(event.cl_ord_id, event.order_id)
    taken: list[Action] = []
    if order is None and _is_news(event) and lost_from_books(state, event):
        imported = import_order(state, event, at)
        if imported is None:
            return _set_aside(state, event, at)
        taken, order = imported, state.orders.find(event.cl_ord_id, event.order_id)
    if fill is not None and order is None and _may_be_ours(state, event):
        return _set_aside(state, event, at)
    actions: list[Action] = [*taken, _inbox(event)]
    if fill is not None:
        return [*actions, *_book(state, event, fill, order, at)]
    if order is None:
        return actions
    return [*actions, *_follow(state, event, order, at)]


def _is_news(event: ExecutionReport) -> bool:
    """Whether a report shows money that moved or an order that rests."""
    kind = event.order_status if event.snapshot else event.exec_type
    return event.fill is not None or kind in _RESTS


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
    state.tally.fills += 1
    if order is None:
        return _book_external(state, fill)
    owned = msgspec.structs.replace(
        with_known_fees(state, fill),
        cl_ord_id=order.cl_ord_id,
        owner=order.owner,
        origin=order.origin,
        decision_id=order.decision_id,
    )
    state.recon.on_fill(owned, foreign=False)
    booked = state.lots.book(owned)
    count_gain(state, booked, owned, at)
    return [
        Remember(record=TradeRow(fill=owned, realised_pnl=booked.realised)),
        *lot_rows(booked),
        *_fill_order(state, order, owned, at),
        *count_taken(state, order, at),
        *(count_filled(state, order, owned.venue_at, at) if order.filled_qty == ZERO else ()),
    ]


def _book_external(state: EngineState, fill: Fill) -> list[Action]:
    """A trade of someone else on this account: remembered, never adopted (I-09)."""
    fill = with_known_fees(state, fill)
    add_trade_flow(state, fill)
    state.recon.on_fill(fill, foreign=True)
    actions: list[Action] = []
    if is_ours(fill.cl_ord_id):
        state.recon.lost_fills[fill.exec_id] = base_of(fill.pair)
        text = f"Fill {fill.exec_id} names {fill.cl_ord_id}, which is not in our books."
        actions.append(Note(level="warning", text=text, cl_ord_id=fill.cl_ord_id))
    foreign = msgspec.structs.replace(fill, owner=EXTERNAL, origin=None, decision_id=None)
    state.lots.keep_other(foreign)
    return [Remember(record=TradeRow(fill=foreign, realised_pnl=ZERO)), *actions]


def _fill_order(state: EngineState, order: Order, fill: Fill, at: datetime) -> list[Action]:
    """Grow the order by its fill; notice what should not be; finish it if its end waited."""
    if order.filled_qty + fill.qty > order.qty:
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
        actions.extend(late(state, order, text, at))
    text = (
        f"Filled {fill.qty:f} {fill.pair} at {fill.price:f} ({after.filled_qty:f} of {order.qty:f})"
    )
    return [*actions, note_order("info", text, order, Reason.FILLED)]


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
    fill, name = event.fill, event.cl_ord_id
    if fill is not None and fill.exec_id not in state.orphans:
        state.orphans[fill.exec_id] = event
    if name is not None:
        return ask_named(state, name, event.venue_at, at)
    actions: list[Action] = []
    for order in state.orders.live():
        if is_unresolved(order) and order.request.pair == event.pair:
            actions.extend(ask_order(state, order, at))
    return actions


def claim(state: EngineState, at: datetime) -> list[Action]:
    """Book set-aside trades that now have an owner, or of which nothing of ours
    can be the owner.
    """
    actions: list[Action] = []
    for exec_id, event in list(state.orphans.items()):
        known = state.orders.find(event.cl_ord_id, event.order_id)
        if known is None and lost_from_books(state, event):
            continue  # looked for by its name, and taken in when the look tells its quantity
        if known is not None or not _may_be_ours(state, event):
            del state.orphans[exec_id]
            actions.extend(on_report(state, event, at))
    return actions


# -- what is said about orders -----------------------------------------------------------------


def _follow(state: EngineState, event: ExecutionReport, order: Order, at: datetime) -> list[Action]:
    """A report without a fill: opening, end, or nothing that changes the order."""
    cum_qty = event.cum_qty or ZERO
    if event.exec_type in _AMENDS:
        return amended(state, order, event.order_qty, event.limit_price, event.venue_at, at)
    kind = event.order_status if event.snapshot else event.exec_type
    if kind in ENDS or event.exec_type in ENDS:
        ended = event.exec_type if event.exec_type in ENDS else kind
        qty = (event.cum_qty or order.qty) if ended == "filled" else cum_qty
        found: list[Action] = []
        if ended == "filled" and cum_qty > ZERO:
            # Complete at less, or more, than we ordered: it was changed at the exchange.
            found = amended(state, order, cum_qty, None, event.venue_at, at)
            order = state.orders.orders[order.cl_ord_id]
        if order.is_terminal and qty > order.filled_qty:
            # It was there after all: its exposure counts again until every fill is in.
            found += opened(state, order, event.order_id, at)
        known = state.orders.orders[order.cl_ord_id]
        return [*found, *_end(state, known, ended, qty, event.reason, at)]
    if event.snapshot:
        return [*_rests(state, event, order, at), *_missing(state, order, cum_qty, at)]
    if kind in _OPENS:
        return [*opened(state, order, event.order_id, at), *_missing(state, order, cum_qty, at)]
    return []


def _rests(state: EngineState, event: ExecutionReport, order: Order, at: datetime) -> list[Action]:
    """A snapshot shows it open, whatever we asked for before.

    A cancel of another connection, or of the life before, did not come through: it rests again, and
    may be cancelled again. One that our books hold as over is looked for: a look may have told its
    end before this snapshot was delivered.
    """
    actions = amended(state, order, event.order_qty, event.limit_price, event.venue_at, at)
    order = state.orders.orders[order.cl_ord_id]
    if order.state in _OVER:
        return [*actions, *ask_order(state, order, at)]
    if order.state is OrderState.PENDING_CANCEL:
        target = OrderState.PARTIAL if order.filled_qty > ZERO else OrderState.OPEN
        back = state.orders.move(order, target, at, order_id=event.order_id)
        return actions if back is None else [*actions, Remember(record=OrderStateRow(order=back))]
    return [*actions, *opened(state, order, event.order_id, at)]


def amended(
    state: EngineState,
    order: Order,
    qty: Decimal | None,
    price: Decimal | None,
    told_at: datetime,
    at: datetime,
) -> list[Action]:
    """The exchange tells another quantity or limit than we know: the row follows it (X31).

    Of two such words the later one holds, whatever order they came in.
    """
    if order.amended_at is not None and told_at < order.amended_at:
        return []
    plain = order.request.order_type is OrderType.LIMIT  # others may tell a distance, or a trigger
    after = state.orders.amend(order, qty, price if plain else None, told_at, at)
    if after is None:
        return []
    limit = "market" if after.limit_price is None else f"{after.limit_price:f}"
    text = f"Order {order.cl_ord_id} was changed to {after.qty:f} at {limit}."
    actions: list[Action] = [Remember(record=OrderStateRow(order=after))]
    ended = state.orders.ready_to_end(after, at)
    if ended is not None:
        actions.append(Remember(record=OrderStateRow(order=ended)))
    return [*actions, note_order("info", text, order, Reason.AMENDED_AT_VENUE)]


def _missing(state: EngineState, order: Order, cum_qty: Decimal, at: datetime) -> list[Action]:
    """Ask for fills that the exchange counts and we have not seen."""
    known = state.orders.orders[order.cl_ord_id]
    if cum_qty > known.filled_qty:
        return ask_order(state, known, at)
    return []


def opened(state: EngineState, order: Order, order_id: str | None, at: datetime) -> list[Action]:
    """The exchange has the order; one that was never sent cannot be there: the table is broken."""
    target = OrderState.OPEN if order.state is OrderState.VOID else order.state
    if is_unresolved(order) or order.state in (OrderState.NOT_ACCEPTED, OrderState.REJECTED):
        target = OrderState.PARTIAL if order.filled_qty > ZERO else OrderState.OPEN
    after = state.orders.move(order, target, at, order_id=order_id)
    if after is None:
        return []
    actions: list[Action] = [Remember(record=OrderStateRow(order=after))]
    if order.state in _LATE and target is not order.state:
        text = f"Order {order.cl_ord_id} was {order.state.value} and is open after all."
        actions.extend(late(state, order, text, at))
    if order.order_id is None and after.order_id is not None:
        actions.extend(claim(state, at))
    return actions


def _end(
    state: EngineState, order: Order, word: str, cum_qty: Decimal, why: str, at: datetime
) -> list[Action]:
    """The exchange says it is over: at once if every fill is booked, else when they are (X06)."""
    if order.state in _OVER:
        return ask_order(state, order, at) if cum_qty > order.filled_qty else []
    filled_after_all = order.state is OrderState.REJECTED and cum_qty > ZERO
    if order.state is OrderState.NOT_ACCEPTED or filled_after_all:
        said = f"Order {order.cl_ord_id} was {order.state.value} and was there after all."
        return [*late(state, order, said, at), *_close(state, order, word, cum_qty, why, at)]
    return _close(state, order, word, cum_qty, why, at)


def _close(
    state: EngineState, order: Order, word: str, cum_qty: Decimal, why: str, at: datetime
) -> list[Action]:
    target, reason = ENDS[word]
    if order.state is OrderState.PENDING_CANCEL and target is OrderState.CANCELED:
        reason = Reason.CANCELED_BY_US
    closing = Closing(target, min(cum_qty, order.qty), reason, why)
    after = state.orders.end(order, closing, at)
    if after is None:
        return ask_order(state, order, at)
    return [Remember(record=OrderStateRow(order=after)), *told_end(after, why)]


def told_end(order: Order, why: str) -> list[Action]:
    """A line about an order that ended before it was filled."""
    if order.state is OrderState.FILLED:
        return []
    text = f"Order {order.cl_ord_id} {order.state.value.lower()}: {why or 'no reason given'}"
    return [note_order("info", text, order, order.state_reason or Reason.CANCELED_BY_VENUE)]
