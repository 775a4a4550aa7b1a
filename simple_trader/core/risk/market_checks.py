"""Checks of market data: present, fresh, reasonable and the price's own (PT1, PT10, I-21)."""

from decimal import Decimal

from simple_trader.core.risk.case import Case, Objection
from simple_trader.domain.money import BPS, ZERO, bps_of
from simple_trader.domain.reasons import Reason

AHEAD_MAX_S = 1.0  # offsets up to here are told to no one (X34): a stamp may be as much off
CONFIRMED_S = 30.0  # a stop that was due for so long goes, wherever the slow reference is (X15)


def price_present(case: Case) -> Objection | None:
    """There is a quote."""
    return None if case.quote else (Reason.NO_PRICE, f"no quote of {case.intent.pair}")


def price_fresh(case: Case) -> Objection | None:
    """The worse of the two ages of the quote is within max_quote_age_s, by one clock: the venue's
    moment is moved by the measured offset (X34). One from the future has no age that could be
    trusted (I-49).
    """
    if case.quote is None:
        return None
    ahead_s = case.quote.ahead_s(case.at, case.venue_ahead_s)
    if ahead_s > AHEAD_MAX_S:
        return Reason.PRICE_AHEAD, f"{ahead_s:.1f} s ahead of our clock"
    age_s = case.quote.age_s(case.at, case.venue_ahead_s)
    limit_s = case.settings.max_quote_age_s
    return (Reason.PRICE_STALE, f"{age_s:.1f} s > {limit_s:g} s") if age_s > limit_s else None


def price_reasonable(case: Case) -> Objection | None:
    """Positive, not crossed, and the limit no further from the middle than spread and slippage."""
    quote, settings, rules = case.quote, case.settings, case.rules
    if quote is None or rules is None:
        return None
    if quote.bid <= ZERO or quote.ask <= ZERO or quote.bid >= quote.ask:
        return Reason.PRICE_UNREASONABLE, f"bid {quote.bid:f}, ask {quote.ask:f}"
    if quote.bid_qty <= ZERO or quote.ask_qty <= ZERO:
        return Reason.PRICE_UNREASONABLE, f"{quote.bid_qty:f} bid for, {quote.ask_qty:f} offered"
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


def priced_now(case: Case) -> Objection | None:
    """The order was priced from the very quote that is judged (I-21)."""
    if case.quote is not None and case.intent.mid != case.quote.mid:
        return Reason.PRICE_MOVED, f"priced at {case.intent.mid:f}, now {case.quote.mid:f}"
    return None


def book_steady(case: Case) -> Objection | None:
    """No new risk on a pair whose book fails its checksum again and again (X13)."""
    if case.settings.enable_order_book_feed and case.mistrusted and case.raises_exposure:
        return Reason.PAIR_MISTRUSTED, f"{case.intent.pair}: checksums failed too often"
    return None


def within_collar(case: Case) -> Objection | None:
    """Limit and middle are near the fresh middle and the slow reference (PT1, X15).

    A protective order that has been due at every look for half a minute is no wick: the reference
    holds it no longer. No reference: no order.
    """
    quote = case.quote
    if quote is None:
        return None
    collar = Decimal(case.settings.price_collar_bps) / BPS
    if abs(case.intent.price - quote.mid) > collar * quote.mid:
        return Reason.PRICE_COLLAR, f"limit {case.intent.price:f}, mid {quote.mid:f}"
    if case.intent.protective and case.due_s >= CONFIRMED_S:
        return None
    if case.reference is None:
        return Reason.NO_REFERENCE, f"the market of {case.intent.pair} was not seen long enough"
    for what, price in (("limit", case.intent.price), ("mid", quote.mid)):
        if abs(price - case.reference) > collar * case.reference:
            return Reason.PRICE_COLLAR, f"{what} {price:f}, reference {case.reference:f}"
    return None
