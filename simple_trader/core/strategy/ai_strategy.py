"""The AI strategy: which advice becomes a wish to trade, and how large (rules of seed 000)."""

from decimal import Context, Decimal

import msgspec

from simple_trader.core.strategy.advice import RISK_LEVELS, Advice
from simple_trader.domain.money import ZERO
from simple_trader.domain.orders import Side
from simple_trader.domain.reasons import Reason
from simple_trader.domain.settings import TradingSettings

_EXACT = Context(prec=120)  # a product of three short numbers is never rounded


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """An idea that passed the gates: `value` in quote units, before any cap of risk or funds."""

    pair: str
    side: Side
    value: Decimal
    reason: Reason
    decision_id: str


class Skip(msgspec.Struct, frozen=True, kw_only=True):
    """An idea that did not pass, and why."""

    reason: Reason
    detail: str


def wish(
    advice: Advice,
    settings: TradingSettings,
    *,
    holding_value: Decimal,
    decision_id: str,
) -> Wish | Skip:
    """Judge one valid advice: hold, confidence at least the minimum, risk at most the maximum.

    value = base_order x multiplier of the risk level x confidence, exactly, the confidence read
    as the shortest decimal text of its float. `holding_value` (quote units) decides only whether
    there is anything to sell.
    """
    if advice.action == "hold":
        return Skip(reason=Reason.ADVISED_HOLD, detail=advice.rationale)
    if advice.confidence < settings.min_confidence:
        return Skip(
            reason=Reason.CONFIDENCE_TOO_LOW,
            detail=f"confidence {advice.confidence!r} < {settings.min_confidence!r}",
        )
    if RISK_LEVELS.index(advice.risk_level) > RISK_LEVELS.index(settings.max_risk_level):
        return Skip(
            reason=Reason.RISK_TOO_HIGH,
            detail=f"risk level {advice.risk_level} > {settings.max_risk_level}",
        )
    side = Side(advice.action)
    if side is Side.SELL and holding_value <= ZERO:
        return Skip(reason=Reason.NOTHING_TO_SELL, detail=f"no holding of {advice.pair}")
    return Wish(
        pair=advice.pair,
        side=side,
        value=order_value(advice, settings),
        reason=Reason.BIAS_BUY if side is Side.BUY else Reason.BIAS_SELL,
        decision_id=decision_id,
    )


def order_value(advice: Advice, settings: TradingSettings) -> Decimal:
    """base_order x risk multiplier x confidence in quote units, without rounding."""
    multiplier = {
        "low": settings.risk_multiplier_low,
        "medium": settings.risk_multiplier_medium,
        "high": settings.risk_multiplier_high,
    }[advice.risk_level]
    confidence = Decimal(repr(advice.confidence))
    return _EXACT.multiply(_EXACT.multiply(settings.base_order, multiplier), confidence)
