"""What all REST endpoints share: the error, the fields, the floor, pair names, numbers."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Protocol

from simple_trader.sandbox.auth import Keys
from simple_trader.sandbox.floor import Floor
from simple_trader.simulator.instruments import Instrument, find_pair

Fields = Mapping[str, str]
PAGE = 50


class ApiError(Exception):
    """Raised with Kraken's error text."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class RestFloor(Floor, Protocol):
    """The exchange as REST needs it."""

    keys: Keys

    @property
    def now(self) -> datetime:
        """Give market time."""


def invalid(detail: str) -> ApiError:
    """Make the error of an argument that is missing or wrong."""
    return ApiError(f"EGeneral:Invalid arguments:{detail}")


def named_pairs(floor: Floor, names: str | None) -> list[tuple[str, Instrument]]:
    """Find the pairs asked for, each with the key its answer carries.

    That is the REST id, except that a question by a v2 slash form is answered under that form
    (protocol section 12). All pairs when nothing is asked for.
    """
    if not names:
        return [(pair.rest_id, pair) for pair in floor.pairs.values()]
    found: list[tuple[str, Instrument]] = []
    for name in names.split(","):
        pair = find_pair(name, floor.pairs)
        if pair is None:
            raise ApiError("EQuery:Unknown asset pair")
        found.append((name.strip() if "/" in name else pair.rest_id, pair))
    return found


def one_pair(floor: Floor, fields: Fields) -> tuple[str, Instrument]:
    """Find the one pair that an endpoint needs."""
    name = fields.get("pair")
    if not name:
        raise invalid("pair")
    return named_pairs(floor, name)[0]


def whole(fields: Fields, name: str, default: int) -> int:
    """Read a whole number."""
    text = fields.get(name)
    if text is None or text == "":
        return default
    try:
        return int(text)
    except ValueError:
        raise invalid(name) from None


def exact(fields: Fields, name: str) -> Decimal | None:
    """Read a decimal number."""
    text = fields.get(name)
    if text is None or text == "":
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise invalid(name) from None
    if not value.is_finite():
        raise invalid(name)
    return value


def flag(fields: Fields, name: str) -> bool:
    """Read a switch."""
    return fields.get(name, "false").lower() in ("true", "1", "yes")
