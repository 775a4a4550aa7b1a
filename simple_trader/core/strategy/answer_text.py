"""Answer text: finds the one JSON object in a model's text, within limits that cannot be argued."""

import json
import re
from decimal import Decimal
from math import isfinite

import msgspec

from simple_trader.domain.reasons import Reason

MAX_BYTES = 64 * 1024
MAX_BRACKETS = 500  # opening brackets: bounds count and depth before anything is parsed
_MAX_LITERAL = 24  # characters of a number: a double needs 17 digits, sign, point and exponent
_THINK_BEGIN = "<think>"
_THINK_END = "</think>"
_THOUGHT = re.compile(
    r"<\s?(/?)\s?(?:think(?:ing)?|thoughts?|reasoning|reflection|scratchpad|analysis)\b[^<>]*>",
    re.IGNORECASE,
)
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class Refusal(Exception):
    """The answer, or a field of it, cannot be used."""

    def __init__(self, reason: Reason, detail: str) -> None:
        """Keep the reason and the words for people."""
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class BadNumber(msgspec.Struct, frozen=True):
    """A number that JSON allows and no double can hold honestly; `literal` is cut for people."""

    literal: str


def clean(text: str, limit: int) -> str:
    """`text` cut to `limit` characters, made storable: no control character, no lone surrogate.

    Postgres takes no NUL and UTF-8 no lone surrogate; a terminal must not obey escape codes.
    Line feeds and tabs stay.
    """
    return "".join(
        character if _is_plain(character) else _REPLACEMENT for character in text[:limit]
    )


def _is_plain(character: str) -> bool:
    """Whether a character can be stored and shown."""
    return character.isprintable() or character in "\n\t\u00a0\u202f\u3000"


def only_object(raw: str, *, alone: bool) -> dict[str, object]:
    """The one JSON object of `raw`; raises Refusal for none, two, or anything unclear.

    With `alone` nothing but white space may stand around it. Else a byte order mark, one block of
    `<think>` text at the beginning, a fence and words are tolerated, as long as no other bracket
    is among them. Refused inside: NaN, Infinity, a key named twice; odd numbers become BadNumber.
    """
    if len(raw) > MAX_BYTES or len(raw.encode("utf-8", "replace")) > MAX_BYTES:
        raise Refusal(Reason.ADVICE_TOO_LONG, f"{len(raw)} characters")
    text = raw.strip()
    if not alone:
        text = _without_thoughts(text.removeprefix("\ufeff").strip())
    if not text:
        raise Refusal(Reason.ADVICE_MALFORMED, "the answer is empty")
    if text.count("{") + text.count("[") > MAX_BRACKETS:
        raise Refusal(Reason.ADVICE_TOO_LONG, f"more than {MAX_BRACKETS} brackets")
    begin = 0 if alone else text.find("{")
    if begin < 0:
        raise Refusal(Reason.ADVICE_MALFORMED, f"no object in: {clean(text, 80)}")
    value, end = _decode(text, begin)
    if not isinstance(value, dict):
        raise Refusal(Reason.ADVICE_MALFORMED, "the answer is not an object")
    around = text[:begin] + text[end:]
    if (alone and around.strip()) or any(bracket in around for bracket in "{}[]"):
        raise Refusal(Reason.ADVICE_MALFORMED, "there is more than one clear object")
    tags = _THOUGHT.findall(text, 0, begin)
    if tags and not tags[-1]:
        raise Refusal(Reason.ADVICE_MALFORMED, "the only object stands in a thought: a draft")
    return value


def _without_thoughts(text: str) -> str:
    """Drop one closed block of thinking at the beginning; an open one hides the answer."""
    if not text.startswith(_THINK_BEGIN):
        return text
    _, closed, answer = text.partition(_THINK_END)
    if not closed:
        raise Refusal(Reason.ADVICE_MALFORMED, "the thinking never ended")
    return answer.strip()


def _decode(text: str, begin: int) -> tuple[object, int]:
    """The JSON value at `begin` and where it ends."""
    try:
        return _DECODER.raw_decode(text, begin)
    except json.JSONDecodeError as error:
        raise Refusal(
            Reason.ADVICE_MALFORMED, f"not JSON at character {error.pos}: {error.msg}"
        ) from None
    except RecursionError:
        raise Refusal(Reason.ADVICE_MALFORMED, "nested too deep") from None


def _refuse_constant(name: str) -> object:
    """NaN and the infinities are Python's, not JSON's."""
    raise Refusal(Reason.ADVICE_MALFORMED, f"{name} is no JSON number")


def _whole(literal: str) -> int | BadNumber:
    """An integer of honest length."""
    if len(literal) > _MAX_LITERAL or literal == "-0":
        return BadNumber(literal[:_MAX_LITERAL])
    return int(literal)


def _real(literal: str) -> float | BadNumber:
    """A double that is what its text says: not overflowed, not underflowed, no minus zero, and not
    rounded to a whole number, where a range may end: 1.0000000000000000001 is more than 1.
    """
    value = float(literal)
    has_digits = any(digit in "123456789" for digit in literal.lower().partition("e")[0])
    if (
        len(literal) > _MAX_LITERAL
        or not isfinite(value)
        or (value == 0.0 and (has_digits or literal.startswith("-")))
        or (value.is_integer() and Decimal(literal) != Decimal(value))
    ):
        return BadNumber(literal[:_MAX_LITERAL])
    return value


def _no_duplicates(items: list[tuple[str, object]]) -> dict[str, object]:
    """An object, refused if a key is named twice: readers disagree about which one counts."""
    made = dict(items)
    if len(made) != len(items):
        raise Refusal(Reason.ADVICE_MALFORMED, "a key is named twice")
    return made


_DECODER = json.JSONDecoder(
    parse_constant=_refuse_constant,
    parse_int=_whole,
    parse_float=_real,
    object_pairs_hook=_no_duplicates,
)
