"""Features: all names always, None for what is not known, and nothing from the future."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from market_parts import BTC, T0, book, candle, minutes, quote

from simple_trader.core.market.price_board import PairBoard, PriceBoard
from simple_trader.core.strategy.features import NAMES, NEUTRAL, SPECS, Features, features_of
from simple_trader.domain.moments import EPOCH

END = T0 + minutes(60)


def board(
    closes: list[float] | None = None, *, volumes: list[int] | None = None, **changes: object
) -> PairBoard:
    """A pair with one finished candle per close from T0 on, the last one still running."""
    prices = PriceBoard()
    past = [100.0 + n % 7 for n in range(60)] if closes is None else closes
    for number, close in enumerate([*past, 1.0]):
        if volumes:
            changes["volume"] = Decimal(volumes[number])
        prices.on_candle(candle(number, close, **changes))
    return prices.board(BTC)


def seen(pair: PairBoard, at_minutes: float = 60.0) -> dict[str, float | None]:
    return features_of(pair, T0 + minutes(at_minutes)).values


def test_every_name_is_always_there_and_nothing_is_known_of_an_empty_board() -> None:
    features = features_of(PairBoard(pair=BTC), T0)
    assert features.values == dict.fromkeys(NAMES)
    assert features.event_at == {}
    assert features.newest_event_at == EPOCH


def test_every_name_has_a_value_when_everything_is_there() -> None:
    at = T0 + minutes(201)
    pair = board([100.0 + n % 7 for n in range(200)], volumes=[5 + n % 3 for n in range(201)])
    pair.quote = quote(seen_at=at - minutes(1))
    prices = PriceBoard(boards={BTC: pair})
    for before in (5, 4, 1, 0):
        prices.on_book(book(), at - minutes(before))
    features = features_of(pair, at)
    assert tuple(features.values) == NAMES
    assert None not in features.values.values()
    assert features.newest_event_at == at
    assert set(features.event_at) == set(NAMES)


def test_m02_each_value_carries_the_moment_of_its_own_newest_event() -> None:
    pair = board()
    pair.quote = quote(seen_at=END - minutes(0.5))
    pair.book, pair.book_at, pair.book_trusted = book(), END - minutes(0.25), True
    at = features_of(pair, END).event_at
    assert {at[name] for name in ("price", "change_24h_pct", "imbalance_touch")} == {
        END - minutes(0.5)
    }
    assert {at[name] for name in ("imbalance", "spread_bps", "depth_skew_bps")} == {
        END - minutes(0.25)
    }
    assert {at[name] for name in ("sma_50", "rsi_14", "obv", "roc_1_pct")} == {END}
    assert "sma_200" not in at, "what is not known has no moment"


@given(
    st.integers(0, 90), st.floats(-5, 95), st.floats(-5, 95), st.sampled_from([0.0, 0.5, 30, 61])
)
def test_i_42_no_feature_knows_of_anything_after_its_moment(
    candles: int, quoted: float, booked: float, asked: float
) -> None:
    pair = board([100.0 + n % 7 for n in range(candles)])
    pair.quote = quote(seen_at=T0 + minutes(quoted))
    pair.book, pair.book_at, pair.book_trusted = book(), T0 + minutes(booked), True
    at = T0 + minutes(asked)
    features = features_of(pair, at)
    assert features.newest_event_at <= at
    assert features.later_than(at) == ()
    known = {name for name, value in features.values.items() if value is not None}
    assert set(features.event_at) == known


def test_a_value_of_later_is_named() -> None:
    features = Features(values={"obv": 1.0}, event_at={"obv": END, "price": T0})
    assert features.later_than(T0) == ("obv",)
    assert features.later_than(END) == ()


def test_m05_duplicates_and_late_candles_change_no_decided_feature() -> None:
    prices = PriceBoard()
    for number in range(61):
        prices.on_candle(candle(number, 100 + number % 7))
    prices.finish_until(T0 + minutes(61))
    decided = features_of(prices.board(BTC), T0 + minutes(61))
    for number in (0, 30, 59, 60):
        prices.on_candle(candle(number, 9_999))
        prices.warm([candle(number, 9_999)])
    assert features_of(prices.board(BTC), T0 + minutes(61)) == decided


def test_a_restart_with_the_same_history_decides_on_the_same_features() -> None:
    closes = [100.0 + (n * n) % 11 for n in range(250)]
    live, warmed = PriceBoard(), PriceBoard()
    for number, close in enumerate(closes):
        live.on_candle(candle(number, close))
    live.finish_until(T0 + minutes(250))
    warmed.warm(candle(number, close) for number, close in enumerate(closes))
    at = T0 + minutes(250)
    assert features_of(warmed.board(BTC), at) == features_of(live.board(BTC), at)


@pytest.mark.parametrize("history", [20, 60, 200, 720])
def test_with_little_history_what_needs_more_is_none(history: int) -> None:
    pair = board([100.0 + n % 7 for n in range(history)], volumes=[5 + n % 3 for n in range(999)])
    values = seen(pair, history)
    for spec in SPECS:
        if spec.candles:
            assert (values[spec.name] is not None) is (history >= spec.candles), spec.name


def test_neutral_names_are_those_that_do_not_grow_with_the_price() -> None:
    assert {"rsi_14", "roc_15_pct", "imbalance", "volume_z_20"} <= set(NEUTRAL)
    assert not {"price", "sma_20", "obv", "volume_24h", "bb_upper", "macd"} & set(NEUTRAL)
    assert len(set(NAMES)) == len(NAMES)


def test_returns_are_percent_of_the_close_so_many_candles_ago() -> None:
    values = seen(board([100.0] * 50 + [200.0] + [220.0] * 4 + [242.0]), 56)
    assert values["roc_1_pct"] == pytest.approx(10.0)
    assert values["roc_5_pct"] == pytest.approx(21.0)
    assert values["roc_15_pct"] == pytest.approx(142.0)


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
    for name in ("roc_1_pct", "distance_sma_50_pct", "ema_gap_pct", "bb_width_pct", "bb_pct"):
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
    assert values["roc_1_pct"] == 0.0
    assert all(value is None or math.isfinite(value) for value in values.values())


def test_m01_without_volume_there_is_no_volume_feature() -> None:
    pair = board(volume=Decimal(0))
    nothing = Decimal(0)
    pair.quote = quote(volume=nothing, vwap=nothing, low=nothing, high=nothing, change_pct=nothing)
    values = seen(pair)
    for name in ("volume_ratio_20", "volume_24h", "change_24h_pct", "distance_vwap_24h_pct"):
        assert values[name] is None, name
    assert values["range_position_24h"] is None
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
    pair.book, pair.book_at, pair.book_trusted = book(), END + minutes(1), True
    features = features_of(pair, END)
    assert features.values["spread_bps"] is None
    assert features.values["imbalance"] is None
    assert features.newest_event_at == END


def test_an_untrusted_book_is_not_used() -> None:
    pair = board()
    pair.quote = quote()
    pair.book, pair.book_at, pair.book_trusted = book(), T0, False
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
        pair=BTC, book=book(imbalance=math.nan, spread_bps=math.inf), book_at=T0, book_trusted=True
    )
    values = features_of(pair, T0).values
    assert values["imbalance"] is None
    assert values["spread_bps"] is None


@pytest.mark.parametrize(("age_minutes", "known"), [(0, True), (359, True), (360, False)])
def test_m01_what_was_seen_six_hours_ago_is_not_today(age_minutes: int, known: bool) -> None:
    pair = PairBoard(pair=BTC, quote=quote(), book=book(), book_at=T0, book_trusted=True)
    values = seen(pair, age_minutes)
    for name in ("price", "change_24h_pct", "imbalance_touch", "imbalance", "spread_bps"):
        assert (values[name] is not None) is known, name
