"""What the relay's own upstream connection learns, as plain values, and how it is read."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple, cast, get_args

from simple_trader.sandbox.relay.live_book import BadFrame, Change, read_levels, units
from simple_trader.simulator.orders import PairStatus, SystemStatus

_NUMBER = re.compile(r"\d{1,20}(\.\d{1,20})?([eE][-+]?\d{1,2})?\Z", re.ASCII)
SYSTEM_STATUSES: tuple[SystemStatus, ...] = get_args(SystemStatus)
PAIR_STATUSES: tuple[PairStatus, ...] = get_args(PairStatus)

Json = dict[str, Any]


class PairRow(NamedTuple):
    """One pair of the instrument channel (protocol section 3.6)."""

    symbol: str
    base: str
    quote: str
    status: PairStatus
    price_precision: int
    qty_precision: int
    cost_precision: int
    price_increment: Decimal
    qty_min: Decimal
    cost_min: Decimal


class PrintSeen(NamedTuple):
    """One public trade: `buy` tells the taker's side, `market` its order type."""

    trade_id: int
    tick: int
    lots: int
    buy: bool
    market: bool


class BookMessage(NamedTuple):
    """One element of a book message."""

    bids: list[Change]
    asks: list[Change]
    checksum: int


class SystemIs(NamedTuple):
    """The exchange's own status."""

    status: SystemStatus


class PairsAre(NamedTuple):
    """Pairs as they are now; `whole` when these are all there are."""

    rows: tuple[PairRow, ...]
    whole: bool


class BookMoved(NamedTuple):
    """A verified book changed, or came (back)."""

    symbol: str


class BookLost(NamedTuple):
    """A book can no longer be trusted: gap, refusal, bad checksum, connection gone."""

    symbol: str
    why: str


class Printed(NamedTuple):
    """Trades of one pair, in order, each seen once."""

    symbol: str
    prints: tuple[PrintSeen, ...]


class LastPrice(NamedTuple):
    """The newest trade of a pair, where it is known without a print that may fill anything."""

    symbol: str
    tick: int


News = SystemIs | PairsAre | BookMoved | BookLost | Printed | LastPrice


def read_frame(text: str | bytes) -> Json | None:
    """Decode one frame with every number as its text; None for what is no JSON object."""
    try:
        message = json.loads(text, parse_float=str, parse_int=str, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def rows_of(message: Mapping[str, Any]) -> list[Json]:
    """Give the elements of `data`; raises BadFrame when it is no list of objects."""
    data = message.get("data")
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        raise BadFrame("no data")
    return data


def read_book(row: Json, price_precision: int, qty_precision: int) -> BookMessage:
    """Read one element of a book message."""
    return BookMessage(
        read_levels(row.get("bids"), price_precision, qty_precision),
        read_levels(row.get("asks"), price_precision, qty_precision),
        units(row.get("checksum"), 0),
    )


def read_print(row: Json, price_precision: int, qty_precision: int) -> PrintSeen:
    """Read one trade."""
    side, kind = row.get("side"), row.get("ord_type")
    if side not in ("buy", "sell"):
        raise BadFrame("a trade without a side")
    return PrintSeen(
        units(row.get("trade_id"), 0),
        units(row.get("price"), price_precision),
        units(row.get("qty"), qty_precision),
        side == "buy",
        kind == "market",
    )


def read_system(row: Json) -> SystemIs | None:
    """Read a status row; None for a word we do not know (it then changes nothing)."""
    word = row.get("system")
    return SystemIs(cast(SystemStatus, word)) if word in SYSTEM_STATUSES else None


def read_pairs(message: Json) -> PairsAre:
    """Read an instrument message; a row that cannot be read is left out: the pair is refused."""
    data = message.get("data")
    rows = data.get("pairs") if isinstance(data, dict) else None
    if not isinstance(rows, list):
        raise BadFrame("no pairs")
    found = []
    for row in rows:
        try:
            found.append(_read_pair(row))
        except BadFrame:
            continue
    return PairsAre(tuple(found), message.get("type") == "snapshot")


def _read_pair(row: object) -> PairRow:
    if not isinstance(row, dict):
        raise BadFrame("a pair that is none")
    names = [row.get(name) for name in ("symbol", "base", "quote")]
    if not all(isinstance(name, str) and 0 < len(name) <= 40 for name in names):
        raise BadFrame("a pair without names")
    symbol, base, quote = cast(list[str], names)
    status = row.get("status")
    # An unknown word may mean anything: nothing may be traded then.
    known: PairStatus = cast(PairStatus, status) if status in PAIR_STATUSES else "maintenance"
    increment = row.get("price_increment", row.get("tick_size"))
    return PairRow(
        symbol, base, quote, known,
        precision(row.get("price_precision")),
        precision(row.get("qty_precision")),
        precision(row.get("cost_precision")),
        amount(increment),
        amount(row.get("qty_min")),
        amount(row.get("cost_min")),
    )  # fmt: skip


def precision(text: object) -> int:
    """Read a number of decimals; raises BadFrame."""
    count = units(text, 0)
    if count > 18:
        raise BadFrame("a precision out of range")
    return count


def amount(text: object) -> Decimal:
    """Read a positive figure of the reference data, exponents allowed; raises BadFrame."""
    if not isinstance(text, str) or not _NUMBER.match(text):
        raise BadFrame("a figure that is none")
    value = Decimal(text)
    if value < 0:
        raise BadFrame("a figure below zero")
    return value
