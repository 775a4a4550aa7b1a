"""Scorecard: all marks of one source, judged per pair and horizon beside their baselines."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from simple_trader.core.scoring.baselines import Profit, Window, profit
from simple_trader.core.scoring.judging import (
    Call,
    Direction,
    Forecasts,
    Stated,
    direction,
    forecasts,
)
from simple_trader.core.scoring.statistics import roi_skill

_SIDES = {"buy": 1, "sell": -1, "hold": 0}
ALL = ""  # all pairs together


class Marked(msgspec.Struct, frozen=True, kw_only=True):
    """One settled mark as the scorecard reads it; moves and cost in percent of the price."""

    pair: str
    decided_at: datetime
    due_at: datetime
    scored_at: datetime
    horizon_s: int
    is_own: bool
    is_repeat: bool
    action: str
    confidence: float | None
    expected_move_pct: float | None
    cost_pct: float
    past_roi_pct: float | None
    roi_pct: float
    is_right: int


class Magnitude(msgspec.Struct, frozen=True, kw_only=True):
    """Predicted against actual moves: mean absolute error in percent, and its ratio to zero's."""

    count: int
    error_pct: float
    ratio: float | None


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """The marks of one source on one pair (or all) at one horizon (`None`: each its own).

    `repeats` of the `marks` are decisions on an earlier answer. They are stakes of their moment
    (`profit`), but no further calls: direction, confidence and magnitude are without them.
    """

    pair: str
    horizon_s: int | None
    marks: int
    repeats: int
    right: int
    trades: int
    direction: Direction | None
    confidence: Forecasts | None
    magnitude: Magnitude | None
    profit: Profit | None


def cards(marks: Sequence[Marked], *, draws: int, seed: int, full: bool = True) -> list[Card]:
    """All pairs first, then each; the decisions' own horizons first, then each of the model's.

    Without `full` each pair is judged at the own horizon alone.
    """
    found: list[Card] = []
    pairs = sorted({mark.pair for mark in marks})
    for pair in (ALL, *pairs):
        if pair and len(pairs) == 1:  # the same marks as those of all
            found += [replace(one, pair=pair) for one in found if full or one.horizon_s is None]
            break
        of_pair = [mark for mark in marks if pair in {ALL, mark.pair}]
        own = [mark for mark in of_pair if mark.is_own]
        found.append(card(pair, None, own, draws=draws, seed=seed))
        if pair and not full:
            continue
        for horizon_s in sorted({mark.horizon_s for mark in of_pair}):
            at = [mark for mark in of_pair if mark.horizon_s == horizon_s]
            found.append(card(pair, horizon_s, at, draws=draws, seed=seed))
    return found


def card(
    pair: str, horizon_s: int | None, marks: Sequence[Marked], *, draws: int, seed: int
) -> Card:
    """Judge these marks; confidence only at the decisions' own horizons, where it was meant."""
    traded = [mark for mark in marks if mark.action != "hold"]
    claims = [mark for mark in traded if not mark.is_repeat]
    return Card(
        pair=pair,
        horizon_s=horizon_s,
        marks=len(marks),
        repeats=sum(mark.is_repeat for mark in marks),
        right=sum(mark.is_right for mark in marks),
        trades=len(traded),
        direction=direction([_call(mark) for mark in claims]),
        confidence=None if horizon_s is not None else forecasts(_stated(claims)),
        magnitude=_magnitude(claims),
        profit=profit([_window(mark) for mark in marks], draws=draws, seed=seed),
    )


def _call(mark: Marked) -> Call:
    return Call(
        pair=mark.pair,
        begin=mark.decided_at,
        end=mark.due_at,
        side=_SIDES[mark.action],
        change=mark.roi_pct,
    )


def _window(mark: Marked) -> Window:
    return Window(
        pair=mark.pair,
        begin=mark.decided_at,
        end=mark.due_at,
        side=_SIDES[mark.action],
        change=mark.roi_pct,
        cost=mark.cost_pct,
        past=mark.past_roi_pct,
    )


def _stated(marks: Sequence[Marked]) -> list[Stated]:
    return [
        Stated(
            pair=mark.pair,
            made_at=mark.decided_at,
            due_at=mark.due_at,
            known_at=mark.scored_at,
            probability=mark.confidence,
            outcome=mark.is_right,
        )
        for mark in marks
        if mark.confidence is not None
    ]


def _magnitude(marks: Sequence[Marked]) -> Magnitude | None:
    moves = [
        (mark.expected_move_pct, _SIDES[mark.action] * mark.roi_pct)
        for mark in marks
        if mark.expected_move_pct is not None
    ]
    if not moves:
        return None
    error, ratio = roi_skill(moves)
    return Magnitude(count=len(moves), error_pct=error, ratio=ratio)


class Predicted(msgspec.Struct, frozen=True, kw_only=True):
    """One scored prediction of the online model; `cost_pct` as the decisions of the pair paid."""

    pair: str
    made_at: datetime
    due_at: datetime
    scored_at: datetime
    horizon_s: int
    probability: float
    outcome: int
    roi_pct: float
    cost_pct: float


class ModelCard(msgspec.Struct, frozen=True, kw_only=True):
    """The online model on one pair (or all) at one horizon; `probability` is of a higher mid.

    `direction` takes its likelier side, `profit` that side as a stake after fees.
    """

    pair: str
    horizon_s: int
    marks: int
    direction: Direction | None
    probability: Forecasts | None
    profit: Profit | None


def model_cards(marks: Sequence[Predicted], *, draws: int, seed: int) -> list[ModelCard]:
    """All pairs first, then each, by horizon. A probability of one half takes no side."""
    found: list[ModelCard] = []
    for pair in (ALL, *sorted({mark.pair for mark in marks})):
        of_pair = [mark for mark in marks if pair in {ALL, mark.pair}]
        for horizon_s in sorted({mark.horizon_s for mark in of_pair}):
            at = [mark for mark in of_pair if mark.horizon_s == horizon_s]
            found.append(_model_card(pair, horizon_s, at, draws, seed))
    return found


def _model_card(
    pair: str, horizon_s: int, marks: Sequence[Predicted], draws: int, seed: int
) -> ModelCard:
    sides = [(mark, (mark.probability > 0.5) - (mark.probability < 0.5)) for mark in marks]
    calls = [
        Call(pair=mark.pair, begin=mark.made_at, end=mark.due_at, side=side, change=mark.roi_pct)
        for mark, side in sides
        if side
    ]
    windows = [
        Window(
            pair=mark.pair,
            begin=mark.made_at,
            end=mark.due_at,
            side=side,
            change=mark.roi_pct,
            cost=mark.cost_pct,
            past=None,
        )
        for mark, side in sides
    ]
    stated = [
        Stated(
            pair=mark.pair,
            made_at=mark.made_at,
            due_at=mark.due_at,
            known_at=mark.scored_at,
            probability=mark.probability,
            outcome=mark.outcome,
        )
        for mark in marks
    ]
    return ModelCard(
        pair=pair,
        horizon_s=horizon_s,
        marks=len(marks),
        direction=direction(calls),
        probability=forecasts(stated),
        profit=profit(windows, draws=draws, seed=seed),
    )
