"""Checks of the order itself: its instrument, form, size, rate, and that it is no repetition."""

from simple_trader.core.risk.case import Case, Objection
from simple_trader.core.risk.ceilings import ORDERS_PER_MINUTE_IN_ALL, ORDERS_PER_SECOND
from simple_trader.core.risk.limits import most_qty
from simple_trader.core.risk.sizing import too_small
from simple_trader.domain.money import is_on_step
from simple_trader.domain.orders import Origin
from simple_trader.domain.reasons import Reason


def pair_allowed(case: Case) -> Objection | None:
    """Entries only on traded pairs; what is held of a removed pair may still be sold (C04)."""
    if case.raises_exposure and case.intent.pair not in case.settings.traded_pairs:
        return Reason.PAIR_NOT_ALLOWED, f"{case.intent.pair} is not in traded_pairs"
    return None


def instrument_known(case: Case) -> Objection | None:
    """No guessed steps, minimums and fees: without the exchange's word there is no order.

    An exit needs no fee to be known: it is taken from what the sale brings.
    """
    if case.rules is None:
        return Reason.NO_INSTRUMENT, f"no rules for {case.intent.pair}"
    if case.raises_exposure and not case.fee_known:
        return Reason.NO_INSTRUMENT, f"no fee known for {case.intent.pair}"
    return None


def large_enough(case: Case) -> Objection | None:
    """The exchange's minimum quantity and cost, and our own minimum value."""
    if case.rules is None:
        return None
    small = too_small(case.intent.qty, case.intent.price, case.rules, case.settings)
    return None if small is None else (small.reason, small.detail)


def on_steps(case: Case) -> Objection | None:
    """Price and quantity are multiples of the pair's increments."""
    if case.rules is None:
        return None
    if not is_on_step(case.intent.qty, case.rules.qty_increment):
        return Reason.OFF_STEP, f"qty {case.intent.qty:f}, step {case.rules.qty_increment:f}"
    if not is_on_step(case.intent.price, case.rules.price_increment):
        return Reason.OFF_STEP, f"price {case.intent.price:f}, tick {case.rules.price_increment:f}"
    return None


def has_limit(case: Case) -> Objection | None:
    """No entry at whatever price; a stop may go so at its trigger (PT1)."""
    kind = case.intent.order_type
    if kind.has_limit or not case.raises_exposure:
        return None
    return Reason.MARKET_ENTRY, f"a {kind.value} order has no limit price"


def small_enough(case: Case) -> Objection | None:
    """Value and quantity of one order are within the limits and compiled ceilings (PT2, I-25)."""
    most = most_qty(case.intent.pair, case.intent.price, case.quote_rate, case.settings)
    if case.intent.qty > most:
        return Reason.ORDER_TOO_LARGE, f"{case.intent.qty:f} > {most:f} {case.intent.pair}"
    return None


def not_sized_up(case: Case) -> Objection | None:
    """After a refusal for lack of funds the next order of that side is no larger (X17)."""
    strike, intent = case.strike, case.intent
    if strike is None or strike.most_qty is None or strike.side != intent.side.value:
        return None
    if intent.qty > strike.most_qty:
        return Reason.SIZED_UP, f"{intent.qty:f} after {strike.most_qty:f} was refused"
    return None


def no_twin(case: Case) -> Objection | None:
    """No order like one that is open or was made a moment ago (PT5)."""
    if case.twin is None:
        return None
    return Reason.DUPLICATE_ORDER, f"as order {case.twin}"


def few_open(case: Case) -> Objection | None:
    """Fewer orders rest on the pair than the exchange allows; entries use half of it (X33)."""
    most = _share(case, case.settings.max_open_orders)
    if case.live_on_pair >= most:
        return Reason.TOO_MANY_ORDERS, f"{case.live_on_pair} of {most} on {case.intent.pair}"
    return None


def slow_enough(case: Case) -> Objection | None:
    """Orders in a second and a minute, below what the exchange counts (PT6, I-22).

    Entries use half of the minute, so that an exit always finds room.
    """
    flow = case.flow
    for what, count, most in (
        ("this second", flow.pair_orders_second, ORDERS_PER_SECOND),
        ("this minute", flow.pair_orders, _share(case, case.settings.max_orders_per_minute)),
        ("this minute on all pairs", flow.orders, _share(case, ORDERS_PER_MINUTE_IN_ALL)),
    ):
        if count >= most:
            return Reason.ORDER_RATE, f"{count} orders {what}, {most} allowed"
    return None


def few_flips(case: Case) -> Objection | None:
    """Advice that goes to and fro on a pair may not buy again; to sell is never refused (L20)."""
    intent = case.intent
    if intent.origin is not Origin.AI or not case.raises_exposure:
        return None
    if case.advised_side in {"", intent.side.value} or case.flips < case.settings.max_flips_per_day:
        return None
    most = case.settings.max_flips_per_day
    return Reason.FLIP_LIMIT, f"{case.flips} of {most} changes of side in 24 hours"


def _share(case: Case, most: int) -> int:
    return max(1, most // 2) if case.raises_exposure else most
