"""Decimals and REST names of assets, and what one is worth at the sandbox's own prices."""

from decimal import Decimal
from typing import Protocol

from simple_trader.sandbox.market import PairMarket
from simple_trader.simulator.instruments import ASSET_BY_NAME, Instrument
from simple_trader.simulator.venue import Venue

ONE = Decimal(1)
_BRIDGES = ("USD", "USDT", "USDC", "EUR", "BTC", "ETH")
_USUAL_PRECISION = 10


class Priced(Protocol):
    """What a conversion needs of the exchange."""

    venue: Venue

    def market(self, symbol: str) -> PairMarket:
        """Give the public side of a pair."""


def precision_of(name: str) -> int:
    """Give the decimals of an asset in the ledger."""
    asset = ASSET_BY_NAME.get(name)
    return _USUAL_PRECISION if asset is None else asset.precision


def rest_name(name: str) -> str:
    """Give the REST id of an asset (`XXBT`, `XBT.F`; section 12)."""
    asset = ASSET_BY_NAME.get(name)
    return name if asset is None else asset.rest_id


def worth(floor: Priced, asset: str, unit: str = "USD") -> Decimal | None:
    """Give the worth of one `asset` in `unit` at last prices, over one bridge at most."""
    asset, unit = asset.partition(".")[0], unit.partition(".")[0]
    direct = _direct(floor, asset, unit)
    if direct is not None:
        return direct
    for bridge in _BRIDGES:
        first, second = _direct(floor, asset, bridge), _direct(floor, bridge, unit)
        if first is not None and second is not None:
            return first * second
    return None


def _direct(floor: Priced, asset: str, unit: str) -> Decimal | None:
    if asset == unit:
        return ONE
    pairs = floor.venue.pairs
    there, back = pairs.get(f"{asset}/{unit}"), pairs.get(f"{unit}/{asset}")
    if there is not None:
        return _last(floor, there)
    price = None if back is None else _last(floor, back)
    return ONE / price if price else None


def _last(floor: Priced, pair: Instrument) -> Decimal | None:
    market = floor.market(pair.symbol)
    tick = market.last.tick if market.last else market.bid
    return pair.price_of(tick) if tick > 0 else None
