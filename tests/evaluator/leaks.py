"""Planted look-ahead: numbers and functions that know the future, each beside an honest twin."""

import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from evaluator.worlds import CYCLE_S, T0

from simple_trader.core.scoring.calibration import Calibration
from simple_trader.core.scoring.judging import Stated, recalibrated
from simple_trader.domain.marks import MarkSource

Series = list[float]
WINDOW = 5
SOURCE = MarkSource(provider="p", model="m", template_hash="t")


class Number(NamedTuple):
    """A feature by its maker: values at each moment of a price series."""

    name: str
    make: Callable[[Series], list[float | None]]


class Function(NamedTuple):
    """A computation at one moment, handed the whole series (a leak uses what is after it)."""

    name: str
    compute: Callable[[Series, int], Any]


def walk(count: int, seed: int) -> Series:
    """A price series without any memory."""
    dice = random.Random(seed)
    price, found = 100.0, []
    for _ in range(count):
        price *= 1 + dice.gauss(0, 0.003)
        found.append(price)
    return found


def moves_after(series: Series) -> list[float | None]:
    """The move from each moment to the next; None at the end."""
    after = [(late - early) / early for early, late in pairwise(series)]
    return [*after, None]


# -- numbers: stamps can be forged, what they know cannot


def _distance(series: Series, before: int, after: int) -> list[float | None]:
    """Distance of the price from a mean over the bars around it."""
    found: list[float | None] = []
    for at, price in enumerate(series):
        window = series[max(0, at - before) : at + after + 1]
        found.append(price / (sum(window) / len(window)) - 1)
    return found


def _probability(series: Series, *, first_learn: bool) -> list[float | None]:
    """An online learner that forgets; a leak learns the outcome of a bar before it tells it."""
    belief = 0.5
    found: list[float | None] = []
    for at in range(len(series)):
        learned = belief
        if at + 1 < len(series):
            learned = 0.8 * belief + 0.2 * (series[at + 1] > series[at])
        found.append(learned if first_learn else belief)
        belief = learned
    return found


def _last_move(series: Series, lag: int) -> list[float | None]:
    """The move over one bar that ended `lag` bars ago; -1 is the bar that still runs."""
    found: list[float | None] = []
    for at in range(len(series)):
        end = at - lag
        ok = 1 <= end < len(series)
        found.append(series[end] / series[end - 1] - 1 if ok else None)
    return found


LEAKING_NUMBERS = (
    Number("a centred mean", lambda s: _distance(s, WINDOW, WINDOW)),
    Number("the close of the bar that still runs", lambda s: _last_move(s, -1)),
    Number("a probability learned before it was told", lambda s: _probability(s, first_learn=True)),
)
HONEST_NUMBERS = (
    Number("a mean of the bars before", lambda s: _distance(s, 2 * WINDOW, 0)),
    Number("the last whole bar", lambda s: _last_move(s, 0)),
    Number(
        "a probability told before it was learned", lambda s: _probability(s, first_learn=False)
    ),
)


# -- functions: what they say of a moment must not change with what comes after it


def knows_the_future(compute: Callable[[Series, int], Any], series: Series, at: int) -> bool:
    """Whether the answer about moment `at` changes when all that comes after it is changed."""
    honest = compute(series, at)
    dice = random.Random(at)
    others = [
        series[: at + 1] + [price * (1 + dice.gauss(0, 0.05)) for price in series[at + 1 :]],
        series[: at + 1] + series[:at:-1],
        series[: at + 1],
    ]
    return any(compute(other, at) != honest for other in others)


def _normalised(values: Sequence[float], value: float) -> float:
    return (value - min(values)) / ((max(values) - min(values)) or 1.0)


def _stated(series: Series) -> list[Stated]:
    """A decision at each bar whose outcome is known two bars later."""
    found = []
    for at in range(len(series) - 2):
        made = T0 + timedelta(seconds=at * CYCLE_S)
        due = made + timedelta(seconds=2 * CYCLE_S)
        found.append(
            Stated(
                pair="P/USD",
                made_at=made,
                due_at=due,
                known_at=due,
                probability=0.5 + (at * 7 % 10) / 20,
                outcome=int(series[at + 2] > series[at]),
            )
        )
    return found


def _calibrated(series: Series, at: int, *, past_only: bool) -> float:
    """The confidence that would size a trade at bar `at`."""
    calibration = Calibration()
    for index, item in enumerate(_stated(series)):
        if not past_only or index + 2 <= at:
            calibration.learn(SOURCE, item.probability, is_right=item.outcome == 1)
    return calibration.size_confidence(SOURCE, 0.95, 0.7)


def _refitted(series: Series, at: int) -> list[float]:
    """What the scorecard's recalibration makes of all decisions but the last two up to bar `at`.

    It is handed every outcome there is; those of later must change nothing.
    """
    items = _stated(series)
    _, after = recalibrated(items)
    later = len(items) - max(0, at - 1)
    return [item.probability for item in after[: max(0, len(after) - later)]]


LEAKING_FUNCTIONS = (
    Function("scaled by the whole series", lambda s, at: _normalised(s, s[at])),
    Function("calibrated on outcomes to come", lambda s, at: _calibrated(s, at, past_only=False)),
)
HONEST_FUNCTIONS = (
    Function("scaled by the past", lambda s, at: _normalised(s[: at + 1], s[at])),
    Function("calibrated on the past", lambda s, at: _calibrated(s, at, past_only=True)),
    Function("recalibrated in the scorecard", _refitted),
)
