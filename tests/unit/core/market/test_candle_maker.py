"""Candles out of trades."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from simple_trader.core.market.candle_maker import CandleMaker, candles_of
from simple_trader.domain.history import PublicTrade

ZERO = datetime(2026, 1, 5, tzinfo=UTC)


def trade(second: float, price: str, qty: str = "1") -> PublicTrade:
    return PublicTrade(
        pair="BTC/USD",
        at=ZERO + timedelta(seconds=second),
        price=Decimal(price),
        qty=Decimal(qty),
    )


def test_a_candle_holds_first_highest_lowest_last_volume_and_count() -> None:
    tape = [trade(0, "10"), trade(1, "12", "0.5"), trade(2, "9"), trade(59.999999, "11", "0.25")]
    (candle,) = candles_of(tape, 60)
    assert (candle.open, candle.high, candle.low, candle.close) == (10, 12, 9, 11)
    assert (candle.volume, candle.trades, candle.begin) == (Decimal("2.75"), 4, ZERO)


def test_a_minute_without_a_trade_has_no_candle() -> None:
    begins = [candle.begin for candle in candles_of([trade(0, "10"), trade(180, "11")], 60)]
    assert begins == [ZERO, ZERO + timedelta(minutes=3)]


def test_a_trade_on_the_border_opens_the_next_candle() -> None:
    maker = CandleMaker(60)
    assert maker.take(trade(59.9, "10")) is None
    done = maker.take(trade(60, "11"))
    assert done is not None
    assert done.close == 10
    assert maker.begin == ZERO + timedelta(minutes=1)


def test_a_trade_of_an_older_candle_is_refused() -> None:
    maker = CandleMaker(60)
    maker.take(trade(60, "10"))
    with pytest.raises(ValueError, match="later candle"):
        maker.take(trade(59, "10"))


def test_nothing_gives_nothing() -> None:
    assert list(candles_of([], 60)) == []
    assert CandleMaker(60).begin is None
