"""A second reader of answers: what a text plainly says about a pair, by a parser of its own.

It is the witness against the brain's reader: whatever that one takes as advice must stand here too.
Nothing of it is shared, not even the JSON library.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

_SPACE = re.compile(r"[ \t\n\r]*")
_STRING = re.compile(r'"((?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*)"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))')
_SHORT = dict(zip('"\\/bfnrt', '"\\/\b\f\n\r\t', strict=True))
_TAG = re.compile(
    r"<(/?)(?:thinking|think|thoughts|thought|reasoning|reflection|scratchpad|analysis)(?:\s[^<>]*)?>",
    re.IGNORECASE,
)
_WORDS = {"true": True, "false": False, "null": None}
_DEEPEST = 40
_DONE = {"", "stop", "tool_calls", "function_call", "end_turn", "eos"}
_OUTER = {"decisions", "rationale", "confidence"}
_INNER = {
    *("pair", "action", "confidence", "risk_level", "rationale", "price_target", "stop_loss"),
    *("expected_move_pct", "horizon_minutes", "bias_allocation", "sentiment"),
}


@dataclass(frozen=True)
class Number:
    """A number as it was written."""

    literal: str

    @property
    def value(self) -> Decimal:
        """Its exact value."""
        return Decimal(self.literal)


@dataclass(frozen=True)
class Said:
    """What is plainly said about one pair."""

    action: str
    confidence: Decimal
    risk_level: str
    price_target: Decimal | None
    stop_loss: Decimal | None
    expected_move_pct: Decimal | None


class Unclear(Exception):
    """It does not plainly say anything."""


def said(raw: str, *, kind: str, finish: str, pair: str) -> Said | None:
    """The one thing that is said about a pair, or None."""
    try:
        return _said(raw, kind, finish, pair)
    except Unclear:
        return None


def _said(raw: str, kind: str, finish: str, pair: str) -> Said:
    _must(finish.strip().lower() in _DONE)
    _must(len(raw.encode("utf-8", "replace")) <= 65_536)
    text = raw.strip()
    if kind != "tool_call":
        text = text.removeprefix("\ufeff").strip()
        if text.startswith("<think>"):
            _must("</think>" in text)
            text = text.split("</think>", 1)[1]
    begin = text.find("{")
    _must(begin >= 0)
    thoughts = [tag[1] for tag in _TAG.finditer(text[:begin])]
    _must(thoughts[-1:] != [""])  # else the object is a draft
    answer, end = _value(text, begin, 0)
    around = text[:begin] + text[end:]
    _must(not set(around) & set("{}[]"))
    _must(kind != "tool_call" or not around.strip())
    _must(isinstance(answer, dict) and set(answer) <= _OUTER)
    decisions = answer.get("decisions")
    _must(isinstance(decisions, list) and all(isinstance(one, dict) for one in decisions))
    about = [one for one in decisions if one.get("pair") == pair]
    _must(len(about) == 1 and set(about[0]) <= _INNER)
    return _of(about[0])


def _of(one: dict[str, Any]) -> Said:
    action, risk, sure = one.get("action"), one.get("risk_level"), one.get("confidence")
    _must(action in ("buy", "sell", "hold") and risk in ("low", "medium", "high"))
    _must(isinstance(sure, Number) and Decimal(0) <= sure.value <= Decimal(1))
    _must(not sure.literal.startswith("-") and len(sure.literal) <= 24)
    _must(sure.value in (0, 1) or float(sure.literal) not in (0.0, 1.0))
    _must(isinstance(one.get("rationale", ""), str))
    optional = {
        name: _optional(one.get(name))
        for name in ("price_target", "stop_loss", "expected_move_pct")
    }
    return Said(action=action, confidence=sure.value, risk_level=risk, **optional)


def _optional(value: object) -> Decimal | None:
    _must(value is None or isinstance(value, Number))
    return value.value if isinstance(value, Number) else None


def _must(holds: object) -> None:
    if not holds:
        raise Unclear


# --- the parser -----------------------------------------------------------------------------------


def _value(text: str, at: int, depth: int) -> tuple[Any, int]:
    """The JSON value at a place, and where it ends."""
    _must(depth < _DEEPEST and at < len(text))
    sign = text[at]
    if sign == "{":
        return _object(text, at, depth)
    if sign == "[":
        return _list(text, at, depth)
    if sign == '"':
        return _string(text, at)
    for word, value in _WORDS.items():
        if text.startswith(word, at):
            return value, at + len(word)
    found = _NUMBER.match(text, at)
    _must(found)
    assert found is not None
    return Number(found[0]), found.end()


def _object(text: str, at: int, depth: int) -> tuple[dict[str, Any], int]:
    made: dict[str, Any] = {}
    at = _skip(text, at + 1)
    if text[at : at + 1] == "}":
        return made, at + 1
    while True:
        name, at = _string(text, at)
        at = _skip(text, at)
        _must(text[at : at + 1] == ":" and name not in made)
        made[name], at = _value(text, _skip(text, at + 1), depth + 1)
        at = _skip(text, at)
        if text[at : at + 1] == "}":
            return made, at + 1
        _must(text[at : at + 1] == ",")
        at = _skip(text, at + 1)


def _list(text: str, at: int, depth: int) -> tuple[list[Any], int]:
    made: list[Any] = []
    at = _skip(text, at + 1)
    if text[at : at + 1] == "]":
        return made, at + 1
    while True:
        value, at = _value(text, at, depth + 1)
        made.append(value)
        at = _skip(text, at)
        if text[at : at + 1] == "]":
            return made, at + 1
        _must(text[at : at + 1] == ",")
        at = _skip(text, at + 1)


def _string(text: str, at: int) -> tuple[str, int]:
    found = _STRING.match(text, at)
    _must(found)
    assert found is not None
    return _ESCAPE.sub(_unescaped, found[1]), found.end()


def _unescaped(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16)) if escape[1] else _SHORT[escape[2]]


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None
    return found.end()
