"""Skill: whether calls of a direction, or stated probabilities, beat what knows nothing.

A verdict is never given on fewer than 100 independent outcomes. "Skill" is claimed one-sided at
3.5 %: a random source gets it in fewer than one of 20 cases, and an edge of 55 % is found in more
than four of five at 800 independent outcomes (tests/evaluator shows both).
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from simple_trader.core.scoring.calibration import Tally, bin_of, read_off
from simple_trader.core.scoring.statistics import (
    Bin,
    Forecast,
    base_rate,
    brier,
    brier_skill,
    calibration_error,
    calibration_table,
    independent_count,
    log_loss,
    skill_bound,
    wilson,
)

MIN_INDEPENDENT = 100
SKILL_Z = 1.8119  # one-sided 3.5 %
MIN_FIT = 50  # outcomes known before a recalibration is tried
SKILL, NO_SKILL, WORSE, TOO_FEW = "skill", "no skill", "worse than chance", "not enough data"


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A claimed direction (+1 up, -1 down) and the change in percent that came."""

    pair: str
    begin: datetime
    end: datetime
    side: int
    change: float


class Direction(msgspec.Struct, frozen=True, kw_only=True):
    """How often the direction was right; `low` to `high` is 95 % (Wilson) of `independent`.

    `chance` is what the same numbers of ups and downs, called at random, would have had.
    """

    count: int
    independent: float
    share: float
    low: float
    high: float
    chance: float
    verdict: str


class Stated(msgspec.Struct, frozen=True, kw_only=True):
    """A stated probability, its outcome, and when each was known."""

    pair: str
    made_at: datetime
    due_at: datetime
    known_at: datetime
    probability: float
    outcome: int


class Forecasts(msgspec.Struct, frozen=True, kw_only=True):
    """How good stated probabilities were; ECE before and after are of the same `fitted` ones.

    `skill` is against climatology, `skill_low` its lower bound at the level of the verdict.
    """

    count: int
    independent: float
    base_rate: float
    brier: float
    skill: float | None
    skill_low: float | None
    log_loss: float
    fitted: int
    ece_before: float | None
    ece_after: float | None
    table: tuple[Bin, ...]
    verdict: str


def direction(calls: Sequence[Call]) -> Direction | None:
    """Judge calls of a direction; None for none. A price that did not move was called wrong.

    Chance is by pair: who always calls one pair up and another down has called nothing
    (Pesaran and Timmermann 1992). Calls of one moment are correlated: the count of independent
    ones is divided by their design effect (Kish 1965).
    """
    if not calls:
        return None
    hits = [int(call.side * call.change > 0) for call in calls]
    share = sum(hits) / len(calls)
    independent = independent_count((call.pair, call.begin, call.end) for call in calls)
    counted = independent / _design_effect([call.begin for call in calls], hits, share)
    low, high = wilson(share * counted, counted)
    chance = _chance(calls)
    bound, _ = wilson(share * counted, counted, SKILL_Z)
    _, ceiling = wilson(share * counted, counted, SKILL_Z)
    if counted < MIN_INDEPENDENT:
        verdict = TOO_FEW
    elif bound > max(0.5, chance):
        verdict = SKILL
    else:
        verdict = WORSE if ceiling < min(0.5, chance) else NO_SKILL
    return Direction(
        count=len(calls),
        independent=counted,
        share=share,
        low=low,
        high=high,
        chance=chance,
        verdict=verdict,
    )


def _chance(calls: Sequence[Call]) -> float:
    """Share of hits if the calls of each pair were dealt anew among its moments."""
    by_pair: dict[str, list[Call]] = {}
    for call in calls:
        by_pair.setdefault(call.pair, []).append(call)
    expected = 0.0
    for group in by_pair.values():
        ups = sum(call.side > 0 for call in group) / len(group)
        rose = sum(call.change > 0 for call in group) / len(group)
        fell = sum(call.change < 0 for call in group) / len(group)
        expected += len(group) * (ups * rose + (1 - ups) * fell)
    return expected / len(calls)


def _design_effect(moments: Sequence[datetime], hits: Sequence[int], share: float) -> float:
    """By how much calls of one moment that are right together inflate the variance; at least 1."""
    total = sum((hit - share) ** 2 for hit in hits)
    if total <= 0:
        return len(moments) / len(set(moments))
    clusters: dict[datetime, float] = {}
    for moment, hit in zip(moments, hits, strict=True):
        clusters[moment] = clusters.get(moment, 0.0) + hit - share
    return max(1.0, sum(value * value for value in clusters.values()) / total)


def forecasts(stated: Sequence[Stated]) -> Forecasts | None:
    """Judge stated probabilities; None for none."""
    if not stated:
        return None
    plain = [Forecast(item.probability, item.outcome) for item in stated]
    windows = [(item.pair, item.made_at, item.due_at) for item in stated]
    independent = independent_count(windows)
    errors = [(item.probability - item.outcome) ** 2 for item in stated]
    counted = independent / _spread_effect([item.made_at for item in stated], errors)
    before, after = recalibrated(stated)
    return Forecasts(
        count=len(stated),
        independent=counted,
        base_rate=base_rate(plain),
        brier=brier(plain),
        skill=brier_skill(plain),
        skill_low=skill_bound(plain, int(counted), SKILL_Z),
        log_loss=log_loss(plain),
        fitted=len(after),
        ece_before=calibration_error(before),
        ece_after=calibration_error(after),
        table=tuple(calibration_table(plain)),
        verdict=_verdict(plain, counted),
    )


def _verdict(plain: Sequence[Forecast], counted: float) -> str:
    if counted < MIN_INDEPENDENT:
        return TOO_FEW
    low = skill_bound(plain, int(counted), SKILL_Z)
    high = skill_bound(plain, int(counted), -SKILL_Z)
    if low is None or high is None:
        return NO_SKILL
    if low > 0:
        return SKILL
    return WORSE if high < 0 else NO_SKILL


def _spread_effect(moments: Sequence[datetime], values: Sequence[float]) -> float:
    """The design effect of any figure that is averaged over clusters of one moment."""
    middle = sum(values) / len(values)
    total = sum((value - middle) ** 2 for value in values)
    if total <= 0:
        return 1.0
    clusters: dict[datetime, float] = {}
    for moment, value in zip(moments, values, strict=True):
        clusters[moment] = clusters.get(moment, 0.0) + value - middle
    return max(1.0, sum(value * value for value in clusters.values()) / total)


def recalibrated(stated: Sequence[Stated]) -> tuple[list[Forecast], list[Forecast]]:
    """The same forecasts before and after an isotonic fit on what was known before each was made.

    Only those are given for which 50 outcomes were known; an outcome that becomes known at the
    very moment of a forecast is not yet known to it. The fit is made anew for each 2 % more of
    them.
    """
    known = sorted(stated, key=lambda item: (item.known_at, item.made_at, item.pair))
    tally, seen, refit_at = Tally(), 0, MIN_FIT
    fit: list[tuple[int, float]] = []
    before: list[Forecast] = []
    after: list[Forecast] = []
    for item in sorted(stated, key=lambda item: (item.made_at, item.pair)):
        while seen < len(known) and known[seen].known_at < item.made_at:
            tally.add(bin_of(known[seen].probability), 1, known[seen].outcome)
            seen += 1
        if seen >= refit_at:
            fit, refit_at = tally.blocks(), seen + max(1, seen // 50)
        if fit:
            before.append(Forecast(item.probability, item.outcome))
            after.append(Forecast(read_off(fit, item.probability), item.outcome))
    return before, after
