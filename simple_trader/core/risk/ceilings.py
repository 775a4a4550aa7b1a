"""Compiled hard ceilings: what no configuration, row, variable or advice can exceed (I-25)."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import msgspec

from simple_trader.domain.settings import TradingSettings

# By the limit's key in config.yaml; a higher number always allows more.
CEILINGS: Mapping[str, Decimal] = MappingProxyType(
    {
        "max_balance_fraction": Decimal(1),
        "max_slippage_bps": Decimal(200),
        "price_collar_bps": Decimal(2_000),
        "max_order_value": Decimal(100_000),
        "max_open_orders": Decimal(42),  # 70 percent of the 60 of Kraken's lowest tier
        "max_orders_per_minute": Decimal(42),  # 70 percent of the 60 its counter takes (PT6)
        "max_flips_per_day": Decimal(288),  # one in five minutes
        "max_notional_per_minute": Decimal(500_000),
        "max_notional_per_hour": Decimal(2_000_000),
        "max_notional_per_day": Decimal(10_000_000),
        "max_pair_notional_per_minute": Decimal(500_000),
        "max_pair_notional_per_hour": Decimal(2_000_000),
        "max_pair_notional_per_day": Decimal(10_000_000),
        "max_asset_exposure": Decimal(1),
        "max_total_exposure": Decimal(1),
        "daily_loss_limit": Decimal("0.95"),
        "max_drawdown": Decimal("0.95"),
    }
)
ORDER_QTY: Mapping[str, Decimal] = MappingProxyType(  # base units of one order, by base asset
    {"BTC": Decimal(10), "XBT": Decimal(10), "ETH": Decimal(200)}
)
_OFF_AT_ZERO = frozenset({"daily_loss_limit", "max_drawdown"})
ORDERS_PER_SECOND = 5  # on one pair
ORDERS_PER_MINUTE_IN_ALL = 300
DEADLINE_S = 60.0  # Kraken's own bound (I-10)
ENTRY_LIFE_S = 3_600.0  # a resting entry dies alone after this (I-10)


def in_force(settings: TradingSettings) -> TradingSettings:
    """`settings` with each limit at its ceiling at most; the same object where none is above."""
    lowered: dict[str, Any] = {}
    for name, ceiling in CEILINGS.items():
        value = getattr(settings, name)
        no_number = Decimal(str(value)).is_nan()
        if no_number or value > ceiling or (name in _OFF_AT_ZERO and value <= 0):
            lowered[name] = type(value)(ceiling)
    if not 0 < settings.order_deadline_s <= DEADLINE_S:
        lowered["order_deadline_s"] = DEADLINE_S
    return msgspec.structs.replace(settings, **lowered) if lowered else settings
