"""Limits: how much room the caps leave, from one look at the account."""

from decimal import Decimal

import msgspec

from simple_trader.core.risk.exposure import Exposure
from simple_trader.domain.money import ZERO
from simple_trader.domain.settings import TradingSettings


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
