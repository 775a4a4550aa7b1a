"""Market history on a real PostgreSQL: what is covered is whole, whatever is repeated."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import asyncpg
import pytest

from simple_trader.adapters.store.market_history import TRADES, MarketHistory
from simple_trader.domain.errors import StoreError
from simple_trader.domain.history import PublicTrade, Span
from simple_trader.domain.orders import Side
from simple_trader.domain.quotes import Candle

ZERO = datetime(2026, 1, 5, tzinfo=UTC)


def minute(number: int, close: str = "10") -> Candle:
    price = Decimal(close)
    return Candle(
        pair="BTC/USD", interval_s=60, begin=ZERO + timedelta(minutes=number), open=price,
        high=price, low=price, close=price, volume=Decimal("1.5"), trades=3,
    )  # fmt: skip


def span(begin: int, end: int) -> Span:
    return Span(ZERO + timedelta(minutes=begin), ZERO + timedelta(minutes=end))


def trade(second: int, trade_id: int | None) -> PublicTrade:
    return PublicTrade(
        pair="BTC/USD", at=ZERO + timedelta(seconds=second), price=Decimal("10.5"),
        qty=Decimal("0.1"), side=None if trade_id is None else Side.SELL, market=True,
        trade_id=trade_id,
    )  # fmt: skip


async def rows(database: str, sql: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(database)
    try:
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


async def test_a_save_repeated_leaves_one_row_each_and_one_span(database: str) -> None:
    async with MarketHistory(database) as history:
        for close in ("10", "11"):
            candles = [minute(number, close) for number in range(3)]
            assert await history.save_candles("BTC/USD", 60, span(0, 5), candles, "ohlc") == 3
        assert await history.covered("BTC/USD", 60) == (span(0, 5),)
    found = await rows(database, "SELECT close FROM market_candles ORDER BY begin")
    assert found == [(11.0,)] * 3


async def test_spans_that_touch_or_overlap_become_one(database: str) -> None:
    async with MarketHistory(database) as history:
        for begin, end in ((0, 2), (8, 9), (2, 4), (3, 6)):
            await history.save_candles("BTC/USD", 60, span(begin, end), [], "ohlc")
        await history.save_candles("ETH/USD", 60, span(0, 1), [], "ohlc")
        assert await history.covered("BTC/USD", 60) == (span(0, 6), span(8, 9))
        assert await history.covered("BTC/USD", 300) == ()


async def test_trades_keep_what_the_source_does_not_say_as_null(database: str) -> None:
    async with MarketHistory(database) as history:
        await history.save_trades("BTC/USD", span(0, 1), [trade(1, None), trade(1, 77)], "trades")
        assert await history.covered("BTC/USD", TRADES) == (span(0, 1),)
    found = await rows(database, "SELECT side, market, trade_id FROM market_trades ORDER BY side")
    assert found == [("sell", True, 77), (None, True, None)]


async def test_a_row_that_cannot_be_written_leaves_neither_rows_nor_coverage(database: str) -> None:
    async with MarketHistory(database) as history:
        with pytest.raises(StoreError, match="cannot be written"):
            await history.save_candles("BTC/USD", 60, span(0, 2), [minute(0), minute(0)], "ohlc")
        assert await history.covered("BTC/USD", 60) == ()
        assert await history.save_candles("BTC/USD", 60, span(0, 2), [minute(0)], "ohlc") == 1
