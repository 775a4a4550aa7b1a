"""Asset names with their suffixes, decimals, and what an asset is worth at the sandbox's prices."""

from decimal import Decimal
from typing import Protocol

from simple_trader.sandbox.market import PairMarket
from simple_trader.simulator.instruments import ASSET_BY_NAME, Asset, Instrument
from simple_trader.simulator.venue import Venue

ONE = Decimal(1)
_BRIDGES = ("USD", "USDT", "USDC", "EUR", "BTC", "ETH")
_USUAL_PRECISION = 10


class Priced(Protocol):
    """What a conversion needs of the exchange."""

    venue: Venue

    def market(self, symbol: str) -> PairMarket:
        """Give the public side of a pair."""


def base_asset(name: str) -> Asset | None:
    """Find the asset behind a name that may carry a suffix (`ETH.S`, `BTC.F`; section 12)."""
    return ASSET_BY_NAME.get(name) or ASSET_BY_NAME.get(name.partition(".")[0])


def precision_of(name: str) -> int:
    """Give the decimals of an asset in the ledger."""
    asset = base_asset(name)
    return _USUAL_PRECISION if asset is None else asset.precision


def rest_name(name: str) -> str:
    """Give the REST id of an asset; with a suffix it is the altname and the suffix (`XBT.F`)."""
    asset, suffix = base_asset(name), name.partition(".")[2]
    if asset is None:
        return name
    return f"{asset.altname}.{suffix}" if suffix else asset.rest_id


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
