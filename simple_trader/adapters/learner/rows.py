"""The history a model is trained on, as the store hands it over."""

from datetime import datetime
from decimal import Decimal

import msgspec


class TrainingRow(msgspec.Struct, frozen=True, kw_only=True):
    """One ai_snapshots row; `newest_event_at` is the newest market event behind its features."""

    pair: str
    as_of: datetime
    mid: Decimal
    features: dict[str, float | None]
    newest_event_at: datetime | None = None
