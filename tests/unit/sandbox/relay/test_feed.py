"""The relay trusts a book only while every message of it was right, and loses no other with it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simple_trader.sandbox import wire
from simple_trader.sandbox.relay.feed import DEAD_S, RETRY_MAX_S, SNAPSHOT_S, Feed
from simple_trader.sandbox.relay.live_book import BadFrame, Change, LiveBook, changed, units
from simple_trader.sandbox.relay.news import (
    BookLost,
    BookMoved,
    LastPrice,
    PairsAre,
    Printed,
    PrintSeen,
    SystemIs,
)
from simple_trader.simulator.instruments import INSTRUMENT_BY_SYMBOL
from simple_trader.simulator.liquidity import ASK, BID

BTC, ETH = "BTC/USD", "ETH/USD"
BIDS, ASKS = [(1000, 5), (999, 7)], [(1001, 4), (1002, 9)]


def book_frame(
    kind: str,
    bids: list[tuple[int, int]],
    asks: list[tuple[int, int]],
    after: tuple[list[tuple[int, int]], list[tuple[int, int]]],
    symbol: str = BTC,
) -> str:
    """A book message; `after` is what the book is behind it, for the checksum."""
    pair = INSTRUMENT_BY_SYMBOL[symbol]
    return (
        f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{symbol}",'
        f'"bids":[{wire.levels_text(pair, bids)}],"asks":[{wire.levels_text(pair, asks)}],'
        f'"checksum":{wire.checksum(after[1], after[0])},'
        '"timestamp":"2026-03-02T10:00:00.000000Z"}]}'
    )


def snapshot(symbol: str = BTC) -> str:
    return book_frame("snapshot", BIDS, ASKS, (BIDS, ASKS), symbol)


def trade_frame(*ids: int, kind: str = "update", symbol: str = BTC) -> str:
    rows = [
        {
            "symbol": symbol, "side": "buy", "price": 100.1, "qty": 0.5, "ord_type": "market",
            "trade_id": number, "timestamp": "2026-03-02T10:00:00.000000Z",
        }
        for number in ids
    ]  # fmt: skip
    return json.dumps({"channel": "trade", "type": kind, "data": rows})


def feed(*symbols: str, depth: int = 10) -> Feed:
    """A connected feed that asked for these pairs; its requests are taken."""
    made = Feed(INSTRUMENT_BY_SYMBOL.get, depth)
    for symbol in symbols:
        made.want(symbol, 0.0)
    made.opened(0.0)
    made.outgoing()
    return made


def requests(made: Feed) -> list[tuple[str, str, Any]]:
    found = [json.loads(text) for text in made.outgoing()]
    return [(one["method"], one["params"]["channel"], one["params"].get("symbol")) for one in found]


# ---------------------------------------------------------------------------- subscriptions


def test_a_connection_asks_for_instruments_and_for_books_and_trades_of_the_wanted_pairs() -> None:
    made = Feed(INSTRUMENT_BY_SYMBOL.get, 100)
    assert made.want(BTC, 0.0)
    assert made.outgoing() == []
    made.opened(0.0)
    assert requests(made) == [
        ("subscribe", "instrument", None),
        ("subscribe", "book", [BTC]),
        ("subscribe", "trade", [BTC]),
    ]
    assert made.want(ETH, 1.0)
    assert requests(made) == [("subscribe", "book", [ETH]), ("subscribe", "trade", [ETH])]


def test_a_pair_without_known_rules_is_not_followed() -> None:
    assert not Feed(INSTRUMENT_BY_SYMBOL.get, 100).want("NO/PAIR", 0.0)


def test_a_refused_subscription_is_told_and_tried_again_later() -> None:
    made = feed(BTC)
    refusal = {"method": "subscribe", "success": False, "symbol": BTC, "error": "Not today"}
    assert made.receive(json.dumps(refusal), 1.0) == [BookLost(BTC, "Not today")]
    assert made.check(2.0) == []
    assert requests(made) == []
    made.check(1.0 + RETRY_MAX_S)
    assert ("subscribe", "book", [BTC]) in requests(made)


def test_a_snapshot_that_does_not_come_is_asked_for_again() -> None:
    made = feed(BTC)
    made.check(SNAPSHOT_S)
    assert requests(made) == [("unsubscribe", "book", [BTC]), ("subscribe", "book", [BTC])]


def test_a_silent_upstream_is_found() -> None:
    made = feed(BTC)
    assert not made.is_dead(DEAD_S)
    assert made.is_dead(DEAD_S + 0.1)
    made.receive('{"channel":"heartbeat"}', DEAD_S)
    assert not made.is_dead(DEAD_S + 1)


# ------------------------------------------------------------------------------------ books


def test_a_verified_book_is_trusted_and_follows_its_updates() -> None:
    made = feed(BTC)
    assert made.book(BTC) is None
    assert made.receive(snapshot(), 1.0) == [BookMoved(BTC)]
    update = book_frame("update", [(1000, 0)], [(1001, 6)], ([(999, 7)], [(1001, 6), (1002, 9)]))
    assert made.receive(update, 2.0) == [BookMoved(BTC)]
    book = made.book(BTC)
    assert book is not None
    assert book.sides == ({999: 7}, {1001: 6, 1002: 9})


def test_a_wrong_checksum_loses_its_pair_at_once_and_no_other() -> None:
    made = feed(BTC, ETH)
    made.receive(snapshot(), 1.0)
    made.receive(snapshot(ETH), 1.0)
    wrong = book_frame("update", [(998, 1)], [], (BIDS, ASKS))
    assert made.receive(wrong, 2.0) == [BookLost(BTC, "its checksum is wrong")]
    assert made.book(BTC) is None
    assert made.book(ETH) is not None
    assert requests(made) == [("unsubscribe", "book", [BTC]), ("subscribe", "book", [BTC])]
    # What the old subscription still sends changes nothing, the new snapshot brings it back.
    assert made.receive(book_frame("update", [(998, 2)], [], (BIDS, ASKS)), 2.1) == []
    assert made.receive(snapshot(), 2.2) == [BookMoved(BTC)]


def test_a_pair_that_fails_again_and_again_is_asked_for_more_and_more_slowly() -> None:
    made = feed(BTC)
    wrong = book_frame("snapshot", BIDS, ASKS, (BIDS, BIDS))
    made.receive(wrong, 1.0)
    assert len(requests(made)) == 2
    made.receive(wrong, 1.1)
    assert requests(made) == [("unsubscribe", "book", [BTC])]
    made.check(2.0)
    assert requests(made) == []
    made.check(3.2)
    assert requests(made) == [("subscribe", "book", [BTC])]


@pytest.mark.parametrize(
    "level", ['{"price":-1.0,"qty":1}', '{"price":1e2,"qty":1}', '{"price":"x"}', "7", "{}"]
)
def test_a_level_that_is_none_loses_the_pair(level: str) -> None:
    made = feed(BTC)
    made.receive(snapshot(), 1.0)
    frame = (
        f'{{"channel":"book","type":"update","data":[{{"symbol":"BTC/USD","bids":[{level}],'
        '"asks":[],"checksum":1}]}'
    )
    lost = made.receive(frame, 2.0)
    assert [type(news) for news in lost] == [BookLost]
    assert made.bad_frames == 1


def test_a_lost_connection_loses_every_book() -> None:
    made = feed(BTC, ETH)
    made.receive(snapshot(), 1.0)
    assert made.closed("gone") == [BookLost(BTC, "gone")]
    assert made.book(BTC) is None
    made.opened(5.0)
    assert ("subscribe", "book", [ETH]) in requests(made)


@pytest.mark.parametrize(
    "frame",
    [
        "CloudFlare WebSocket proxy restarting", "[]", "null", '{"channel":"book","data":7}',
        '{"channel":"trade","data":[7]}', '{"channel":"instrument","data":[]}', '{"x":NaN}',
    ],
)  # fmt: skip
def test_a_frame_that_cannot_be_used_changes_nothing(frame: str) -> None:
    made = feed(BTC)
    made.receive(snapshot(), 1.0)
    assert made.receive(frame, 2.0) == []
    assert made.bad_frames == 1
    assert made.book(BTC) is not None


# ----------------------------------------------------------------------------------- trades


def test_trades_are_told_once_each() -> None:
    made = feed(BTC)
    made.receive(snapshot(), 1.0)
    seen = PrintSeen(7, 1001, 50_000_000, True, True)
    assert made.receive(trade_frame(7), 1.0) == [Printed(BTC, (seen,))]
    assert made.receive(trade_frame(7), 1.0) == []
    assert made.receive(trade_frame(7, 8), 1.0) == [Printed(BTC, (seen._replace(trade_id=8),))]
    made.receive(trade_frame(11), 1.0)
    assert made.missed_prints == 2


def test_trades_of_a_snapshot_or_beside_an_untrusted_book_move_nothing() -> None:
    made = feed(BTC)
    assert made.receive(trade_frame(5), 1.0) == [LastPrice(BTC, 1001)]
    made.receive(snapshot(), 1.0)
    assert made.receive(trade_frame(6, 7, kind="snapshot"), 1.0) == [LastPrice(BTC, 1001)]
    assert made.receive(trade_frame(7), 1.0) == []


# --------------------------------------------------------------------- status and instruments


def test_the_exchanges_status_is_told() -> None:
    made = feed()
    frame = '{"channel":"status","type":"update","data":[{"system":"cancel_only"}]}'
    assert made.receive(frame, 1.0) == [SystemIs("cancel_only")]
    assert made.receive(frame.replace("cancel_only", "new_word"), 1.0) == []


def instrument(**changes: Any) -> str:
    row = {
        "symbol": BTC, "base": "BTC", "quote": "USD", "status": "online", "price_precision": 1,
        "qty_precision": 8, "cost_precision": 5, "price_increment": 0.1, "qty_min": 5e-05,
        "cost_min": "0.5", "new_field": None, **changes,
    }  # fmt: skip
    message = {"channel": "instrument", "type": "update", "data": {"assets": [], "pairs": [row]}}
    return json.dumps(message)


def test_rules_of_a_pair_are_read_with_exponents_and_unknown_words() -> None:
    made = feed()
    (pairs,) = made.receive(instrument(status="on_fire"), 1.0)
    assert isinstance(pairs, PairsAre)
    (row,) = pairs.rows
    assert str(row.qty_min) == "0.00005"
    assert row.status == "maintenance"
    assert not pairs.whole


def test_a_pair_whose_precision_changes_is_not_traded_on_until_a_restart() -> None:
    made = feed(BTC)
    made.receive(snapshot(), 1.0)
    news = made.receive(instrument(price_precision=2), 2.0)
    assert BookLost(BTC, "its precisions changed") in news
    assert made.book(BTC) is None
    made.check(10_000.0)
    assert made.receive(snapshot(), 10_001.0) == []


# -------------------------------------------------------------------------------- the book


@pytest.mark.parametrize(
    ("text", "precision", "count"),
    [("66788.0", 1, 667880), ("28440", 1, 284400), ("0.00100000", 8, 100000), ("5.10", 1, 51)],
)
def test_numbers_are_taken_digit_by_digit(text: str, precision: int, count: int) -> None:
    assert units(text, precision) == count


@pytest.mark.parametrize("text", ["", "1.", ".5", "1e5", "-1", "1.23", "٣", None, 5, "1" * 40])
def test_what_is_no_plain_number_is_refused(text: object) -> None:
    with pytest.raises(BadFrame):
        units(text, 1)


def test_levels_beyond_the_depth_are_cut_off_after_each_message() -> None:
    book = LiveBook(2)
    bids = [Change(10, 1), Change(9, 1), Change(8, 1)]
    book.update(bids, [Change(11, 1)], 0)
    assert book.ticks(BID) == [10, 9]
    book.update([Change(10, 0)], [], 0)
    assert book.ticks(BID) == [9]
    assert book.ticks(ASK) == [11]


def test_a_crossed_book_is_not_trusted() -> None:
    book = LiveBook(10)
    sides = [Change(11, 1)], [Change(11, 1)]
    book.update(*sides, 0)
    assert not book.update([], [], book.checksum())


def test_the_difference_of_two_books_turns_one_into_the_other() -> None:
    before, after = {1: 5, 2: 6, 3: 7}, {2: 6, 3: 8, 4: 1}
    assert changed(before, after) == [(1, 0), (3, 8), (4, 1)]


# ----------------------------------------------------------------------------- hostile input

WORDS = [
    "channel", "type", "data", "symbol", "bids", "asks", "checksum", "price", "qty", "book",
    "trade", "status", "instrument", "snapshot", "update", BTC, "method", "success", "subscribe",
    "system", "pairs", "trade_id", "side", "buy", "1000.1", "0.00000001",
]  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=6)
    ),
    max_leaves=30,
)


@given(st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode()))
@settings(max_examples=400, deadline=None)
def test_whatever_arrives_costs_at_most_its_pair(frame: bytes) -> None:
    made = feed(BTC, ETH)
    made.receive(snapshot(), 1.0)
    made.receive(snapshot(ETH), 1.0)
    book = made.book(BTC)
    assert book is not None
    before = [dict(side) for side in book.sides]
    made.receive(frame, 2.0)
    if made.book(BTC) is not None:
        assert [dict(side) for side in book.sides] == before
    assert made.book(ETH) is not None


@given(st.integers(0, 400), st.integers(0, 255))
@settings(max_examples=300, deadline=None)
def test_a_flipped_byte_never_passes_for_the_book(at: int, byte: int) -> None:
    made = feed(BTC)
    raw = bytearray(snapshot().encode())
    at %= len(raw)
    changed_byte = raw[at] != byte
    raw[at] = byte
    made.receive(bytes(raw), 1.0)
    book = made.book(BTC)
    if changed_byte and book is not None:
        assert book.sides == ({1000: 5, 999: 7}, {1001: 4, 1002: 9})
