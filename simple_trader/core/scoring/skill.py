"""Skill of the online model as it goes: measured against climatology, claimed where it is proven.

Brier skill = 1 - sum(Brier) / sum(Brier of climatology); climatology is the base rate of the
outcomes known when a prediction was made. Skill is looked at after each outcome, so its interval
holds at every look at once (mixture boundary of Robbins 1970), and it counts predictions that
overlap only once: those of a horizon of h cycles share up to h - 1 of them.
"""

import math
from datetime import datetime

import msgspec

from simple_trader.domain.predictions import ModelSkill
from simple_trader.domain.reasons import Reason

MIN_SCORED = 100  # outcomes, and as many recent ones: fewer prove and refute nothing
RECENT = 500  # outcomes after which an old one counts 1/e
LIFT_SKILL = 0.01  # recent skill that lifts a quarantine
ALPHA = 0.05  # chance that an interval misses at any of all looks
EDGE = 1e-6  # a probability is taken as no surer than this, so that its log loss is finite
_TUNED_TO = 200.0  # independent outcomes at which the interval is as narrow as it can be


def base_rate(skill: ModelSkill | None) -> float:
    """Climatology: the share of higher mids so far, one half before the first (Laplace)."""
    return 0.5 if skill is None else (skill.ups + 1) / (skill.scored + 2)


def log_loss(probability: float, outcome: int) -> float:
    """Minus the logarithm of the probability given to what happened, in nats."""
    likelihood = probability if outcome else 1.0 - probability
    return -math.log(max(likelihood, EDGE))


def scored(skill: ModelSkill, *, probability: float, base: float, outcome: int) -> ModelSkill:
    """The sums with one outcome more; `base` is climatology when the prediction was made."""
    brier, base_brier = (probability - outcome) ** 2, (base - outcome) ** 2
    keep = 1.0 - 1.0 / RECENT
    return msgspec.structs.replace(
        skill,
        scored=skill.scored + 1,
        ups=skill.ups + outcome,
        brier=skill.brier + brier,
        base_brier=skill.base_brier + base_brier,
        log_loss=skill.log_loss + log_loss(probability, outcome),
        base_log_loss=skill.base_log_loss + log_loss(base, outcome),
        gain_squares=skill.gain_squares + (base_brier - brier) ** 2,
        recent_scored=skill.recent_scored + 1,
        recent_brier=skill.recent_brier * keep + brier,
        recent_base_brier=skill.recent_base_brier * keep + base_brier,
    )


def brier_skill(skill: ModelSkill) -> float | None:
    """Brier skill over all outcomes, None before the first."""
    return None if skill.base_brier <= 0.0 else 1.0 - skill.brier / skill.base_brier


def recent_skill(skill: ModelSkill) -> float | None:
    """Brier skill of the recent outcomes, None where there are too few."""
    if skill.recent_scored < MIN_SCORED or skill.recent_base_brier <= 0.0:
        return None
    return 1.0 - skill.recent_brier / skill.recent_base_brier


def skill_interval(skill: ModelSkill) -> tuple[float, float] | None:
    """Lower and upper bound of the Brier skill at 95 %, valid at every look; None with too few."""
    n = skill.scored
    if n < MIN_SCORED or skill.base_brier <= 0.0:
        return None
    mean = (skill.base_brier - skill.brier) / n
    spread = max(skill.gain_squares / n - mean * mean, 0.0)
    overlap = max(1, skill.horizon_cycles)
    variance, tuned = spread * n * overlap, spread * _TUNED_TO * overlap
    if tuned <= 0.0:
        return None
    reach = math.sqrt((variance + tuned) * math.log((variance + tuned) / (tuned * ALPHA**2))) / n
    per_base = n / skill.base_brier
    return (mean - reach) * per_base, (mean + reach) * per_base


def claimed(skill: ModelSkill | None) -> float | None:
    """The measured skill where it is proven to be better than nothing, else None: unproven."""
    if skill is None or skill.quarantined_at is not None:
        return None
    bounds = skill_interval(skill)
    return brier_skill(skill) if bounds is not None and bounds[0] > 0.0 else None


def judged(skill: ModelSkill, at: datetime) -> ModelSkill:
    """Quarantine begun or lifted by the recent skill; the same value where nothing changes."""
    recent = recent_skill(skill)
    if recent is None:
        return skill
    if skill.quarantined_at is None and recent < 0.0:
        return quarantined(skill, Reason.MODEL_UNSKILLED, at)
    if skill.quarantined_at is not None and recent > LIFT_SKILL:
        return msgspec.structs.replace(skill, quarantined_at=None, quarantined_for="")
    return skill


def quarantined(skill: ModelSkill, reason: Reason, at: datetime) -> ModelSkill:
    """Not shown from `at` on, until MIN_SCORED outcomes after it speak for it: so it does not flap
    where the skill is about zero.
    """
    return msgspec.structs.replace(
        skill,
        quarantined_at=at,
        quarantined_for=reason.value,
        recent_scored=0,
        recent_brier=0.0,
        recent_base_brier=0.0,
    )


def diverged(skill: ModelSkill, at: datetime) -> ModelSkill:
    """Weights were put back: quarantined (M03)."""
    return msgspec.structs.replace(
        quarantined(skill, Reason.MODEL_DIVERGED, at), diverged=skill.diverged + 1
    )


def drifted(skill: ModelSkill, at: datetime) -> ModelSkill:
    """The learner noticed that its errors have grown."""
    return msgspec.structs.replace(skill, drifts=skill.drifts + 1, drifted_at=at)
