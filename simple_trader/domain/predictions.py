"""Predictions: probabilities as they were made, before their outcome is known."""

from datetime import datetime
from decimal import Decimal

import msgspec


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """Probability that the pair's mid is higher after the horizon; logged before the outcome is
    known.
    """

    pair: str
    probability: float


class PendingPrediction(msgspec.Struct, frozen=True, kw_only=True):
    """A prediction whose outcome is not known yet, with the features it was made from."""

    prediction_id: str
    pair: str
    cycle_id: str
    made_at: datetime
    due_at: datetime
    horizon_cycles: int
    horizon_s: int
    probability: float
    model_id: str
    mid: Decimal
    features: dict[str, float | None]
