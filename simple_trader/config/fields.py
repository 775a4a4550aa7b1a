"""The kinds of values that config.yaml holds: strict types with words for what is wrong."""

import math
import re
from decimal import Decimal
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

_PAIR = re.compile(r"[A-Z0-9]{1,12}/[A-Z0-9]{1,12}")


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
    if parts.username or parts.password or parts.query:
        raise ValueError("must not hold a user, password or query; keys belong into .env")
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
CandleMinutes = Annotated[Literal[1, 5, 15, 30, 60, 240, 1440], BeforeValidator(_whole)]
Depth = Annotated[Literal[10, 25, 100, 500, 1000], BeforeValidator(_whole)]
Dsn = Annotated[Text, AfterValidator(_dsn)]
BaseUrl = Annotated[Text, AfterValidator(_base_url)]


class Section(BaseModel):
    """A part of config.yaml: unknown keys refused, values fixed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
