"""Who fills, at what price."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice

from simple_trader.simulator.fill_model import Fill, Print, Taker, maker_fills, walk
from simple_trader.simulator.liquidity import ASK, BID, Liquidity
from simple_trader.simulator.matching import BookState, GeneratedDepth, PairBook
from simple_trader.simulator.orders import Order, SelfTrade, Side

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MANY = 10**12


def depth() -> GeneratedDepth:
    return GeneratedDepth(Liquidity(1, 10, 10**8, 9_000), BookState(bid=650_000, ask=650_010))


def book() -> PairBook:
    return PairBook(depth())


def rest(
    there: PairBook, side: Side, tick: int, lots: int, queue: int = 0, account: str = "main"
) -> Order:
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
        account=account,
    )
    there.rest(order, tick, lots)
    return order


def taker(lots: int, limit: int | None = None, stp: SelfTrade = "cancel_newest") -> Taker:
    return Taker("main", ASK, lots, limit, stp)


def sale(tick: int, lots: int) -> Print:
    return Print(tick, lots, buy=False, market=True)


def test_a_taker_walks_the_visible_levels_in_order() -> None:
    there = book()
    levels = list(islice(there.market_levels(ASK), 3))
    wanted = levels[0][1] + levels[1][1] + 5
    walked = walk(there, taker(wanted))
    assert [fill[:2] for fill in walked.fills] == [*levels[:2], (levels[2][0], 5)]
    assert walked.lots == wanted
    assert not walked.stopped


def test_a_taker_stops_at_its_limit() -> None:
    walked = walk(book(), taker(MANY, 650_010))
    assert [fill.tick for fill in walked.fills] == [650_010]


def test_a_taker_never_trades_with_an_order_of_its_own_account() -> None:
    there = book()
    rest(there, "sell", 650_010, 50)
    assert walk(there, taker(5)) == ([], True)
    assert walk(there, taker(5)._replace(lots=MANY, cash=MANY * 650_010)) == ([], True)


def test_self_trade_prevention_ends_the_newest_the_oldest_or_both() -> None:
    there = book()
    rest(there, "sell", 650_005, 50)
    level = there.own[ASK][0]
    assert walk(there, taker(5, stp="cancel_both")) == ([Fill(650_005, 0, level)], True)
    oldest = walk(there, taker(5, stp="cancel_oldest"))
    assert oldest.fills == [Fill(650_005, 0, level), Fill(650_010, 5)]
    assert not oldest.stopped


def test_an_order_of_another_account_trades_at_its_place_in_the_queue() -> None:
    there = book()
    tick, lots = there.best(ASK) or (0, 0)
    rest(there, "sell", tick, 7, queue=10, account="other")
    rest(there, "sell", tick - 3, 2, account="other")
    walked = walk(there, taker(lots))
    assert [fill[:2] for fill in walked.fills] == [
        (tick - 3, 2),
        (tick, 10),
        (tick, 7),
        (tick, lots - 19),
    ]
    assert [fill.maker is not None for fill in walked.fills] == [True, False, True, False]


def test_a_taker_meets_the_hidden_slices_of_an_iceberg_behind_all_others_at_its_price() -> None:
    there = book()
    first = rest(there, "sell", 650_005, 10, account="other")
    there.remove(first)
    there.rest(first, 650_005, 10, hidden=12, slice_lots=10)
    rest(there, "sell", 650_005, 4, account="third")
    walked = walk(there, taker(30, 650_005))
    assert [fill.lots for fill in walked.fills] == [10, 4, 10, 2]


def test_a_cash_buy_never_spends_more_than_it_was_given() -> None:
    there = book()
    first_tick, first_lots = next(there.market_levels(ASK))
    cash = first_tick * first_lots + 2 * 650_010 + 100_000
    walked = walk(there, Taker("main", ASK, MANY, None, cash=cash))
    spent = sum(fill.tick * fill.lots for fill in walked.fills)
    assert cash - 800_000 < spent <= cash


def test_a_maker_waits_for_the_queue_before_it() -> None:
    there = book()
    order = rest(there, "buy", 650_000, 100, queue=70)
    assert maker_fills(there, [sale(650_000, 69)]) == []
    assert order.queue_lots == 1
    fills = maker_fills(there, [sale(650_000, 31)])
    assert [(level.order, lots) for level, lots, _ in fills] == [(order, 30)]


def test_a_print_through_the_price_fills_a_maker_up_to_its_size() -> None:
    there = book()
    rest(there, "buy", 650_003, 100, queue=10**9)
    fills = maker_fills(there, [sale(650_001, 60)])
    assert [fill.lots for fill in fills] == [60]


def test_a_buyer_s_print_never_fills_a_resting_buy() -> None:
    there = book()
    rest(there, "buy", 650_000, 100)
    assert maker_fills(there, [Print(649_000, 50, buy=True, market=True)]) == []


def test_quotes_that_cross_a_maker_fill_it_at_its_own_price() -> None:
    generated = depth()
    there = PairBook(generated)
    order = rest(there, "buy", 650_000, 100)
    generated.move(649_980, 649_990)
    fills = maker_fills(there, [])
    assert sum(fill.lots for fill in fills) == 100
    assert all(level.order is order and level.tick == 650_000 for level, *_ in fills)


def test_the_book_is_not_crossed_after_a_maker_ate_what_crossed_it() -> None:
    generated = depth()
    there = PairBook(generated)
    rest(there, "buy", 650_000, MANY)
    generated.move(649_980, 649_990)
    maker_fills(there, [])
    bid, ask = there.best(BID), there.best(ASK)
    assert bid is not None
    assert ask is not None
    assert bid[0] < ask[0]


def test_a_print_through_an_iceberg_fills_slice_after_slice() -> None:
    there = book()
    order = rest(there, "buy", 650_003, 0)
    there.remove(order)
    there.rest(order, 650_003, 10, hidden=15, slice_lots=10)
    fills = maker_fills(there, [sale(650_001, 22)])
    assert [(fill.lots, fill.refilled) for fill in fills] == [(10, True), (10, True), (2, False)]


def test_a_print_at_the_price_of_an_iceberg_fills_only_what_it_shows() -> None:
    there = book()
    order = rest(there, "buy", 650_003, 0)
    there.remove(order)
    there.rest(order, 650_003, 10, hidden=15, slice_lots=10)
    fills = maker_fills(there, [sale(650_003, 22)])
    assert [(fill.lots, fill.refilled) for fill in fills] == [(10, True)]
