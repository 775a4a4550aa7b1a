"""What the online model learns from means the same at every price and volume."""

from decimal import Decimal

import msgspec
import pytest
from market_parts import BTC, T0, candle, minutes

from simple_trader.core.market.price_board import PairBoard, PriceBoard
from simple_trader.core.strategy.features import NAMES, NEUTRAL, features_of
from simple_trader.core.strategy.model_inputs import model_inputs


def board(price_factor: int, volume_factor: int) -> PairBoard:
    """Two hundred candles whose prices and volumes are multiplied."""
    prices = PriceBoard()
    for number in range(201):
        close = 100 + number % 7 + number // 20
        told = {"open": close - 1, "high": close + 2, "low": close - 3, "close": close}
        scaled = {name: Decimal(price * price_factor) for name, price in told.items()}
        volume = Decimal((5 + number % 3) * volume_factor)
        prices.on_candle(msgspec.structs.replace(candle(number), volume=volume, **scaled))
    return prices.board(BTC)


def inputs(price_factor: int, volume_factor: int) -> dict[str, float | None]:
    at = T0 + minutes(200)
    return model_inputs(features_of(board(price_factor, volume_factor), at).values)


def test_the_same_market_at_another_price_and_volume_looks_the_same() -> None:
    small, large = inputs(1, 1), inputs(64, 32)
    assert set(small) == set(large) == set(NEUTRAL)
    known = {name: value for name, value in small.items() if value is not None}
    assert len(known) > 20
    for name, value in known.items():
        assert large[name] == pytest.approx(value, rel=1e-9, abs=1e-9), name


def test_m01_what_is_not_known_stays_none_and_what_is_no_input_is_left_out() -> None:
    assert model_inputs(dict.fromkeys(NAMES)) == dict.fromkeys(NEUTRAL)
    assert model_inputs({"price": 50000.0, "rsi_14": None, "sma_20": 1.0}) == {"rsi_14": None}
