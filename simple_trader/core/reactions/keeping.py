"""Keeping: a decision is remembered as a row and shown as the last one of its pair."""

from simple_trader.core.state import EngineState
from simple_trader.domain.actions import Remember
from simple_trader.domain.records import DecisionRow
from simple_trader.domain.views import DecisionView


def keep_decision(state: EngineState, row: DecisionRow, advisor: str) -> Remember:
    """Remember a decision and show it as the last one of its pair, and of all."""
    state.decisions.pop(row.pair, None)
    state.decisions[row.pair] = DecisionView(
        decision_id=row.decision_id,
        pair=row.pair,
        at=row.decided_at,
        action=row.action,
        confidence=row.confidence,
        verdict=row.verdict,
        reason=row.reason.value,
        detail=row.detail,
        advisor=advisor,
        rationale=row.rationale,
    )
    return Remember(record=row)
