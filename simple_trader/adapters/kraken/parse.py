"""From typed frames to domain events: finite Decimals with the wire's digits, aware moments.

Every function raises ValueError for what cannot be used; words that are not known read as the safe
default (`unknown`), fields that are not known were already ignored.
"""

from collections import OrderedDict
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Protocol

import msgspec

from simple_trader.adapters.kraken.symbols import SUFFIX_OF_SAME, Symbols
from simple_trader.adapters.kraken.wire import (
    BalanceData,
    ExecutionData,
    OhlcData,
    PairData,
    TickerData,
    TradeData,
    read_execution,
)
from simple_trader.domain.events import ExecutionReport
from simple_trader.domain.fills import Fee, Fill, LedgerEntry
from simple_trader.domain.history import PublicTrade
from simple_trader.domain.instruments import PairRules, PairStatus, VenueStatus
from simple_trader.domain.moments import parse_rfc3339
from simple_trader.domain.money import ZERO, quantum
from simple_trader.domain.orders import Side
from simple_trader.domain.quotes import Candle, Quote

UNKNOWN = "unknown"
EXEC_TYPES = frozenset(
    "pending_new new trade filled canceled expired amended restated status iceberg_refill".split()
)
ORDER_STATUSES = frozenset(
    "pending_new new partially_filled filled canceled expired current".split()
)
LIQUIDITY = {"m": "maker", "t": "taker"}
_MAX_DIGITS = 40
_MAX_MAGNITUDE = 17  # 10^17 at ten decimals still fits the 28 digits of exact arithmetic
_MAX_COUNT = 2**63 - 1  # what a row can hold
DECIMALS_MAX = 20
_KNOWN_ORDERS = 20_000


def number(value: Decimal) -> Decimal:
    """A finite, sane Decimal without positive exponent; raises ValueError for NaN and the absurd.

    msgspec reads the JSON string "NaN" as a Decimal: it ends here.
    """
    if not value.is_finite():
        raise ValueError(f"not a finite number: {value}")
    exponent = value.as_tuple().exponent
    if (
        not isinstance(exponent, int)
        or abs(exponent) > _MAX_DIGITS
        or (value and not -_MAX_DIGITS <= value.adjusted() <= _MAX_MAGNITUDE)
    ):
        raise ValueError("a number has too many digits")
    return value.quantize(Decimal(1)) if exponent > 0 else value


def number_or_zero(value: Decimal | None) -> Decimal:
    """As `number`; what was left out is zero."""
    return ZERO if value is None else number(value)


def moment(text: str | None) -> datetime:
    """An aware moment; raises ValueError for a missing, naive or malformed one."""
    if text is None:
        raise ValueError("a moment is missing")
    try:
        return parse_rfc3339(text)
    except OverflowError:
        raise ValueError("a moment beyond the calendar") from None


def quote(data: TickerData, seen_at: datetime) -> Quote | None:
    """A ticker element; None where there is no bid or no ask to quote.

    Raises ValueError for negative prices and for a bid that is not below the ask (X14).
    """
    bid, ask = number_or_zero(data.bid), number_or_zero(data.ask)
    if bid < 0 or ask < 0:
        raise ValueError(f"{data.symbol} has a negative price")
    if not bid or not ask:
        return None
    if bid >= ask:
        raise ValueError(f"the quote of {data.symbol} is crossed: bid {bid}, ask {ask}")
    return Quote(
        pair=data.symbol,
        bid=bid,
        ask=ask,
        bid_qty=number_or_zero(data.bid_qty),
        ask_qty=number_or_zero(data.ask_qty),
        last=number_or_zero(data.last),
        volume=number_or_zero(data.volume),
        vwap=number_or_zero(data.vwap),
        low=number_or_zero(data.low),
        high=number_or_zero(data.high),
        change_pct=number_or_zero(data.change_pct),
        venue_at=None if data.timestamp is None else moment(data.timestamp),
        seen_at=seen_at,
    )


def trade(data: TradeData) -> PublicTrade:
    """A public trade; `side` is the taker's, None where the word is not known."""
    price, qty = number(data.price), number(data.qty)
    if price <= 0 or qty <= 0 or not 0 <= data.trade_id <= _MAX_COUNT:
        raise ValueError(f"a trade of {data.symbol} has no price, size or number")
    return PublicTrade(
        pair=data.symbol,
        at=moment(data.timestamp),
        price=price,
        qty=qty,
        side=_side(data.side),
        market=None if data.ord_type is None else data.ord_type == "market",
        trade_id=data.trade_id,
    )


def candle(data: OhlcData) -> Candle:
    """A running or finished candle; `interval` is in minutes on the wire.

    Raises ValueError for prices that no candle has.
    """
    prices = (data.open, data.high, data.low, data.close)
    if not 0 <= data.trades <= _MAX_COUNT or min(map(number, prices)) <= 0:
        raise ValueError(f"a candle of {data.symbol} has no price or no count")
    if not data.low <= min(data.open, data.close) <= max(data.open, data.close) <= data.high:
        raise ValueError(f"the prices of a candle of {data.symbol} are not in order")
    return Candle(
        pair=data.symbol,
        interval_s=data.interval * 60,
        begin=moment(data.interval_begin),
        open=number(data.open),
        high=number(data.high),
        low=number(data.low),
        close=number(data.close),
        volume=number(data.volume),
        trades=data.trades,
    )


def pair_rules(data: PairData, symbols: Symbols) -> PairRules:
    """Rules of a pair; numbers written as `1e-08` get the digits of their precision.

    Raises ValueError for metadata that is missing or makes no sense: there is no fallback.
    """
    for decimals in (data.price_precision, data.qty_precision, data.cost_precision):
        if not 0 <= decimals <= DECIMALS_MAX:
            raise ValueError(f"{data.symbol} has {decimals} decimals")
    if number(data.qty_min) < 0 or number(data.cost_min) < 0:
        raise ValueError(f"{data.symbol} has a negative minimum")
    increment = data.price_increment if data.price_increment is not None else data.tick_size
    if increment is None:
        raise ValueError(f"{data.symbol} has no price increment")
    known = symbols.rules(data.symbol)
    return PairRules(
        pair=data.symbol,
        base=data.base,
        quote=data.quote,
        rest_id=known.rest_id if known else "",
        altname=known.altname if known else "",
        price_increment=positive(increment, data.price_precision),
        price_precision=data.price_precision,
        qty_increment=positive(data.qty_increment, data.qty_precision),
        qty_precision=data.qty_precision,
        qty_min=fixed(number(data.qty_min), data.qty_precision),
        cost_min=fixed(number(data.cost_min), data.cost_precision),
        cost_precision=data.cost_precision,
        status=pair_status(data.status),
    )


def fixed(value: Decimal, decimals: int) -> Decimal:
    """`value` written with `decimals` decimals, where that loses nothing; raises ValueError."""
    try:
        exactly = value.quantize(quantum(decimals))
    except InvalidOperation:
        raise ValueError("a number has too many digits") from None
    return exactly if exactly == value else value


def positive(value: Decimal, decimals: int) -> Decimal:
    """A step, as `fixed`; raises ValueError for zero and below."""
    step = fixed(number(value), decimals)
    if step <= 0:
        raise ValueError(f"not a step: {value}")
    return step


def pair_status(word: str) -> PairStatus:
    """Status of a pair; an unknown word is UNKNOWN: no trade."""
    try:
        return PairStatus(word)
    except ValueError:
        return PairStatus.UNKNOWN


def venue_status(word: str) -> VenueStatus:
    """State of the exchange; an unknown word is UNKNOWN."""
    try:
        return VenueStatus(word)
    except ValueError:
        return VenueStatus.UNKNOWN


class KnownOrder(msgspec.Struct, frozen=True):
    """What later events of an order leave out (6.1)."""

    cl_ord_id: str | None = None
    pair: str | None = None
    side: Side | None = None
    order_qty: Decimal | None = None
    limit_price: Decimal | None = None


class Knows(Protocol):
    """What `execution` reads and adds to."""

    def learn(self, order_id: str, seen: KnownOrder) -> KnownOrder:
        """Add what was seen to what is known and return both together."""
        ...


class KnownOrders:
    """order_id -> what is known of it; bounded, the oldest go first."""

    def __init__(self, limit: int = _KNOWN_ORDERS) -> None:
        """Keep at most `limit` orders."""
        self._orders: OrderedDict[str, KnownOrder] = OrderedDict()
        self._limit = limit

    def get(self, order_id: str) -> KnownOrder:
        """What is known; all None where nothing is."""
        return self._orders.get(order_id) or KnownOrder()

    def learn(self, order_id: str, seen: KnownOrder) -> KnownOrder:
        """Add what was seen to what is known and return both together."""
        new = _together(self.get(order_id), seen)
        self._orders[order_id] = new
        self._orders.move_to_end(order_id)
        if len(self._orders) > self._limit:
            self._orders.popitem(last=False)
        return new


class Draft:
    """What a frame teaches about orders, put into KnownOrders only when all of it was good."""

    def __init__(self, known: KnownOrders) -> None:
        """Nothing new yet."""
        self._known = known
        self._news: dict[str, KnownOrder] = {}

    def learn(self, order_id: str, seen: KnownOrder) -> KnownOrder:
        """As KnownOrders."""
        old = self._news.get(order_id) or self._known.get(order_id)
        new = self._news[order_id] = _together(old, seen)
        return new

    def keep(self) -> None:
        """All of it was good."""
        for order_id, seen in self._news.items():
            self._known.learn(order_id, seen)
        self._news = {}


def _together(old: KnownOrder, seen: KnownOrder) -> KnownOrder:
    return KnownOrder(
        seen.cl_ord_id if seen.cl_ord_id is not None else old.cl_ord_id,
        seen.pair if seen.pair is not None else old.pair,
        seen.side if seen.side is not None else old.side,
        seen.order_qty if seen.order_qty is not None else old.order_qty,
        seen.limit_price if seen.limit_price is not None else old.limit_price,
    )


def execution(raw: bytes, known: Knows, *, snapshot: bool) -> ExecutionReport:
    """One element of `executions`; fields the exchange left out are filled from what is known.

    Raises ValueError where it cannot be read, or where a trade lacks what makes it a fill: a fill
    must never be lost in silence.
    """
    data = read_execution(raw)
    price = None if data.limit_price is None else number(data.limit_price)
    seen = KnownOrder(
        data.cl_ord_id,
        data.symbol,
        _side(data.side),
        None if data.order_qty is None else number(data.order_qty),
        price or None,
    )
    order = known.learn(data.order_id, seen)
    is_trade = data.exec_type == "trade"
    return ExecutionReport(
        exec_type=data.exec_type if data.exec_type in EXEC_TYPES else UNKNOWN,
        order_status=data.order_status if data.order_status in ORDER_STATUSES else UNKNOWN,
        order_id=data.order_id,
        cl_ord_id=order.cl_ord_id,
        pair=order.pair,
        side=order.side,
        order_qty=order.order_qty,
        limit_price=order.limit_price,
        cum_qty=None if data.cum_qty is None else number(data.cum_qty),
        fill=_fill(data, order) if is_trade else None,
        reason=data.reason or data.cancel_reason or "",
        venue_at=moment(data.timestamp),
        snapshot=snapshot,
        source="ws",
        raw=raw.decode(),
    )


def _fill(data: ExecutionData, order: KnownOrder) -> Fill:
    if (
        data.exec_id is None
        or data.trade_id is None
        or data.last_qty is None
        or data.last_price is None
        or order.pair is None
        or order.side is None
    ):
        raise ValueError(f"a trade of order {data.order_id} is incomplete")
    qty, price = number(data.last_qty), number(data.last_price)
    if qty <= 0 or price <= 0 or not 0 <= data.trade_id <= _MAX_COUNT:
        raise ValueError(f"a trade of order {data.order_id} has no size, price or number")
    return Fill(
        exec_id=data.exec_id,
        trade_id=data.trade_id,
        order_id=data.order_id,
        cl_ord_id=order.cl_ord_id,
        pair=order.pair,
        side=order.side,
        price=price,
        qty=qty,
        cost=qty * price if data.cost is None else number(data.cost),
        fees=tuple(Fee(fee.asset, number(fee.qty)) for fee in data.fees),
        liquidity=LIQUIDITY.get(data.liquidity_ind or "", ""),
        venue_at=moment(data.timestamp),
    )


def _side(word: str | None) -> Side | None:
    try:
        return None if word is None else Side(word)
    except ValueError:
        return None


def ledger_entry(data: BalanceData, symbols: Symbols) -> LedgerEntry:
    """An update of `balances` is one line of the ledger (section 7)."""
    if data.ledger_id is None or data.amount is None:
        raise ValueError(f"a ledger entry of {data.asset} is incomplete")
    return LedgerEntry(
        ledger_id=data.ledger_id,
        ref_id=data.ref_id or "",
        at=moment(data.timestamp),
        kind=data.type or UNKNOWN,
        asset=symbols.asset(data.asset),
        amount=number(data.amount),
        fee=number_or_zero(data.fee),
        balance=number(data.balance),
        wallet=wallet_of(data),
    )


def wallet_of(data: BalanceData) -> str:
    """Empty for the main wallet; the balance after an entry is of one wallet only."""
    if data.wallet_type in {None, "spot"} and not data.asset.endswith(SUFFIX_OF_SAME):
        return ""
    return f"{data.wallet_type}/{data.wallet_id}"


def split(data: list[BalanceData], symbols: Symbols) -> tuple[str, ...]:
    """Assets whose total is the sum of several wallets, by v2 names."""
    wallets: dict[str, int] = {}
    for entry in data:
        asset = symbols.asset(entry.asset)
        wallets[asset] = wallets.get(asset, 0) + max(1, len(entry.wallets))
    return tuple(sorted(asset for asset, count in wallets.items() if count > 1))


def totals(data: list[BalanceData], symbols: Symbols) -> dict[str, Decimal]:
    """Balances by v2 asset name; names that mean the same asset are added up."""
    found: dict[str, Decimal] = {}
    for entry in data:
        asset = symbols.asset(entry.asset)
        found[asset] = found.get(asset, ZERO) + number(entry.balance)
    return found
