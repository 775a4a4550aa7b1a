"""Volume: worked examples by hand; without any trade nothing is known."""

import pytest
from series_parts import Bars, feed, of_closes

from simple_trader.core.market.indicators.panel import Indicators


def test_on_balance_volume_by_hand() -> None:
    closes = [10.0, 11.0, 11.0, 9.0, 12.0]
    rows = feed(Indicators(), Bars(closes, closes, closes, [5.0, 3.0, 7.0, 4.0, 2.0]))
    assert [row["obv"] for row in rows] == [None, 8.0, 8.0, 4.0, 6.0]


def test_a_flow_is_the_share_of_volume_that_went_one_way() -> None:
    up = feed(Indicators(), of_closes([100.0 + n for n in range(30)], volume=3.0))
    assert up[19]["obv_flow_20"] is None
    assert {row["obv_flow_20"] for row in up[20:]} == {1.0}
    seesaw = feed(Indicators(), of_closes([100.0, 101.0] * 15, volume=3.0))[-1]
    assert seesaw["obv_flow_20"] == pytest.approx(0.0)
    down = feed(Indicators(), of_closes([100.0 - n for n in range(30)], volume=3.0))[-1]
    assert down["obv_flow_20"] == -1.0


def test_a_flow_forgets_where_the_series_began() -> None:
    # obv itself depends on its first candle; what a restart changes must not be decided on.
    closes = [100.0 + (n * 7) % 11 for n in range(90)]
    whole = feed(Indicators(), of_closes(closes))[-1]
    late = feed(Indicators(), of_closes(closes[30:]))[-1]
    assert whole["obv"] != late["obv"]
    assert whole["obv_flow_20"] == late["obv_flow_20"]


def test_a_score_says_how_unusual_the_newest_volume_is() -> None:
    closes = [100.0] * 20
    volumes = [1.0, 3.0] * 9 + [2.0, 7.0]
    row = feed(Indicators(), Bars(closes, closes, closes, volumes))[-1]
    mean = sum(volumes) / 20
    deviation = (sum((v - mean) ** 2 for v in volumes) / 20) ** 0.5
    assert row["volume_z_20"] == pytest.approx((7.0 - mean) / deviation)
    assert row["volume_ratio_20"] == pytest.approx(7.0 / mean)


def test_m01_a_volume_that_never_changes_has_no_score_but_a_ratio() -> None:
    row = feed(Indicators(), of_closes([100.0] * 30, volume=0.1))[-1]
    assert row["volume_z_20"] is None
    assert row["volume_ratio_20"] == pytest.approx(1.0)


def test_a_vwap_weighs_typical_prices_with_what_was_traded() -> None:
    closes = [100.0] * 19 + [110.0]
    bars = Bars([c + 3 for c in closes], closes, closes, [1.0] * 19 + [21.0])
    row = feed(Indicators(), bars)[-1]
    vwap = (19 * 101.0 + 21 * 111.0) / 40
    assert row["distance_vwap_20_pct"] == pytest.approx((110.0 / vwap - 1) * 100)
    assert row["distance_vwap_60_pct"] is None


def test_m01_without_a_trade_in_the_window_no_figure_of_volume_is_known() -> None:
    closes = [100.0 + n % 5 for n in range(90)]
    bars = Bars(closes, closes, closes, [4.0] * 10 + [0.0] * 80)
    row = feed(Indicators(), bars)[-1]
    names = ("obv_flow_20", "volume_z_20", "volume_ratio_20", "distance_vwap_60_pct")
    assert {row[name] for name in names} == {None}
