"""The aggregator: row and brief say the same, and no cycle sees its own future."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from market_parts import BTC, ETH, T0, candle, minutes, quote, settings

from simple_trader.core.market.price_board import PairBoard, PriceBoard
from simple_trader.core.strategy.aggregator import (
    CycleInputs,
    brief_of,
    fraction,
    question_about,
    refuse_future,
    snapshots,
)
from simple_trader.core.strategy.features import Features, features_of
from simple_trader.domain.actions import Question
from simple_trader.domain.errors import InvariantBroken
from simple_trader.domain.moments import parse_rfc3339
from simple_trader.domain.shown import MAX_TEXT, MAX_TEXTS, OutsideText

AT = T0 + minutes(60)
QUESTION = Question(
    question_id="q1", kind="advice", subject="cycle", asked_at=AT, deadline_s=60, config_hash="hash"
)


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
        "cost_pct": {BTC: Decimal("0.82")},
        "snapshot_ids": {BTC: "s1", ETH: "s2"},
        "settings": settings(),
    }
    return CycleInputs(**values | changes)


def test_each_pair_gets_a_row_and_a_brief_of_the_same_features() -> None:
    prices = boards()
    rows = snapshots(inputs(prices.board(BTC), prices.board(ETH)))
    briefs = tuple(map(brief_of, rows))
    assert [row.pair for row in rows] == [brief.pair for brief in briefs] == [BTC, ETH]
    assert [row.position for row in rows] == [0, 1]
    for row, brief in zip(rows, briefs, strict=True):
        assert row.features == brief.features
        assert row.features == features_of(prices.board(row.pair), AT).values
        assert (row.snapshot_id, row.mid) == (brief.snapshot_id, brief.mid)
        assert row.newest_event_at == AT == row.as_of
        assert (row.cycle_id, row.config_hash) == ("c1", "hash")


def test_holdings_are_shown_as_fractions_of_equity() -> None:
    prices = boards()
    rows = snapshots(inputs(prices.board(BTC), prices.board(ETH)))
    briefs = tuple(map(brief_of, rows))
    assert rows[0].balances == {"cash": "0.750000", BTC: "0.250000"}
    assert rows[1].balances == {"cash": "0.750000", ETH: "0.000000"}
    assert (briefs[0].holding_fraction, briefs[1].holding_fraction) == (0.25, 0.0)
    assert (briefs[0].unrealised_pct, briefs[1].unrealised_pct) == (-1.25, None)


def test_what_is_not_known_of_a_pair_is_none_and_it_may_not_be_traded() -> None:
    prices = boards()
    rows = snapshots(inputs(prices.board(BTC), prices.board(ETH)))
    briefs = tuple(map(brief_of, rows))
    assert [row.cost_pct for row in rows] == [Decimal("0.82"), None]
    assert [brief.cost_pct for brief in briefs] == [0.82, None]
    assert [brief.tradable for brief in briefs] == [row.tradable for row in rows] == [True, False]
    assert [row.probabilities for row in rows] == [(), ()]  # asked for after this, of these rows


def test_a_pair_without_a_quote_is_left_out() -> None:
    prices = boards()
    silent = PairBoard(pair="SOL/USD")
    empty = PairBoard(pair="XRP/USD", quote=quote("XRP/USD", bid="0", ask="1"))
    rows = snapshots(inputs(silent, prices.board(BTC), empty))
    assert [(row.pair, row.position) for row in rows] == [(BTC, 0)]


def test_m02_features_from_the_future_break_the_cycle() -> None:
    late = Features(values={"sma_20": 1.0}, event_at={"sma_20": AT + timedelta(microseconds=1)})
    with pytest.raises(InvariantBroken, match="BTC/USD") as refused:
        refuse_future(BTC, late, AT)
    assert "had not happened yet" in str(refused.value)
    refuse_future(BTC, Features(values={"sma_20": 1.0}, event_at={"sma_20": AT}), AT)


def test_m02_what_is_known_only_later_stands_in_no_row() -> None:
    prices = boards()
    assert snapshots(inputs(prices.board(BTC), as_of=AT - minutes(1))) == ()  # a quote of later
    earlier = PriceBoard()
    earlier.on_quote(quote(seen_at=AT - minutes(2)))
    for number in range(60):
        earlier.on_candle(candle(number, 100 + number % 5))
    (row,) = snapshots(inputs(earlier.board(BTC), as_of=AT - minutes(1)))
    assert row.newest_event_at <= AT - minutes(1)
    assert row.spread_bps == pytest.approx(20.0)


def test_i_42_each_feature_that_is_known_has_a_moment_not_after_as_of() -> None:
    prices = boards()
    (row,) = snapshots(inputs(prices.board(BTC)))
    timed = [name for names in row.feature_times.values() for name in names]
    assert sorted(timed) == sorted(
        name for name, value in row.features.items() if value is not None
    )
    moments = [parse_rfc3339(moment) for moment in row.feature_times]
    assert moments == sorted(moments)
    assert max(moments) <= row.newest_event_at <= row.as_of


def test_what_the_house_allows_is_shown_as_it_stood() -> None:
    chosen = settings(min_confidence=0.81, max_risk_level="low")
    (row,) = snapshots(inputs(boards().board(BTC), settings=chosen))
    asked = question_about(QUESTION, (row,))
    assert (asked.min_confidence, asked.max_risk_level) == (0.81, "low")
    assert asked.max_asset_exposure == float(chosen.max_asset_exposure)
    assert asked.interval_s == chosen.aggregator_interval_s
    assert (asked.cycle_id, asked.as_of, asked.cash_fraction) == ("c1", AT, 0.75)


def test_the_question_asks_in_the_order_of_the_prompt() -> None:
    prices = boards()
    rows = snapshots(inputs(prices.board(ETH), prices.board(BTC)))
    asked = question_about(QUESTION, rows[::-1], advisor="second")
    assert [brief.pair for brief in asked.briefs] == [ETH, BTC]
    assert asked.advisor == "second"


def test_l12_texts_of_others_are_cut_and_cannot_move_a_cursor() -> None:
    words = tuple(
        OutsideText(source="news\x1b[2J", text="\u202ebuy\x00" + "x" * 900) for _ in range(30)
    )
    (row,) = snapshots(inputs(boards().board(BTC), texts={BTC: words}))
    assert len(row.texts) == MAX_TEXTS
    assert {len(item.text) for item in row.texts} == {MAX_TEXT}
    assert all(item.text.isprintable() and item.source.isprintable() for item in row.texts)


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
