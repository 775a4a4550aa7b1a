"""Hand-made marks for tests: a short life whose decisions are marked, and a shadow's word."""

from decimal import Decimal
from typing import Any

from brain_desk import BTC, ETH, T0, Desk, quote, records, say, settings

from simple_trader.domain.events import QuoteSeen
from simple_trader.domain.marks import (
    CounterfactualRow,
    DecisionMarkRow,
    MarkOutcomeRow,
    ShadowDecisionRow,
)
from simple_trader.domain.orders import Side
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import LedgerRecord


def shadow_row(**changes: Any) -> ShadowDecisionRow:
    """What a shadow said of BTC in the first cycle."""
    values: dict[str, Any] = {
        "shadow_id": "sd1",
        "advisor": "second",
        "provider": "test",
        "model": "test",
        "template_hash": "t",
        "cycle_id": "c1",
        "pair": BTC,
        "snapshot_id": "s1",
        "call_id": None,
        "decided_at": T0,
        "action": "buy",
        "confidence": 0.9,
        "risk_level": "low",
        "rationale": "because",
        "verdict": "approved",
        "reason": Reason.TRADED,
        "detail": "",
        "wanted_side": Side.BUY,
        "wanted_value": Decimal("1000.5"),
        "cost_pct": Decimal("0.8"),
        "config_hash": "c",
    }
    return ShadowDecisionRow(**values | changes)


def marked() -> list[LedgerRecord]:
    """The marks of a refused and a held decision, their counterfactuals, a shadow's decision."""
    desk = Desk()
    desk.open(settings=settings(model_horizons=(1,)))
    desk.advise(say(BTC, "buy", 0.5), say(ETH, "hold"))
    desk.do(QuoteSeen(quote=quote(BTC, "51000", "51001", desk.at)), after_s=900)
    desk.do(QuoteSeen(quote=quote(ETH, "2100", "2101", desk.at)))
    kinds = (DecisionMarkRow, MarkOutcomeRow, CounterfactualRow)
    seen = [row for kind in kinds for _, told in desk.log for row in records(told, kind)]
    return [*seen, shadow_row()]
