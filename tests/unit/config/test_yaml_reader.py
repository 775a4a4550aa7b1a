"""The YAML reader reads numbers exactly and refuses what YAML 1.1 would misread."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simple_trader.config.yaml_reader import MAX_BYTES, YamlRefused, dotted, read_yaml


def test_numbers_are_exact_and_text_in_quotes_stays_text() -> None:
    found = read_yaml('a: 0.10000000000000000001\nb: 1e-5\nc: "1"\nd: -3\ne: +4\nf: .5\ng: true\n')
    assert found.values == {
        "a": Decimal("0.10000000000000000001"),
        "b": Decimal("1e-5"),
        "c": "1",
        "d": -3,
        "e": 4,
        "f": Decimal("0.5"),
        "g": True,
    }


@pytest.mark.parametrize("empty", ["", "~", "null", "Null"])
def test_an_empty_value_is_none(empty: str) -> None:
    assert read_yaml(f"a: {empty}\n").values == {"a": None}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("no: 1\n", 1, "true or false"),
        ("a: 1\nb: {off: 2}\n", 2, "true or false"),
        ("a: yes\n", 1, "a: yes can be read as true or false"),
        ("a: 12:30:45\n", 1, "base 60"),
        ("a: 010\n", 1, "octal"),
        ("a: 0x1F\n", 1, "hexadecimal"),
        ("a: 1_000\n", 1, "underscores"),
        ("a: .nan\n", 1, "finite"),
        ("a: -.INF\n", 1, "finite"),
        ("a: nan\n", 1, "finite"),
        ("a: 2026-01-01\n", 1, "date"),
        ("a: 1\nb: 2\na: 3\n", 3, "stands twice, first in line 1"),
        ("x:\n  a: 1\n  a: 3\n", 3, "x.a stands twice, first in line 2"),
        ("a: &b 1\n", 1, "anchors"),
        ("a: *b\n", 1, "aliases"),
        ("a: !!python/object/apply:os.system [ls]\n", 1, "tags"),
        ("a: !!str 1\n", 1, "tags"),
        ("<<: {a: 1}\n", 1, "merge"),
        ("1: a\n", 1, "not a word"),
        ("? [a]\n: b\n", 1, "a key must be one word"),
        ("- a\n", 1, "key: value"),
        ("text\n", 1, "key: value"),
        ("", 1, "empty"),
        ("# only words\n", 1, "empty"),
        ("---\n", 1, "no key"),
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("a: [1\n", 2, "not YAML"),
        ("a: 1\n\tb: 2\n", 2, "not YAML"),
        ("a: \x07\n", 1, "forbids"),
        ("a: " + "[" * 40 + "]" * 40 + "\n", 1, "deep"),
    ],
)
def test_a_surprise_is_refused_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(YamlRefused) as refused:
        read_yaml(text)
    assert words in refused.value.reason
    assert refused.value.line == line


def test_an_alias_bomb_is_refused_before_it_grows() -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(30))
    with pytest.raises(YamlRefused, match="anchors"):
        read_yaml(bomb)


def test_a_file_over_the_limit_is_refused() -> None:
    with pytest.raises(YamlRefused, match="longer than"):
        read_yaml("a: " + "x" * MAX_BYTES + "\n")


def test_the_end_mark_and_the_lines_are_seen() -> None:
    document = read_yaml("a:\n  - p\n  - q\nb: {c: 1}\n...\n")
    assert document.ended
    assert document.lines[("a", 1)] == 3
    assert document.lines[("b", "c")] == 4
    assert not read_yaml("a: 1\n").ended


def test_a_path_reads_as_people_write_it() -> None:
    assert dotted(("sim", "speed")) == "sim.speed"
    assert dotted(("traded_pairs", 0)) == "traded_pairs[0]"


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_never_anything_else(text: str) -> None:
    refusals = []
    try:
        read_yaml(text)
    except YamlRefused as refused:
        refusals.append(refused)
    assert all(refused.reason and refused.line >= 1 for refused in refusals)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=8, min_value=0, max_value=10**9))
def test_a_decimal_comes_back_as_written(number: Decimal) -> None:
    assert Decimal(str(read_yaml(f"a: {number:f}\n").values["a"])) == number
