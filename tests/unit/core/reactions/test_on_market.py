"""Market events: the board, its rows, and rules that change while we run."""

from datetime import timedelta

from brain_desk import BTC, ETH, T0, Desk, book, candle, only, quote, records, rules, settings

from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.domain.instruments import PairStatus
from simple_trader.domain.reasons import Reason


def desk() -> Desk:
    """A desk that has only started."""
    made = Desk()
    made.start(settings=settings(enable_order_book_feed=True))
    return made


def test_a_quote_is_kept_and_stamped_with_the_exchanges_moment() -> None:
    one = desk()
    venue_at = T0 - timedelta(seconds=2)
    row = records(one.do(e.QuoteSeen(quote=quote(BTC, "1", "2", T0, venue_at))), r.PriceRow)[0]
    assert (row.ts, row.bid, row.ask) == (venue_at, 1, 2)
    row = records(one.do(e.QuoteSeen(quote=quote(BTC, "3", "4", T0))), r.PriceRow)[0]
    assert row.ts == T0
    assert one.engine.state.board.quote(BTC) == quote(BTC, "3", "4", T0)


def test_a_book_is_trusted_until_it_is_lost() -> None:
    one = desk()
    (row,) = records(one.do(e.BookSeen(book=book(BTC, T0))), r.BookMetricsRow)
    assert (row.pair, row.mid) == (BTC, 50000)
    assert one.engine.state.board.board(BTC).book_trusted
    note = only(one.do(e.BookLost(pair=BTC, detail="checksum")), a.Note)
    assert note.reason is Reason.BOOK_UNTRUSTED
    assert not one.engine.state.board.board(BTC).book_trusted


def test_a_candle_is_final_when_the_next_begins() -> None:
    one = desk()
    one.do(e.CandleSeen(candle=candle(BTC, T0)))
    assert one.engine.state.board.board(BTC).candles == []
    one.do(e.CandleSeen(candle=candle(BTC, T0 + timedelta(minutes=1))))
    assert one.engine.state.board.board(BTC).candles == [candle(BTC, T0)]


def test_new_rules_of_a_pair_hold_at_once() -> None:
    one = desk()
    closed = rules(BTC, status=PairStatus.CANCEL_ONLY)
    (row,) = records(one.do(e.InstrumentSeen(rules=closed)), r.PairRow)
    assert row.rules == closed
    assert one.engine.state.rules[BTC] is closed
    assert one.do(e.InstrumentSeen(rules=closed)) == []


def test_the_book_of_a_pair_that_was_taken_out_ends_without_a_warning() -> None:
    desk = Desk()
    desk.open(settings=settings(traded_pairs=(BTC,)))
    levels = [only(desk.do(e.BookLost(pair=p, detail="x")), a.Note).level for p in (BTC, ETH)]
    assert levels == ["warning", "info"]
