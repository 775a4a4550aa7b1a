"""What all REST endpoints share: the error, the call, the floor, pair names, numbers."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from simple_trader.sandbox.accounts_file import KeySpec
from simple_trader.sandbox.amends import AmendRow
from simple_trader.sandbox.floor import Floor
from simple_trader.sandbox.spreads import SpreadRow
from simple_trader.sandbox.views import View
from simple_trader.simulator.instruments import Instrument, find_pair

Fields = Mapping[str, str]
PAGE = 50
_WHOLE = re.compile(r"[+-]?[0-9]{1,30}")
_EXACT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_SECONDS = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{0,9})?")
_DEEPEST = 8
_INDEXED = re.compile(r"(\w+)\[([0-9]{0,6})\](?:\[(.+)\])?")


class ApiError(Exception):
    """Raised with Kraken's error text."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Reader(Protocol):
    """What REST shows besides the exchange's state of this moment."""

    def view(self, account: str) -> View:
        """Give what REST shows of an account, as late as REST is behind."""

    def amends_of(self, order_id: str) -> list[AmendRow]:
        """Give how an order was changed, oldest first."""

    def best_prices(self, symbol: str) -> list[SpreadRow]:
        """Give the latest best prices of a pair, oldest first."""


class RestFloor(Floor, Protocol):
    """The exchange as REST needs it."""

    @property
    def reader(self) -> Reader:
        """Give what REST reads from."""


class Call(NamedTuple):
    """One private call: the floor, whose key it is, and the fields as text."""

    floor: RestFloor
    spec: KeySpec
    fields: Fields

    @property
    def account(self) -> str:
        """The account that the call is about."""
        return self.spec.account

    @property
    def view(self) -> View:
        """What REST shows of that account."""
        return self.floor.reader.view(self.account)


Private = Callable[[Call], Any]


def invalid(detail: str) -> ApiError:
    """Make the error of an argument that is missing or wrong."""
    return ApiError(f"EGeneral:Invalid arguments:{detail}")


def flat(posted: Mapping[str, object]) -> dict[str, str]:
    """Turn a body's fields into text; nested JSON becomes `name[index][field]`, as in forms."""
    fields: dict[str, str] = {}
    for name, value in posted.items():
        _flatten(name, value, fields, 0)
    return fields


def _flatten(name: str, value: object, fields: dict[str, str], depth: int) -> None:
    if depth > _DEEPEST:
        raise ApiError("EGeneral:Invalid arguments")
    if isinstance(value, dict):
        for inner, content in value.items():
            _flatten(f"{name}[{inner}]", content, fields, depth + 1)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for index, item in enumerate(value):
            _flatten(f"{name}[{index}]", item, fields, depth + 1)
    elif isinstance(value, list):
        fields[name] = ",".join(_text(item) for item in value)
    else:
        fields[name] = _text(value)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def rows_of(fields: Fields, name: str) -> list[dict[str, str]]:
    """Give the objects of a list field, from `name[0][field]`."""
    rows: dict[int, dict[str, str]] = {}
    for key, value in fields.items():
        match = _INDEXED.fullmatch(key)
        if match and match[1] == name and match[2] and match[3]:
            # `close][ordertype` is what is left of `close` inside of an element.
            inner = match[3].replace("][", "[")
            inner += "]" if "[" in inner else ""
            rows.setdefault(int(match[2]), {})[inner] = value
    return [rows[index] for index in sorted(rows)]


def words_of(fields: Fields, name: str) -> list[str]:
    """Give the texts of a list field: `a,b`, or `name[]` and `name[0]` of a form."""
    found = [part.strip() for part in fields.get(name, "").split(",")]
    for key, value in fields.items():
        match = _INDEXED.fullmatch(key)
        if match and match[1] == name and not match[3]:
            found += [part.strip() for part in value.split(",")]
    for row in rows_of(fields, name):
        found += [row[key] for key in ("txid", "cl_ord_id") if key in row]
    return [text for text in found if text]


def named_pairs(
    floor: Floor, names: str | None, *, modern: bool = False
) -> list[tuple[str, Instrument]]:
    """Find the pairs asked for, each with the key its answer carries.

    That is the REST id, except that a question by a v2 slash form is answered under that form,
    and `modern` (assetVersion=1) names all by symbol (protocol section 12). All pairs when nothing
    is asked for.
    """
    if not names:
        pairs = floor.pairs.values()
        return [(pair.symbol if modern else pair.rest_id, pair) for pair in pairs]
    found: list[tuple[str, Instrument]] = []
    for name in names.split(","):
        pair = find_pair(name, floor.pairs)
        if pair is None:
            raise ApiError("EQuery:Unknown asset pair")
        key = pair.symbol if modern else name.strip() if "/" in name else pair.rest_id
        found.append((key, pair))
    return found


def one_pair(floor: Floor, fields: Fields) -> tuple[str, Instrument]:
    """Find the one pair that an endpoint needs."""
    name = fields.get("pair")
    if not name:
        raise invalid("pair")
    return named_pairs(floor, name, modern=is_modern(fields))[0]


def is_modern(fields: Fields) -> bool:
    """Say whether the new names of assets and pairs are asked for."""
    return fields.get("assetVersion", "0") == "1"


def whole(fields: Fields, name: str, default: int) -> int:
    """Read a whole number."""
    text = fields.get(name)
    if text is None or text == "":
        return default
    if not _WHOLE.fullmatch(text):
        raise invalid(name)
    return int(text)


def exact(fields: Fields, name: str) -> Decimal | None:
    """Read a decimal number."""
    text = fields.get(name)
    if text is None or text == "":
        return None
    # Decimal reads more than Kraken: 1_000, NaN, the digits of other scripts.
    if not _EXACT.fullmatch(text):
        raise invalid(name)
    return Decimal(text)


def flag(fields: Fields, name: str) -> bool:
    """Read a switch."""
    return fields.get(name, "false").lower() in ("true", "1", "yes")


def moment(now: datetime, fields: Fields, name: str) -> datetime | None:
    """Read unix seconds, or `+n` seconds from now; None for 0 or nothing."""
    text = fields.get(name, "")
    if not text or text == "0":
        return None
    if not _SECONDS.fullmatch(text):
        raise invalid(name)
    try:
        seconds = int(Decimal(text))
        if text.startswith("+"):
            return now + timedelta(seconds=seconds)
        return datetime.fromtimestamp(seconds, UTC)
    except (ArithmeticError, ValueError, OSError):
        raise invalid(name) from None
