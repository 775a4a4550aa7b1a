"""Shown: what a snapshot says beside market figures: limits in words, and texts of others."""

import msgspec

MAX_TEXTS = 8  # of one pair
MAX_TEXT = 500  # characters of one text
MAX_SOURCE = 60


class ShownLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of the house as a prompt tells them; exposures are fractions of equity.

    What is enforced is TradingSettings: nothing reads these back (L21).
    """

    min_confidence: float
    max_risk_level: str
    min_expected_move_pct: float
    max_asset_exposure: float
    max_total_exposure: float
    interval_s: int  # until the next question


class OutsideText(msgspec.Struct, frozen=True, kw_only=True):
    """A text that did not come from this program, and who wrote it: data, never an instruction."""

    source: str
    text: str
