"""Kraken's habits on the wire."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from simple_trader.sandbox import wire

ASKS = (
    "45285.2x0.00100000 45286.4x1.54571953 45286.6x1.54571109 45289.6x1.54560911 "
    "45290.2x0.15890660 45291.8x1.54553491 45294.7x0.04454749 45296.1x0.35380000 "
    "45297.5x0.09945542 45299.5x0.18772827"
)
BIDS = (
    "45283.5x0.10000000 45283.4x1.54582015 45282.1x0.10000000 45281.0x0.10000000 "
    "45280.3x1.54592586 45279.0x0.07990000 45277.6x0.03310103 45277.5x0.30000000 "
    "45277.3x1.54602737 45276.6x0.15445238"
)


def scaled(text: str, places: int) -> int:
    return int(Decimal(text).scaleb(places))


def side(text: str) -> list[wire.Level]:
    pairs = (level.split("x") for level in text.split())
    return [(scaled(price, 1), scaled(qty, 8)) for price, qty in pairs]


def test_the_checksum_is_kraken_s_published_one() -> None:
    assert wire.checksum(side(ASKS), side(BIDS)) == 3310070434


def test_the_checksum_holds_on_a_real_capture(shared_data: Path) -> None:
    capture = json.loads((shared_data / "kraken/fixtures/orderbook-v2-btcusd-d10.json").read_text())
    books: dict[str, dict[int, int]] = {"bids": {}, "asks": {}}
    messages = [capture["init"], *capture["updates"]]
    for message in messages:
        row = message["data"][0]
        for name, book in books.items():
            for level in row[name]:
                tick, lots = round(level["price"] * 10), round(level["qty"] * 10**8)
                book.pop(tick, None)
                if lots:
                    book[tick] = lots
            best = sorted(book.items(), reverse=name == "bids")[:10]
            book.clear()
            book.update(best)
        asks, bids = sorted(books["asks"].items()), sorted(books["bids"].items(), reverse=True)
        assert wire.checksum(asks, bids) == row["checksum"]
    assert len(messages) == 510


@pytest.mark.parametrize(
    ("units", "precision", "text"),
    [
        (0, 8, "0.00000000"),
        (5, 8, "0.00000005"),
        (452_810, 1, "45281.0"),
        (-5, 2, "-0.05"),
        (7, 0, "7"),
    ],
)
def test_numbers_have_all_their_decimals(units: int, precision: int, text: str) -> None:
    assert wire.fixed(units, precision) == text


def test_json_is_read_with_exact_numbers_and_without_nan() -> None:
    assert wire.read_json('{"a":0.10000000}')["a"] == Decimal("0.10000000")
    for text in ('{"a":NaN}', '{"a":Infinity}', "{", "[" * 100_000):
        with pytest.raises(ValueError):
            wire.read_json(text)


def test_responses_sort_their_keys_and_pushes_do_not() -> None:
    message = {"method": "x", "error": "y", "result": {"b": 1, "a": 2}}
    assert wire.response(message) == '{"error":"y","method":"x","result":{"a":2,"b":1}}'
    assert wire.push({"b": 1, "a": 2}) == '{"b":1,"a":2}'


def test_moments_need_a_zone() -> None:
    moment = wire.read_moment("2026-03-02T11:07:02.000+01:00")
    assert moment is not None
    assert wire.moment_text(moment) == "2026-03-02T10:07:02.000000Z"
    assert wire.read_moment("2026-03-02T10:07:02") is None
    assert wire.read_moment("yesterday") is None
    assert wire.read_moment("0001-01-01T00:00:00+23:59") is None
