"""Frames that are wrong in every way we could think of, made from real shapes by a seed."""

import json
import random
from collections.abc import Callable, Iterator

Mutation = Callable[[random.Random, str], bytes]

WORDS = (
    "null", "true", "[]", "{}", '""', '"NaN"', '"Infinity"', "NaN", "Infinity", "-1", "0",
    "1e400", "-0.0", "1e-400", "9" * 400, '"x"', '"\\ud800"', "18446744073709551616", "[[[[]]]]",
    '{"a":{"a":{}}}', '"2026-03-02"', '"0001-01-01T00:00:00+23:59"', "1.5", '"\\u0000"',
)  # fmt: skip


def flipped(dice: random.Random, text: str) -> bytes:
    """Some bytes are others."""
    raw = bytearray(text.encode())
    for _ in range(dice.randint(1, 4)):
        raw[dice.randrange(len(raw))] = dice.randrange(256)
    return bytes(raw)


def cut(dice: random.Random, text: str) -> bytes:
    """The end, or a piece in the middle, is missing."""
    raw = text.encode()
    at = dice.randrange(len(raw))
    return raw[:at] if dice.random() < 0.5 else raw[:at] + raw[at + dice.randint(1, 30) :]


def swapped(dice: random.Random, text: str) -> bytes:
    """Some value is of another type or absurd."""
    values: list[tuple[list[object] | dict[str, object], object]] = []
    whole = json.loads(text, parse_float=_Number, parse_int=_Number)
    _collect(whole, values)
    for _ in range(dice.randint(1, 2)):
        owner, key = dice.choice(values)
        owner[key] = _Number(dice.choice(WORDS))
    return _write(whole).encode()


def dropped(dice: random.Random, text: str) -> bytes:
    """Some field is missing."""
    values: list[tuple[list[object] | dict[str, object], object]] = []
    whole = json.loads(text, parse_float=_Number, parse_int=_Number)
    _collect(whole, values)
    owner, key = dice.choice(values)
    del owner[key]
    return _write(whole).encode()


def doubled(dice: random.Random, text: str) -> bytes:
    """Some piece stands there twice."""
    raw = text.encode()
    at = dice.randrange(len(raw))
    piece = raw[at : at + dice.randint(1, 60)]
    return raw[:at] + piece + raw[at:]


def nested(dice: random.Random, text: str) -> bytes:
    """A field more, of great depth."""
    depth = dice.choice([10, 1000, 20_000])
    deep = "[" * depth + "]" * dice.choice([depth, depth - 1, 0])
    return (text[:-1] + ',"extra":' + deep + "}").encode()


def renamed(dice: random.Random, text: str) -> bytes:
    """A word of the protocol that it does not have."""
    words = ("snapshot", "update", "buy", "sell", "trade", "book", "ticker", "online", "limit")
    present = [word for word in words if f'"{word}"' in text]
    return text.replace(f'"{dice.choice(present or ["channel"])}"', '"novelty"').encode()


def noise(dice: random.Random, _text: str) -> bytes:
    """Nothing but bytes."""
    return dice.randbytes(dice.randint(0, 80))


def words_of_a_proxy(dice: random.Random, _text: str) -> bytes:
    """What stands in front of the exchange says something itself."""
    return dice.choice(
        [b"CloudFlare WebSocket proxy restarting", b"<html>502</html>", b"", b"null", b"[]", b"7"]
    )


MUTATIONS: tuple[Mutation, ...] = (
    flipped, cut, swapped, swapped, swapped, dropped, doubled, nested, renamed, noise,
    words_of_a_proxy,
)  # fmt: skip


def storm(shapes: list[str], count: int, seed: int) -> Iterator[bytes]:
    """`count` frames, the same for the same seed."""
    dice = random.Random(seed)
    for _ in range(count):
        yield dice.choice(MUTATIONS)(dice, dice.choice(shapes))


class _Number(str):
    """A number kept as its text."""

    __slots__ = ()


def _collect(node: object, into: list[tuple[list[object] | dict[str, object], object]]) -> None:
    keys: list[object] = []
    if isinstance(node, dict):
        keys = list(node)
    elif isinstance(node, list):
        keys = list(range(len(node)))
    for key in keys:
        into.append((node, key))
        _collect(node[key], into)


def _write(node: object) -> str:
    if isinstance(node, _Number):
        return str(node)
    if isinstance(node, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{_write(v)}" for k, v in node.items()) + "}"
    if isinstance(node, list):
        return "[" + ",".join(map(_write, node)) + "]"
    return json.dumps(node)
