"""Exposure: the worst case of what is held and everything in flight, per base asset and in total.

Held counts at mid, orders in flight (DISPATCHING to UNKNOWN, PENDING_CANCEL too) at their limit
price with the taker fee (I-08, I-18). All in the reporting currency.
"""

from decimal import Decimal

import msgspec

from simple_trader.core.portfolio.account import REPORTING, rate_of
from simple_trader.core.portfolio.open_orders import cost_in_flight, taker_of
from simple_trader.domain.instruments import FeeRates, base_of, quote_of
from simple_trader.domain.money import ZERO
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.orders import Order, Side


class Exposure(msgspec.Struct, frozen=True):
    """Worst-case exposure by base asset; `unpriced` names assets that could not be valued.

    `reserved` is the part of it that orders in flight make up.
    """

    by_asset: dict[str, Decimal]
    unpriced: tuple[str, ...]
    reserved: dict[str, Decimal] = {}

    @property
    def total(self) -> Decimal:
        """All base assets together."""
        return sum(self.by_asset.values(), ZERO)

    def of(self, asset: str) -> Decimal:
        """One base asset, over all its quote currencies."""
        return self.by_asset.get(asset, ZERO)


def _worst_cost(order: Order, taker: Decimal) -> Decimal:
    """What the rest may cost; while a change is on its way, the higher of before and after."""
    cost = cost_in_flight(order, taker)
    if order.state is not OrderState.AMENDING:
        return cost
    before = msgspec.structs.replace(order, amended_qty=None, amended_price=None)
    return max(cost, cost_in_flight(before, taker))


def exposure_of(
    held: dict[str, Decimal],
    live: list[Order],
    fees: dict[str, FeeRates],
    mids: dict[str, Decimal],
) -> Exposure:
    """Add up `held` base units by asset (cash of the reporting currency is none) and `live`."""
    value: dict[str, Decimal] = {}
    reserved: dict[str, Decimal] = {}
    unpriced: dict[str, None] = {}
    for asset, qty in held.items():
        if asset == REPORTING or qty == ZERO:
            continue
        rate = rate_of(asset, mids)
        if rate is None:
            unpriced[asset] = None
        else:
            value[asset] = value.get(asset, ZERO) + qty * rate
    for order in live:
        if order.request.side is not Side.BUY:
            continue
        pair = order.request.pair
        base, rate = base_of(pair), rate_of(quote_of(pair), mids)
        if rate is None:
            unpriced[base] = None
            continue
        cost = _worst_cost(order, taker_of(fees, pair)) * rate
        # Never below what was reserved for it, whatever fees and rates are now: the database adds
        # up the same figures (I-19).
        cost = max(cost, order.reserved * order.left_qty / order.request.qty)
        value[base] = value.get(base, ZERO) + cost
        reserved[base] = reserved.get(base, ZERO) + cost
    return Exposure(value, tuple(unpriced), reserved)
