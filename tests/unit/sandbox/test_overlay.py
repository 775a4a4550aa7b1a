"""What own takers consumed of the relayed book is not there a second time."""

from simple_trader.sandbox.overlay import Overlay, OverlayState
from simple_trader.simulator.liquidity import ASK, BID


def overlay() -> Overlay:
    made = Overlay()
    made.replace([(99, 5), (98, 7)], [(101, 10), (102, 20)])
    return made


def test_both_sides_are_walked_from_the_best_price() -> None:
    assert list(overlay().market_levels(BID)) == [(99, 5), (98, 7)]
    assert list(overlay().market_levels(ASK)) == [(101, 10), (102, 20)]


def test_what_was_eaten_is_not_offered_again() -> None:
    book = overlay()
    book.eat(ASK, 101, 4)
    assert list(book.market_levels(ASK)) == [(101, 6), (102, 20)]
    book.eat(ASK, 101, 6)
    assert list(book.market_levels(ASK)) == [(102, 20)]


def test_a_repeated_display_of_a_level_does_not_bring_back_what_was_eaten() -> None:
    book = overlay()
    book.eat(ASK, 101, 10)
    book.change([], [(101, 10)])
    assert list(book.market_levels(ASK)) == [(102, 20)]


def test_a_level_that_grows_gives_only_what_came_on_top() -> None:
    book = overlay()
    book.eat(ASK, 101, 10)
    book.change([], [(101, 13)])
    assert list(book.market_levels(ASK)) == [(101, 3), (102, 20)]


def test_a_level_that_shrinks_below_what_was_eaten_has_nothing_left() -> None:
    book = overlay()
    book.eat(ASK, 101, 8)
    book.change([], [(101, 5)])
    assert list(book.market_levels(ASK)) == [(102, 20)]
    book.change([], [(101, 9)])
    assert list(book.market_levels(ASK)) == [(101, 4), (102, 20)]


def test_a_level_that_was_gone_comes_back_whole() -> None:
    book = overlay()
    book.eat(ASK, 101, 10)
    book.change([], [(101, 0)])
    book.change([], [(101, 10)])
    assert list(book.market_levels(ASK)) == [(101, 10), (102, 20)]


def test_a_new_snapshot_keeps_the_memory_of_levels_that_are_still_displayed() -> None:
    book = overlay()
    book.eat(ASK, 101, 10)
    book.eat(BID, 99, 2)
    book.replace([(98, 7)], [(101, 10), (103, 1)])
    assert list(book.market_levels(ASK)) == [(103, 1)]
    assert list(book.market_levels(BID)) == [(98, 7)]
    assert book.state.eaten == ({}, {101: 10})


def test_after_a_restart_the_first_snapshot_judges_what_was_eaten_before() -> None:
    book = Overlay(OverlayState(eaten=({}, {101: 4, 105: 3})))
    book.replace([(99, 5)], [(101, 10)])
    assert list(book.market_levels(ASK)) == [(101, 6)]
    assert book.state.eaten == ({}, {101: 4})


def test_the_queue_of_a_resting_order_is_everything_displayed_eaten_or_not() -> None:
    book = overlay()
    book.eat(BID, 99, 3)
    assert book.queue_at(BID, 99) == 5
    assert book.queue_at(BID, 97) == 0


def test_the_best_price_skips_what_is_eaten_up() -> None:
    book = overlay()
    book.eat(BID, 99, 5)
    assert book.best(BID) == 98
    assert Overlay().best(ASK) is None
