"""Rows of REST answers, typed, and what they mean in domain words (section 11.4, 11.5).

Numbers are strings and times float seconds on the wire: both are read as Decimals, losslessly.
Every function raises ValueError for a row that cannot be used.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TypeVar

import msgspec

from simple_trader.adapters.kraken import parse
from simple_trader.adapters.kraken.symbols import (
    SAME_WALLET,
    SUFFIX_OF_SAME,
    Symbols,
    modern,
    modern_pair,
)
from simple_trader.domain.errors import VenueUnreachable
from simple_trader.domain.fills import Fee, Fill, LedgerEntry
from simple_trader.domain.instruments import AssetRules, FeeRates, PairRules, quote_of
from simple_trader.domain.moments import EPOCH
from simple_trader.domain.money import quantum
from simple_trader.domain.orders import Side
from simple_trader.domain.quotes import Candle
from simple_trader.domain.records import VenueOrderRow

T = TypeVar("T")


class AssetData(msgspec.Struct):
    """`XXBT -> {"altname":"XBT","decimals":10,"display_decimals":5,"status":"enabled"}`."""

    altname: str
    decimals: int
    display_decimals: int
    status: str = "unknown"


class PairInfo(msgspec.Struct):
    """`XXBTZUSD -> {"altname":"XBTUSD","wsname":"XBT/USD","base":"XXBT",...}`.

    Steps and minimums have no default: a pair without them is not traded.
    """

    altname: str
    base: str
    quote: str
    pair_decimals: int
    lot_decimals: int
    cost_decimals: int
    ordermin: Decimal
    costmin: Decimal
    tick_size: Decimal
    wsname: str = ""
    status: str = "unknown"


class OrderDescription(msgspec.Struct):
    """`{"pair":"XBTUSD","type":"buy","ordertype":"limit","price":"27500.0"}`.

    `price` of a triggered order is its trigger, `price2` then the limit (section 11.5).
    """

    pair: str
    type: str
    ordertype: str
    price: str = "0"  # also relative, as `+1.0%` of a trailing stop
    price2: str = "0"


class OrderData(msgspec.Struct):
    """An ORDER of OpenOrders, ClosedOrders and QueryOrders."""

    status: str
    opentm: Decimal
    descr: OrderDescription
    vol: Decimal
    vol_exec: Decimal
    cost: Decimal
    fee: Decimal
    price: Decimal
    cl_ord_id: str | None = None
    closetm: Decimal | None = None
    reason: str | None = None


class TradeData(msgspec.Struct):
    """A TRADE of TradesHistory."""

    ordertxid: str
    pair: str
    time: Decimal
    type: str
    price: Decimal
    cost: Decimal
    fee: Decimal
    vol: Decimal
    trade_id: int
    maker: bool | None = None


class LedgerData(msgspec.Struct):
    """A line of Ledgers."""

    refid: str
    time: Decimal
    type: str
    asset: str
    amount: Decimal
    fee: Decimal
    balance: Decimal


class FeeInfo(msgspec.Struct):
    """`{"fee":"0.4000",...}` in percent."""

    fee: Decimal


class VolumeData(msgspec.Struct):
    """TradeVolume: `fees` are the taker's, `fees_maker` the maker's."""

    fees: dict[str, FeeInfo] | None = None
    fees_maker: dict[str, FeeInfo] | None = None


OhlcRow = tuple[Decimal, Decimal, Decimal, Decimal, Decimal, Decimal, Decimal, int]


def decode(raw: msgspec.Raw | bytes, kind: type[T], what: str) -> T:
    """Read JSON as `kind`; raises VenueUnreachable: an answer in another shape is no answer."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise VenueUnreachable(f"Kraken's {what} has an unexpected shape: {error}") from None


def part(result: Mapping[str, msgspec.Raw], name: str, kind: type[T], what: str) -> T:
    """One field of an answer; raises VenueUnreachable where it is missing: that proves nothing."""
    if name not in result:
        raise VenueUnreachable(f"Kraken's {what} has no {name!r}.")
    return decode(result[name], kind, what)


def moment(seconds: Decimal) -> datetime:
    """A moment of Unix seconds, exact to the microsecond."""
    return EPOCH + timedelta(microseconds=int(parse.number(seconds) * 1_000_000))


def asset_rules(rest_id: str, data: AssetData) -> AssetRules:
    """Rules of one asset."""
    return AssetRules(
        asset=modern(data.altname),
        rest_id=rest_id,
        altname=data.altname,
        precision=data.decimals,
        display_precision=data.display_decimals,
        status=data.status,
    )


def pair_rules(rest_id: str, data: PairInfo, symbols: Symbols) -> PairRules | None:
    """Rules of one pair; None for one without a WebSocket name, as dark pools.

    Raises ValueError for minimums and steps that cannot be.
    """
    if not data.wsname:
        return None
    pair = modern_pair(data.wsname)
    for decimals in (data.pair_decimals, data.lot_decimals, data.cost_decimals):
        if not 0 <= decimals <= parse.DECIMALS_MAX:
            raise ValueError(f"{pair} has {decimals} decimals")
    return PairRules(
        pair=pair,
        base=symbols.asset(data.base),
        quote=symbols.asset(data.quote),
        rest_id=rest_id,
        altname=data.altname,
        price_increment=parse.positive(data.tick_size, data.pair_decimals),
        price_precision=data.pair_decimals,
        qty_increment=quantum(data.lot_decimals),
        qty_precision=data.lot_decimals,
        qty_min=parse.positive(data.ordermin, data.lot_decimals),
        cost_min=parse.positive(data.costmin, data.cost_decimals),
        cost_precision=data.cost_decimals,
        status=parse.pair_status(data.status),
    )


def _plain_price(text: str) -> Decimal | None:
    """A price in quote units; None for 0 (no price) and for the relative ones of other people."""
    if not text or text[0] in "+-#" or text.endswith("%"):
        return None
    try:
        return parse.number(Decimal(text)) or None
    except InvalidOperation:
        raise ValueError(f"not a price: {text!r}") from None


def order_row(order_id: str, data: OrderData, symbols: Symbols) -> VenueOrderRow:
    """An order as the exchange tells it."""
    descr = data.descr
    limits = {"limit": descr.price, "iceberg": descr.price}
    triggered = descr.price2 if descr.ordertype.endswith("-limit") else ""
    price = _plain_price(limits.get(descr.ordertype, triggered))
    average = parse.number(data.price)
    return VenueOrderRow(
        order_id=order_id,
        cl_ord_id=data.cl_ord_id,
        pair=symbols.pair(data.descr.pair),
        side=Side(data.descr.type),
        order_type=data.descr.ordertype,
        status=data.status,
        qty=parse.number(data.vol),
        filled_qty=parse.number(data.vol_exec),
        cost=parse.number(data.cost),
        fee=parse.number(data.fee),
        limit_price=price,
        avg_price=average or None,
        opened_at=moment(data.opentm),
        closed_at=None if data.closetm is None else moment(data.closetm),
        reason=data.reason or "",
    )


def fill(exec_id: str, data: TradeData, symbols: Symbols, cl_ord_id: str | None) -> Fill:
    """A trade; its one fee is in quote currency, which is what our orders ask for."""
    pair = symbols.pair(data.pair)
    return Fill(
        exec_id=exec_id,
        trade_id=data.trade_id,
        order_id=data.ordertxid,
        cl_ord_id=cl_ord_id,
        pair=pair,
        side=Side(data.type),
        price=parse.number(data.price),
        qty=parse.number(data.vol),
        cost=parse.number(data.cost),
        fees=(Fee(quote_of(pair), parse.number(data.fee)),),
        liquidity={True: "maker", False: "taker", None: ""}[data.maker],
        venue_at=moment(data.time),
    )


def ledger_entry(ledger_id: str, data: LedgerData, symbols: Symbols) -> LedgerEntry:
    """A line of the ledger."""
    return LedgerEntry(
        ledger_id=ledger_id,
        ref_id=data.refid,
        at=moment(data.time),
        kind=data.type,
        asset=symbols.asset(data.asset),
        amount=parse.number(data.amount),
        fee=parse.number(data.fee),
        balance=parse.number(data.balance),
        wallet=SAME_WALLET if data.asset.endswith(SUFFIX_OF_SAME) else "",
    )


def fee_rates(data: VolumeData, symbols: Symbols) -> tuple[FeeRates, ...]:
    """Fees as fractions; where no maker fee is told, the taker's holds for both."""
    taker: Mapping[str, FeeInfo] = data.fees or {}
    maker: Mapping[str, FeeInfo] = data.fees_maker or {}
    return tuple(
        FeeRates(
            pair=symbols.pair(name),
            maker=parse.number(maker.get(name, info).fee) / 100,
            taker=parse.number(info.fee) / 100,
        )
        for name, info in taker.items()
    )


def candle(pair: str, interval_s: int, row: OhlcRow) -> Candle:
    """`[time,"open","high","low","close","vwap","volume",count]`."""
    begin, opened, high, low, close, _vwap, volume, trades = row
    return Candle(
        pair=pair,
        interval_s=interval_s,
        begin=moment(begin),
        open=parse.number(opened),
        high=parse.number(high),
        low=parse.number(low),
        close=parse.number(close),
        volume=parse.number(volume),
        trades=trades,
    )
