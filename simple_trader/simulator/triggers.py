"""Stops, take-profits and trailing stops: where a trigger stands, when it moves, when it fires.

All functions are pure. A plain trigger is a price, or an offset from the reference price at the
moment of placing (`pct` of it, or an amount of the quote currency; the sign says the direction). A
trailing trigger follows the best price seen at a positive distance (protocol section 8.1).
"""

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

import msgspec

from simple_trader.simulator.instruments import Instrument
from simple_trader.simulator.orders import (
    Order,
    OrderType,
    PriceType,
    Side,
    Trigger,
    TriggerState,
)

STOPS: frozenset[OrderType] = frozenset(("stop-loss", "stop-loss-limit"))
TARGETS: frozenset[OrderType] = frozenset(("take-profit", "take-profit-limit"))
TRAILING: frozenset[OrderType] = frozenset(("trailing-stop", "trailing-stop-limit"))
TRIGGERED: frozenset[OrderType] = STOPS | TARGETS | TRAILING
LIMITS: frozenset[OrderType] = frozenset(
    ("limit", "iceberg", "stop-loss-limit", "take-profit-limit", "trailing-stop-limit")
)


def on_grid(price: Decimal, pair: Instrument) -> Decimal:
    """Round a computed price to the pair's price increment."""
    steps = (price / pair.price_increment).to_integral_value(ROUND_HALF_EVEN)
    return pair.price_of(int(steps) * pair.increment_ticks)


def offset_price(base: Decimal, offset: Decimal, kind: PriceType, pair: Instrument) -> Decimal:
    """Resolve a price: `static` is the price itself, the others are an offset from `base`."""
    if kind == "static":
        return offset
    if kind == "pct":
        return on_grid(base * (1 + offset / 100), pair)
    return on_grid(base + offset, pair)


def set_trigger(
    trigger: Trigger,
    order_type: OrderType,
    side: Side,
    reference: Decimal,
    pair: Instrument,
    at: datetime,
) -> TriggerState:
    """Place a trigger while the reference price is `reference`."""
    state = TriggerState(
        reference=trigger.reference,
        price=trigger.price,
        price_type=trigger.price_type,
        actual_price=trigger.price,
        last_price=reference,
        at=at,
    )
    if order_type in TRAILING:
        return _trail(msgspec.structs.replace(state, peak_price=reference), side, pair)
    actual = offset_price(reference, trigger.price, trigger.price_type, pair)
    return msgspec.structs.replace(state, actual_price=actual)


def _trail(state: TriggerState, side: Side, pair: Instrument) -> TriggerState:
    peak = state.peak_price if state.peak_price is not None else state.last_price
    distance = peak * state.price / 100 if state.price_type == "pct" else state.price
    actual = peak - distance if side == "sell" else peak + distance
    return msgspec.structs.replace(state, actual_price=on_grid(actual, pair))


def moved(
    order: Order, state: TriggerState, price: Decimal, pair: Instrument, at: datetime
) -> TriggerState | None:
    """Let a trailing trigger follow a better price; None when it stays where it is."""
    peak = state.peak_price
    if peak is None or (price <= peak if order.side == "sell" else price >= peak):
        return None
    follow = msgspec.structs.replace(state, peak_price=price, last_price=price, at=at)
    return _trail(follow, order.side, pair)


def fires(order: Order, state: TriggerState, price: Decimal) -> bool:
    """Say whether the reference price has reached the trigger."""
    falling = (order.side == "sell") != (order.order_type in TARGETS)
    return price <= state.actual_price if falling else price >= state.actual_price


def limit_now(order: Order, pair: Instrument) -> Decimal | None:
    """Give an order's limit price, of a trailing-stop-limit the one that its trigger implies."""
    limit = order.limit_price
    if limit is None or order.limit_price_type == "static" or order.trigger is None:
        return limit
    return offset_price(order.trigger.actual_price, limit, order.limit_price_type, pair)
