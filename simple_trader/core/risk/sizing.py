"""Sizing: from a wished value to a quantity that fits caps, funds and the steps of the exchange."""

from decimal import Decimal

import msgspec

from simple_trader.core.risk.limits import Room
from simple_trader.domain.instruments import PairRules
from simple_trader.domain.money import ONE, ZERO, floor_to_step
from simple_trader.domain.reasons import Reason
from simple_trader.domain.settings import TradingSettings


class Sized(msgspec.Struct, frozen=True):
    """A quantity in base units, on the step of the pair."""

    qty: Decimal


class TooSmall(msgspec.Struct, frozen=True):
    """No tradable quantity is left, and which bound made it so."""

    reason: Reason
    detail: str


def buy_qty(
    value: Decimal,
    *,
    price: Decimal,
    rules: PairRules,
    taker: Decimal,
    quote_rate: Decimal,
    room: Room,
    spendable: Decimal,
    settings: TradingSettings,
    most: Decimal,
    allocation: Decimal | None = None,
) -> Sized | TooSmall:
    """Quantity of a purchase at `price`: the least of wish, caps and funds, rounded down.

    `value` and `spendable` are quote units, `room` and `allocation` (what the advisor's own wanted
    holding leaves; None: no bound) the reporting currency, `quote_rate` reporting currency per
    quote unit. Caps and funds carry the taker fee; no order is for more than `most` base units.
    The bound that left too little is the reason; the wish itself only where it was the least.
    """
    gross = ONE + taker
    wanted = value if allocation is None else allocation / quote_rate / gross
    bounds = (
        (value, None),
        (wanted, Reason.ALLOCATION_REACHED),
        (room.asset / quote_rate / gross, Reason.EXPOSURE_ASSET),
        (room.total / quote_rate / gross, Reason.EXPOSURE_TOTAL),
        (settings.max_balance_fraction * spendable / gross, Reason.NO_FUNDS),
        (most * price, Reason.ORDER_TOO_LARGE),
    )
    least, bound = min(bounds, key=lambda item: item[0])
    qty = floor_to_step(max(ZERO, least) / price, rules.qty_increment)
    small = too_small(qty, price, rules, settings)
    if small is None:
        return Sized(qty)
    if bound is None:
        return small
    return TooSmall(bound, f"room for {least:.4f} {rules.quote} at most; {small.detail}")


def sell_qty(
    value: Decimal,
    *,
    price: Decimal,
    rules: PairRules,
    holding: Decimal,
    spendable: Decimal,
    settings: TradingSettings,
    most: Decimal,
) -> Sized | TooSmall:
    """Quantity of a sale at `price`: at most the owner's `holding` and the `spendable` base units.

    A rest that could not be sold alone (dust) is sold with it; one order is for `most` base units
    at most.
    """
    limit, most = most, min(holding, spendable)
    if most <= ZERO:
        reason = Reason.NOTHING_TO_SELL if holding <= ZERO else Reason.NO_FUNDS
        return TooSmall(reason, f"holding {holding:f}, spendable {spendable:f} {rules.base}")
    qty = floor_to_step(min(value / price, most), rules.qty_increment)
    if too_small(most - qty, price, rules, settings) is not None:
        qty = floor_to_step(most, rules.qty_increment)
    qty = min(qty, floor_to_step(limit, rules.qty_increment))
    return too_small(qty, price, rules, settings) or Sized(qty)


def effective_minimum(price: Decimal, rules: PairRules, settings: TradingSettings) -> Decimal:
    """The smallest value of an order in quote units: the largest of the three minimums."""
    return max(settings.min_order_value, rules.qty_min * price, rules.cost_min)


def too_small(
    qty: Decimal, price: Decimal, rules: PairRules, settings: TradingSettings
) -> TooSmall | None:
    """Whether a quantity at a price is below the effective minimum, and which minimum it misses; a
    missed one is never rounded up to.
    """
    cost, least = qty * price, effective_minimum(price, rules, settings)
    if cost >= least:
        return None
    words = f"{cost:f} {rules.quote} is below {least:f}, the least that an order may be worth"
    if qty < rules.qty_min:
        return TooSmall(
            Reason.BELOW_MIN_QTY, f"{words}: {rules.qty_min:f} {rules.base} at the exchange"
        )
    if cost < rules.cost_min:
        return TooSmall(Reason.BELOW_MIN_COST, f"{words}: {rules.cost_min:f} at the exchange")
    return TooSmall(Reason.BELOW_MIN_VALUE, f"{words}: min_order_value")
