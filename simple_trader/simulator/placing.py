"""New orders: Kraken's checks in Kraken's order, then funds, post-only, and the book.

Form, pair, status, precision, minimums, client id, rate counter, open orders, funds, post-only and
self-trade, match: protocol section 8.1.
"""

from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.simulator import checks, statuses
from simple_trader.simulator.dice import stream_key
from simple_trader.simulator.engine import Engine
from simple_trader.simulator.fill_model import Walk
from simple_trader.simulator.ids import kraken_id
from simple_trader.simulator.limits import FIXED, ORDERS_LIMIT, TIER_LIMITS
from simple_trader.simulator.liquidity import ASK, BID
from simple_trader.simulator.orders import (
    REASON_FUNDS,
    REASON_NO_MARKET,
    REASON_POST_ONLY,
    REASON_PROTECTION,
    REASON_REPLACED,
    ZERO,
    Order,
    Place,
    PlaceBatch,
    Side,
    Trade,
    Trigger,
    TriggerState,
)
from simple_trader.simulator.reports import (
    BatchReports,
    Checked,
    Opened,
    Refused,
    Replaced,
    Report,
    Restated,
    Single,
    Started,
)
from simple_trader.simulator.triggers import (
    LIMITS,
    TRIGGERED,
    limit_now,
    offset_price,
    set_trigger,
)

NO_FUNDS = "EOrder:Insufficient funds"
POST_ONLY = f"EOrder:{REASON_POST_ONLY}"
SCHEDULED_LIMIT = "EOrder:Scheduled orders limit exceeded"
NO_INDEX = f"{checks.BAD}:Index unavailable"


def place(engine: Engine, command: Place, at: datetime) -> list[Report]:
    """Carry out one new order."""
    if command.account not in engine.state.accounts:
        return [Refused("EAccount:Invalid permissions")]
    if command.symbol in engine.pairs:
        engine.charge(command.account, command.symbol, FIXED["add"], at)
    error = validate(engine, command, at) or engine.over_rate(command.account, command.symbol, at)
    return [Refused(error)] if error else admit(engine, command, at)


def place_batch(engine: Engine, batch: PlaceBatch, at: datetime) -> list[Report]:
    """Carry out a batch: one invalid order refuses all, funds and limits refuse only their own."""
    if batch.account not in engine.state.accounts:
        return [Refused("EAccount:Invalid permissions")]
    if batch.symbol in engine.pairs:
        engine.charge(batch.account, batch.symbol, Decimal(len(batch.orders)) / 2, at)
    if len(batch.orders) not in checks.BATCH_SIZES:
        return [Refused(f"{checks.BAD}:orders")]
    common = {
        "account": batch.account,
        "symbol": batch.symbol,
        "deadline": batch.deadline,
        "validate": batch.validate,
    }
    orders = [msgspec.structs.replace(order, **common) for order in batch.orders]
    named = [order.cl_ord_id for order in orders if order.cl_ord_id is not None]
    error = f"{checks.BAD}:cl_ord_id" if len(set(named)) < len(named) else None
    for order in orders:
        error = error or validate(engine, order, at)
    error = error or engine.over_rate(batch.account, batch.symbol, at)
    if error:
        return [Refused(error)]
    parts = [admit(engine, order, at) for order in orders]
    return batch_reports(parts)


def batch_reports(parts: list[list[Report]]) -> list[Report]:
    """Put the answer to a batch before the reports of its orders."""
    kept = tuple(tuple(r for r in part if not isinstance(r, BatchReports)) for part in parts)
    flat: list[Single] = [report for part in kept for report in part]
    return [BatchReports(kept), *flat]


def validate(
    engine: Engine, command: Place, at: datetime, replacing: Order | None = None
) -> str | None:
    """Judge everything that does not depend on limits, funds and the other side of the book."""
    error = checks.check_form(command, at)
    if error:
        return error
    pair, book = engine.pairs.get(command.symbol), engine.books.get(command.symbol)
    if pair is None or book is None or engine.status_of(command.symbol) == "delisted":
        return f"Currency pair not supported {command.symbol}"
    error = statuses.refuse_new(
        engine.state.system,
        engine.status_of(command.symbol),
        command.order_type,
        post_only=command.post_only,
    )
    error = error or checks.check_deadline(command.deadline, at, engine.rules)
    if not error and command.trigger is not None:
        known = engine.reference(command.symbol, command.trigger.reference)
        error = NO_INDEX if known is None else None
    for price in checks.static_prices(command):
        error = error or checks.check_precision(pair, None, price, engine.rules)
    for qty in (command.qty, command.display_qty):
        error = error or checks.check_precision(pair, qty, None, engine.rules)
    if error:
        return error
    cost_at = _cost_price(engine, command, at)
    if cost_at is not None and cost_at <= 0:
        return f"{checks.BAD}:price"
    error = checks.check_minimums(pair, command.qty, cost_at, engine.rules)
    if not error and command.cash_qty is not None and command.cash_qty < pair.cost_min:
        error = "EOrder:Cost minimum not met"
    if error or command.cl_ord_id is None:
        return error
    holder = engine.find_open(command.account, command.cl_ord_id)
    if holder is not None and holder is not replacing:
        return f"{checks.BAD}:cl_ord_id already in use by an open order"
    return None


def _cost_price(engine: Engine, command: Place, at: datetime) -> Decimal | None:
    """Give the price that the cost minimum looks at: limit, trigger, or the best price."""
    state = _trigger(engine, command, at)
    if command.limit_price is not None:
        base = state.actual_price if state else ZERO
        kind = command.limit_price_type
        return offset_price(base, command.limit_price, kind, engine.pairs[command.symbol])
    if state is not None:
        return state.actual_price
    best = engine.books[command.symbol].best(ASK if command.side == "buy" else BID)
    return engine.pairs[command.symbol].price_of(best[0]) if best else None


def _trigger(engine: Engine, command: Place, at: datetime) -> TriggerState | None:
    trigger = command.trigger
    if trigger is None:
        return None
    reference = engine.reference(command.symbol, trigger.reference) or trigger.price
    pair = engine.pairs[command.symbol]
    return set_trigger(trigger, command.order_type, command.side, reference, pair, at)


def admit(
    engine: Engine, command: Place, at: datetime, replacing: Order | None = None
) -> list[Report]:
    """Judge limits, funds and post-only, then let the order in.

    `replacing` is the order whose hold and place this one takes over.
    """
    order = _draft(engine, command, at)
    pair = engine.pairs[order.symbol]
    error = None if replacing is not None else _over_limits(engine, order)
    taken = Walk([], stopped=False)
    at_once = order.status != "pending_new" and not order.untriggered
    if not error and at_once:
        taken = engine.walk(order)
        if order.cash_qty is not None:
            order.qty = pair.qty_of(taken.lots)
            error = checks.check_minimums(pair, order.qty, None, engine.rules)
    if not error and not engine.can_pay(order, taken, replacing):
        error = NO_FUNDS
    late = False
    if not error and order.post_only and taken.takes:
        late = _cancels_post_only(engine)
        error = None if late else POST_ONLY
    elif not error and at_once and not engine.trades_now(order.symbol):
        rests = order.order_type in LIMITS and order.time_in_force in ("gtc", "gtd")
        error = statuses.UNAVAILABLE if taken.takes or not rests else None
    if error:
        return [Refused(error)]
    if command.validate:
        return [Checked(order)]
    reports: list[Report] = []
    if replacing is not None:
        order.replaces = replacing.order_id
        reports.append(Replaced(msgspec.structs.replace(order), replacing.order_id))
        engine.close(replacing, "canceled", REASON_REPLACED, at, reports)
    return _enter(engine, order, taken, at, reports, late=late)


def _draft(engine: Engine, command: Place, at: datetime) -> Order:
    scheduled = command.effective_at is not None and command.effective_at > at
    market = command.order_type == "market"
    best = engine.books[command.symbol].best(ASK if command.side == "buy" else BID)
    usual = best is not None and scheduled and market
    fee_in_base = command.fee_in_base
    if fee_in_base is None:
        fee_in_base = engine.rules.fee_default == "documented" and command.side == "sell"
    return Order(
        order_id=kraken_id("O", engine.state.seed, len(engine.state.orders)),
        symbol=command.symbol,
        side=command.side,
        order_type=command.order_type,
        qty=command.qty if command.qty is not None else ZERO,
        limit_price=command.limit_price,
        time_in_force="ioc" if market else command.time_in_force,
        opened_at=at,
        hold_rate=engine.rate_of(command.account, command.symbol, at, maker=False),
        account=command.account,
        limit_price_type=command.limit_price_type,
        cash_qty=command.cash_qty,
        trigger=_trigger(engine, command, at),
        expire_at=command.expire_at,
        effective_at=command.effective_at if scheduled else None,
        post_only=command.post_only,
        fee_in_base=fee_in_base,
        cl_ord_id=command.cl_ord_id,
        userref=command.userref,
        stp=command.stp,
        display_qty=command.display_qty,
        close=command.close,
        sender_sub_id=command.sender_sub_id,
        status="pending_new" if scheduled else "new",
        hold_price=engine.pairs[command.symbol].price_of(best[0]) if best and usual else None,
    )


def _over_limits(engine: Engine, order: Order) -> str | None:
    tier = engine.state.accounts[order.account].tier
    same = [other for other in engine.open_of(order.account) if other.symbol == order.symbol]
    if len(same) >= TIER_LIMITS[tier].open_orders:
        return ORDERS_LIMIT
    if order.status == "pending_new":
        waiting = sum(1 for other in same if other.status == "pending_new")
        if waiting >= engine.rules.scheduled_orders:
            return SCHEDULED_LIMIT
    return None


def _cancels_post_only(engine: Engine) -> bool:
    if engine.rules.post_only == "both":
        return stream_key(engine.state.seed, "post_only", len(engine.state.orders)) & 1 == 1
    return engine.rules.post_only == "cancel"


def _enter(
    engine: Engine,
    order: Order,
    taken: Walk,
    at: datetime,
    reports: list[Report],
    *,
    late: bool = False,
) -> list[Report]:
    engine.state.orders[order.order_id] = order
    engine.open[order.order_id] = order
    if order.display_qty is not None:
        order.display_left = order.display_qty
    reports.append(Opened(msgspec.structs.replace(order)))
    if late:
        engine.close(order, "canceled", REASON_POST_ONLY, at, reports)
    elif order.status == "pending_new" or order.untriggered:
        engine.rest(order)
    else:
        engine.take(order, taken, at, reports)
    return reports


def start(engine: Engine, order: Order, at: datetime, reports: list[Report]) -> None:
    """Begin a scheduled order."""
    order.status, order.effective_at = "new", None
    reports.append(Started(msgspec.structs.replace(order)))
    if not order.untriggered:
        activate(engine, order, at, reports)


def activate(engine: Engine, order: Order, at: datetime, reports: list[Report]) -> None:
    """Bring an accepted order to the book: after its start, its trigger, or its primary's fill."""
    pair = engine.pairs[order.symbol]
    if not engine.trades_now(order.symbol):
        engine.close(order, "canceled", REASON_NO_MARKET, at, reports)
        return
    # Its age in the queue begins now, also after a restart.
    engine.to_the_end(order)
    taken = engine.walk(order)
    if order.cash_qty is not None:
        order.qty = pair.qty_of(taken.lots)
    if order.qty == 0 or not engine.can_pay(order, taken, order):
        reason = REASON_FUNDS if order.qty else REASON_PROTECTION
        engine.close(order, "canceled", reason, at, reports)
    elif order.post_only and taken.takes:
        engine.close(order, "canceled", REASON_POST_ONLY, at, reports)
    else:
        engine.take(order, taken, at, reports)


def spawn(engine: Engine, at: datetime, reports: list[Report]) -> None:
    """Open the close orders of all fills since the last call (OTO, section 8.1)."""
    while engine.spawning:
        parent, trade = engine.spawning.pop(0)
        order = _close_order(engine, parent, trade, at)
        engine.state.orders[order.order_id] = order
        engine.open[order.order_id] = order
        reports.append(Opened(msgspec.structs.replace(order)))
        _cut_to_funds(engine, order, reports)
        if not _payable(engine, order):
            engine.close(order, "canceled", REASON_FUNDS, at, reports)
        elif order.untriggered:
            engine.rest(order)
        else:
            activate(engine, order, at, reports)


def _cut_to_funds(engine: Engine, order: Order, reports: list[Report]) -> None:
    """Cut a sale to what there is: a fee in base currency left less than the primary bought."""
    pair = engine.pairs[order.symbol]
    spare = engine.available(order.account, pair.base, order)
    if order.side == "buy" or spare >= order.qty:
        return
    lots = int(spare.scaleb(pair.qty_precision))
    if lots > 0:
        order.qty = pair.qty_of(lots)
        reports.append(Restated(msgspec.structs.replace(order), REASON_FUNDS))


def _payable(engine: Engine, order: Order) -> bool:
    limit = limit_now(order, engine.pairs[order.symbol])
    nothing = Walk([], stopped=False)
    return (limit is None or limit > 0) and engine.can_pay(order, nothing, order)


def _close_order(engine: Engine, parent: Order, trade: Trade, at: datetime) -> Order:
    asked, pair = parent.close, engine.pairs[parent.symbol]
    if asked is None:
        raise ValueError(f"order {parent.order_id} has no close order")
    side: Side = "sell" if parent.side == "buy" else "buy"
    limit, trigger = asked.limit_price, None
    if limit is not None:
        limit = offset_price(trade.price, limit, asked.limit_price_type, pair)
    if asked.order_type in TRIGGERED and asked.trigger_price is not None:
        wanted = Trigger(price=asked.trigger_price, price_type=asked.trigger_price_type)
        trigger = set_trigger(wanted, asked.order_type, side, trade.price, pair, at)
    return Order(
        order_id=kraken_id("O", engine.state.seed, len(engine.state.orders)),
        symbol=parent.symbol,
        side=side,
        order_type=asked.order_type,
        qty=trade.qty,
        limit_price=limit,
        time_in_force="gtc",
        opened_at=at,
        hold_rate=engine.rate_of(parent.account, parent.symbol, at, maker=False),
        account=parent.account,
        trigger=trigger,
        fee_in_base=engine.rules.fee_default == "documented" and side == "sell",
        userref=parent.userref,
        stp=parent.stp,
        parent_id=parent.order_id,
        sender_sub_id=parent.sender_sub_id,
    )
