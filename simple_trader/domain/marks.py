"""Marks: what a decision claimed, what came of it, and what its refusal saved or cost."""

from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.domain.orders import Side
from simple_trader.domain.reasons import Reason


class MarkSource(msgspec.Struct, frozen=True, kw_only=True):
    """Whose decision is marked; calibration is by provider, model and prompt version alone.

    `advisor` is empty for the one that trades, else the name of the shadow.
    """

    provider: str
    model: str
    template_hash: str
    advisor: str = ""


class OpenMark(msgspec.Struct, frozen=True, kw_only=True):
    """A decision whose outcome at one horizon is not known yet, with all that its mark needs.

    `mid` is of the moment of the decision, `cost_pct` the round trip (two taker fees and one
    spread), `expected_move_pct` in the direction of the action, `past_roi_pct` the change of the
    mid over the same horizon before; all percent of the price. Values are quote units:
    `wanted_value` before the gates, `done_value` of the order that was approved. `is_repeat` marks
    a decision on an earlier answer: what it came to is wanted, but the claim counts once.
    """

    mark_id: str
    decision_id: str
    source: MarkSource
    pair: str
    decided_at: datetime
    due_at: datetime
    horizon_s: int
    is_own: bool  # the decision's own horizon: its confidence is scored there, and only there
    is_repeat: bool
    action: str  # buy, sell, hold
    verdict: str
    reason: Reason
    confidence: float | None
    expected_move_pct: float | None
    mid: Decimal
    cost_pct: Decimal
    past_roi_pct: float | None
    wanted_side: Side | None
    wanted_value: Decimal | None
    done_value: Decimal


class DecisionMarkRow(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """decision_marks, inserted: a mark, logged before its outcome is known."""

    mark: OpenMark


class MarkOutcomeRow(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """decision_marks, updated once: the first mid at or after the horizon, or why there is none.

    `roi_pct` is the change of the mid, `net_roi_pct` what the action made of it after the round
    trip (0 for hold); `is_right` 1 or 0. All are None where `void_reason` is set.
    """

    mark_id: str
    outcome_mid: Decimal | None
    mid_at: datetime | None
    roi_pct: float | None
    net_roi_pct: float | None
    is_right: int | None
    void_reason: Reason | None
    scored_at: datetime


class CounterfactualRow(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """counterfactuals: what a vetoed, resized or held decision would have made at its horizon.

    Money in quote units, after the fees and spread of a round trip. `effect` = `done_pnl` -
    `wanted_pnl`: above zero the gate saved it, below it cost it. A held decision is taken as a
    purchase of the base order that was not made.
    """

    decision_id: str
    pair: str
    provider: str
    model: str
    template_hash: str
    decided_at: datetime
    horizon_s: int
    kind: str  # vetoed, resized, held
    reason: Reason
    side: Side
    wanted_value: Decimal
    done_value: Decimal
    roi_pct: float
    cost_pct: Decimal
    wanted_pnl: Decimal
    done_pnl: Decimal
    effect: Decimal
    scored_at: datetime


class ShadowDecisionRow(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """shadow_decisions: what a shadow said and what the gates would have said to it; never traded.

    Fields as in ai_decisions; there is no order, and `wanted_value` is before all caps.
    """

    shadow_id: str
    advisor: str
    provider: str
    model: str
    template_hash: str
    cycle_id: str
    pair: str
    snapshot_id: str | None
    call_id: str | None
    decided_at: datetime
    action: str
    confidence: float | None
    risk_level: str | None
    price_target: Decimal | None = None
    stop_loss: Decimal | None = None
    expected_move_pct: float | None = None
    horizon_minutes: float | None = None
    bias_allocation: float | None = None
    sentiment: float | None = None
    rationale: str
    verdict: str
    reason: Reason
    detail: str
    wanted_side: Side | None = None
    wanted_value: Decimal | None = None
    expected_move_used_pct: float | None = None
    cost_pct: Decimal | None = None
    config_hash: str


class MarkTally(msgspec.Struct, frozen=True, kw_only=True):
    """Marks of one source whose confidence fell into one bin, and how many of them were right."""

    source: MarkSource
    bin: int  # hundredths of confidence, rounded down: 0 to 100
    marks: int
    right: int


class MarkMemory(msgspec.Struct, frozen=True, kw_only=True):
    """What marking goes on from at a start: marks still open, and the counts of calibration."""

    open: tuple[OpenMark, ...] = ()
    tallies: tuple[MarkTally, ...] = ()
