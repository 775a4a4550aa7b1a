"""Checks: the rules an intent must pass, in the order in which they are asked (`CHECKS`).

Each takes the case (the intent and everything true at this moment) and gives an objection or None.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.core.risk.exposure import Exposure
from simple_trader.core.risk.limits import room_for
from simple_trader.core.risk.sizing import too_small
from simple_trader.core.risk.venue_states import pair_takes, venue_takes
from simple_trader.domain.instruments import PairRules, PairStatus, VenueStatus
from simple_trader.domain.money import BPS, ONE, ZERO, bps_of, is_on_step
from simple_trader.domain.orders import Intent, Side
from simple_trader.domain.quotes import Quote
from simple_trader.domain.reasons import Reason
from simple_trader.domain.settings import TradingSettings

RUN, REDUCE, HALT = "RUN", "REDUCE", "HALT"


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """An intent and the state of the very moment at which it is judged.

    `spendable_*` and `exposure` already count everything in flight; `quote_rate` is reporting
    currency per unit of the pair's quote asset; `guarded_since` the candle of the last entry.
    """

    intent: Intent
    at: datetime
    settings: TradingSettings
    trading_state: str
    causes: tuple[Reason, ...]
    stopping: bool
    day_stopped: bool
    rules: PairRules | None
    venue: VenueStatus
    quote: Quote | None
    book_trusted: bool
    unknown_order: str | None
    guarded_since: datetime | None
    candle_begin: datetime
    taker: Decimal
    quote_rate: Decimal | None
    spendable_base: Decimal
    spendable_quote: Decimal
    exposure: Exposure
    equity: Decimal | None
    private_up: bool = True
    fee_known: bool = True

    @property
    def cost(self) -> Decimal:
        """Value of the order at its limit price in quote units, without fee."""
        return self.intent.qty * self.intent.price

    @property
    def raises_exposure(self) -> bool:
        """Whether the order takes risk on."""
        return not self.intent.lowers_exposure


Objection = tuple[Reason, str]
Check = Callable[[Case], Objection | None]

# What a cause of REDUCE is called on a refused intent, if a nearer word than REDUCE_ONLY exists.
_REFUSED_AS = {
    Reason.RECONCILING: Reason.NOT_RECONCILED,
    Reason.DAILY_LOSS: Reason.DAILY_LOSS,
    Reason.STORE_SLOW: Reason.STORE_SLOW,
    Reason.VENUE_NOT_ONLINE: Reason.VENUE_NOT_ONLINE,
    Reason.BALANCE_UNEXPLAINED: Reason.BALANCE_UNEXPLAINED,
    Reason.PRIVATE_DOWN: Reason.PRIVATE_FEED_DOWN,
}


def not_halted(case: Case) -> Objection | None:
    """HALT refuses everything; so does a daemon that is stopping."""
    if case.stopping:
        return Reason.TRADING_HALTED, "the daemon is stopping"
    if case.trading_state == HALT:
        return Reason.TRADING_HALTED, ", ".join(case.causes)
    return None


def not_reduce_only(case: Case) -> Objection | None:
    """REDUCE refuses what raises exposure."""
    if case.trading_state == RUN or not case.raises_exposure:
        return None
    first = case.causes[0] if case.causes else Reason.REDUCE_ONLY
    return _REFUSED_AS.get(first, Reason.REDUCE_ONLY), ", ".join(case.causes)


def no_daily_stop(case: Case) -> Objection | None:
    """After the daily loss limit nothing raises exposure, whatever else changed."""
    if case.day_stopped and case.raises_exposure:
        return Reason.DAILY_LOSS, "stopped for this UTC day"
    return None


def private_feed_up(case: Case) -> Objection | None:
    """Without the private connection no order can be sent and no fill seen: nothing is approved."""
    return None if case.private_up else (Reason.PRIVATE_FEED_DOWN, "no private connection")


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


def pair_online(case: Case) -> Objection | None:
    """The pair takes this order now."""
    status = PairStatus.UNKNOWN if case.rules is None else case.rules.status
    if pair_takes(status, case.intent):
        return None
    return Reason.PAIR_NOT_ONLINE, f"{case.intent.pair} is {status}"


def venue_online(case: Case) -> Objection | None:
    """The exchange takes this order now."""
    if venue_takes(case.venue, case.intent):
        return None
    return Reason.VENUE_NOT_ONLINE, f"the exchange is {case.venue}"


def price_present(case: Case) -> Objection | None:
    """There is a quote."""
    return None if case.quote else (Reason.NO_PRICE, f"no quote of {case.intent.pair}")


def price_fresh(case: Case) -> Objection | None:
    """The worse of the two ages of the quote is within max_quote_age_s."""
    if case.quote is None:
        return None
    age_s, limit_s = case.quote.age_s(case.at), case.settings.max_quote_age_s
    return (Reason.PRICE_STALE, f"{age_s:.1f} s > {limit_s:g} s") if age_s > limit_s else None


def price_reasonable(case: Case) -> Objection | None:
    """Positive, not crossed, and the limit no further from the middle than spread and slippage."""
    quote, settings, rules = case.quote, case.settings, case.rules
    if quote is None or rules is None:
        return None
    if quote.bid <= ZERO or quote.ask <= ZERO or quote.bid >= quote.ask:
        return Reason.PRICE_UNREASONABLE, f"bid {quote.bid:f}, ask {quote.ask:f}"
    slack = Decimal(settings.max_slippage_bps) + Decimal(repr(settings.max_spread_bps))
    collar = quote.mid * slack / BPS + rules.price_increment
    away = abs(case.intent.price - quote.mid)
    if case.intent.price <= ZERO or away > collar:
        return Reason.PRICE_UNREASONABLE, f"limit {case.intent.price:f}, mid {quote.mid:f}"
    return None


def book_trusted(case: Case) -> Objection | None:
    """Where book feeds run, the pair's book is verified."""
    if case.settings.enable_order_book_feed and not case.book_trusted:
        return Reason.BOOK_UNTRUSTED, f"no verified book of {case.intent.pair}"
    return None


def spread_tight(case: Case) -> Objection | None:
    """The spread is at most max_spread_bps of the middle."""
    if case.quote is None:
        return None
    spread = bps_of(case.quote.ask - case.quote.bid, case.quote.mid)
    limit = Decimal(repr(case.settings.max_spread_bps))
    return (Reason.SPREAD_TOO_WIDE, f"{spread:.2f} bps > {limit} bps") if spread > limit else None


def no_unknown_order(case: Case) -> Objection | None:
    """An order of unknown outcome blocks new risk on its pair."""
    if case.unknown_order is not None and case.raises_exposure:
        return Reason.ORDER_UNKNOWN, f"order {case.unknown_order} is not resolved"
    return None


def one_entry_per_candle(case: Case) -> Objection | None:
    """One order per pair and side in a candle; protective ones are exempt (I-33)."""
    if case.intent.protective or case.guarded_since is None:
        return None
    if case.guarded_since >= case.candle_begin:
        return Reason.SAME_CANDLE, f"already one since {case.candle_begin.isoformat()}"
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


def funded(case: Case) -> Objection | None:
    """Spendable funds, holds subtracted, cover the order and its fee."""
    if case.intent.side is Side.SELL:
        needed, there = case.intent.qty, case.spendable_base
    else:
        needed, there = case.cost * (ONE + case.taker), case.spendable_quote
    return (Reason.NO_FUNDS, f"needs {needed:f}, has {there:f}") if needed > there else None


def _within_caps(case: Case) -> tuple[Decimal, Decimal, Decimal] | None:
    """Cost of an entry, room of its asset, room in total (reporting currency); None if none."""
    if not case.raises_exposure or case.rules is None:
        return None
    room = room_for(case.rules.base, case.exposure, case.equity, case.settings)
    return case.cost * (ONE + case.taker) * (case.quote_rate or ZERO), room.asset, room.total


def valued(case: Case) -> Objection | None:
    """An entry needs a known equity: no cap can be judged without."""
    if not case.raises_exposure:
        return None
    if case.equity is None or case.quote_rate is None or case.exposure.unpriced:
        names = ", ".join(case.exposure.unpriced) or case.intent.pair
        return Reason.NO_PRICE, f"cannot value {names}"
    return None


def within_asset_cap(case: Case) -> Objection | None:
    """Worst-case exposure of the base asset stays within its cap (I-18)."""
    seen = _within_caps(case)
    if seen is not None and seen[0] > seen[1]:
        return Reason.EXPOSURE_ASSET, f"{seen[0]:.4f} > room of {seen[1]:.4f}"
    return None


def within_total_cap(case: Case) -> Objection | None:
    """Worst-case exposure of everything stays within the total cap (I-18)."""
    seen = _within_caps(case)
    if seen is not None and seen[0] > seen[2]:
        return Reason.EXPOSURE_TOTAL, f"{seen[0]:.4f} > room of {seen[2]:.4f}"
    return None


CHECKS: tuple[Check, ...] = (
    not_halted,
    no_daily_stop,
    not_reduce_only,
    private_feed_up,
    pair_allowed,
    instrument_known,
    pair_online,
    venue_online,
    price_present,
    price_fresh,
    price_reasonable,
    book_trusted,
    spread_tight,
    no_unknown_order,
    one_entry_per_candle,
    large_enough,
    on_steps,
    valued,
    funded,
    within_asset_cap,
    within_total_cap,
)


def first_objection(case: Case) -> Objection | None:
    """The first rule that objects, in the order of the list."""
    for check in CHECKS:
        objection = check(case)
        if objection is not None:
            return objection
    return None
