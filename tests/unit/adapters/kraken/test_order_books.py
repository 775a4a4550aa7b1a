"""Books: Kraken's published vector, truncation, and what breaks trust."""

from decimal import Decimal
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kraken_parts import book

from simple_trader.adapters.kraken import order_books, wire
from simple_trader.adapters.kraken.frame_counts import Bad
from simple_trader.adapters.kraken.order_books import BookBroken, OrderBook, Throttle

ASKS = """45285.2 0.00100000 45286.4 1.54571953 45286.6 1.54571109 45289.6 1.54560911
45290.2 0.15890660 45291.8 1.54553491 45294.7 0.04454749 45296.1 0.35380000 45297.5 0.09945542
45299.5 0.18772827""".split()
BIDS = """45283.5 0.10000000 45283.4 1.54582015 45282.1 0.10000000 45281.0 0.10000000
45280.3 1.54592586 45279.0 0.07990000 45277.6 0.03310103 45277.5 0.30000000 45277.3 1.54602737
45276.6 0.15445238""".split()
PUBLISHED = 3310070434


def rows(words: list[str]) -> list[tuple[str, str]]:
    return list(zip(words[::2], words[1::2], strict=True))


def data(frame: str) -> wire.BookData:
    message = wire.read(frame)
    assert isinstance(message, wire.BookFrame)
    return message.data[0]


def published() -> OrderBook:
    made = OrderBook("BTC/USD", 10)
    made.snapshot(data(book("snapshot", rows(BIDS), rows(ASKS), PUBLISHED)))
    return made


def test_the_published_example_has_the_published_checksum() -> None:
    assert published().trusted


def test_a_snapshot_in_any_order_is_the_same_book() -> None:
    made = OrderBook("BTC/USD", 10)
    made.snapshot(data(book("snapshot", rows(BIDS)[::-1], rows(ASKS)[::-1], PUBLISHED)))
    assert made.levels("bids")[0] == (Decimal("45283.5"), Decimal("0.10000000"))


@pytest.mark.parametrize("wrong", [PUBLISHED + 1, 0, -1, 2**40])
def test_a_wrong_checksum_breaks_trust_and_forgets_the_book(wrong: int) -> None:
    made = OrderBook("BTC/USD", 10)
    with pytest.raises(BookBroken):
        made.snapshot(data(book("snapshot", rows(BIDS), rows(ASKS), wrong)))
    assert not made.trusted
    assert made.levels("bids") == []
    assert made.summary(None) is None


def test_an_update_before_a_snapshot_is_dropped() -> None:
    made = OrderBook("BTC/USD", 10)
    assert made.update(data(book("update", [("1.0", "1.00000000")], [], 1))) is False


@pytest.mark.parametrize("number", ['"NaN"', '"1.0"', "null", "true", "1e3", "{}", "-", "0.0"])
def test_a_price_that_is_no_plain_positive_number_breaks_trust(number: str) -> None:
    made = published()
    frame = wire.read(book("update", [(number, "1.00000000")], [], PUBLISHED))
    if isinstance(frame, wire.Unreadable):
        assert number == "-"
        return
    assert isinstance(frame, wire.BookFrame)
    with pytest.raises(BookBroken):
        made.update(frame.data[0])
    assert not made.trusted


def test_the_summary_weighs_the_top_levels() -> None:
    made = OrderBook("BTC/USD", 10)
    bids = [("100.0", "3.00000000"), ("99.0", "1.00000000")]
    asks = [("102.0", "1.00000000"), ("103.0", "1.00000000")]
    text = b"1020100000000" + b"1030100000000" + b"1000300000000" + b"990100000000"
    made.snapshot(data(book("snapshot", bids, asks, crc32(text))))
    summary = made.summary(None)
    assert summary is not None
    assert (summary.bid, summary.ask, summary.mid) == (100, 102, 101)
    assert summary.imbalance == pytest.approx((4 - 2) / 6)
    assert summary.vwap_mid == (Decimal("99.75") + Decimal("102.5")) / 2
    assert summary.spread_bps == pytest.approx(2 / 101 * 10_000)


# -- what no book is --------------------------------------------------------------------------


def test_a_crossed_book_with_a_right_checksum_is_not_trusted() -> None:
    made = OrderBook("BTC/USD", 10)
    bids, asks = [("100.0", "1.00000000")], [("100.0", "2.00000000")]
    checksum = crc32(b"1000200000000" + b"1000100000000")
    with pytest.raises(BookBroken) as broken:
        made.snapshot(data(book("snapshot", bids, asks, checksum)))
    assert broken.value.reason is Bad.CROSSED
    assert not made.trusted


@pytest.mark.parametrize(
    ("bid", "ask"), [("100.1", "9" * 26 + ".1"), ("1" * 31 + ".1", "2" * 31 + ".1")]
)
def test_a_price_beyond_exact_arithmetic_breaks_trust_though_its_checksum_is_right(
    bid: str, ask: str
) -> None:
    crc = crc32(f"{ask}10{bid}10".replace(".", "").encode())
    made = OrderBook("BTC/USD", 10)
    with pytest.raises(BookBroken) as broken:
        made.snapshot(data(book("snapshot", [(bid, "1.0")], [(ask, "1.0")], crc)))
    assert broken.value.reason is Bad.WRONG_LEVEL
    assert not made.trusted


def test_levels_of_absurdly_many_decimals_break_trust() -> None:
    made = OrderBook("BTC/USD", 10)
    bid, ask = "0." + "0" * 30 + "1", "0." + "0" * 30 + "2"
    with pytest.raises(BookBroken):
        made.snapshot(data(book("snapshot", [(bid, "1")], [(ask, "1")], crc32(b"2111"))))


@pytest.mark.parametrize("qty", ["-1.00000000", '"1"', "null", "1e3", "true"])
def test_a_quantity_that_is_no_plain_number_breaks_trust(qty: str) -> None:
    made = published()
    with pytest.raises(BookBroken) as broken:
        made.update(data(book("update", [("45283.5", qty)], [], PUBLISHED)))
    assert broken.value.reason is Bad.WRONG_LEVEL


def test_a_stamp_that_cannot_be_read_costs_only_the_moment() -> None:
    assert Throttle(1.0).passes("P", "0001-01-01T00:00:00+23:59") == (True, None)


@pytest.mark.parametrize("depth", order_books.DEPTHS)
def test_every_documented_depth_is_kept_and_no_more(depth: int) -> None:
    made = OrderBook("X/USD", depth)
    bids = [(f"{price / 10:.1f}", "1.00000000") for price in range(20_000, 20_000 - depth, -1)]
    asks = [(f"{price / 10:.1f}", "1.00000000") for price in range(20_001, 20_001 + depth)]
    text = "".join(f"{round(float(price) * 10)}100000000" for price, _ in asks[:10] + bids[:10])
    made.snapshot(data(book("snapshot", bids, asks, crc32(text.encode()))))
    better = crc32(text.replace("20000100000000", "20000200000000").encode())
    made.update(data(book("update", [("2000.0", "2.00000000")], [], better)))
    worse = [(f"{(20_000 - depth) / 10:.1f}", "1.00000000")]
    made.update(data(book("update", worse, [], better)))
    assert [len(made.levels(name)) for name in ("bids", "asks")] == [depth, depth]


# -- against a plain model -----------------------------------------------------------------

prices = st.integers(min_value=1, max_value=60)
quantities = st.integers(min_value=0, max_value=3)
changes = st.lists(st.tuples(st.sampled_from(["bids", "asks"]), prices, quantities), max_size=30)


@given(st.lists(changes, min_size=1, max_size=8))
def test_any_run_of_updates_keeps_the_levels_of_a_plain_model(messages: list[Any]) -> None:
    depth = 10
    made, model = OrderBook("X/USD", depth), {"bids": {}, "asks": {}}
    made.snapshot(data(book("snapshot", [], [("99.9", "1.00000000")], crc32(b"999100000000"))))
    made_asks: dict[int, int] = {999: 1}
    model["asks"] = made_asks
    for message in messages:
        parts: dict[str, list[tuple[str, str]]] = {"bids": [], "asks": []}
        for side, price, qty in message:
            # Bids from 0.1 to 6.0, asks from 10.1 to 16.0: never crossed.
            tick = price if side == "bids" else price + 100
            parts[side].append((f"{tick / 10:.1f}", f"{qty}.00000000"))
            if qty:
                model[side][tick] = qty
            else:
                model[side].pop(tick, None)
        best = {
            "bids": sorted(model["bids"].items(), reverse=True)[:depth],
            "asks": sorted(model["asks"].items())[:depth],
        }
        model = {side: dict(kept) for side, kept in best.items()}
        text = "".join(f"{p}{q}00000000" for side in ("asks", "bids") for p, q in best[side])
        made.update(data(book("update", parts["bids"], parts["asks"], crc32(text.encode()))))
        for side in ("bids", "asks"):
            found = [(int(p * 10), int(q)) for p, q in made.levels(side)]
            assert found == best[side]


# -- throttle ------------------------------------------------------------------------------


def test_a_summary_passes_once_in_a_venue_second() -> None:
    throttle = Throttle(1.0)
    stamps = ["2026-03-02T10:00:00.1Z", "2026-03-02T10:00:00.9Z", "2026-03-02T10:00:01.2Z"]
    assert [throttle.passes("P", stamp)[0] for stamp in stamps] == [True, False, True]


def test_the_interval_is_respected_across_seconds() -> None:
    throttle = Throttle(5.0)
    seconds = [throttle.passes("P", f"2026-03-02T10:00:{s:02d}Z")[0] for s in range(12)]
    assert [i for i, passed in enumerate(seconds) if passed] == [0, 5, 10]


def test_messages_without_a_stamp_are_counted_and_a_reset_lets_the_next_through() -> None:
    throttle = Throttle(1.0, per=3)
    assert [throttle.passes("P", None)[0] for _ in range(5)] == [True, False, False, True, False]
    throttle.reset("P")
    assert throttle.passes("P", None)[0]
