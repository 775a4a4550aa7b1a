"""The kinds of values that config.yaml holds: strict types with words for what is wrong."""

import math
import re
from decimal import Decimal
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

_PAIR = re.compile(r"[A-Z0-9]{1,12}/[A-Z0-9]{1,12}")
_HOST = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:]{2,39}\])(?::[0-9]{1,5})?"
)
_MAX_URL = 500
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
KEY_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,60}_API_KEY")


def _exact(value: object) -> Decimal:
    """A finite number as exact Decimal; text and booleans are wrong types."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | float):
        raise ValueError(f"must be a number, not {_kind(value)}")
    number = Decimal(str(value))
    if not number.is_finite():
        raise ValueError("must be a finite number")
    return number


def _real(value: object) -> float:
    """A finite number as float, for what is not money."""
    return float(_exact(value))


def _speed(value: object) -> float:
    """Market seconds per real second, or `max` for no ceiling (inf)."""
    if value in ("max", math.inf):
        return math.inf
    number = _real(value)
    if not 0 < number <= 1_000_000:
        raise ValueError(f"must be above 0 and at most 1000000, or max, not {value}")
    return number


def _whole(value: object) -> int:
    """A whole number written as one."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"must be a whole number, not {_kind(value)}")
    return value


def _flag(value: object) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {_kind(value)}")
    return value


def _text(value: object) -> str:
    """Text; an empty value counts as empty text."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"must be text, not {_kind(value)}; quote it")
    if any(ord(c) < 32 or ord(c) == 127 for c in value):
        raise ValueError("holds a control character")
    return value


def _kind(value: object) -> str:
    names: dict[type, str] = {
        bool: "true/false", int: "a whole number", Decimal: "a number", float: "a number",
        str: "text", list: "a list", dict: "a mapping", type(None): "empty",
    }  # fmt: skip
    name = names.get(type(value), type(value).__name__)
    return f"{name} ({value})" if isinstance(value, bool | int | Decimal) else name


def _pairs(value: object) -> tuple[str, ...]:
    """A list of pair names such as BTC/USD, without repeats."""
    if not isinstance(value, list | tuple):
        raise ValueError(f"must be a list of pairs, not {_kind(value)}")
    if not 1 <= len(value) <= 100:
        raise ValueError(f"must name 1 to 100 pairs, not {len(value)}")
    for pair in value:
        if not isinstance(pair, str) or not _PAIR.fullmatch(pair):
            raise ValueError(f"{pair!r} is not a pair such as BTC/USD")
        if value.count(pair) > 1:
            raise ValueError(f"{pair} stands twice")
    return tuple(value)


def _sizes(value: object) -> dict[str, Decimal]:
    """A mapping from pair to a quantity above zero; empty for none."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"must be a mapping of pairs to quantities, not {_kind(value)}")
    found = {}
    for pair, qty in value.items():
        if not isinstance(pair, str) or not _PAIR.fullmatch(pair):
            raise ValueError(f"{pair!r} is not a pair such as BTC/USD")
        found[pair] = _exact(qty)
        if found[pair] <= 0:
            raise ValueError(f"{pair}: must be above 0, not {qty}")
    return found


def _wholes(value: object) -> tuple[int, ...]:
    """A rising list of 1 to 8 whole numbers from 1 to 96."""
    if not isinstance(value, list | tuple):
        raise ValueError(f"must be a list of whole numbers, not {_kind(value)}")
    found = tuple(_whole(item) for item in value)
    if not 1 <= len(found) <= 8 or not all(1 <= item <= 96 for item in found):
        raise ValueError("must hold 1 to 8 whole numbers from 1 to 96")
    if list(found) != sorted(set(found)):
        raise ValueError("must rise, each number once")
    return found


def _hosts(value: object) -> tuple[str, ...]:
    """A list of hosts, each with or without a port; small letters."""
    if not isinstance(value, list | tuple):
        raise ValueError(f"must be a list of hosts, not {_kind(value)}")
    for item in value:
        if not isinstance(item, str) or not _HOST.fullmatch(item):
            raise ValueError(f"{item!r} is not a host such as llm.example.org or 127.0.0.1:11434")
        if value.count(item) > 1:
            raise ValueError(f"{item} stands twice")
    return tuple(value)


def _word(value: str) -> str:
    """A name that can stand in a file name and a table."""
    if not _NAME.fullmatch(value):
        raise ValueError("must be 1 to 40 of a-z, 0-9, - and _, beginning with a letter")
    return value


def _key_variable(value: str) -> str:
    """A variable that holds a provider's key: no other secret may be sent to one."""
    if value and (not KEY_VARIABLE.fullmatch(value) or value.startswith("KRAKEN")):
        raise ValueError(
            "must name a variable that ends in _API_KEY, as OPENAI_API_KEY, and none of Kraken's"
        )
    return value


def _price(value: object) -> Decimal | None:
    return None if value is None else _exact(value)


def _dsn(value: str) -> str:
    """A PostgreSQL DSN without a password: secrets come from the environment only."""
    if not value:
        return value
    if not value.startswith(("postgresql://", "postgresql+asyncpg://", "postgres://")):
        raise ValueError("must begin with postgresql:// or postgresql+asyncpg://")
    if urlsplit(value).password or "password=" in value:
        raise ValueError("must not hold a password; put the DSN into POSTGRES_DSN in .env")
    return value


def _base_url(value: str) -> str:
    """An http(s) address without user or password."""
    if not value:
        return value
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an http:// or https:// address")
    labels = parts.hostname.removesuffix(".").split(".")
    if not parts.hostname.isascii() or not all(0 < len(label) <= 63 for label in labels):
        raise ValueError("names a host that cannot be; a foreign name is written as its xn-- form")
    try:
        is_port = parts.port != 0
    except ValueError:
        is_port = False
    if not is_port:
        raise ValueError("must have a port from 1 to 65535, or none")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must not hold a user, password, query or #; keys belong into .env")
    if not value.isprintable() or " " in value or len(value) > _MAX_URL:
        raise ValueError(f"must be at most {_MAX_URL} characters, none of them blank")
    return value


def setting(default: Any, text: str, **bounds: Any) -> Any:
    """A field with its words; `unit`, `limit` and `at_start` go into the JSON schema."""
    extra: dict[str, Any] = {k: bounds.pop(k) for k in ("unit", "limit", "at_start") if k in bounds}
    if callable(default):
        return Field(default_factory=default, description=text, json_schema_extra=extra, **bounds)
    return Field(default=default, description=text, json_schema_extra=extra, **bounds)


Money = Annotated[Decimal, BeforeValidator(_exact)]
Real = Annotated[float, BeforeValidator(_real)]
Speed = Annotated[float, BeforeValidator(_speed)]
Whole = Annotated[int, BeforeValidator(_whole)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Text = Annotated[str, BeforeValidator(_text)]
Sizes = Annotated[dict[str, Decimal], BeforeValidator(_sizes)]
Pairs = Annotated[tuple[str, ...], BeforeValidator(_pairs)]
Wholes = Annotated[tuple[int, ...], BeforeValidator(_wholes)]
Hosts = Annotated[tuple[str, ...], BeforeValidator(_hosts)]
CandleMinutes = Annotated[Literal[1, 5, 15, 30, 60, 240, 1440], BeforeValidator(_whole)]
Depth = Annotated[Literal[10, 25, 100, 500, 1000], BeforeValidator(_whole)]
Dsn = Annotated[Text, AfterValidator(_dsn)]
BaseUrl = Annotated[Text, AfterValidator(_base_url)]
Name = Annotated[Text, AfterValidator(_word)]
KeyVariable = Annotated[Text, AfterValidator(_key_variable)]
Price = Annotated[Decimal | None, BeforeValidator(_price)]


class Section(BaseModel):
    """A part of config.yaml: unknown keys refused, values fixed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
