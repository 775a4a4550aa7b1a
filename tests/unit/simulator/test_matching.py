"""One pair's book."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice

import pytest

from simple_trader.simulator.liquidity import ASK, BID, Liquidity
from simple_trader.simulator.matching import (
    BookState,
    GeneratedDepth,
    PairBook,
    reaches,
    total,
)
from simple_trader.simulator.orders import Order, Side

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def depth(bid: int = 650_000, ask: int = 650_010) -> GeneratedDepth:
    return GeneratedDepth(Liquidity(1, 10, 10**8, 9_000), BookState(bid=bid, ask=ask))


def book() -> PairBook:
    return PairBook(depth())


def own(side: Side, name: str = "O1") -> Order:
    return Order(
        order_id=name,
        symbol="BTC/USD",
        side=side,
        order_type="limit",
        qty=Decimal(1),
        limit_price=Decimal(1),
        time_in_force="gtc",
        opened_at=NOON,
        hold_rate=Decimal(0),
    )


def test_quotes_must_be_positive_and_uncrossed() -> None:
    there = depth()
    for bid, ask in ((0, 5), (7, 7), (8, 7)):
        with pytest.raises(ValueError, match="uncrossed"):
            there.move(bid, ask)


def test_what_is_eaten_is_gone_and_half_of_it_grows_back_each_step() -> None:
    generated = depth()
    there = PairBook(generated)
    tick, lots = there.best(ASK) or (0, 0)
    there.eat(ASK, tick, lots)
    assert (there.best(ASK) or (0, 0))[0] > tick
    generated.move(650_000, 650_010)
    assert generated.state.eaten[ASK][tick] == lots // 2
    for _ in range(60):
        generated.move(650_000, 650_010)
    assert generated.state.eaten[ASK] == {}


def test_own_orders_stand_in_the_visible_book() -> None:
    there = book()
    there.rest(own("buy"), 650_005, 7)
    assert there.top(BID, 2)[0] == (650_005, 7)
    there.rest(own("buy", "O2"), 650_005, 3)
    assert there.best(BID) == (650_005, 10)
    assert there.best_own(BID) == 650_005
    there.remove(there.own[BID][0].order)
    assert there.best(BID) == (650_005, 3)


def test_priority_is_price_then_age() -> None:
    there = book()
    for name, tick in (("a", 5), ("b", 9), ("c", 9), ("d", 7)):
        there.rest(own("sell", name), tick, 1)
    assert [level.order.order_id for level in there.by_priority(ASK)] == ["a", "d", "b", "c"]
    for name, tick in (("a", 5), ("b", 9), ("c", 9)):
        there.rest(own("buy", name), tick, 1)
    assert [level.order.order_id for level in there.by_priority(BID)] == ["b", "c", "a"]


def test_the_queue_at_a_price_is_what_the_market_has_there() -> None:
    there = book()
    third = list(islice(there.market_levels(BID), 3))[2]
    assert there.lots_before(BID, third[0]) == third[1]
    assert there.lots_before(BID, 650_005) == 0
    assert total([(1, 2), (2, 5)]) == 7


def test_a_limit_reaches_prices_as_good_or_better() -> None:
    assert [reaches(ASK, price, 10) for price in (9, 10, 11)] == [True, True, False]
    assert [reaches(BID, price, 10) for price in (9, 10, 11)] == [False, True, True]
    assert reaches(ASK, 10**9, None)


def test_what_is_eaten_in_front_of_a_waiting_order_moves_it_forward() -> None:
    there = book()
    tick, lots = there.best(BID) or (0, 0)
    waiting = own("buy")
    waiting.queue_lots = lots
    there.rest(waiting, tick, 5)
    there.eat(BID, tick, lots - 1)
    assert waiting.queue_lots == 1
    there.eat(BID, tick, 10)
    assert waiting.queue_lots == 0


def test_an_iceberg_shows_its_next_slice_at_the_end_of_the_queue() -> None:
    there = book()
    iceberg, other = own("buy", "a"), own("buy", "b")
    there.rest(iceberg, 650_005, 10, hidden=15, slice_lots=10)
    there.rest(other, 650_005, 4)
    assert there.best(BID) == (650_005, 14)
    level = there.level_of(iceberg)
    assert level is not None
    assert not there.take_own(level, 9)
    assert there.take_own(level, 1)
    assert (level.lots, level.hidden) == (10, 5)
    assert [found.order.order_id for found in there.by_priority(BID)] == ["b", "a"]
    assert there.take_own(level, 10)
    assert (level.lots, level.hidden) == (5, 0)
    assert not there.take_own(level, 5)
