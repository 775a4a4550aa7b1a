"""Open orders: every order of ours on its way, changed only as the table of states allows.

Completion is decided by quantity: what the exchange says it filled, and we have not seen, keeps
the order alive (and its exposure counted) until those fills are booked.
"""

from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.domain.fills import Fill
from simple_trader.domain.instruments import FeeRates, base_of, quote_of
from simple_trader.domain.money import ONE, ZERO
from simple_trader.domain.order_states import UNRESOLVED, OrderState, may_become
from simple_trader.domain.orders import Order, Side
from simple_trader.domain.reasons import Reason

KEEP_FINISHED = 1_000  # finished orders kept in memory for late fills
# Kraken's entry tier until the account's own is known (protocol section 13).
WORST_TAKER = Decimal("0.0040")

_FILL_OPENS = frozenset(
    {
        OrderState.DISPATCHING,
        OrderState.SENT,
        OrderState.OPEN,
        OrderState.UNKNOWN,
        OrderState.NOT_ACCEPTED,
        OrderState.REJECTED,
    }
)


class Closing(msgspec.Struct, frozen=True):
    """An end the exchange has announced, waiting for fills up to `cum_qty`."""

    state: OrderState
    cum_qty: Decimal
    reason: Reason
    detail: str


class OpenOrders(msgspec.Struct):
    """Orders by client id, and the client id of each exchange id."""

    orders: dict[str, Order] = {}
    by_order_id: dict[str, str] = {}
    closing: dict[str, Closing] = {}
    broken: list[str] = []  # moves that stand not in the table: the engine halts on them (I-06)

    def find(self, cl_ord_id: str | None, order_id: str | None) -> Order | None:
        """An order of ours by either of its names."""
        if cl_ord_id is not None and cl_ord_id in self.orders:
            return self.orders[cl_ord_id]
        known = None if order_id is None else self.by_order_id.get(order_id)
        return None if known is None else self.orders.get(known)

    def live(self) -> list[Order]:
        """Orders that may still fill, in order of approval."""
        return [order for order in self.orders.values() if not order.is_terminal]

    def unresolved_on(self, pair: str) -> Order | None:
        """An order on the pair whose outcome is unknown, if there is one."""
        for order in self.orders.values():
            if order.request.pair == pair and order.state is OrderState.UNKNOWN:
                return order
        return None

    def put(self, order: Order) -> None:
        """Keep an order as it is now, and forget the oldest finished ones."""
        self.orders[order.cl_ord_id] = order
        if order.order_id is not None:
            self.by_order_id[order.order_id] = order.cl_ord_id
        if len(self.orders) > 2 * KEEP_FINISHED:
            done = [name for name, held in self.orders.items() if held.is_terminal]
            for name in done[: max(0, len(done) - KEEP_FINISHED)]:
                gone = self.orders.pop(name)
                self.closing.pop(name, None)
                if gone.order_id is not None:
                    self.by_order_id.pop(gone.order_id, None)

    def move(
        self,
        order: Order,
        state: OrderState,
        at: datetime,
        *,
        reason: Reason | None = None,
        detail: str = "",
        order_id: str | None = None,
    ) -> Order | None:
        """Bring an order to a state; None when nothing changes.

        A move that the table does not hold is not done and is put down in `broken`: who asks for
        one knows what is no contradiction, and asks for the rest.
        """
        known = order.order_id or order_id
        if not may_become(order.state, state):
            self.broken.append(
                f"Order {order.cl_ord_id} is {order.state.value} and cannot become {state.value}."
            )
            return None
        if order.state is state and known == order.order_id:
            return None
        after = msgspec.structs.replace(
            order,
            state=state,
            order_id=known,
            state_reason=order.state_reason if order.state is state else reason,
            detail=order.detail if order.state is state else detail,
            changed_at=at,
        )
        self.put(after)
        return after

    def fill(self, order: Order, fill: Fill, at: datetime) -> Order:
        """Add a fill to its order: FILLED when nothing is left, else PARTIAL where it was open."""
        filled = order.filled_qty + fill.qty
        complete = filled >= order.qty
        state = order.state
        if complete and may_become(order.state, OrderState.FILLED):
            state = OrderState.FILLED
        elif order.state in _FILL_OPENS:
            state = OrderState.PARTIAL
        after = msgspec.structs.replace(
            order,
            state=state,
            order_id=order.order_id or fill.order_id,
            filled_qty=filled,
            filled_cost=order.filled_cost + fill.cost,
            fees_quote=order.fees_quote + fill.fee_in(quote_of(fill.pair)),
            state_reason=Reason.FILLED if state is OrderState.FILLED else order.state_reason,
            changed_at=at,
        )
        self.put(after)
        return after

    def end(self, order: Order, closing: Closing, at: datetime) -> Order | None:
        """Bring an order to its announced end; None while fills up to `cum_qty` are missing."""
        if order.filled_qty < closing.cum_qty:
            self.closing[order.cl_ord_id] = closing
            return None
        self.closing.pop(order.cl_ord_id, None)
        state = OrderState.FILLED if order.filled_qty >= order.qty else closing.state
        return self.move(order, state, at, reason=closing.reason, detail=closing.detail)

    def amend(
        self,
        order: Order,
        qty: Decimal | None,
        price: Decimal | None,
        told_at: datetime,
        at: datetime,
    ) -> Order | None:
        """Follow a change that the exchange tells of; None when nothing is new.

        Never below what is filled: such an amend cancels the rest. A complete one stays so, as the
        database demands (I-07): what says otherwise is looked for, or halts by its fills.
        """
        if order.state is OrderState.FILLED:
            return None
        new_qty = order.qty if qty is None else max(qty, order.filled_qty)
        new_price = order.limit_price if price is None else price
        if (new_qty, new_price) == (order.qty, order.limit_price) or new_qty <= ZERO:
            return None
        after = msgspec.structs.replace(
            order,
            amended_qty=new_qty,
            amended_price=new_price,
            amended_at=told_at,
            changed_at=at,
        )
        self.put(after)
        return after

    def fee_corrected(self, cl_ord_id: str, change: Decimal) -> Order | None:
        """Add to an order's fees in quote units what a corrected fill has more."""
        order = self.orders.get(cl_ord_id)
        if order is None or change == ZERO:
            return None
        after = msgspec.structs.replace(order, fees_quote=order.fees_quote + change)
        self.put(after)
        return after

    def ready_to_end(self, order: Order, at: datetime) -> Order | None:
        """The end that waited for the fill just booked, if it is complete now."""
        closing = self.closing.get(order.cl_ord_id)
        return None if closing is None else self.end(order, closing, at)


def taker_of(fees: dict[str, FeeRates], pair: str) -> Decimal:
    """The account's taker fee on a pair as a fraction of cost."""
    known = fees.get(pair)
    return WORST_TAKER if known is None else known.taker


def cost_in_flight(order: Order, taker: Decimal) -> Decimal:
    """What the rest of a purchase may cost, taker fee included, in quote units."""
    price = order.limit_price
    return ZERO if price is None else order.left_qty * price * (ONE + taker)


def holds(orders: list[Order], fees: dict[str, FeeRates]) -> dict[str, Decimal]:
    """What live orders reserve, by asset: quote with its fee for purchases, base for sales."""
    held: dict[str, Decimal] = {}
    for order in orders:
        pair = order.request.pair
        if order.request.side is Side.BUY:
            asset, amount = quote_of(pair), cost_in_flight(order, taker_of(fees, pair))
        else:
            asset, amount = base_of(pair), order.left_qty
        held[asset] = held.get(asset, ZERO) + amount
    return held


def is_unresolved(order: Order) -> bool:
    """Whether the exchange has not yet said anything about the order."""
    return order.state in UNRESOLVED
