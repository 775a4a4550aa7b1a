"""Answers of an advisor as text, and what the judge makes of them."""

import json
from decimal import Decimal
from typing import Any

from market_parts import BTC, ETH

from simple_trader.core.strategy.advice import Advice, Unusable, judge
from simple_trader.domain.reasons import Reason

PAIRS = (BTC, ETH)


def decision(pair: str = BTC, **changes: Any) -> dict[str, Any]:
    """One decision as the advisor writes it."""
    return {
        "pair": pair,
        "action": "buy",
        "confidence": 0.8,
        "risk_level": "low",
        "rationale": "it rises",
    } | changes


def answer(*decisions: Any, **outer: Any) -> str:
    """The whole answer as text."""
    return json.dumps({"decisions": list(decisions), **outer})


def asked(
    raw: str,
    *,
    kind: str = "content",
    finish: str = "stop",
    pairs: tuple[str, ...] = PAIRS,
    mids: dict[str, Decimal] | None = None,
) -> dict[str, Advice | Unusable]:
    """What the judge makes of it: one entry for each asked pair."""
    got = judge(raw, kind=kind, finish_reason=finish, pairs=pairs, mids=mids)
    assert tuple(got) == pairs
    return got


def reasons(raw: str, **how: Any) -> dict[str, Reason | None]:
    """Why each pair cannot be used; None where it can."""
    return {
        pair: entry.reason if isinstance(entry, Unusable) else None
        for pair, entry in asked(raw, **how).items()
    }


def both(reason: Reason) -> dict[str, Reason | None]:
    """The same reason for both pairs."""
    return dict.fromkeys(PAIRS, reason)


BUY = Advice(pair=BTC, action="buy", confidence=0.8, risk_level="low", rationale="it rises")
GOOD = answer(decision(), decision(ETH, action="hold"), rationale="calm", confidence=0.5)
