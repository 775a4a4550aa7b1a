"""A fault as somebody wrote it: one line of words, an entry of a YAML file, a control message."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from simple_trader.sandbox.faults.catalogue import BY_NAME, KINDS, Kind, Value

MAX_FILE_BYTES = 1_000_000
_MOMENTS = ("at_s", "for_s", "real_at_s", "real_for_s", "every_s")
_FILTERS = ("on", "channel", "method", "pair", "exec_type", "type")
_ON = ("any", "ws", "public", "private", "rest")


class FaultError(Exception):
    """A fault that cannot be read, in one sentence that names the fix."""


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """One fault with its trigger; moments are seconds from the moment it is set.

    `at_s` and `for_s` are market time (which is real time where the sandbox moves its own market),
    `real_at_s` and `real_for_s` always real time. `after` lets that many matching messages pass,
    `count` limits how often it acts, `chance` is drawn for each matching message. `every_s` repeats
    a fault that acts by itself. The filters name what it looks at; empty means everything.
    """

    kind: str
    at_s: float = 0.0
    for_s: float | None = None
    real_at_s: float = 0.0
    real_for_s: float | None = None
    every_s: float = 1.0
    after: int = 0
    count: int | None = None
    chance: float = 1.0
    on: str = "any"
    channel: str = ""
    method: str = ""
    pair: str = ""
    exec_type: str = ""
    type: str = ""
    params: dict[str, Value] = {}

    def number(self, name: str) -> float:
        """Give a parameter that is a number."""
        value = self.params[name]
        return float(value)

    def text(self, name: str) -> str:
        """Give a parameter as text."""
        return str(self.params[name])


def named(name: str) -> Kind:
    """Find a fault by id or name, in any case; raises FaultError."""
    kind = KINDS.get(name.upper()) or BY_NAME.get(name.lower())
    if kind is None:
        raise FaultError(
            f"there is no fault called {name!r}: take an id such as N02 or a name such as half-open"
        )
    return kind


def read_line(text: str) -> Spec:
    """Read `X01 after=3 count=1 method=add_order`; a text with blanks stands in double quotes."""
    words = _words(text)
    if not words:
        raise FaultError("a fault needs a name, such as N02 or half-open")
    values: dict[str, Any] = {}
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise FaultError(f"{word!r} is not name=value")
        values[name] = value
    return make(words[0], values)


def _words(text: str) -> list[str]:
    words, word, quoted, started = [], "", False, False
    for letter in text:
        if letter == '"':
            quoted, started = not quoted, True
        elif letter.isspace() and not quoted:
            if started:
                words.append(word)
            word, started = "", False
        else:
            word, started = word + letter, True
    if quoted:
        raise FaultError("a double quote is not closed")
    return [*words, word] if started else words


def make(name: str, values: Mapping[str, Any]) -> Spec:
    """Make a spec of a name and its values (numbers may be texts); raises FaultError."""
    kind = named(name)
    fields: dict[str, Any] = {"kind": kind.id, "count": kind.limit}
    params = dict(kind.params)
    for key in _FILTERS:
        if key in params:
            fields[key] = str(params.pop(key))
    for key, value in values.items():
        if key in params:
            params[key] = _like(kind, key, params[key], value)
        elif key in _MOMENTS:
            fields[key] = _number(key, value, 0)
        elif key == "after":
            fields[key] = int(_number(key, value, 0))
        elif key == "count":
            fields[key] = None if value in (None, "all") else int(_number(key, value, 1))
        elif key == "chance":
            fields[key] = _number(key, value, 0, 1)
        elif key in _FILTERS:
            fields[key] = str(value)
        else:
            known = ", ".join((*kind.params, "after, count, at_s, for_s, chance, on, pair ..."))
            raise FaultError(f"{kind.id} has no parameter {key!r}: it knows {known}")
    if fields.get("on", "any") not in _ON:
        raise FaultError(f"on={fields['on']} must be one of {', '.join(_ON)}")
    return Spec(**fields, params=params)


def _like(kind: Kind, name: str, example: Value, value: Any) -> Value:
    if isinstance(example, bool):
        if str(value).lower() in ("true", "yes", "1"):
            return True
        if str(value).lower() in ("false", "no", "0"):
            return False
        raise FaultError(f"{kind.id} {name}={value} must be true or false")
    if isinstance(example, str):
        return str(value)
    read = _number(name, value, None)
    return int(read) if isinstance(example, int) else read


def _number(name: str, value: Any, least: float | None, most: float | None = None) -> float:
    try:
        number = float(str(value))
    except ValueError as error:
        raise FaultError(f"{name}={value} must be a number") from error
    if not -1e12 < number < 1e12:
        raise FaultError(f"{name}={value} must be a finite number")
    if (least is not None and number < least) or (most is not None and number > most):
        bounds = f"at least {least:g}" if most is None else f"between {least:g} and {most:g}"
        raise FaultError(f"{name}={value} must be {bounds}")
    return number


def read_lines(lines: tuple[str, ...]) -> list[Spec]:
    """Read the faults of the command line; raises FaultError naming the one that is wrong."""
    specs = []
    for line in lines:
        try:
            specs.append(read_line(line))
        except FaultError as error:
            raise FaultError(f'--fault "{line}": {error}.') from error
    return specs


class _Lines(yaml.SafeLoader):
    """A safe loader whose mappings know their line and refuse a key said twice."""


def _mapping(loader: _Lines, node: yaml.MappingNode) -> dict[Any, Any]:
    row: dict[Any, Any] = {"": node.start_mark.line + 1}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in row:
            line = key_node.start_mark.line + 1
            raise FaultError(f"line {line}: {key!r} is said twice, keep one")
        row[key] = loader.construct_object(value_node, deep=True)
    return row


_Lines.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_file(path: Path) -> list[Spec]:
    """Read a YAML file: `faults:` is a list of lines or of `fault:` mappings; raises FaultError."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
        if len(raw) > MAX_FILE_BYTES:
            raise FaultError(f"--faults {path}: a script is at most {MAX_FILE_BYTES} bytes long.")
        return _read_script(raw.decode())
    except OSError as error:
        raise FaultError(f"--faults {path}: cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise FaultError(f"--faults {path}: it is not UTF-8 text.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark is not None else ""
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise FaultError(f"--faults {path}: {where}not YAML: {problem}.") from error
    except FaultError as error:
        text = str(error)
        raise FaultError(
            text if text.startswith("--faults") else f"--faults {path}: {text}."
        ) from error


def _read_script(text: str) -> list[Spec]:
    if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=_Lines)):
        raise FaultError("aliases (*name) are not allowed, write the fault out")
    loader = _Lines(text)
    try:
        loaded: Any = loader.get_single_data()
    finally:
        loader.dispose()
    rows = loaded.get("faults") if isinstance(loaded, dict) else None
    if not isinstance(rows, list):
        raise FaultError("it must hold a list called `faults`")
    specs = []
    for number, row in enumerate(rows, 1):
        where = f"fault {number}"
        try:
            if isinstance(row, str):
                specs.append(read_line(row))
                continue
            if not isinstance(row, dict):
                raise FaultError("write a line of words or a mapping with `fault: NAME`")
            where = f"line {row.pop('')}"
            name = row.pop("fault", None)
            if not isinstance(name, str):
                raise FaultError("the mapping needs `fault: NAME`")
            specs.append(make(name, {str(key): value for key, value in row.items()}))
        except FaultError as error:
            raise FaultError(f"{where}: {error}") from error
    return specs
