"""Who fills, at what price."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice

from simple_trader.simulator.fill_model import Print, maker_fills, walk, walk_cash
from simple_trader.simulator.liquidity import ASK, BID, Liquidity
from simple_trader.simulator.matching import BookState, PairBook
from simple_trader.simulator.orders import Order, Side

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MANY = 10**12


def book() -> PairBook:
    return PairBook(Liquidity(1, 10, 10**8, 9_000), BookState(bid=650_000, ask=650_010))


def rest(there: PairBook, side: Side, tick: int, lots: int, queue: int = 0) -> Order:
    order = Order(
        order_id=f"O{tick}",
        symbol="BTC/USD",
        side=side,
        order_type="limit",
        qty=Decimal(1),
        limit_price=Decimal(1),
        time_in_force="gtc",
        opened_at=NOON,
        hold_rate=Decimal(0),
        queue_lots=queue,
    )
    there.rest(order, tick, lots)
    return order


def sale(tick: int, lots: int) -> Print:
    return Print(tick, lots, buy=False, market=True)


def test_a_taker_walks_the_visible_levels_in_order() -> None:
    there = book()
    levels = list(islice(there.market_levels(ASK), 3))
    wanted = levels[0][1] + levels[1][1] + 5
    walked = walk(there, ASK, wanted, None)
    assert [tuple(fill) for fill in walked.fills] == [*levels[:2], (levels[2][0], 5)]
    assert not walked.met_own


def test_a_taker_stops_at_its_limit() -> None:
    there = book()
    walked = walk(there, ASK, MANY, 650_010)
    assert [fill.tick for fill in walked.fills] == [650_010]


def test_a_taker_never_trades_with_an_own_order() -> None:
    there = book()
    rest(there, "sell", 650_010, 50)
    assert walk(there, ASK, 5, None) == ([], True)
    assert walk_cash(there, MANY * 650_010, None) == ([], True)


def test_a_cash_buy_never_spends_more_than_it_was_given() -> None:
    there = book()
    first_tick, first_lots = next(there.market_levels(ASK))
    cash = first_tick * first_lots + 2 * 650_010 + 100_000
    spent = sum(fill.tick * fill.lots for fill in walk_cash(there, cash, None).fills)
    assert cash - 800_000 < spent <= cash


def test_a_maker_waits_for_the_queue_before_it() -> None:
    there = book()
    order = rest(there, "buy", 650_000, 100, queue=70)
    assert maker_fills(there, [sale(650_000, 69)]) == []
    assert order.queue_lots == 1
    fills = maker_fills(there, [sale(650_000, 31)])
    assert [(level.order, lots) for level, lots in fills] == [(order, 30)]


def test_a_print_through_the_price_fills_a_maker_up_to_its_size() -> None:
    there = book()
    rest(there, "buy", 650_003, 100, queue=10**9)
    fills = maker_fills(there, [sale(650_001, 60)])
    assert [lots for _, lots in fills] == [60]


def test_a_buyer_s_print_never_fills_a_resting_buy() -> None:
    there = book()
    rest(there, "buy", 650_000, 100)
    assert maker_fills(there, [Print(649_000, 50, buy=True, market=True)]) == []


def test_quotes_that_cross_a_maker_fill_it_at_its_own_price() -> None:
    there = book()
    order = rest(there, "buy", 650_000, 100)
    there.move(649_980, 649_990)
    fills = maker_fills(there, [])
    assert sum(lots for _, lots in fills) == 100
    assert all(level.order is order and level.tick == 650_000 for level, _ in fills)


def test_the_book_is_not_crossed_after_a_maker_ate_what_crossed_it() -> None:
    there = book()
    rest(there, "buy", 650_000, MANY)
    there.move(649_980, 649_990)
    maker_fills(there, [])
    bid, ask = there.best(BID), there.best(ASK)
    assert bid is not None
    assert ask is not None
    assert bid[0] < ask[0]
