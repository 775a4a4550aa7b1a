"""The aggregator: row and brief say the same, and no cycle sees its own future."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from market_parts import BTC, ETH, T0, candle, minutes, quote, settings

from simple_trader.core.market.price_board import PairBoard, PriceBoard
from simple_trader.core.strategy.aggregator import (
    CycleInputs,
    fraction,
    refuse_future,
    snapshots,
)
from simple_trader.core.strategy.features import Features, features_of
from simple_trader.domain.errors import InvariantBroken

AT = T0 + minutes(60)


def boards() -> PriceBoard:
    prices = PriceBoard()
    for number in range(61):
        prices.on_candle(candle(number, 100 + number % 5))
        prices.on_candle(candle(number, 3, pair=ETH))
    prices.on_quote(quote(seen_at=AT))
    prices.on_quote(quote(ETH, bid="2.9", ask="3.1", seen_at=AT))
    return prices


def inputs(*pairs: PairBoard, **changes: Any) -> CycleInputs:
    values: dict[str, Any] = {
        "cycle_id": "c1",
        "as_of": AT,
        "config_hash": "hash",
        "boards": pairs,
        "holdings": {BTC: Decimal(250)},
        "unrealised_pct": {BTC: -1.25},
        "cash": Decimal(750),
        "equity": Decimal(1000),
        "tradable": {BTC: True},
        "snapshot_ids": {BTC: "s1", ETH: "s2"},
        "probabilities": {ETH: 0.6},
        "probability_skill": "unproven",
        "model_horizon_s": 900,
        "settings": settings(),
    }
    return CycleInputs(**values | changes)


def test_each_pair_gets_a_row_and_a_brief_of_the_same_features() -> None:
    prices = boards()
    rows, briefs = snapshots(inputs(prices.board(BTC), prices.board(ETH)))
    assert [row.pair for row in rows] == [brief.pair for brief in briefs] == [BTC, ETH]
    for row, brief in zip(rows, briefs, strict=True):
        assert row.features == brief.features
        assert row.features == features_of(prices.board(row.pair), AT).values
        assert (row.snapshot_id, row.mid) == (brief.snapshot_id, brief.mid)
        assert row.newest_event_at == AT == row.as_of
        assert (row.cycle_id, row.config_hash) == ("c1", "hash")


def test_holdings_are_shown_as_fractions_of_equity() -> None:
    prices = boards()
    rows, briefs = snapshots(inputs(prices.board(BTC), prices.board(ETH)))
    assert rows[0].balances == {"cash": "0.750000", BTC: "0.250000"}
    assert rows[1].balances == {"cash": "0.750000", ETH: "0.000000"}
    assert (briefs[0].holding_fraction, briefs[1].holding_fraction) == (0.25, 0.0)
    assert (briefs[0].unrealised_pct, briefs[1].unrealised_pct) == (-1.25, None)


def test_what_is_not_known_of_a_pair_is_none_and_it_may_not_be_traded() -> None:
    prices = boards()
    rows, briefs = snapshots(inputs(prices.board(BTC), prices.board(ETH)))
    assert [row.probability for row in rows] == [None, 0.6]
    assert [brief.probability for brief in briefs] == [None, 0.6]
    assert [brief.tradable for brief in briefs] == [True, False]
    assert briefs[0].probability_skill == "unproven"
    assert briefs[0].model_horizon_s == 900


def test_a_pair_without_a_quote_is_left_out() -> None:
    prices = boards()
    silent = PairBoard(pair="SOL/USD")
    empty = PairBoard(pair="XRP/USD", quote=quote("XRP/USD", bid="0", ask="1"))
    rows, briefs = snapshots(inputs(silent, prices.board(BTC), empty))
    assert [row.pair for row in rows] == [brief.pair for brief in briefs] == [BTC]


def test_m02_features_from_the_future_break_the_cycle() -> None:
    late = Features(values={"sma_20": 1.0}, event_at={"sma_20": AT + timedelta(microseconds=1)})
    with pytest.raises(InvariantBroken, match="BTC/USD") as refused:
        refuse_future(BTC, late, AT)
    assert "had not happened yet" in str(refused.value)
    refuse_future(BTC, Features(values={"sma_20": 1.0}, event_at={"sma_20": AT}), AT)


def test_m02_what_is_known_only_later_stands_in_no_row() -> None:
    prices = boards()
    rows, briefs = snapshots(inputs(prices.board(BTC), as_of=AT - minutes(1)))
    assert rows[0].newest_event_at <= AT - minutes(1)
    assert rows[0].features["sma_20"] is None
    assert briefs[0].spread_bps == pytest.approx(20.0)


@pytest.mark.parametrize(
    ("part", "equity", "expected"),
    [("1", "3", "0.333333"), ("2", "3", "0.666667"), ("5", "0", "0"), ("5", "-1", "0")],
)
def test_a_fraction_has_six_decimals_and_none_without_equity(
    part: str, equity: str, expected: str
) -> None:
    assert fraction(Decimal(part), Decimal(equity)) == Decimal(expected)


def test_the_same_inputs_give_the_same_rows() -> None:
    first, second = boards(), boards()
    assert snapshots(inputs(first.board(BTC))) == snapshots(inputs(second.board(BTC)))
