"""The scorecard's tables: figures where there is enough, one line where not, every heading told."""

from datetime import UTC, datetime, timedelta

import pytest
import typer

from simple_trader.cli import scorecard_tables as tables
from simple_trader.cli.scorecard import days_of
from simple_trader.core.scoring.baselines import Profit, Window, profit
from simple_trader.core.scoring.judging import (
    Call,
    Direction,
    Forecasts,
    Stated,
    direction,
    forecasts,
)
from simple_trader.core.scoring.scorecard import Magnitude

T0 = datetime(2026, 3, 2, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def calls(count: int) -> Direction | None:
    return direction(
        [
            Call(
                pair="BTC/USD",
                begin=T0 + n * QUARTER,
                end=T0 + (n + 1) * QUARTER,
                side=1,
                change=1.0 if n % 2 else -1.0,
            )
            for n in range(count)
        ]
    )


def stakes(count: int, past: float | None = None) -> Profit | None:
    windows = [
        Window(
            pair="BTC/USD",
            begin=T0 + n * QUARTER,
            end=T0 + (n + 1) * QUARTER,
            side=1,
            change=1.0,
            cost=0.9,
            past=past,
        )
        for n in range(count)
    ]
    return profit(windows, draws=20, seed=1)


def stated(count: int) -> Forecasts | None:
    return forecasts(
        [
            Stated(
                pair="BTC/USD",
                made_at=T0 + n * QUARTER,
                due_at=T0 + (n + 1) * QUARTER,
                known_at=T0 + (n + 1) * QUARTER,
                probability=0.6,
                outcome=n % 2,
            )
            for n in range(count)
        ]
    )


def test_a_table_without_one_figure_is_one_line_that_says_how_much_is_there_and_needed() -> None:
    assert list(tables.directions([("all own", None, None), ("all 15 min", calls(3), None)])) == [
        "   direction  not enough data, 3 of 30 independent calls at most (all 15 min)"
    ]
    assert list(tables.profits([("all own", stakes(29)), ("all 15 min", None)])) == [
        "   after fees not enough data, 29 of 30 independent outcomes at most (all own)"
    ]
    assert list(tables.confidence(None)) == [
        "   confidence not enough data, 0 of 30 independent outcomes at the own horizon"
    ]
    few = [("all 15 min", stated(29)), ("all 30 min", None)]
    assert list(tables.probabilities(few, table=False)) == [
        "   not enough data (30 independent outcomes are needed): all 15 min 29, all 30 min 0"
    ]


def test_from_thirty_on_figures_are_shown_and_below_a_hundred_no_verdict() -> None:
    rows = list(tables.directions([("all own", calls(30), None), ("all 15 min", calls(3), None)]))
    assert rows[1].startswith("   all own                30     30   50.0  33.2-66.8")
    assert rows[1].endswith("no verdict yet")
    assert rows[2].endswith("not enough data")
    assert "ROI error" not in rows[0]
    assert list(tables.directions([("all own", calls(100), None)]))[1].endswith("no skill")
    made = list(tables.profits([("all own", stakes(30)), ("all 15 min", stakes(29))]))
    assert made[2].endswith("not enough data (29 of 30 independent)")
    said = list(tables.confidence(stated(60)))
    assert "no verdict yet: 60 outcomes, 60 independent, 50.0 % came true" in said[1]
    words = "calibration error not enough data: 9 of 50 were said with 50 outcomes known"
    assert said[3].strip() == words


@pytest.mark.parametrize("past", [None, 1.0])
def test_every_heading_that_is_shown_is_told_and_no_other(past: float | None) -> None:
    size = None if past is None else Magnitude(count=3, error_pct=0.5, ratio=0.8)
    body = [
        *tables.directions([("all own", calls(120), size)]),
        *tables.profits([("all own", stakes(120, past))]),
        *tables.confidence(stated(120)),
    ]
    told = list(tables.legend(body))
    assert max(map(len, [*body, *told])) <= 100
    names = {line[3:18].strip() for line in told[2:]} - {""}
    always = {"independent", "own", "calls", "right", "chance", "verdict", "ours", "hold, cash",
              "random", "better than", "Brier", "calibration"}  # fmt: skip
    assert names == always | (set() if past is None else {"ROI error", "momentum"})
    assert list(tables.legend(["No decision is marked yet"])) == []


@pytest.mark.parametrize(("text", "days"), [("30", 30.0), ("0.5", 0.5), ("all", None)])
def test_days_are_a_number_or_all(text: str, days: float | None) -> None:
    assert days_of(text) == days


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "1e9", "", "week"])
def test_other_days_are_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="write a number of days up to 36,500, or all"):
        days_of(text)
