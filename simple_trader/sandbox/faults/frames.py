"""Frames as the fault layer sees them: what they are about, how they are changed and cut."""

import json
import re
import struct
import zlib
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import msgspec

from simple_trader.sandbox.faults.trigger import Seen

Cut = Literal["", "reset", "close"]
_STAMP = re.compile(r'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z"')
_CHECKSUM = re.compile(r'"checksum":(\d+)')
_SEQUENCE = re.compile(r'"sequence":(\d+)')


class _Row(msgspec.Struct):
    symbol: str = ""
    exec_type: str = ""
    order_id: str = ""


class _Result(msgspec.Struct):
    channel: str = ""
    symbol: str = ""
    order_id: str = ""


class _Head(msgspec.Struct):
    channel: str = ""
    method: str = ""
    type: str = ""
    success: bool | None = None
    symbol: str = ""
    data: msgspec.Raw = msgspec.Raw(b"[]")
    result: msgspec.Raw = msgspec.Raw(b"{}")
    sequence: int | None = None


_HEAD = msgspec.json.Decoder(_Head)
_ROWS = msgspec.json.Decoder(list[_Row])
_RESULT = msgspec.json.Decoder(_Result)


class Out:
    """One frame on its way out.

    `raw` replaces the text by bytes as they are, `delay_s` holds it (and, unless `loose`, all that
    comes behind it), `cut` ends the connection after it, `shift` is added to its sequence.
    """

    __slots__ = ("cut", "delay_s", "loose", "order_id", "raw", "seen", "sequence", "shift",
                 "success", "text")  # fmt: skip

    def __init__(self, text: str, on: str, connection: int) -> None:
        self.text = text
        self.raw: bytes | None = None
        self.delay_s = 0.0
        self.loose = False
        self.cut: Cut = ""
        self.shift = 0
        self.success: bool | None = None
        self.sequence: int | None = None
        self.order_id = ""
        self.seen = Seen(on, connection)
        self._look()

    def _look(self) -> None:
        try:
            head = _HEAD.decode(self.text)
            result = _RESULT.decode(head.result) if head.method else _Result()
            listed = bytes(head.data).startswith(b"[")
            row = next(iter(_ROWS.decode(head.data)), _Row()) if listed else _Row()
        except msgspec.MsgspecError:
            return  # a frame of a relay or of another fault: it has no features
        self.success, self.sequence = head.success, head.sequence
        self.order_id = row.order_id or result.order_id
        self.seen = self.seen._replace(
            channel=head.channel or result.channel,
            method=head.method,
            pair=row.symbol or result.symbol or head.symbol,
            exec_type=row.exec_type,
            type=head.type,
        )

    def copy(self) -> "Out":
        """Give a twin."""
        twin = Out(self.text, self.seen.on, self.seen.connection)
        twin.shift = self.shift
        return twin

    def renumbered(self) -> None:
        """Put the shifted sequence into the text."""
        if self.shift and self.sequence is not None:
            number = self.sequence + self.shift
            self.text = _SEQUENCE.sub(f'"sequence":{number}', self.text, count=1)


def read(text: str) -> Any:
    """Decode JSON keeping every number's digits and the order of the keys."""
    return json.loads(text, parse_float=_raw, parse_int=_raw)


def _raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())


def write(message: Any) -> str:
    """Encode what `read` gave."""
    return msgspec.json.encode(message).decode()


def number(text: str) -> msgspec.Raw:
    """Put a number's digits into a message."""
    return _raw(text)


def with_skew(text: str, skew_s: float) -> str:
    """Move every RFC 3339 stamp of a frame; the digits after the point keep their number."""

    def moved(match: re.Match[str]) -> str:
        return f'"{moved_stamp(match[1], match[2] or "", skew_s)}"'

    return _STAMP.sub(moved, text)


def moved_stamp(seconds: str, fraction: str, skew_s: float) -> str:
    """Move one stamp, given as its whole seconds and its `.digits`."""
    digits = fraction[1:]
    whole = datetime.fromisoformat(f"{seconds}+00:00")
    moment = whole + timedelta(microseconds=int(digits[:6].ljust(6, "0"))) if digits else whole
    moment += timedelta(seconds=skew_s)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    if digits:
        text += f".{moment.microsecond:06d}{digits[6:]}"[: len(digits) + 1]
    return text + "Z"


def wrong_checksum(text: str) -> str:
    """Change the checksum of a book message."""
    return _CHECKSUM.sub(lambda found: f'"checksum":{int(found[1]) ^ 1}', text, count=1)


def wrong_quantity(text: str) -> str:
    """Change one quantity of a book message and leave its checksum."""
    message = read(text)
    for side in ("bids", "asks"):
        for level in message["data"][0][side]:
            digits = bytes(level["qty"]).decode()
            last = "1" if digits[-1] == "0" else "0"
            level["qty"] = number(digits[:-1] + last)
            return write(message)
    return wrong_checksum(text)


def checksum(asks: Iterable[tuple[str, str]], bids: Iterable[tuple[str, str]]) -> int:
    """CRC-32 over price and quantity texts, best ten of each side (protocol section 4.3)."""
    best = [row for side in (list(asks), list(bids)) for row in side[:10]]
    tokens = [_token(text) for row in best for text in row]
    return zlib.crc32("".join(tokens).encode())


def _token(text: str) -> str:
    return text.replace(".", "").lstrip("0")


def with_exponents(text: str) -> str:
    """Print the small numbers of a frame in exponent form, as C does (`1e-08`)."""
    return write(_walk(read(text), _exponent))


def _walk(value: Any, change: Callable[[msgspec.Raw], msgspec.Raw]) -> Any:
    if isinstance(value, dict):
        return {name: _walk(item, change) for name, item in value.items()}
    if isinstance(value, list):
        return [_walk(item, change) for item in value]
    return change(value) if isinstance(value, msgspec.Raw) else value


def _exponent(raw: msgspec.Raw) -> msgspec.Raw:
    value = Decimal(bytes(raw).decode())
    if value == 0 or value.adjusted() > -5:
        return raw
    digits = "".join(map(str, value.normalize().as_tuple().digits))
    mantissa = digits[0] + (f".{digits[1:]}" if digits[1:] else "")
    return number(f"{mantissa}e-{-value.adjusted():02d}")


def with_assets(text: str, size: int) -> str:
    """Add disabled assets to an instrument frame until it is `size` bytes long."""
    message = read(text)
    assets = message["data"]["assets"]
    row = '{"id":"PAD%06d","status":"disabled","precision":8,"precision_display":5}'
    missing = max(0, size - len(text))
    assets.extend(msgspec.Raw((row % count).encode()) for count in range(missing // 70 + 1))
    return write(message)


def ws_frame(payload: bytes, *, final: bool = True, opcode: int = 1) -> bytes:
    """Frame bytes as a server does (RFC 6455: no mask), with whatever is in them."""
    first = (0x80 if final else 0) | opcode
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", first, size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", first, 126, size)
    else:
        head = struct.pack("!BBQ", first, 127, size)
    return head + payload
