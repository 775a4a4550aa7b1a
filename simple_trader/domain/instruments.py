"""Instruments: what the exchange says about assets and pairs, by their WS v2 names (BTC/USD)."""

from decimal import Decimal
from enum import StrEnum

import msgspec


class PairStatus(StrEnum):
    """Trading status of a pair (protocol section 3.6); an unknown word reads as UNKNOWN: no
    trade.
    """

    ONLINE = "online"
    CANCEL_ONLY = "cancel_only"
    POST_ONLY = "post_only"
    LIMIT_ONLY = "limit_only"
    REDUCE_ONLY = "reduce_only"
    MAINTENANCE = "maintenance"
    DELISTED = "delisted"
    WORK_IN_PROGRESS = "work_in_progress"
    UNKNOWN = "unknown"


class VenueStatus(StrEnum):
    """State of the whole exchange (protocol section 3.1)."""

    ONLINE = "online"
    MAINTENANCE = "maintenance"
    CANCEL_ONLY = "cancel_only"
    POST_ONLY = "post_only"
    UNKNOWN = "unknown"


class AssetRules(msgspec.Struct, frozen=True, kw_only=True):
    """One asset: `asset` is the v2 name (BTC), `rest_id` the REST name (XXBT)."""

    asset: str
    rest_id: str
    altname: str
    precision: int
    display_precision: int
    status: str


class PairRules(msgspec.Struct, frozen=True, kw_only=True):
    """One pair: steps and minimums in quote units for prices, base units for quantities."""

    pair: str
    base: str
    quote: str
    rest_id: str
    altname: str
    price_increment: Decimal
    price_precision: int
    qty_increment: Decimal
    qty_precision: int
    qty_min: Decimal
    cost_min: Decimal
    cost_precision: int
    status: PairStatus


class FeeRates(msgspec.Struct, frozen=True, kw_only=True):
    """Fees of one pair as fractions of cost: 0.0040 is 0.40 percent (REST TradeVolume)."""

    pair: str
    maker: Decimal
    taker: Decimal


def base_of(pair: str) -> str:
    """The base asset of a v2 pair name."""
    return pair.partition("/")[0]


def quote_of(pair: str) -> str:
    """The quote asset of a v2 pair name."""
    return pair.partition("/")[2]
