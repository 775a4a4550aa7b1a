"""The contract: public data. Status, books with checksums, trades, quotes, candles, instruments."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from contract_facts import Driver, Opener, Watch
from contract_words import accepted, d, ended, market
from contract_world import World

PAIRS = ("BTC/USD", "ETH/BTC", "PAXG/USD")
INTERVALS = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)


async def test_the_state_of_the_exchange_is_told_first_and_again_at_each_change(
    opener: Opener, there: World
) -> None:
    """Section 3.1: status is sent on connect and when the engine's state changes."""
    trader = await opener(watch=Watch())
    assert trader.public.system[0] == "online" == await trader.system()
    for status in ("post_only", "cancel_only", "maintenance", "online"):
        there.do("system", status=status)
        await trader.settle()
        assert trader.public.system[-1] == status == await trader.system()


@pytest.mark.parametrize("depth", [10, 25, 100, 500])
async def test_a_book_is_rebuilt_and_every_checksum_fits_at_each_depth(
    opener: Opener, there: World, depth: int
) -> None:
    """Section 4: apply in order, truncate to the depth, verify; the result is what Depth says."""
    trader = await opener(watch=Watch(PAIRS, depth))
    for _ in range(4):
        for pair in PAIRS:
            assert trader.book(pair) == there.depth(pair, depth)
        for _ in range(8):
            await trader.step()
    assert trader.public.books_lost == []


async def test_a_book_follows_when_an_own_order_takes_from_it(opener: Opener, there: World) -> None:
    """Section 4.2: deletions and refills in one message; the book is never crossed."""
    trader = await opener(watch=Watch(depth=10))
    book = trader.book("BTC/USD")
    assert book is not None
    _, asks = book
    taken = sum((qty for _, qty in asks[:3]), d("0"))
    accepted(await trader.place(market("bo-1").but(qty=taken)))
    await ended(trader, "bo-1", "filled")
    book = trader.book("BTC/USD")
    assert book == there.depth("BTC/USD", 10)
    assert book is not None
    assert book[0][0][0] < book[1][0][0]
    assert trader.public.books_lost == []


async def test_quotes_are_the_best_of_the_book(opener: Opener, there: World) -> None:
    """Section 3.2: with the trigger bbo the ticker follows bid and ask."""
    trader = await opener(watch=Watch(PAIRS))
    for _ in range(10):
        await trader.step()
        for pair in PAIRS:
            assert trader.public.quotes[pair][-1] == there.best(pair)


async def test_public_trades_have_no_hole_and_are_those_of_rest(
    opener: Opener, there: World
) -> None:
    """Section 3.3: trade_id goes up by one; the snapshot holds the newest 50, oldest first."""
    trader = await opener(watch=Watch())
    assert len(trader.public.prints["BTC/USD"]) == 50
    await trader.step(20)
    prints = trader.public.prints["BTC/USD"]
    assert len(prints) > 50
    assert all(two.trade_id == one.trade_id + 1 for one, two in pairwise(prints))
    answer = there.get("/0/public/Trades?pair=XBTUSD&count=1000")["result"]
    kept = {
        row[6]: (Decimal(row[0]), Decimal(row[1]), {"b": "buy", "s": "sell"}[row[3]])
        for row in answer["XXBTZUSD"]
    }
    seen = {one.trade_id: (one.price, one.qty, one.side) for one in prints}
    assert {number: kept[number] for number in seen} == seen


async def test_own_fills_do_not_show_on_the_public_tape(opener: Opener) -> None:
    """Our own rule of the sandbox, which no client may notice: the ids stay without a hole."""
    trader = await opener(watch=Watch())
    accepted(await trader.place(market("pu-1", "0.01")))
    (last,) = (await ended(trader, "pu-1", "filled"))[-1:]
    assert last.cum_qty == d("0.01")
    await trader.step(10)
    prints = trader.public.prints["BTC/USD"]
    assert all(two.trade_id == one.trade_id + 1 for one, two in pairwise(prints))


async def test_running_candles_of_every_interval_are_those_of_rest(
    opener: Opener, there: World
) -> None:
    """Section 3.4: each interval is a subscription of its own and carries the running candle."""
    trader = await opener(watch=Watch(minutes=INTERVALS))
    await trader.step(70)
    compared = 0
    for minutes in INTERVALS:
        answer = there.get(f"/0/public/OHLC?pair=XBTUSD&interval={minutes}")["result"]
        begin, opened, high, low, close, _vwap, volume, count = answer["XXBTZUSD"][-1]
        seen = trader.public.candles["BTC/USD", minutes]
        newest = seen[max(seen)]
        assert int(newest.begin.timestamp()) % (minutes * 60) == 0 or minutes > 1440
        if count and newest.begin.timestamp() == begin:
            rest = [Decimal(text) for text in (opened, high, low, close, volume)]
            told = [newest.open, newest.high, newest.low, newest.close, newest.volume]
            assert (told, newest.trades) == (rest, count)
            compared += 1
    assert compared >= 4  # on a full hour five candles begin at once, all without a trade so far


@pytest.mark.parametrize("minutes", [1, 60])
async def test_finished_candles_by_rest_have_no_hole(
    trader: Driver, there: World, minutes: int
) -> None:
    """Section 11.4: empty intervals are flat rows; the running candle is not among the finished."""
    candles = await trader.candles("BTC/USD", minutes, 12)
    assert len(candles) >= 11
    step = timedelta(minutes=minutes)
    assert all(two.begin - one.begin == step for one, two in pairwise(candles))
    assert there.at - 2 * step < candles[-1].begin <= there.at - step
    assert all(c.low <= min(c.open, c.close) <= max(c.open, c.close) <= c.high for c in candles)


async def test_a_bad_symbol_is_refused_and_the_good_ones_are_served(opener: Opener) -> None:
    """Sections 2.2 and 12: one answer for each symbol; XBT/USD is no name of v2."""
    trader = await opener(watch=Watch(("BTC/USD", "XBT/USD", "SOL/USD")))
    await trader.step(5)
    assert set(trader.public.quotes) == {"BTC/USD", "SOL/USD"}
    assert trader.book("BTC/USD") is not None
    assert trader.book("XBT/USD") is None


async def test_instruments_say_step_minimum_and_status_alike_by_socket_and_rest(
    opener: Opener,
) -> None:
    """Sections 3.6 and 11.4: the step is price_increment, which is not 10^-precision."""
    trader = await opener(watch=Watch(("BTC/USD", "PAXG/USD", "ACA/EUR", "MON/USD")))
    by_rest = await trader.pairs()
    newest = {pair: rows[-1] for pair, rows in trader.public.pairs.items()}
    assert newest == {pair: by_rest[pair] for pair in newest}
    assert set(newest) == {"BTC/USD", "PAXG/USD", "ACA/EUR", "MON/USD"}
    gold, btc = newest["PAXG/USD"], newest["BTC/USD"]
    assert (gold.price_increment, gold.price_precision) == (d("0.05"), 2)
    assert (btc.price_increment, btc.price_precision, btc.qty_precision) == (d("0.1"), 1, 8)
    assert (btc.qty_min, btc.cost_min) == (d("0.00005"), d("0.5"))
    statuses = {pair: facts.status for pair, facts in newest.items()}
    assert statuses == {
        "BTC/USD": "online",
        "PAXG/USD": "online",
        "ACA/EUR": "cancel_only",
        "MON/USD": "post_only",
    }


async def test_a_change_of_a_pair_is_told(opener: Opener, there: World) -> None:
    """Section 3.6: updates carry the changed pairs; status and minimum change mid-session."""
    trader = await opener(watch=Watch(("BTC/USD", "XRP/USD")))
    try:
        for fields in ({"status": "limit_only"}, {"qty_min": "3"}):
            there.do("pair", pair="XRP/USD", **fields)
            await trader.settle()
        newest = trader.public.pairs["XRP/USD"][-1]
        assert (newest.status, newest.qty_min) == ("limit_only", 3)
        assert len(trader.public.pairs["BTC/USD"]) == 1
        assert (await trader.pairs())["XRP/USD"] == newest
    finally:
        there.do("pair", pair="XRP/USD", status="online", qty_min="2")


async def test_the_clock_of_the_exchange_is_market_time(trader: Driver, there: World) -> None:
    """Section 11.4, Time: whole seconds of UTC."""
    assert abs((await trader.server_time() - there.at).total_seconds()) <= 1
