"""Frames of WS v2 as Kraken writes them, typed; the raw JSON stands in each docstring.

Source: protocol sections 2 to 7. Unknown fields are ignored; a frame that does not fit becomes an
`Unreadable`, never an exception. Prices and quantities of the book stay raw text: their digits are
the checksum text.
"""

from decimal import Decimal

import msgspec

Raw = msgspec.Raw
_PREVIEW = 80


class RawLevel(msgspec.Struct, gc=False):
    """One level of a book message: `{"price":66788.1,"qty":1.67939137}`, numbers left as text."""

    price: Raw
    qty: Raw


class BookData(msgspec.Struct, gc=False):
    """`{"symbol":"BTC/USD","bids":[...],"asks":[...],"checksum":2330500275,"timestamp":"..."}`."""

    symbol: str
    bids: list[RawLevel]
    asks: list[RawLevel]
    checksum: int
    timestamp: str | None = None


class BookFrame(msgspec.Struct, tag_field="channel", tag="book", gc=False):
    """`{"channel":"book","type":"snapshot"|"update","data":[{...}]}` (section 4)."""

    type: str
    data: list[BookData]


class TickerData(msgspec.Struct, gc=False):
    """`{"symbol":"BTC/USD","bid":65972.8,"bid_qty":0.1,"ask":65972.9,...}` (section 3.2)."""

    symbol: str
    bid: Decimal | None = None
    bid_qty: Decimal | None = None
    ask: Decimal | None = None
    ask_qty: Decimal | None = None
    last: Decimal | None = None
    volume: Decimal | None = None
    vwap: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    change_pct: Decimal | None = None
    timestamp: str | None = None


class TickerFrame(msgspec.Struct, tag_field="channel", tag="ticker", gc=False):
    """`{"channel":"ticker","type":"update","data":[{...}]}`."""

    data: list[TickerData]
    type: str = "update"


class OhlcData(msgspec.Struct, gc=False):
    """`{"symbol":"ETH/USD","open":3027.80,...,"interval_begin":"...","interval":1}` (3.4)."""

    symbol: str
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    trades: int
    interval_begin: str
    interval: int


class OhlcFrame(msgspec.Struct, tag_field="channel", tag="ohlc", gc=False):
    """`{"channel":"ohlc","type":"update","timestamp":"...","data":[{...}]}`."""

    data: list[OhlcData]
    type: str = "update"


class PairData(msgspec.Struct, gc=False):
    """One pair of `instrument` (3.6); numbers may be written as `1e-08`, cost_min as a string."""

    symbol: str
    base: str
    quote: str
    status: str
    qty_precision: int
    qty_increment: Decimal
    price_precision: int
    cost_precision: int
    cost_min: Decimal
    qty_min: Decimal
    price_increment: Decimal | None = None
    tick_size: Decimal | None = None  # deprecated twin of price_increment


class InstrumentData(msgspec.Struct, gc=False):
    """`{"assets":[...],"pairs":[...]}`: an object, not a list."""

    pairs: list[PairData] = []


class InstrumentFrame(msgspec.Struct, tag_field="channel", tag="instrument", gc=False):
    """`{"channel":"instrument","type":"snapshot","data":{...}}`."""

    data: InstrumentData
    type: str = "update"


class StatusData(msgspec.Struct, gc=False):
    """`{"system":"online","api_version":"v2","connection_id":11043817702341890007}` (3.1)."""

    system: str = ""
    connection_id: int | None = None


class StatusFrame(msgspec.Struct, tag_field="channel", tag="status", gc=False):
    """`{"channel":"status","type":"update","data":[{...}]}`: the first frame of a connection."""

    data: list[StatusData]


class HeartbeatFrame(msgspec.Struct, tag_field="channel", tag="heartbeat", gc=False):
    """`{"channel":"heartbeat"}`: about one a second."""


class TradeFrame(msgspec.Struct, tag_field="channel", tag="trade", gc=False):
    """`{"channel":"trade",...}`: public trades, which the daemon does not ask for."""


class ExecutionsFrame(msgspec.Struct, tag_field="channel", tag="executions"):
    """`{"channel":"executions","type":"update","data":[{...}],"sequence":8}` (section 6)."""

    type: str
    data: list[Raw]
    sequence: int


class FeeData(msgspec.Struct, gc=False):
    """`{"asset":"USD","qty":0.53200}`."""

    asset: str
    qty: Decimal


class ExecutionData(msgspec.Struct):
    """One element of `executions` (6.1); new, canceled and filled carry no symbol."""

    order_id: str
    exec_type: str = ""
    order_status: str = ""
    timestamp: str | None = None
    cl_ord_id: str | None = None
    symbol: str | None = None
    side: str | None = None
    order_qty: Decimal | None = None
    limit_price: Decimal | None = None
    cum_qty: Decimal | None = None
    exec_id: str | None = None
    trade_id: int | None = None
    last_qty: Decimal | None = None
    last_price: Decimal | None = None
    cost: Decimal | None = None
    fees: list[FeeData] = []
    liquidity_ind: str | None = None
    reason: str | None = None
    cancel_reason: str | None = None


class BalanceData(msgspec.Struct):
    """An element of `balances` (section 7): a total in snapshots, a ledger entry in updates."""

    asset: str
    balance: Decimal
    ledger_id: str | None = None
    ref_id: str | None = None
    timestamp: str | None = None
    type: str | None = None
    amount: Decimal | None = None
    fee: Decimal | None = None


class BalancesFrame(msgspec.Struct, tag_field="channel", tag="balances"):
    """`{"channel":"balances","type":"snapshot","data":[{...}],"sequence":1}`."""

    type: str
    data: list[BalanceData]
    sequence: int


class ReplyResult(msgspec.Struct):
    """The `result` of a reply, all kinds in one: only the fields that were sent are set."""

    channel: str | None = None
    symbol: str | None = None
    depth: int | None = None
    interval: int | None = None
    maxratecount: int | None = None
    order_id: str | None = None
    cl_ord_id: str | None = None
    count: int | None = None


class Reply(msgspec.Struct):
    """`{"method":"add_order","req_id":9,"result":{...},"success":true,...}` (2.2, 2.3)."""

    method: str = ""
    req_id: int | None = None
    success: bool | None = None
    error: str | None = None
    symbol: str | None = None
    result: ReplyResult | None = None


class Unreadable(msgspec.Struct):
    """A frame that is no message we know: garbage, an unknown channel or a broken field."""

    detail: str
    channel: str | None = None


Push = (
    BookFrame
    | TickerFrame
    | OhlcFrame
    | InstrumentFrame
    | StatusFrame
    | HeartbeatFrame
    | TradeFrame
    | ExecutionsFrame
    | BalancesFrame
)
Message = Push | Reply | Unreadable


class _Envelope(msgspec.Struct):
    channel: str | None = None
    method: str | None = None
    error: str | None = None
    Error: str | None = None  # {"Error":"Exceeded msg rate"}, capital E (section 1)


_PUSH: msgspec.json.Decoder[Push] = msgspec.json.Decoder(Push)
_REPLY = msgspec.json.Decoder(Reply)
_ENVELOPE = msgspec.json.Decoder(_Envelope)
_EXECUTION = msgspec.json.Decoder(ExecutionData)


def read(frame: str | bytes) -> Message:
    """Type one frame; never raises."""
    try:
        return _PUSH.decode(frame)
    except msgspec.ValidationError as error:
        return _read_rest(frame, str(error))
    except (msgspec.DecodeError, RecursionError, UnicodeError, ValueError) as error:
        return Unreadable(f"{error}: {_preview(frame)}")


def read_execution(raw: bytes) -> ExecutionData:
    """Type one element of `executions`; raises ValueError."""
    try:
        return _EXECUTION.decode(raw)
    except msgspec.DecodeError as error:
        raise ValueError(f"unreadable execution: {error}") from None


def _read_rest(frame: str | bytes, why: str) -> Message:
    try:
        envelope = _ENVELOPE.decode(frame)
        if envelope.channel is not None:
            return Unreadable(why, envelope.channel)
        if envelope.method is not None or envelope.error is not None:
            return _REPLY.decode(frame)
    except (msgspec.DecodeError, RecursionError) as error:
        return Unreadable(f"{error}: {_preview(frame)}")
    if envelope.Error is not None:
        return Unreadable(envelope.Error)
    return Unreadable(f"{why}: {_preview(frame)}")


def _preview(frame: str | bytes) -> str:
    # Only replies and pushes of the exchange get here: they never hold our token or key.
    return repr(frame[:_PREVIEW])
