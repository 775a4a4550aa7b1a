"""Changes of open orders: amend in place, edit (cancel and replace), cancel one, many or all.

Source: protocol sections 8.2 to 8.5 and 8.8, costs of section 10.
"""

from datetime import datetime

import msgspec

from simple_trader.simulator import checks, placing, statuses
from simple_trader.simulator.accounts import hold_of
from simple_trader.simulator.engine import Engine
from simple_trader.simulator.fill_model import Walk
from simple_trader.simulator.ids import kraken_id
from simple_trader.simulator.limits import FIXED, Transaction, age_cost
from simple_trader.simulator.orders import (
    REASON_USER,
    ZERO,
    Amend,
    Cancel,
    CancelAll,
    CancelBatch,
    Edit,
    Order,
    Place,
    Trigger,
)
from simple_trader.simulator.reports import Amended, Refused, Replaced, Report
from simple_trader.simulator.triggers import LIMITS, TRAILING, limit_now, set_trigger

UNKNOWN_ORDER = "EOrder:Unknown order"
INVALID_ORDER = "EOrder:Invalid order"


def _find(engine: Engine, account: str, order_id: str) -> Order | None:
    order = engine.open.get(order_id)
    return order if order is not None and order.account == account else None


def _charge_fixed(engine: Engine, kind: Transaction, order: Order, at: datetime) -> None:
    engine.charge(order.account, order.symbol, FIXED[kind], at)


def _charge_age(engine: Engine, kind: Transaction, order: Order, at: datetime) -> str | None:
    """Count the age part, or refuse the transaction when the counter cannot take it."""
    cost = age_cost(kind, order, at)
    error = engine.over_rate(order.account, order.symbol, at, cost)
    if error is None:
        engine.charge(order.account, order.symbol, cost, at)
    return error


# --- cancel -------------------------------------------------------------------------------------


def cancel(engine: Engine, command: Cancel, at: datetime) -> list[Report]:
    """Cancel one open order."""
    order = _find(engine, command.account, command.order_id)
    if order is None:
        return [Refused(UNKNOWN_ORDER)]
    error = statuses.refuse_cancel(engine.state.system, engine.status_of(order.symbol))
    error = error or _charge_age(engine, "cancel", order, at)
    if error:
        return [Refused(error)]
    reports: list[Report] = []
    engine.close(order, "canceled", REASON_USER, at, reports)
    return reports


def cancel_batch(engine: Engine, command: CancelBatch, at: datetime) -> list[Report]:
    """Cancel up to 50 orders; the counter is charged but never refuses a batch of cancels."""
    if not 1 <= len(command.order_ids) <= checks.MAX_CANCELS:
        return [Refused(f"{checks.BAD}:orders")]
    parts: list[list[Report]] = []
    for order_id in command.order_ids:
        order = _find(engine, command.account, order_id)
        if order is None:
            parts.append([Refused(UNKNOWN_ORDER)])
            continue
        error = statuses.refuse_cancel(engine.state.system, engine.status_of(order.symbol))
        part: list[Report] = [Refused(error)] if error else []
        if not error:
            cost = age_cost("cancel", order, at)
            engine.charge(order.account, order.symbol, cost, at)
            engine.close(order, "canceled", REASON_USER, at, part)
        parts.append(part)
    return placing.batch_reports(parts)


def cancel_all(engine: Engine, command: CancelAll, at: datetime) -> list[Report]:
    """Cancel all open orders of an account, but for pairs under maintenance; it costs nothing."""
    system = engine.state.system
    if statuses.refuse_cancel(system, "online"):
        return [Refused(statuses.UNAVAILABLE)]
    reports: list[Report] = []
    for order in engine.open_of(command.account):
        if not statuses.refuse_cancel(system, engine.status_of(order.symbol)):
            engine.close(order, "canceled", command.reason, at, reports)
    return reports


# --- amend --------------------------------------------------------------------------------------


def amend(engine: Engine, command: Amend, at: datetime) -> list[Report]:
    """Change an open order in place."""
    order = _find(engine, command.account, command.order_id)
    if order is None:
        return [Refused(UNKNOWN_ORDER)]
    _charge_fixed(engine, "amend", order, at)
    status = engine.status_of(order.symbol)
    error = statuses.refuse_amend(engine.state.system, status)
    error = (
        error
        or checks.check_deadline(command.deadline, at, engine.rules)
        or _check_amend(order, command)
    )
    if error:
        return [Refused(error)]
    changed = _amended(engine, order, command, at)
    error = _check_amended(engine, order, changed, command)
    taken = Walk([], stopped=False)
    lives = changed.qty > order.cum_qty
    if not error and lives:
        rests = not changed.untriggered and changed.status != "pending_new"
        if rests and limit_now(changed, engine.pairs[order.symbol]) != order.limit_price:
            taken = engine.walk(changed)
        error = _refuse_taking(engine, order, command, taken)
    if not error:
        error = _charge_age(engine, "amend", order, at)
    if error:
        return [Refused(error)]
    return _apply_amend(engine, order, changed, taken, at)


def _check_amend(order: Order, command: Amend) -> str | None:
    """Judge which fields this kind of order has at all."""
    kind = command.limit_price_type or order.limit_price_type
    relative, limit = kind != "static", command.limit_price
    if limit is not None:
        good = checks.offset(limit, kind) if relative else checks.positive(limit)
        if order.order_type not in LIMITS or not good:
            return f"{checks.BAD}:limit_price"
    if relative and (order.order_type != "trailing-stop-limit" or not order.untriggered):
        return f"{checks.BAD}:limit_price_type"
    if command.trigger_price is not None and not order.untriggered:
        return f"{checks.BAD}:trigger_price"
    if command.trigger_price_type is not None and command.trigger_price is None:
        return f"{checks.BAD}:trigger_price_type"
    if command.trigger_price is not None and order.trigger is not None:
        kind = command.trigger_price_type or order.trigger.price_type
        trailing = order.order_type in TRAILING
        if not checks.check_trigger_price(command.trigger_price, kind, trailing=trailing):
            return f"{checks.BAD}:trigger_price"
    if command.display_qty is not None and order.display_qty is None:
        return f"{checks.BAD}:display_qty"
    if command.qty is not None and (order.cash_qty is not None or not checks.positive(command.qty)):
        return f"{checks.BAD}:order_qty"
    if command.post_only and order.order_type != "limit":
        return f"{checks.BAD}:post_only"
    return None


def _amended(engine: Engine, order: Order, command: Amend, at: datetime) -> Order:
    changed = msgspec.structs.replace(order, amended=True, amended_at=at)
    if command.qty is not None:
        changed.qty = command.qty
    if command.limit_price is not None:
        changed.limit_price = command.limit_price
        changed.limit_price_type = command.limit_price_type or order.limit_price_type
    if command.display_qty is not None:
        changed.display_qty = command.display_qty
        changed.display_left = min(order.display_left or ZERO, command.display_qty)
    state = order.trigger
    if command.trigger_price is not None and state is not None:
        wanted = Trigger(
            price=command.trigger_price,
            price_type=command.trigger_price_type or state.price_type,
            reference=state.reference,
        )
        pair = engine.pairs[order.symbol]
        price = engine.reference(order.symbol, state.reference) or state.last_price
        changed.trigger = set_trigger(wanted, order.order_type, order.side, price, pair, at)
    return changed


def _check_amended(engine: Engine, order: Order, changed: Order, command: Amend) -> str | None:
    """Judge the order that would come of it: precision, minimums, funds."""
    pair, rules = engine.pairs[order.symbol], engine.rules
    state = changed.trigger
    if state is not None and not checks.positive(state.actual_price):
        return f"{checks.BAD}:trigger_price"
    static = [command.limit_price] if changed.limit_price_type == "static" else []
    if order.order_type not in TRAILING and state is not None and state.price_type == "static":
        static.append(command.trigger_price)
    error = None
    for price in static:
        error = error or checks.check_precision(pair, None, price, rules)
    for qty in (changed.qty, command.display_qty):
        error = error or checks.check_precision(pair, qty, None, rules)
    error = error or checks.check_display(changed.qty, changed.display_qty)
    limit = limit_now(changed, pair)
    cost_at = limit if limit is not None else state.actual_price if state else None
    if cost_at is not None and cost_at <= 0:
        return error or f"{checks.BAD}:limit_price"
    if changed.cash_qty is None:
        error = error or checks.check_minimums(pair, changed.qty, cost_at, rules)
    if not error and changed.qty > order.cum_qty:
        asset, needed = hold_of(changed, pair)
        if needed > engine.available(order.account, asset, order):
            error = placing.NO_FUNDS
    return error


def _refuse_taking(engine: Engine, order: Order, command: Amend, taken: Walk) -> str | None:
    if not taken.takes:
        return None
    if command.post_only or order.post_only:
        return placing.POST_ONLY
    return None if engine.trades_now(order.symbol) else statuses.UNAVAILABLE


def _apply_amend(
    engine: Engine, order: Order, changed: Order, taken: Walk, at: datetime
) -> list[Report]:
    state = engine.state
    shrinks = changed.qty <= order.qty and changed.limit_price == order.limit_price
    keeps_place = shrinks and engine.rules.amend_priority == "decrease"
    rests = engine.level_of(order) is not None
    for name in ("qty", "limit_price", "limit_price_type", "display_qty", "display_left"):
        setattr(order, name, getattr(changed, name))
    order.trigger, order.amended, order.amended_at = changed.trigger, True, at
    state.amends += 1
    amend_id = kraken_id("T", state.seed ^ 0x5A5A, state.amends)
    reports: list[Report] = [Amended(msgspec.structs.replace(order), amend_id)]
    if order.qty <= order.cum_qty:
        engine.close(order, "canceled", REASON_USER, at, reports)
    elif rests and keeps_place:
        engine.resize(order)
    elif rests:
        engine.to_the_end(order)
        engine.books[order.symbol].remove(order)
        engine.take(order, taken, at, reports)
    return reports


# --- edit ---------------------------------------------------------------------------------------


def edit(engine: Engine, command: Edit, at: datetime) -> list[Report]:
    """Cancel an order and place another in its stead; refused before anything is canceled."""
    order = _find(engine, command.account, command.order_id)
    if order is None:
        return [Refused(UNKNOWN_ORDER)]
    _charge_fixed(engine, "edit", order, at)
    place = _edited(order, command)
    error = _refuse_edit(engine, order, command)
    error = error or placing.validate(engine, place, at, replacing=order)
    cost = 0 if command.validate else age_cost("edit", order, at)
    error = error or engine.over_rate(order.account, order.symbol, at, cost)
    if error:
        return [Refused(error)]
    reports = placing.admit(engine, place, at, replacing=order)
    if isinstance(reports[0], Replaced):
        engine.charge(order.account, order.symbol, cost, at)
    return reports


def _refuse_edit(engine: Engine, order: Order, command: Edit) -> str | None:
    error = statuses.refuse_amend(engine.state.system, engine.status_of(order.symbol))
    if error:
        return error
    if command.symbol != order.symbol:
        return f"{checks.BAD}:symbol"
    fired = order.trigger is not None and order.trigger.triggered
    special = order.close is not None or order.cash_qty is not None
    if fired or special or order.cl_ord_id is not None:
        return INVALID_ORDER
    if command.qty is not None and not checks.positive(command.qty):
        return f"{checks.BAD}:order_qty"
    if order.cum_qty > (command.qty if command.qty is not None else order.qty):
        return INVALID_ORDER
    return None


def _edited(order: Order, command: Edit) -> Place:
    """Give the order that takes the old one's place: what has filled stays with the old one."""
    state, trigger = order.trigger, command.trigger
    if trigger is None and state is not None:
        trigger = Trigger(price=state.price, price_type=state.price_type, reference=state.reference)

    def pick(new: object, old: object) -> object:
        return old if new is None else new

    fields: dict[str, object] = {
        "symbol": order.symbol,
        "side": order.side,
        "order_type": order.order_type,
        "account": order.account,
        "qty": (order.qty if command.qty is None else command.qty) - order.cum_qty,
        "limit_price": pick(command.limit_price, order.limit_price),
        "limit_price_type": order.limit_price_type,
        "trigger": trigger,
        "time_in_force": order.time_in_force,
        "expire_at": order.expire_at,
        "effective_at": order.effective_at,
        "deadline": command.deadline,
        "post_only": pick(command.post_only, order.post_only),
        "fee_in_base": pick(command.fee_in_base, order.fee_in_base),
        "userref": pick(command.userref, order.userref),
        "stp": order.stp,
        "display_qty": pick(command.display_qty, order.display_qty),
        "sender_sub_id": order.sender_sub_id,
        "validate": command.validate,
    }
    return msgspec.convert(fields, Place)
