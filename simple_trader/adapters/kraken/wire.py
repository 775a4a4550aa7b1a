"""Frames of WS v2 as Kraken writes them, typed; the raw JSON stands in each docstring.

Source: protocol sections 2 to 7. Unknown fields are ignored; a frame that does not fit becomes an
`Unreadable`, never an exception. Prices and quantities of the book stay raw text: their digits are
the checksum text.
"""

from decimal import Decimal
from typing import Literal, TypeVar

import msgspec

from simple_trader.adapters.kraken.frame_counts import Bad

Raw = msgspec.Raw
Kind = Literal["snapshot", "update"]
_PREVIEW = 80
T = TypeVar("T")


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

    type: Kind
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
    type: Kind = "update"


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
    type: Kind = "update"
    timestamp: str | None = None


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

    pairs: list[Raw] = []  # read one by one: a pair that cannot be read must not cost the others


class InstrumentFrame(msgspec.Struct, tag_field="channel", tag="instrument", gc=False):
    """`{"channel":"instrument","type":"snapshot","data":{...}}`."""

    data: InstrumentData
    type: Kind = "update"


class StatusData(msgspec.Struct, gc=False):
    """`{"system":"online","api_version":"v2","connection_id":11043817702341890007}` (3.1)."""

    system: str | None = None
    connection_id: int | None = None


class StatusFrame(msgspec.Struct, tag_field="channel", tag="status", gc=False):
    """`{"channel":"status","type":"update","data":[{...}]}`: the first frame of a connection.

    The shape of announcements (`upcoming_maintenance`, `emergency`) is not documented, so `type`
    and `data` are taken as they come.
    """

    data: Raw
    type: str = "update"


class HeartbeatFrame(msgspec.Struct, tag_field="channel", tag="heartbeat", gc=False):
    """`{"channel":"heartbeat"}`: about one a second."""


class TradeData(msgspec.Struct, gc=False):
    """`{"symbol":"BTC/USD","side":"buy","price":68500.0,...,"trade_id":70635299}` (3.3)."""

    symbol: str
    price: Decimal
    qty: Decimal
    trade_id: int
    timestamp: str
    side: str | None = None
    ord_type: str | None = None


class TradeFrame(msgspec.Struct, tag_field="channel", tag="trade", gc=False):
    """`{"channel":"trade","type":"update","data":[{...}]}`: public trades, of the taker's side."""

    data: list[TradeData]
    type: Kind = "update"


class ExecutionsFrame(msgspec.Struct, tag_field="channel", tag="executions"):
    """`{"channel":"executions","type":"update","data":[{...}],"sequence":8}` (section 6)."""

    type: Kind
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
    wallet_type: str | None = None
    wallet_id: str | None = None
    wallets: list[msgspec.Raw] = []


class BalancesFrame(msgspec.Struct, tag_field="channel", tag="balances"):
    """`{"channel":"balances","type":"snapshot","data":[{...}],"sequence":1}`."""

    type: Kind
    data: list[BalanceData]
    sequence: int


_CAMEL = {"current_time": "currentTime", "trigger_time": "triggerTime"}


class ReplyResult(msgspec.Struct, rename=_CAMEL):
    """The `result` of a reply, all kinds in one: only the fields that were sent are set."""

    channel: str | None = None
    symbol: str | None = None
    depth: int | None = None
    interval: int | None = None
    maxratecount: int | None = None
    order_id: str | None = None
    cl_ord_id: str | None = None
    count: int | None = None
    amend_id: str | None = None
    current_time: Raw = Raw()  # of the dead man's switch: in camel case, and as it comes, because
    trigger_time: Raw = Raw()  # what stands there when it is disarmed is not known (8.6)


class Reply(msgspec.Struct):
    """`{"method":"add_order","req_id":9,"result":{...},"success":true,...}` (2.2, 2.3)."""

    method: str = ""
    req_id: int | None = None
    success: bool | None = None
    error: str | None = None
    symbol: str | None = None
    result: ReplyResult | None = None
    time_in: str | None = None
    time_out: str | None = None


class Unreadable(msgspec.Struct):
    """A frame that is no message we know: garbage, an unknown channel or a broken field."""

    detail: str
    channel: str | None = None
    reason: Bad = Bad.WRONG_SHAPE


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
_PAIR = msgspec.json.Decoder(PairData)
_STATUS: msgspec.json.Decoder[list[StatusData] | StatusData] = msgspec.json.Decoder(
    list[StatusData] | StatusData
)
CHANNELS = frozenset(
    "book ticker ohlc instrument status heartbeat trade executions balances".split()
)


def read(frame: str | bytes) -> Message:
    """Type one frame; never raises."""
    if not frame.isascii() and not _is_text(frame):  # the decoder does not look into what it skips
        return Unreadable(f"no UTF-8: {_preview(frame)}", reason=Bad.NOT_TEXT)
    try:
        return _PUSH.decode(frame)
    except msgspec.ValidationError as error:
        return _read_rest(frame, str(error))
    except RecursionError:
        return Unreadable("nested too deeply", reason=Bad.TOO_DEEP)
    except (msgspec.DecodeError, UnicodeError, ValueError) as error:
        return Unreadable(f"{error}: {_preview(frame)}", reason=Bad.NOT_JSON)


def read_execution(raw: bytes) -> ExecutionData:
    """Type one element of `executions`; raises ValueError."""
    return _read_part(_EXECUTION, raw, "execution")


def read_pair(raw: bytes) -> PairData:
    """Type one pair of `instrument`; raises ValueError."""
    return _read_part(_PAIR, raw, "pair")


def read_status(raw: bytes) -> list[StatusData]:
    """Type the data of `status`, one object or a list; raises ValueError."""
    found = _read_part(_STATUS, raw, "status")
    return found if isinstance(found, list) else [found]


def _read_part(decoder: msgspec.json.Decoder[T], raw: bytes, what: str) -> T:
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise ValueError(f"unreadable {what}: {error}") from None


def _read_rest(frame: str | bytes, why: str) -> Message:
    try:
        envelope = _ENVELOPE.decode(frame)
        if envelope.channel is not None:
            known = envelope.channel in CHANNELS
            reason = Bad.WRONG_SHAPE if known else Bad.UNKNOWN_CHANNEL
            return Unreadable(why, envelope.channel, reason)
        if envelope.method is not None or envelope.error is not None:
            return _REPLY.decode(frame)
    except RecursionError:
        return Unreadable("nested too deeply", reason=Bad.TOO_DEEP)
    except (msgspec.ValidationError, UnicodeError) as error:
        return Unreadable(f"{error}: {_preview(frame)}")
    except msgspec.DecodeError as error:
        # The first decoder stopped at a wrong type before it saw that the rest is no JSON.
        return Unreadable(f"{error}: {_preview(frame)}", reason=Bad.NOT_JSON)
    if envelope.Error is not None:
        is_rate = "msg rate" in envelope.Error
        reason = Bad.MSG_RATE if is_rate else Bad.UNKNOWN_MESSAGE
        return Unreadable(envelope.Error, reason=reason)
    return Unreadable(f"{why}: {_preview(frame)}", reason=Bad.UNKNOWN_MESSAGE)


def _is_text(frame: str | bytes) -> bool:
    if isinstance(frame, str):
        return True
    try:
        frame.decode()
    except UnicodeDecodeError:
        return False
    return True


def _preview(frame: str | bytes) -> str:
    # Only replies and pushes of the exchange get here: they never hold our token or key.
    return repr(frame[:_PREVIEW])


class _Named(msgspec.Struct):
    symbol: str = ""


def symbol_of(raw: bytes) -> str:
    """The pair that unreadable metadata is about, where at least that can be read; else empty."""
    try:
        return msgspec.json.decode(raw, type=_Named).symbol
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ""
