"""Statistics of forecasts: intervals, Brier, log loss, calibration error, independent counts."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from math import log, sqrt

import msgspec

Z95 = 1.959963984540054  # two-sided 95 %
MIN_PER_BIN = 50  # of a calibration table: fewer say nothing
MOST_BINS = 10
_TINY = 1e-6  # a probability of 0 or 1 that was wrong is no infinite loss


class Forecast(msgspec.Struct, frozen=True):
    """A stated probability and whether it came true (1 or 0)."""

    probability: float
    outcome: int


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a calibration table: what was said, and how often it came true."""

    low: float
    high: float
    count: int
    said: float
    seen: float
    seen_low: float
    seen_high: float


def wilson(hits: float, count: float, z: float = Z95) -> tuple[float, float]:
    """Score interval of a share (Wilson 1927); (0, 1) without observations.

    `count` may be an effective one: then `hits` is the share times it.
    """
    if count <= 0:
        return 0.0, 1.0
    share, spread = hits / count, z * z / count
    middle = share + spread / 2
    half = z * sqrt(max(0.0, share * (1 - share) / count + spread / (4 * count)))
    return max(0.0, (middle - half) / (1 + spread)), min(1.0, (middle + half) / (1 + spread))


def independent_count(windows: Iterable[tuple[str, datetime, datetime]]) -> int:
    """How many of the windows (series, begin, end) do not overlap: the most that can be chosen.

    Earliest end first is optimal within one series. Series count on their own; those that move
    together (BTC and ETH) make even this too many.
    """
    ends: dict[str, datetime] = {}
    count = 0
    for series, begin, end in sorted(windows, key=lambda window: (window[2], window[1], window[0])):
        last = ends.get(series)
        if last is None or begin >= last:
            ends[series] = end
            count += 1
    return count


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean; raises ZeroDivisionError for none."""
    return sum(values) / len(values)


def deviation(values: Sequence[float]) -> float:
    """Standard deviation of a sample; 0 for fewer than two."""
    if len(values) < 2:
        return 0.0
    middle = mean(values)
    return sqrt(sum((value - middle) ** 2 for value in values) / (len(values) - 1))


def median(values: Sequence[float]) -> float:
    """The middle value; of an even number the lower one. Raises IndexError for none."""
    return quantile(values, 0.5)


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all values do not exceed; raises IndexError for none."""
    ordered = sorted(values)
    rank = min(len(ordered), max(1, round(share * len(ordered) + 0.4999999)))
    return ordered[rank - 1]


def brier(forecasts: Sequence[Forecast]) -> float:
    """Mean squared difference of probability and outcome (Brier 1950); 0 is perfect."""
    return mean([(item.probability - item.outcome) ** 2 for item in forecasts])


def base_rate(forecasts: Sequence[Forecast]) -> float:
    """Share that came true: climatology, the forecast that knows nothing else."""
    return mean([float(item.outcome) for item in forecasts])


def brier_skill(forecasts: Sequence[Forecast]) -> float | None:
    """1 - Brier / Brier of climatology, in hindsight; above 0 is skill. None if all came out alike.

    Climatology knows the base rate of the very same outcomes: the reference is a little too good,
    so that noise scores below zero.
    """
    rate = base_rate(forecasts)
    reference = rate * (1 - rate)
    return None if reference <= 0 else 1 - brier(forecasts) / reference


def log_loss(forecasts: Sequence[Forecast]) -> float:
    """Mean negative log of the probability given to what happened, in nats."""
    losses = []
    for item in forecasts:
        probability = min(1 - _TINY, max(_TINY, item.probability))
        losses.append(-log(probability if item.outcome else 1 - probability))
    return mean(losses)


def skill_bound(forecasts: Sequence[Forecast], independent: int, z: float) -> float | None:
    """Lower bound of the Brier skill: of the paired gain over climatology, with `independent`.

    None where climatology has no error or nothing is independent.
    """
    rate = base_rate(forecasts)
    reference = rate * (1 - rate)
    if reference <= 0 or independent < 2:
        return None
    gains = [
        (rate - item.outcome) ** 2 - (item.probability - item.outcome) ** 2 for item in forecasts
    ]
    return (mean(gains) - z * deviation(gains) / sqrt(independent)) / reference


def calibration_table(forecasts: Sequence[Forecast]) -> list[Bin]:
    """Bins of equal mass, lowest first: at most 10, each of at least 50; equal ones stay together.

    Empty where there are fewer than 50 forecasts.
    """
    count = min(MOST_BINS, len(forecasts) // MIN_PER_BIN)
    if count == 0:
        return []
    ordered = sorted(forecasts, key=lambda item: item.probability)
    size = len(ordered) / count
    groups: list[list[Forecast]] = [[]]
    for index, item in enumerate(ordered):
        full = len(groups[-1]) >= MIN_PER_BIN and index >= size * len(groups)
        if full and item.probability != ordered[index - 1].probability:
            groups.append([])
        groups[-1].append(item)
    if len(groups) > 1 and len(groups[-1]) < MIN_PER_BIN:
        rest = groups.pop()
        groups[-1] += rest
    return [_bin(group) for group in groups]


def _bin(group: Sequence[Forecast]) -> Bin:
    hits = sum(item.outcome for item in group)
    low, high = wilson(hits, len(group))
    return Bin(
        low=group[0].probability,
        high=group[-1].probability,
        count=len(group),
        said=mean([item.probability for item in group]),
        seen=hits / len(group),
        seen_low=low,
        seen_high=high,
    )


def calibration_error(forecasts: Sequence[Forecast]) -> float | None:
    """Expected calibration error over bins of equal mass; None where there are fewer than 50."""
    table = calibration_table(forecasts)
    if not table:
        return None
    return sum(line.count * abs(line.said - line.seen) for line in table) / len(forecasts)


def roi_skill(pairs: Sequence[tuple[float, float]]) -> tuple[float, float | None]:
    """Mean absolute error of predicted against actual moves, and its ratio to saying zero.

    Below 1 is skill. None where nothing moved. Raises ZeroDivisionError for no pairs.
    """
    error = mean([abs(predicted - actual) for predicted, actual in pairs])
    zero = mean([abs(actual) for _, actual in pairs])
    return error, None if zero <= 0 else error / zero
