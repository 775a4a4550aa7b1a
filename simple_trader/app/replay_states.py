"""Two states of the engine that ought to be the same: where they differ."""

from collections.abc import Iterator
from typing import Any

import msgspec

from simple_trader.adapters.store.row_values import Difference, difference

_MOST = 50


def differing_states(where: str, recorded: bytes, replayed: bytes) -> list[Difference]:
    """The fields in which two states differ, the first fifty; at least one."""
    try:
        first = msgspec.msgpack.decode(recorded)
    except msgspec.MsgspecError as error:
        return [difference(where, "bytes", f"no state: {error}", "a state")]
    found: list[Difference] = []
    for path, one, other in _differing("", first, msgspec.msgpack.decode(replayed)):
        if len(found) == _MOST:
            break
        found.append(difference(where, path, one, other))
    # The same content in other bytes: the order of a dictionary.
    return found or [difference(where, "bytes", recorded, replayed)]


def _differing(path: str, first: Any, second: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(first, dict) and isinstance(second, dict):
        for name in {**first, **second}:
            inner = f"{path}.{name}" if path else str(name)
            yield from _differing(inner, first.get(name), second.get(name))
    elif isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        for number, (one, other) in enumerate(zip(first, second, strict=True)):
            yield from _differing(f"{path}[{number}]", one, other)
    elif first != second:
        yield path, first, second
