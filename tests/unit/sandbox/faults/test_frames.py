"""Frames keep every digit through a change, and each change is exactly the one that was meant."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simple_trader.sandbox.faults import books, frames
from simple_trader.sandbox.faults.frames import Out

BOOK = (
    '{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[{"price":66786.5,'
    '"qty":0.00000000}],"asks":[],"checksum":902440905,"timestamp":"2026-03-02T10:00:00.204654Z"}]}'
)
BIDS = [("45283.5", "0.10000000"), ("45283.4", "1.54582015"), ("45282.1", "0.10000000"),
        ("45281.0", "0.10000000"), ("45280.3", "1.54592586"), ("45279.0", "0.07990000"),
        ("45277.6", "0.03310103"), ("45277.5", "0.30000000"), ("45277.3", "1.54602737"),
        ("45276.6", "0.15445238")]  # fmt: skip
ASKS = [("45285.2", "0.00100000"), ("45286.4", "1.54571953"), ("45286.6", "1.54571109"),
        ("45289.6", "1.54560911"), ("45290.2", "0.15890660"), ("45291.8", "1.54553491"),
        ("45294.7", "0.04454749"), ("45296.1", "0.35380000"), ("45297.5", "0.09945542"),
        ("45299.5", "0.18772827")]  # fmt: skip


def test_the_published_checksum_comes_out() -> None:
    assert frames.checksum(ASKS, BIDS) == 3310070434


def test_reading_and_writing_a_frame_changes_no_byte() -> None:
    assert frames.write(frames.read(BOOK)) == BOOK


def test_what_a_frame_is_about_is_seen() -> None:
    out = Out(BOOK, "public", 5)
    assert (out.seen.channel, out.seen.type, out.seen.pair) == ("book", "update", "BTC/USD")
    ack = '{"method":"add_order","req_id":1,"result":{"order_id":"O1"},"success":true}'
    out = Out(ack, "private", 5)
    assert (out.seen.method, out.success, out.order_id) == ("add_order", True, "O1")


@given(st.text())
def test_any_text_is_looked_at_without_a_word(text: str) -> None:
    assert Out(text, "public", 1).text == text


@pytest.mark.parametrize(
    ("skew", "stamp"),
    [(3, "2026-03-02T10:00:03.204654Z"), (-0.5, "2026-03-02T09:59:59.704654Z")],
)
def test_a_skew_moves_the_stamp_and_keeps_its_digits(skew: float, stamp: str) -> None:
    assert stamp in frames.with_skew(BOOK, skew)
    assert '"2026-01-01T00:00:01Z"' in frames.with_skew('"2025-12-31T23:59:58Z"', 3)
    nine = frames.with_skew('"2026-03-02T10:00:00.123456789Z"', 1)
    assert nine == '"2026-03-02T10:00:01.123456789Z"'


def test_a_wrong_checksum_or_quantity_is_the_only_change() -> None:
    assert frames.wrong_checksum(BOOK) == BOOK.replace("902440905", "902440904")
    assert frames.wrong_quantity(BOOK) == BOOK.replace("0.00000000", "0.00000001")


def test_small_numbers_take_exponents_and_others_stay() -> None:
    text = '{"a":0.00000001,"b":0.00005,"c":0.1,"d":0.00012,"e":0.000012}'
    assert frames.with_exponents(text) == ('{"a":1e-08,"b":5e-05,"c":0.1,"d":0.00012,"e":1.2e-05}')


@pytest.mark.parametrize("size", [5, 200, 70_000])
def test_a_frame_has_the_length_that_its_head_says(size: int) -> None:
    raw = frames.ws_frame(b"x" * size)
    head = {5: 2, 200: 4, 70_000: 10}[size]
    assert len(raw) == head + size
    assert raw[0] == 0x81
    if size == 200:
        assert struct.unpack("!H", raw[2:4]) == (200,)


def test_a_shifted_sequence_stands_in_the_text() -> None:
    out = Out('{"channel":"executions","type":"update","data":[],"sequence":8}', "private", 1)
    out.shift = -3
    out.renumbered()
    assert json.loads(out.text)["sequence"] == 5


@pytest.mark.parametrize("how", books.HOW)
@pytest.mark.parametrize("kind", ["snapshot", "update"])
def test_a_bad_book_has_a_right_checksum_and_one_bad_thing(how: str, kind: str) -> None:
    text = BOOK.replace('"update"', f'"{kind}"').replace(
        '"bids":[{"price":66786.5,"qty":0.00000000}]', '"bids":[]'
    )
    row = json.loads(books.bad_book(text, how, BIDS, ASKS), parse_float=str)["data"][0]
    sides = {"bids": dict(BIDS), "asks": dict(ASKS)}
    for side, levels in sides.items():
        if kind == "snapshot":
            levels.clear()
        for level in row[side]:
            levels[level["price"]] = level["qty"]
            if float(level["qty"]) == 0:
                del levels[level["price"]]
    bids = sorted(sides["bids"].items(), key=lambda level: -float(level[0]))
    asks = sorted(sides["asks"].items(), key=lambda level: float(level[0]))
    assert row["checksum"] == frames.checksum(asks, bids)
    assert (bids, asks) != (BIDS, ASKS)


def test_a_burst_ends_where_it_began() -> None:
    there, back = books.there_and_back("BTC/USD", BIDS, ASKS, "2026-03-02T10:00:00.000000Z")
    assert json.loads(there)["data"][0]["checksum"] != json.loads(back)["data"][0]["checksum"]
    assert json.loads(back)["data"][0]["checksum"] == frames.checksum(ASKS, BIDS)
