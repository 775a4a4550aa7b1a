"""Answer text: one clear object or a refusal, whatever a model writes."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simple_trader.core.strategy.answer_text import (
    MAX_BRACKETS,
    MAX_BYTES,
    BadNumber,
    Refusal,
    clean,
    only_object,
)
from simple_trader.domain.reasons import Reason

HELD = '{"a": 1}'


def refused(raw: str, *, alone: bool = False) -> Reason:
    with pytest.raises(Refusal) as caught:
        only_object(raw, alone=alone)
    assert caught.value.detail
    return caught.value.reason


@pytest.mark.parametrize(
    "raw",
    [
        HELD,
        f"  \n{HELD}\n",
        f"\ufeff{HELD}",
        f"```json\n{HELD}\n```",
        f"Here it is: {HELD} Good luck!",
        f"<think>buy {{or}} [not]?</think>\n{HELD}",
        f"\ufeff <think></think> ```\n{HELD}```",
    ],
)
def test_l03_one_clear_object_is_found_among_words(raw: str) -> None:
    assert only_object(raw, alone=False) == {"a": 1}


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "   ",
        "I cannot help with that.",
        "BUY BTC NOW",
        HELD + HELD,
        f"{HELD} or {HELD}",
        f"[{HELD}]",
        f"{HELD} {{}}",
        f"{{}} {HELD}",
        f"{HELD}]",
        f"maybe {{x}}: {HELD}",
        '{"a": 1,}',
        '{"a": 1',
        "{'a': 1}",
        '{"a": 1 /* no */}',
        '"{\\"a\\": 1}"',
        "<think>hmm",
        f"<think>{HELD}",
        "<think></think>",
        f"<THINK>{HELD}</THINK> No: I hold all.",
        f"<think>a</think> <thinking mood='high'>{HELD}</thinking> No.",
        f"Well.\n<think>\n{HELD}\n</think>\nOn reflection I hold.",
        f"< reasoning >{HELD}",
        '{"a": NaN}',
        '{"a": Infinity}',
        '{"a": -Infinity}',
        '{"a": 1, "a": 2}',
        '{"b": {"a": 1, "a": 1}}',
        '{"a": 01}',
        '{"a": +1}',
        '{"a": .5}',
        '{"a": 0x10}',
        '{"a": "line\nfeed"}',
    ],
)
def test_l03_anything_unclear_is_malformed(raw: str) -> None:
    assert refused(raw) is Reason.ADVICE_MALFORMED


@pytest.mark.parametrize(
    "raw", [f"so: {HELD}", f"{HELD}.", f"```{HELD}```", "[]", "1", "null", '"x"', f"\ufeff{HELD}"]
)
def test_tool_arguments_are_the_object_and_nothing_else(raw: str) -> None:
    assert refused(raw, alone=True) is Reason.ADVICE_MALFORMED
    assert only_object(f" {HELD}\n", alone=True) == {"a": 1}


def test_l09_size_is_limited_in_bytes() -> None:
    fits = '{"a": "' + "x" * (MAX_BYTES - 9) + '"}'
    assert len(fits) == MAX_BYTES
    assert only_object(fits, alone=True) == {"a": "x" * (MAX_BYTES - 9)}
    assert refused(fits.replace("x", "xx", 1)) is Reason.ADVICE_TOO_LONG
    assert refused(fits.replace("x", "é", 1)) is Reason.ADVICE_TOO_LONG
    assert refused("x" * 5_000_000) is Reason.ADVICE_TOO_LONG


def test_l09_depth_and_count_are_limited_before_parsing() -> None:
    deep = '{"a":' * MAX_BRACKETS + "1" + "}" * MAX_BRACKETS
    assert only_object(deep, alone=True)
    for raw in ('{"a":' * 10_000, "[" * 60_000, '{"a": [' + "[]," * MAX_BRACKETS + "[]]}"):
        assert refused(raw) is Reason.ADVICE_TOO_LONG


@pytest.mark.parametrize(
    "literal",
    [
        "1e309",
        "-1e309",
        "1e-400",
        "-0",
        "-0.0",
        "-0e5",
        "0." + "8" * 40,
        "0.8000000000000000000000000000000000000001",
        "9" * 40,
        "1" + "0" * 4_400,
        "1.0000000000000000001",
        "0.9999999999999999999999",
    ],
)
def test_l05_a_number_no_double_can_hold_is_marked(literal: str) -> None:
    held = only_object(f'{{"a": {literal}}}', alone=True)["a"]
    assert held == BadNumber(literal[:24])


@pytest.mark.parametrize(
    ("literal", "value"),
    [("0", 0), ("0.0", 0.0), ("0e5", 0.0), ("0.7", 0.7), ("-3.5", -3.5), ("1e-3", 0.001),
     ("0.1234567890123456789", 0.1234567890123456789), ("42", 42)],
)  # fmt: skip
def test_honest_numbers_are_read_as_they_are(literal: str, value: float) -> None:
    assert only_object(f'{{"a": {literal}}}', alone=True) == {"a": value}


def test_cleaned_text_can_be_stored_and_shown() -> None:
    dirty = "a\x00b\x1b[31mc\ud800d\u202ee\r\u2028\tf\ng é 語\u00a0"
    neat = clean(dirty, 100)
    assert neat == "a�b�[31mc�d�e��\tf\ng é 語\u00a0"
    assert clean("abc", 2) == "ab"


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=()), max_size=200))
def test_cleaned_text_is_always_utf8_without_control_characters(text: str) -> None:
    neat = clean(text, 200)
    neat.encode()
    assert "\x00" not in neat
    assert len(neat) == len(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4))
def test_every_small_json_object_is_read_as_the_standard_library_reads_it(
    value: dict[str, object],
) -> None:
    assert only_object(json.dumps(value), alone=True) == value


PIECES = ["{", "}", "[", "]", '"', ":", ",", "<think>", "</think>", "NaN", "1e999", "\ufeff", "\\u"]


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=4)).map("".join), st.booleans())
def test_any_text_is_an_object_or_a_refusal(raw: str, alone: bool) -> None:
    try:
        found: object = only_object(raw, alone=alone)
    except Refusal as refusal:
        found = refusal.reason
    assert isinstance(found, dict) or found in {Reason.ADVICE_MALFORMED, Reason.ADVICE_TOO_LONG}
