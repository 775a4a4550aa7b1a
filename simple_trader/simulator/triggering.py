"""The waiting orders of a pair at one market step: trailing triggers move, triggers fire."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.simulator.engine import Engine
from simple_trader.simulator.orders import Order
from simple_trader.simulator.placing import activate
from simple_trader.simulator.reports import Report, Triggered
from simple_trader.simulator.triggers import fires, limit_now, moved


def run_triggers(
    engine: Engine, symbol: str, tape: Iterable[int], at: datetime, reports: list[Report]
) -> None:
    """Show the waiting orders the prices of one step: `tape` in ticks, in order, and the index.

    What fires comes to the book after the whole step has been seen, in the order of firing; a
    price that only touches a trigger within the step counts.
    """
    pair, waiting = engine.pairs[symbol], engine.waiting.get(symbol)
    if not waiting:
        return
    prices = [pair.price_of(tick) for tick in tape]
    index = engine.reference(symbol, "index")
    fired: list[Order] = []
    for order in list(waiting.values()):
        if order.status == "pending_new" or order.trigger is None:
            continue
        seen = prices
        if order.trigger.reference == "index":
            seen = [index] if index is not None else []
        if _watch(engine, order, seen, at, reports):
            fired.append(order)
    for order in fired:
        # An order that fired before may have met this one's account or emptied it.
        if order.order_id in engine.open:
            activate(engine, order, at, reports)


def _watch(
    engine: Engine, order: Order, prices: list[Decimal], at: datetime, reports: list[Report]
) -> bool:
    """Let one order see prices in turn; True when it fired."""
    pair = engine.pairs[order.symbol]
    changed = False
    for price in prices:
        state = order.trigger
        if state is None:
            break
        if fires(order, state, price):
            order.limit_price, order.limit_price_type = limit_now(order, pair), "static"
            order.trigger = msgspec.structs.replace(state, triggered=True, last_price=price, at=at)
            engine.waiting[order.symbol].pop(order.order_id, None)
            reports.append(Triggered(msgspec.structs.replace(order)))
            return True
        follow = moved(order, state, price, pair, at)
        if follow is not None:
            order.trigger, changed = follow, True
    if changed:
        reports.append(Triggered(msgspec.structs.replace(order)))
    return False
