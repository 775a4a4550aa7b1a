"""Kraken's habits on the wire: fixed precision, stamps, sorted keys in responses, checksums."""

import json
import re
import zlib
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from simple_trader.sandbox.sources import to_moment
from simple_trader.simulator.instruments import Instrument

_PLAIN = msgspec.json.Encoder()
_SORTED = msgspec.json.Encoder(order="sorted")

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")

JsonObject = dict[str, Any]
Level = tuple[int, int]


def fixed(units: int, precision: int) -> str:
    """Print a whole number of units with exactly `precision` decimals."""
    if precision == 0:
        return str(units)
    sign, units = ("-", -units) if units < 0 else ("", units)
    digits = str(units).rjust(precision + 1, "0")
    return f"{sign}{digits[:-precision]}.{digits[-precision:]}"


def number(text: str) -> msgspec.Raw:
    """Put a number on the wire digit by digit."""
    return msgspec.Raw(text.encode())


def ticks(pair: Instrument, count: int) -> msgspec.Raw:
    """Put a price on the wire."""
    return number(fixed(count, pair.price_precision))


def lots(pair: Instrument, count: int) -> msgspec.Raw:
    """Put a quantity on the wire."""
    return number(fixed(count, pair.qty_precision))


def decimal(value: Decimal, precision: int) -> msgspec.Raw:
    """Put a Decimal on the wire with exactly `precision` decimals (more never occur)."""
    return number(f"{value:.{precision}f}")


def stamp(at: int) -> str:
    """Print a moment in microseconds as RFC 3339 with six decimals."""
    return moment_text(to_moment(at))


def stamp_ns(at: int) -> str:
    """Print a moment with nine decimals, as candles do."""
    return moment_text(to_moment(at))[:-1] + "000Z"


def moment_text(moment: datetime) -> str:
    """Print a moment as RFC 3339 with six decimals."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds_text(moment: datetime) -> str:
    """Print a moment as RFC 3339 without decimals."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def push(message: JsonObject) -> str:
    """Encode a channel message, keys as given."""
    return _PLAIN.encode(message).decode()


def response(message: JsonObject) -> str:
    """Encode a response; the real wire sorts its keys (protocol section 2.2)."""
    return _SORTED.encode(message).decode()


def read_json(text: str) -> Any:
    """Decode JSON with exact numbers; raises ValueError on anything that is not JSON."""
    try:
        if _SURROGATE.search(text):
            # Half a character cannot be written again: msgspec refuses it, the library does not.
            msgspec.json.decode(text)
        return json.loads(text, parse_float=Decimal, parse_constant=_no_constant)
    except (InvalidOperation, RecursionError, UnicodeError, msgspec.DecodeError) as error:
        raise ValueError("not JSON") from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def read_moment(text: str) -> datetime | None:
    """Read an RFC 3339 moment, or None when it is not one (a zone is required)."""
    try:
        moment = datetime.fromisoformat(text)
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def checksum(asks: list[Level], bids: list[Level]) -> int:
    """CRC-32 over the best ten levels of each side, as (tick, lots), asks first (section 4.3)."""
    text = "".join(f"{tick}{size}" for tick, size in asks[:10])
    text += "".join(f"{tick}{size}" for tick, size in bids[:10])
    return zlib.crc32(text.encode())


def levels_text(pair: Instrument, levels: Iterable[Level]) -> str:
    """Print book levels; zero lots are a deletion."""
    price, qty = pair.price_precision, pair.qty_precision
    return ",".join(
        f'{{"price":{fixed(tick, price)},"qty":{fixed(size, qty)}}}' for tick, size in levels
    )
