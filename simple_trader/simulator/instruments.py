"""The tradable pairs and assets, with Kraken's names, precisions and minimums."""

from decimal import Decimal

import msgspec


class Asset(msgspec.Struct, frozen=True):
    """One currency: `name` on WS v2, `rest_id` and `altname` on REST (protocol section 12)."""

    name: str
    rest_id: str
    altname: str
    precision: int
    precision_display: int

    @property
    def unit(self) -> Decimal:
        """The smallest amount that the ledger knows."""
        return Decimal(1).scaleb(-self.precision)


class Instrument(msgspec.Struct, frozen=True):
    """One pair and its rules; prices count in ticks, quantities in lots, both whole numbers."""

    symbol: str
    base: str
    quote: str
    rest_id: str
    altname: str
    wsname: str
    price_precision: int
    qty_min: Decimal
    qty_precision: int = 8
    cost_precision: int = 5
    cost_min: Decimal = Decimal("0.5")

    @property
    def tick(self) -> Decimal:
        """The smallest price step in quote currency."""
        return Decimal(1).scaleb(-self.price_precision)

    @property
    def lot(self) -> Decimal:
        """The smallest quantity step in base currency."""
        return Decimal(1).scaleb(-self.qty_precision)

    def price_of(self, ticks: int) -> Decimal:
        """Turn ticks into a price with exactly `price_precision` decimals."""
        return Decimal(ticks).scaleb(-self.price_precision)

    def qty_of(self, lots: int) -> Decimal:
        """Turn lots into a quantity with exactly `qty_precision` decimals."""
        return Decimal(lots).scaleb(-self.qty_precision)

    def ticks_of(self, price: Decimal) -> int | None:
        """Turn a price into ticks, or None when it lies between two ticks."""
        return _whole(price, self.price_precision)

    def lots_of(self, qty: Decimal) -> int | None:
        """Turn a quantity into lots, or None when it has too many decimals."""
        return _whole(qty, self.qty_precision)


def _whole(value: Decimal, precision: int) -> int | None:
    if not value.is_finite() or value.adjusted() > 9:
        return None
    scaled = value.scaleb(precision)
    whole = int(scaled)
    return whole if scaled == whole else None


ASSETS: tuple[Asset, ...] = (
    Asset("USD", "ZUSD", "USD", 4, 2),
    Asset("BTC", "XXBT", "XBT", 10, 5),
    Asset("ETH", "XETH", "ETH", 10, 5),
    Asset("SOL", "SOL", "SOL", 10, 5),
    Asset("XRP", "XXRP", "XRP", 8, 5),
    Asset("ADA", "ADA", "ADA", 8, 6),
    Asset("DOGE", "XXDG", "XDG", 8, 2),
    Asset("LTC", "XLTC", "LTC", 10, 5),
    Asset("DOT", "DOT", "DOT", 10, 8),
)

INSTRUMENTS: tuple[Instrument, ...] = (
    Instrument("BTC/USD", "BTC", "USD", "XXBTZUSD", "XBTUSD", "XBT/USD", 1, Decimal("0.00005")),
    Instrument("ETH/USD", "ETH", "USD", "XETHZUSD", "ETHUSD", "ETH/USD", 2, Decimal("0.001")),
    Instrument("SOL/USD", "SOL", "USD", "SOLUSD", "SOLUSD", "SOL/USD", 2, Decimal("0.02")),
    Instrument("XRP/USD", "XRP", "USD", "XXRPZUSD", "XRPUSD", "XRP/USD", 5, Decimal(2)),
    Instrument("ADA/USD", "ADA", "USD", "ADAUSD", "ADAUSD", "ADA/USD", 6, Decimal(4)),
    Instrument("DOGE/USD", "DOGE", "USD", "XDGUSD", "XDGUSD", "XDG/USD", 7, Decimal(13)),
    Instrument("LTC/USD", "LTC", "USD", "XLTCZUSD", "LTCUSD", "LTC/USD", 2, Decimal("0.04")),
    Instrument("DOT/USD", "DOT", "USD", "DOTUSD", "DOTUSD", "DOT/USD", 4, Decimal("0.5")),
)

ASSET_BY_NAME: dict[str, Asset] = {asset.name: asset for asset in ASSETS}
INSTRUMENT_BY_SYMBOL: dict[str, Instrument] = {pair.symbol: pair for pair in INSTRUMENTS}


def find_asset(name: str, known: dict[str, Asset] = ASSET_BY_NAME) -> Asset | None:
    """Find an asset by any of its names (`BTC`, `XBT`, `XXBT`)."""
    wanted = name.strip().upper()
    for asset in known.values():
        if wanted in (asset.name, asset.rest_id, asset.altname):
            return asset
    return None


def find_pair(name: str, known: dict[str, Instrument]) -> Instrument | None:
    """Find a pair by REST id, altname, WS v1 name or WS v2 name (protocol section 12)."""
    wanted = name.strip().upper()
    for pair in known.values():
        if wanted in (pair.symbol, pair.rest_id, pair.altname, pair.wsname):
            return pair
    return None
