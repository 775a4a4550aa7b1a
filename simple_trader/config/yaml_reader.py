"""Reads YAML as people mean it: exact numbers, no YAML 1.1 surprises, each fault with its line.

Built on the events of PyYAML's C parser, not on its constructors: nothing in a file can name a
Python object, repeat a key, expand an alias or turn `no` into false (dependencies, trap 8).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import yaml

MAX_BYTES = 256 * 1024
MAX_DEPTH = 12

Scalar = str | int | Decimal | bool | None
KeyPath = tuple[str | int, ...]

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*)?(\.[0-9]*)?([eE][-+]?[0-9]{1,3})?")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+(\.[0-9_]*)?")
_BASED = re.compile(r"[-+]?0[xobXOB][0-9a-fA-F_]+")
_UNDERSCORED = re.compile(r"[-+]?[0-9][0-9_.]*_[0-9_.]*")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|nan)|[-+]?(inf|infinity|nan)", re.IGNORECASE)
_OLD_BOOLEANS = {"yes", "no", "on", "off", "y", "n"}
_BOOLEANS = {"true": True, "false": False}
_NULLS = {"", "~", "null", "Null", "NULL"}


class YamlRefused(ValueError):
    """The text cannot be taken as it stands; `line` counts from 1."""

    def __init__(self, reason: str, line: int) -> None:
        """Keep the sentence and where it is."""
        super().__init__(reason)
        self.reason = reason
        self.line = line


@dataclass
class Document:
    """The mapping of a file, the line of each key path, and whether it ended with `...`."""

    values: dict[str, Any]
    lines: dict[KeyPath, int] = field(default_factory=dict)
    ended: bool = False


def read_yaml(text: str) -> Document:
    """Read one document whose top is a mapping; floats come as exact Decimals.

    Raises YamlRefused: not YAML, more than one document, duplicate key, anchor, alias, tag, merge
    key, a value that YAML 1.1 reads in a surprising way, nested or longer than the limits.
    """
    if len(text.encode()) > MAX_BYTES:
        raise YamlRefused(f"the file is longer than {MAX_BYTES} bytes", 1)
    try:
        return _Builder(yaml.parse(text, Loader=_LOADER)).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise YamlRefused(f"this is not YAML: {error.problem or error.context}", line) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, int(error.position)) + 1
        raise YamlRefused(f"a character that YAML forbids: {error.reason}", line) from error
    except yaml.YAMLError as error:
        raise YamlRefused(f"this is not YAML: {error}", 1) from error


class _Builder:
    """Walks the events of the parser once."""

    def __init__(self, events: Iterator[Any]) -> None:
        """Take the events."""
        self._events = events
        self._lines: dict[KeyPath, int] = {}

    def document(self) -> Document:
        """The only document of the stream."""
        self._take()  # the stream begins
        first = self._take()
        if isinstance(first, yaml.StreamEndEvent):
            raise YamlRefused("the file is empty", 1)
        top = self._take()
        if not isinstance(top, yaml.MappingStartEvent):
            if isinstance(top, yaml.ScalarEvent) and top.value in _NULLS and top.implicit[0]:
                raise YamlRefused("the file holds no key", 1)
            raise YamlRefused("the file must be `key: value` lines", _line(top))
        values = self._mapping(top, ())
        end = self._take()
        after = self._take()
        if not isinstance(after, yaml.StreamEndEvent):
            raise YamlRefused("the file holds a second document (`---`)", _line(after))
        return Document(values, self._lines, ended=bool(end.explicit))

    def _take(self) -> Any:
        event = next(self._events)
        if isinstance(event, yaml.AliasEvent):
            raise YamlRefused(f"aliases (*{event.anchor}) are not allowed", _line(event))
        if getattr(event, "anchor", None):
            raise YamlRefused(f"anchors (&{event.anchor}) are not allowed", _line(event))
        if getattr(event, "tag", None):
            raise YamlRefused(f"tags ({event.tag}) are not allowed", _line(event))
        return event

    def _value(self, event: Any, path: KeyPath) -> Any:
        if len(path) > MAX_DEPTH:
            raise YamlRefused(f"nested more than {MAX_DEPTH} deep", _line(event))
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(event, path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path)
        try:
            return scalar(event.value, plain=event.implicit[0], line=_line(event))
        except YamlRefused as error:
            raise YamlRefused(f"{dotted(path)}: {error.reason}", error.line) from error

    def _mapping(self, start: Any, path: KeyPath) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self._lines.setdefault(path, _line(start))
        while not isinstance(event := self._take(), yaml.MappingEndEvent):
            key = self._key(event)
            here = (*path, key)
            if key in found:
                raise YamlRefused(
                    f"{dotted(here)} stands twice, first in line {self._lines[here]}", _line(event)
                )
            self._lines[here] = _line(event)
            found[key] = self._value(self._take(), here)
        return found

    def _key(self, event: Any) -> str:
        line = _line(event)
        if not isinstance(event, yaml.ScalarEvent):
            raise YamlRefused("a key must be one word, not a list or a mapping", line)
        if not event.implicit[0]:
            return str(event.value)
        if event.value == "<<":
            raise YamlRefused("merge keys (<<) are not allowed", line)
        value = scalar(event.value, plain=True, line=line)
        if not isinstance(value, str):
            raise YamlRefused(f"the key {event.value!r} is not a word; quote it", line)
        return value

    def _sequence(self, path: KeyPath) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := self._take(), yaml.SequenceEndEvent):
            here = (*path, len(items))
            self._lines[here] = _line(event)
            items.append(self._value(event, here))
        return items


def scalar(text: str, *, plain: bool, line: int) -> Scalar:
    """The value of one scalar; a quoted one is always text. Raises YamlRefused."""
    if not plain:
        return text
    if text in _NULLS:
        return None
    if text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    surprise = _surprise(text)
    if surprise:
        raise YamlRefused(surprise, line)
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text) and any(c.isdigit() for c in text.lower().partition("e")[0]):
        return Decimal(text)
    return text


def _surprise(text: str) -> str | None:
    """Why YAML 1.1 would read this plain scalar as something its writer hardly meant."""
    if text.lower() in _OLD_BOOLEANS:
        return f"{text} can be read as true or false; write true, false or quote it"
    if _SEXAGESIMAL.fullmatch(text):
        return f"{text} can be read as a number to base 60; quote it or write plain seconds"
    if _LEADING_ZERO.fullmatch(text) or _BASED.fullmatch(text):
        return f"{text} can be read as an octal or hexadecimal number; write it in decimal"
    if _UNDERSCORED.fullmatch(text):
        return f"{text} has underscores; write the digits without them"
    if _NOT_FINITE.fullmatch(text):
        return f"{text} is not a finite number"
    if _DATE.fullmatch(text):
        return f"{text} can be read as a date; quote it"
    return None


def dotted(path: KeyPath) -> str:
    """A key path as people write it: `sim.speed`, `traded_pairs[0]`."""
    out = ""
    for part in path:
        if isinstance(part, int):
            out += f"[{part}]"
        else:
            out += f".{part}" if out else part
    return out


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1
