"""Limits: how much room the caps leave, from one look at the account."""

from datetime import timedelta
from decimal import Decimal

import msgspec

from simple_trader.core.risk.ceilings import CEILINGS, ORDER_QTY
from simple_trader.core.risk.exposure import Exposure
from simple_trader.core.risk.turnover import Flow
from simple_trader.domain.instruments import base_of
from simple_trader.domain.money import ONE, ZERO
from simple_trader.domain.settings import TradingSettings

TWIN_WITHIN = timedelta(seconds=5)  # PT5: older than this, an order is no repetition of another


class Room(msgspec.Struct, frozen=True):
    """Room left in the reporting currency; never below zero."""

    asset: Decimal
    total: Decimal


def room_for(
    base: str, exposure: Exposure, equity: Decimal | None, settings: TradingSettings
) -> Room:
    """Room of one base asset under both caps; none while equity or a price is unknown."""
    if equity is None or exposure.unpriced:
        return Room(ZERO, ZERO)
    asset = settings.max_asset_exposure * equity - exposure.of(base)
    total = settings.max_total_exposure * equity - exposure.total
    return Room(max(ZERO, asset), max(ZERO, total))


def windows(flow: Flow, settings: TradingSettings) -> tuple[tuple[str, Decimal, Decimal], ...]:
    """Each rolling limit of value in words, what it holds already, and what it is (PT3)."""
    return (
        ("this minute", flow.minute, settings.max_notional_per_minute),
        ("this hour", flow.hour, settings.max_notional_per_hour),
        ("these 24 hours", flow.day, settings.max_notional_per_day),
        ("on the pair this minute", flow.pair_minute, settings.max_pair_notional_per_minute),
        ("on the pair this hour", flow.pair_hour, settings.max_pair_notional_per_hour),
        ("on the pair these 24 hours", flow.pair_day, settings.max_pair_notional_per_day),
    )


def most_qty(
    pair: str, price: Decimal, quote_rate: Decimal | None, settings: TradingSettings
) -> Decimal:
    """Most base units of one order at a limit of `price`: by value and quantity (PT2).

    The least of the configuration's limits (quote and base units) and the compiled ceilings, whose
    value is in the reporting currency: `quote_rate` of it for one quote unit, 1 if not known.
    """
    if price <= ZERO:
        return ZERO
    rate = quote_rate or ONE
    ceiling = CEILINGS["max_order_value"]
    bounds = [min(settings.max_order_value, ceiling / rate) / price]
    base = base_of(pair)
    own = (settings.max_order_qty.get(pair), ORDER_QTY.get(base))
    bounds.extend(bound for bound in own if bound is not None)
    return min(bounds)
