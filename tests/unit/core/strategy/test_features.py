"""Features: all names always, None for what is not known, and nothing from the future."""

import math
from decimal import Decimal

import pytest
from market_parts import BTC, T0, book, candle, minutes, quote

from simple_trader.core.market.price_board import PairBoard, PriceBoard
from simple_trader.core.strategy.features import NAMES, features_of
from simple_trader.domain.moments import EPOCH

END = T0 + minutes(60)


def board(closes: list[float] | None = None, **changes: object) -> PairBoard:
    """A pair with one finished candle per close from T0 on, the last one still running."""
    prices = PriceBoard()
    for number, close in enumerate([*(closes or [100.0 + n % 7 for n in range(60)]), 1.0]):
        prices.on_candle(candle(number, close, **changes))
    return prices.board(BTC)


def seen(pair: PairBoard, at_minutes: float = 60.0) -> dict[str, float | None]:
    return features_of(pair, T0 + minutes(at_minutes)).values


def test_every_name_is_always_there_and_nothing_is_known_of_an_empty_board() -> None:
    features = features_of(PairBoard(pair=BTC), T0)
    assert features.values == dict.fromkeys(NAMES)
    assert features.newest_event_at == EPOCH


def test_every_name_has_a_value_when_everything_is_there() -> None:
    pair = board()
    pair.quote = quote(seen_at=END)
    pair.book, pair.book_trusted = book(), True
    features = features_of(pair, END)
    assert tuple(features.values) == NAMES
    assert None not in features.values.values()
    assert features.newest_event_at == END


def test_returns_are_percent_of_the_close_so_many_candles_ago() -> None:
    values = seen(board([100.0] * 50 + [200.0] + [220.0] * 4 + [242.0]), 56)
    assert values["return_1_pct"] == pytest.approx(10.0)
    assert values["return_5_pct"] == pytest.approx(21.0)
    assert values["return_15_pct"] == pytest.approx(142.0)


def test_relative_values_follow_from_the_indicators() -> None:
    pair = board()
    known = pair.indicators.values()
    values = seen(pair)
    close = float(pair.candles[-1].close)
    assert known["sma_20"] is not None
    assert values["sma_20"] == known["sma_20"]
    assert values["distance_sma_20_pct"] == pytest.approx(
        (close / known["sma_20"] - 1) * 100, rel=0.1
    )
    assert values["range_pct"] == pytest.approx(2.0 / close * 100)
    assert values["volume_ratio_20"] == pytest.approx(1.0)


def test_relative_values_do_not_depend_on_the_price_level() -> None:
    one = seen(board([100.0 + n % 7 for n in range(60)]))
    ten = seen(board([1000.0 + 10 * (n % 7) for n in range(60)]))
    for name in ("return_1_pct", "distance_sma_50_pct", "ema_gap_pct", "bb_width_pct", "bb_pct"):
        assert one[name] == pytest.approx(ten[name])


def test_the_running_candle_is_not_seen() -> None:
    pair = board()
    before = seen(pair)
    assert pair.running is not None
    pair.running = candle(60, 99_999)
    assert seen(pair) == before


def test_m01_a_constant_price_gives_no_zero_by_zero() -> None:
    values = seen(board([100.0] * 60))
    assert values["rsi_14"] is None
    assert values["bb_pct"] is None
    assert values["return_1_pct"] == 0.0
    assert all(value is None or math.isfinite(value) for value in values.values())


def test_m01_without_volume_there_is_no_volume_feature() -> None:
    pair = board(volume=Decimal(0))
    nothing = Decimal(0)
    pair.quote = quote(volume=nothing, vwap=nothing, low=nothing, high=nothing, change_pct=nothing)
    values = seen(pair)
    for name in ("volume_ratio_20", "volume_24h", "change_24h_pct", "distance_vwap_pct"):
        assert values[name] is None, name
    assert values["day_range_position"] is None
    assert values["spread_bps"] == pytest.approx(20.0)


def test_m01_a_single_candle_gives_no_return_and_no_mean() -> None:
    values = seen(board([100.0]), 1)
    assert {name for name, value in values.items() if value is not None} == {"range_pct"}


@pytest.mark.parametrize(
    ("silent_minutes", "known"), [(0, True), (31, True), (32, False), (360, False)]
)
def test_m01_candles_of_before_a_long_silence_are_not_today(
    silent_minutes: int, known: bool
) -> None:
    pair = board()
    assert (seen(pair, 60 + silent_minutes)["sma_20"] is not None) is known


def test_daily_candles_stay_known_while_the_day_runs() -> None:
    prices = PriceBoard()
    for number in range(21):
        prices.on_candle(candle(1440 * number, 100, interval_s=86_400))
    assert features_of(prices.board(BTC), T0 + minutes(1440 * 20.9)).values["sma_20"] == 100.0


def test_m02_a_candle_that_ends_later_is_not_used() -> None:
    features = features_of(board(), END - minutes(0.001))
    assert features.values["sma_20"] is None
    assert features.newest_event_at == EPOCH
    assert features_of(board(), END).newest_event_at == END


def test_m02_a_quote_or_book_of_later_is_not_used() -> None:
    pair = board()
    pair.quote = quote(seen_at=END + minutes(1))
    pair.book, pair.book_trusted = book(venue_at=END + minutes(1)), True
    features = features_of(pair, END)
    assert features.values["spread_bps"] is None
    assert features.values["imbalance"] is None
    assert features.newest_event_at == END


def test_an_untrusted_book_is_not_used() -> None:
    pair = board()
    pair.quote = quote()
    pair.book, pair.book_trusted = book(), False
    values = seen(pair)
    assert values["imbalance"] is None
    assert values["spread_bps"] == pytest.approx(20.0)
    pair.book_trusted = True
    assert seen(pair)["spread_bps"] == 10.0


def test_the_spread_of_a_crossed_quote_is_not_known() -> None:
    pair = PairBoard(pair=BTC, quote=quote(bid="101", ask="100"))
    assert features_of(pair, T0).values["spread_bps"] is None


def test_what_is_not_finite_is_not_known() -> None:
    pair = PairBoard(
        pair=BTC, book=book(imbalance=math.nan, spread_bps=math.inf), book_trusted=True
    )
    values = features_of(pair, T0).values
    assert values["imbalance"] is None
    assert values["spread_bps"] is None
