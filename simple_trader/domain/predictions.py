"""Predictions: probabilities as they were made, before their outcome is known."""

from datetime import datetime
from decimal import Decimal

import msgspec


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """Probability that the pair's mid is higher after the horizon; logged before the outcome is
    known.
    """

    pair: str
    horizon_cycles: int
    probability: float


class HorizonView(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown of the model about one pair and horizon.

    `probability` is None where there is none, or where it is quarantined; `skill` is the measured
    Brier skill against climatology, None as long as it is unproven; `scored` outcomes are behind
    it.
    """

    horizon_s: int
    probability: float | None = None
    skill: float | None = None
    scored: int = 0
    quarantined: bool = False


class ModelOf(msgspec.Struct, frozen=True, kw_only=True):
    """Which of the learner's models: it has one for each pair and horizon."""

    pair: str
    horizon_s: int


class ModelState(msgspec.Struct, frozen=True, kw_only=True):
    """All that the learner knows, as a checkpoint; `basis` is the model that it went on from."""

    model_id: str
    basis: str
    sha256: str
    blob: bytes


class ModelSkill(msgspec.Struct, frozen=True, kw_only=True):
    """How good the predictions for one pair and horizon were, each scored once, in order.

    Sums over all outcomes: of Brier scores, of those of climatology (the base rate when the
    prediction was made), of log losses, and of the squared gains (climatology less prediction).
    `recent_*` forget: the newest outcome counts one, each older one a little less.
    """

    pair: str
    horizon_cycles: int
    horizon_s: int
    scored: int = 0
    ups: int = 0
    brier: float = 0.0
    base_brier: float = 0.0
    log_loss: float = 0.0
    base_log_loss: float = 0.0
    gain_squares: float = 0.0
    recent_scored: int = 0
    recent_brier: float = 0.0
    recent_base_brier: float = 0.0
    quarantined_at: datetime | None = None
    quarantined_for: str = ""  # the Reason
    diverged: int = 0
    drifts: int = 0
    drifted_at: datetime | None = None


class ModelMemory(msgspec.Struct, frozen=True, kw_only=True):
    """What the database knows of the online model at a start.

    `features` are those of pending predictions, by snapshot id; `model_id` is that of the newest
    checkpoint whose hash is right, empty where there is none.
    """

    model_id: str = ""
    features: dict[str, dict[str, float | None]] = {}
    skills: tuple[ModelSkill, ...] = ()
    last_checkpoint_at: datetime | None = None


class PendingPrediction(msgspec.Struct, frozen=True, kw_only=True):
    """A prediction whose outcome is not known yet; its features are those of `snapshot_id`.

    `base_rate` is climatology when it was made: the share of higher mids among all outcomes of this
    pair and horizon that were known then.
    """

    prediction_id: str
    pair: str
    cycle_id: str
    snapshot_id: str
    made_at: datetime
    due_at: datetime
    horizon_cycles: int
    horizon_s: int
    probability: float
    base_rate: float
    model_id: str
    mid: Decimal
    quarantined: bool = False
