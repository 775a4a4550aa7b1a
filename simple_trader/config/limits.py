"""Limits that protect capital: lowering one works at once, raising one waits for a person (C05).

What was accepted stands in STATE/control/limits.json, so that a restart is no way around it. The
first start of a state directory accepts what its config.yaml says.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec

from simple_trader.config.fields import Section
from simple_trader.config.files import write_whole
from simple_trader.config.schema import Settings, marked
from simple_trader.domain.errors import ConfigError

Limits = Mapping[str, Decimal]
_NO_LIMIT = Decimal("Infinity")


def limits_of(settings: Settings) -> dict[str, Decimal]:
    """The value of each limit key; a higher number always allows more.

    A limit for named pairs gives one value for each: `max_order_qty.BTC/USD`.
    """
    found: dict[str, Decimal] = {}
    for name in marked("limit"):
        value = attrgetter(name)(settings)
        if isinstance(value, dict):
            found |= {f"{name}.{pair}": qty for pair, qty in value.items()}
        else:
            found[name] = Decimal(str(value))
    return found


class LimitBook:
    """The accepted limits of one state directory."""

    def __init__(self, state_dir: Path) -> None:
        """Keep them in `state_dir`/control/limits.json."""
        self.path = state_dir / "control" / "limits.json"

    def accepted(self) -> dict[str, Decimal] | None:
        """What was accepted, None before the first start. Raises ConfigError when unreadable."""
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigError(f"{self.path}: cannot be read ({error.strerror}).") from error
        try:
            found = msgspec.json.decode(raw, type=dict[str, str])
            values = {name: Decimal(text) for name, text in found.items()}
            if not all(value.is_finite() for value in values.values()):
                raise InvalidOperation
        except (msgspec.DecodeError, InvalidOperation) as error:
            raise ConfigError(
                f"{self.path}: does not hold limits; run: simple-trader limits accept."
            ) from error
        return values

    def accept(self, limits: Limits) -> None:
        """Put down `limits` as accepted. Raises ConfigError when that cannot be written."""
        body = {name: str(value) for name, value in sorted(limits.items())}
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(self.path, msgspec.json.encode(body) + b"\n")
        except OSError as error:
            raise ConfigError(f"{self.path}: cannot be written ({error.strerror}).") from error


def hold_raised(settings: Settings, accepted: Limits) -> tuple[Settings, tuple[str, ...]]:
    """`settings` with every limit above its accepted value held there, and a sentence for each.

    A limit that was never accepted (a key newer than the book) counts as accepted; an accepted one
    of a pair that is no longer named holds on, as to drop it is to raise it.
    """
    held: dict[str, Any] = {}
    notes: list[str] = []
    asked_for = {name: _NO_LIMIT for name in accepted if "." in name} | limits_of(settings)
    for name, asked in asked_for.items():
        allowed = accepted.get(name, asked)
        if asked > allowed:
            key, _, part = name.partition(".")
            now = held.get(key, getattr(settings, key, None))
            if isinstance(now, Section) and part in type(now).model_fields:
                kind = type(getattr(now, part))
                held[key] = now.model_copy(update={part: kind(allowed)})
            elif isinstance(now, dict):
                held[key] = {**now, part: allowed}
            elif now is not None and not part:
                held[key] = type(now)(allowed)
            else:
                continue  # a key of another version
            notes.append(
                f"{name}: {allowed} stays in force; raising it to {asked} waits for: "
                "simple-trader limits accept"
            )
    if not held:
        return settings, ()
    return settings.model_copy(update=held), tuple(notes)
