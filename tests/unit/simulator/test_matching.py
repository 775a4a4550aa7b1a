"""One pair's book."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice

import pytest

from simple_trader.simulator.liquidity import ASK, BID, Liquidity
from simple_trader.simulator.matching import BookState, PairBook, reaches, total
from simple_trader.simulator.orders import Order, Side

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def book(bid: int = 650_000, ask: int = 650_010) -> PairBook:
    return PairBook(Liquidity(1, 10, 10**8, 9_000), BookState(bid=bid, ask=ask))


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
    there = book()
    for bid, ask in ((0, 5), (7, 7), (8, 7)):
        with pytest.raises(ValueError, match="uncrossed"):
            there.move(bid, ask)


def test_what_is_eaten_is_gone_and_half_of_it_grows_back_each_step() -> None:
    there = book()
    tick, lots = there.best(ASK) or (0, 0)
    there.eat(ASK, tick, lots)
    assert (there.best(ASK) or (0, 0))[0] > tick
    there.move(650_000, 650_010)
    assert there.state.eaten[ASK][tick] == lots // 2
    for _ in range(60):
        there.move(650_000, 650_010)
    assert there.state.eaten[ASK] == {}


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


def test_a_smaller_order_keeps_its_place() -> None:
    there = book()
    first, second = own("buy", "a"), own("buy", "b")
    there.rest(first, 5, 10)
    there.rest(second, 5, 10)
    there.resize(first, 4)
    assert [(level.order, level.lots) for level in there.by_priority(BID)] == [
        (first, 4),
        (second, 10),
    ]
