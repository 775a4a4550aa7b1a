"""Secrets and control characters never come through."""

import pytest

from simple_trader.telemetry.masking import Masker, block, one_line

CANARY = "cAnary/9+x=="


@pytest.mark.parametrize(
    "text",
    [
        f"key {CANARY} end",
        "key cAnary%2F9%2Bx%3D%3D end",
        f"{CANARY}{CANARY}",
        f"x={CANARY}&y",
    ],
)
def test_a_registered_secret_is_masked_in_each_of_its_forms(text: str) -> None:
    shown = Masker((CANARY,)).text(text)
    assert "***" in shown
    assert "nary" not in shown


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Incorrect API key provided: sk-proj-abcDEF123456789xyz", "abcDEF123456789xyz"),
        ("postgresql+asyncpg://bob:s3cr3t@host/db", "s3cr3t"),
        ("headers {'API-Sign': 'aGVsbG8gd29ybGQ='}", "aGVsbG8gd29ybGQ="),
        ("Authorization: Bearer abc.def-ghi_jkl", "abc.def-ghi_jkl"),
        ('{"token":"1Dwc4lzSwNWOAwkMdqhssNNFhs1ed606d1WcF3XfEMw"}', "1Dwc4lzSwNWOAwkMd"),
        ("password=correct-horse", "correct-horse"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, hidden: str) -> None:
    assert hidden not in Masker().text(text)


@pytest.mark.parametrize(
    "text", ["BTC/USD 64000.1", "https://host:8080/path", "tokens 12 used", "cl_ord_id 01J-abc"]
)
def test_ordinary_words_are_left_alone(text: str) -> None:
    assert Masker(("ab", "")).text(text) == text


def test_the_longer_of_two_secrets_is_masked_whole() -> None:
    assert Masker(("abcd", "abcdefgh")).text("abcdefgh") == "***"


def test_control_characters_show_as_escapes() -> None:
    evil = "a\nb\x1b[2Jc\x7fd\u2028e\u202ef\x9bg\rh"
    shown = one_line(evil)
    assert shown == "a\\nb\\x1b[2Jc\\x7fd\\u2028e\\u202ef\\x9bg\\rh"
    assert block("a\nb\tc\x1b") == "a\nb\tc\\x1b"
