"""The price board: what is final stays, what is late is ignored, and what is lost is untrusted."""

import itertools
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from market_parts import BTC, ETH, T0, book, candle, minutes, quote

from simple_trader.core.market.indicators.panel import Indicators
from simple_trader.core.market.price_board import PriceBoard, breaks_series, end_of


def filled(count: int, window: int = 720) -> PriceBoard:
    """A board that finished `count` candles, closes 100, 101 ..., and one that runs."""
    board = PriceBoard(window=window)
    for number in range(count + 1):
        board.on_candle(candle(number, 100 + number))
    return board


def test_a_candle_is_final_when_a_later_one_begins() -> None:
    board = PriceBoard()
    assert board.on_candle(candle(0, 100)) is None
    assert board.on_candle(candle(0, 101)) is None
    final = board.on_candle(candle(1, 102))
    assert final == candle(0, 101)
    pair = board.board(BTC)
    assert pair.candles == [candle(0, 101)]
    assert pair.running == candle(1, 102)


def test_indicators_are_updated_once_for_each_final_candle() -> None:
    board = filled(60)
    by_hand = Indicators()
    for number in range(60):
        by_hand.update(high=101.0 + number, low=99.0 + number, close=100.0 + number, volume=5.0)
    assert board.board(BTC).indicators == by_hand


def test_a_candle_that_is_over_at_a_decision_is_final_and_what_comes_after_is_late() -> None:
    board = filled(60)
    pair = board.board(BTC)
    running = pair.running
    assert running is not None
    board.finish_until(end_of(running) - timedelta(microseconds=1))
    assert pair.running == running, "it is not over yet"
    board.finish_until(end_of(running))
    assert (pair.running, pair.candles[-1]) == (None, running)
    before = msgspec.json.encode(board)
    assert board.on_candle(candle(60, 9_999)) is None
    board.finish_until(end_of(running) + timedelta(seconds=30))
    assert msgspec.json.encode(board) == before
    assert board.on_candle(candle(61, 200)) is None
    assert pair.running == candle(61, 200)
    assert pair.indicators.count == 61


def test_m05_duplicate_and_late_candles_change_nothing() -> None:
    board = filled(60)
    before = msgspec.json.encode(board)
    for number in (0, 30, 59):
        assert board.on_candle(candle(number, 9_999)) is None
    board.warm([candle(number, 9_999) for number in range(61)])
    assert msgspec.json.encode(board) == before


@settings(deadline=None)
@given(st.lists(st.integers(0, 20), max_size=60))
def test_m05_any_order_of_arrival_finishes_each_candle_at_most_once(order: list[int]) -> None:
    board = PriceBoard()
    finals = [final for number in order if (final := board.on_candle(candle(number, 100)))]
    begins = [final.begin for final in finals]
    assert begins == sorted(set(begins))
    assert board.board(BTC).candles == finals
    assert board.board(BTC).indicators.count == len(finals)


def test_the_window_is_bounded() -> None:
    pair = filled(50, window=20).board(BTC)
    assert [c.begin for c in pair.candles] == [T0 + minutes(n) for n in range(30, 50)]
    assert pair.indicators.count == 50


def test_warm_history_equals_a_series_seen_live() -> None:
    warmed = PriceBoard()
    warmed.warm(candle(number, 100 + number) for number in range(60))
    warmed.on_candle(candle(60, 160))
    assert msgspec.json.encode(warmed) == msgspec.json.encode(filled(60))


def test_warm_history_never_overtakes_the_live_stream() -> None:
    board = PriceBoard()
    board.on_candle(candle(5, 105))
    board.warm(candle(number, 100 + number) for number in range(8))
    pair = board.board(BTC)
    assert [c.begin for c in pair.candles] == [T0 + minutes(n) for n in range(5)]
    assert pair.running == candle(5, 105)


def test_short_silence_is_bridged() -> None:
    board = filled(60)
    board.on_candle(candle(80, 100))
    board.on_candle(candle(81, 100))
    assert board.board(BTC).indicators.count == 62


def test_m01_after_a_gap_of_six_hours_everything_begins_anew() -> None:
    board = filled(60)
    board.on_candle(candle(60 + 6 * 60 + 1, 100))
    assert board.on_candle(candle(60 + 6 * 60 + 2, 100)) is not None
    pair = board.board(BTC)
    assert pair.indicators.count == 1
    assert len(pair.candles) == 1
    known = {name for name, value in pair.indicators.values().items() if value is not None}
    assert known == {"range_pct"}


@pytest.mark.parametrize(
    ("interval_s", "gap_s", "broken"),
    [
        (60, 0, False),
        (60, 1_800, False),
        (60, 1_860, True),
        (3_600, 18_000, False),
        (3_600, 21_600, True),
        (86_400, 0, False),
        (86_400, 86_400, True),
    ],
)
def test_a_series_breaks_at_its_limits(interval_s: int, gap_s: int, broken: bool) -> None:
    assert breaks_series(interval_s, gap_s) is broken


def test_another_interval_is_another_series() -> None:
    board = filled(60)
    hourly = candle(120, 50, interval_s=3_600)
    assert board.on_candle(hourly) is None
    pair = board.board(BTC)
    assert (pair.candles, pair.running, pair.indicators) == ([], hourly, Indicators())
    board = filled(60)
    board.warm([hourly])
    assert board.board(BTC).candles == [hourly]


def test_the_latest_quote_is_kept_and_asking_makes_no_board() -> None:
    board = PriceBoard()
    assert board.quote(BTC) is None
    assert board.boards == {}
    board.on_quote(quote())
    board.on_quote(quote(bid="100", ask="101"))
    assert board.quote(BTC) == quote(bid="100", ask="101")


def test_a_lost_book_is_untrusted_until_its_next_summary() -> None:
    board = PriceBoard()
    pair = board.board(BTC)
    assert not pair.book_trusted
    board.on_book(book(), T0)
    assert (pair.book, pair.book_trusted) == (book(), True)
    board.on_book_lost(BTC)
    assert (pair.book, pair.book_at, pair.book_trusted) == (None, None, False)
    board.on_book(book(), T0)
    assert (pair.book_at, pair.book_trusted) == (T0, True)


def test_means_of_a_book_begin_anew_when_it_was_lost() -> None:
    board = PriceBoard()
    pair = board.board(BTC)
    for minute in (0, 6):
        board.on_book(book(), T0 + minutes(minute))
    assert pair.book_means.values() == {
        "imbalance_1m": 0.25,
        "imbalance_5m": 0.25,
        "spread_5m_bps": 10.0,
    }
    board.on_book_lost(BTC)
    board.on_book(book(), T0 + minutes(7))
    assert set(pair.book_means.values().values()) == {None}


def test_pairs_do_not_mix() -> None:
    board = PriceBoard()
    for number, pair in itertools.product(range(10), (BTC, ETH)):
        board.on_candle(candle(number, 100 if pair == BTC else 3, pair=pair))
    assert {c.close for c in board.board(BTC).candles} == {100}
    assert {c.close for c in board.board(ETH).candles} == {3}


def test_a_board_can_be_encoded_and_goes_on_identically() -> None:
    board = filled(60)
    board.on_quote(quote())
    board.on_book(book(), T0)
    again = msgspec.json.decode(msgspec.json.encode(board), type=PriceBoard)
    assert again == board
    for each in (board, again):
        each.on_candle(candle(61, 42))
        each.on_candle(candle(62, 43))
    assert msgspec.json.encode(again) == msgspec.json.encode(board)


def test_a_candle_ends_one_interval_after_its_begin() -> None:
    assert end_of(candle(3)) == T0 + minutes(4)
