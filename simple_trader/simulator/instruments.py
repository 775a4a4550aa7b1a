"""The tradable pairs and assets, with Kraken's names, precisions, minimums and statuses."""

from collections.abc import Iterable
from decimal import Decimal
from typing import get_args

import msgspec

from simple_trader.simulator import pair_table
from simple_trader.simulator.orders import PairStatus

# What a level of the book is usually worth, in units of the quote asset.
LEVEL_QUOTE = {
    "USD": Decimal(9000), "USDT": Decimal(9000), "USDC": Decimal(9000), "EUR": Decimal(8000),
    "GBP": Decimal(7000), "BTC": Decimal("0.14"), "ETH": Decimal("2.8"),
}  # fmt: skip
DEFAULT_PAIRS = 8  # the first pairs of the table: the daemon's own market


class Asset(msgspec.Struct, frozen=True):
    """One currency: `name` on WS v2, `rest_id` and `altname` on REST (protocol section 12).

    `parent` is the asset behind an earn or staking balance (`BTC` of `BTC.F`), else empty.
    """

    name: str
    rest_id: str
    altname: str
    precision: int
    precision_display: int
    status: str = "enabled"
    parent: str = ""

    @property
    def unit(self) -> Decimal:
        """The smallest amount that the ledger knows."""
        return Decimal(1).scaleb(-self.precision)


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One pair and its rules; prices count in ticks, quantities in lots, both whole numbers.

    A tick is 10^-`price_precision`; a price of an order must be a multiple of `price_increment`,
    which may be several ticks. `fee_table` names a schedule of `fees`. `level_quote` and `thin`
    shape the other traders' book: what a level is usually worth in the quote asset, and whether
    levels are few and far between.
    """

    symbol: str
    base: str
    quote: str
    rest_id: str
    altname: str
    wsname: str
    price_precision: int
    price_increment: Decimal
    qty_min: Decimal
    qty_precision: int = 8
    cost_precision: int = 5
    cost_min: Decimal = Decimal("0.5")
    fee_table: str = "crypto"
    status: PairStatus = "online"
    has_index: bool = True
    marginable: bool = False
    level_quote: Decimal = LEVEL_QUOTE["USD"]
    thin: bool = False

    @property
    def tick(self) -> Decimal:
        """One unit of the last decimal of a price (the order's step is `price_increment`)."""
        return Decimal(1).scaleb(-self.price_precision)

    @property
    def increment_ticks(self) -> int:
        """The price increment in ticks, at least one."""
        return max(1, int(self.price_increment.scaleb(self.price_precision)))

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

    def allows_price(self, price: Decimal) -> bool:
        """Say whether an order may have this price: whole ticks and a whole increment."""
        ticks = self.ticks_of(price)
        return ticks is not None and ticks % self.increment_ticks == 0

    def lots_of(self, qty: Decimal) -> int | None:
        """Turn a quantity into lots, or None when it has too many decimals."""
        return _whole(qty, self.qty_precision)


def _whole(value: Decimal, precision: int) -> int | None:
    if not value.is_finite() or value.adjusted() > 9:
        return None
    scaled = value.scaleb(precision)
    whole = int(scaled)
    return whole if scaled == whole else None


def _read_assets(table: str, staked: str) -> tuple[Asset, ...]:
    assets: list[Asset] = []
    for line in table.split("\n"):
        if line:
            name, rest_id, altname, precision, display, status = line.split()
            assets.append(Asset(name, rest_id, altname, int(precision), int(display), status))
    known = {asset.name: asset for asset in assets}
    for line in staked.split("\n"):
        parent, *suffixes = line.split() or [""]
        for suffix in suffixes:
            kin = known[parent]
            alias = kin.altname + suffix
            assets.append(
                Asset(
                    parent + suffix, alias, alias, kin.precision, kin.precision_display,
                    kin.status, parent,
                )
            )  # fmt: skip
    return tuple(assets)


def _read_pair(line: str) -> Instrument:
    symbol, rest_id, precision, step, qty_min, cost_min, cost, fees, told, shape = line.split()
    base, quote = (ASSET_BY_NAME[name] for name in symbol.split("/"))
    status: PairStatus = next(known for known in get_args(PairStatus) if known == told)
    return Instrument(
        symbol=symbol,
        base=base.name,
        quote=quote.name,
        rest_id=rest_id,
        altname=base.altname + quote.altname,
        wsname=f"{base.altname}/{quote.altname}",
        price_precision=int(precision),
        price_increment=Decimal(step).scaleb(-int(precision)),
        qty_min=Decimal(qty_min),
        qty_precision=min(8, base.precision),
        cost_precision=int(cost),
        cost_min=Decimal(cost_min),
        fee_table=fees,
        status=status,
        has_index=status == "online",
        level_quote=LEVEL_QUOTE[quote.name],
        thin=shape == "thin",
    )


ASSETS: tuple[Asset, ...] = _read_assets(pair_table.ASSETS, pair_table.STAKED)
ASSET_BY_NAME: dict[str, Asset] = {asset.name: asset for asset in ASSETS}

INSTRUMENTS: tuple[Instrument, ...] = tuple(
    _read_pair(line) for line in pair_table.PAIRS.split("\n") if line
)
INSTRUMENT_BY_SYMBOL: dict[str, Instrument] = {pair.symbol: pair for pair in INSTRUMENTS}
DEFAULT_SYMBOLS: tuple[str, ...] = tuple(pair.symbol for pair in INSTRUMENTS[:DEFAULT_PAIRS])


def assets_of(pairs: dict[str, Instrument], *, staked: bool = False) -> dict[str, Asset]:
    """Give the assets that some pairs use, by name; `staked` adds their earn balances."""
    used = {name for pair in pairs.values() for name in (pair.base, pair.quote)}
    return {
        asset.name: asset
        for asset in ASSETS
        if asset.name in used or (staked and asset.parent in used)
    }


def find_asset(name: str, known: dict[str, Asset] = ASSET_BY_NAME) -> Asset | None:
    """Find an asset by any of its names (`BTC`, `XBT`, `XXBT`)."""
    wanted = name.strip().upper()
    for asset in known.values():
        if wanted in (asset.name, asset.rest_id, asset.altname):
            return asset
    return None


def find_pair(name: str, known: dict[str, Instrument]) -> Instrument | None:
    """Find a pair by REST id, altname, WS v1 name or WS v2 name (protocol section 12).

    The v2 name without its slash is taken too: python-kraken-sdk's tests ask Kraken for `BTCUSD`.
    """
    wanted = name.strip().upper()
    for pair in known.values():
        modern = pair.symbol.replace("/", "")
        if wanted in (pair.symbol, modern, pair.rest_id, pair.altname, pair.wsname):
            return pair
    return None


def know_assets(assets: Iterable[Asset]) -> None:
    """Take over assets that another exchange tells of (a relay), for this whole process."""
    ASSET_BY_NAME.update({asset.name: asset for asset in assets})
