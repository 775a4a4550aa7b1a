"""The AI strategy: which advice becomes a wish to trade, and how large (rules of seed 000).

Gates, in this order; the first that objects gives the one reason:

    1. hold            the advice is to hold
    2. confidence      below min_confidence
    3. risk level      above max_risk_level
    4. expected move   less than the round trip costs and min_expected_move_pct
    5. holding         nothing there to sell

Size: base_order x multiplier of the risk level x size confidence, in quote units. The size
confidence is never above the raw one, and never rises with it beyond what was earned: see
core/scoring/calibration.py.
"""

from decimal import Context, Decimal

import msgspec

from simple_trader.core.scoring.outcomes import HUNDRED, round_trip_pct
from simple_trader.core.strategy.advice import RISK_LEVELS, Advice
from simple_trader.domain.money import ZERO
from simple_trader.domain.orders import Side
from simple_trader.domain.quotes import Quote
from simple_trader.domain.reasons import Reason
from simple_trader.domain.settings import TradingSettings

MOVE_UNKNOWN = "expected_move_unknown"  # stands in the detail of a decision that told no move
_EXACT = Context(prec=120)  # a product of three short numbers is never rounded


class Weighed(msgspec.Struct, frozen=True, kw_only=True):
    """What the program makes of a piece of advice, whether it passes the gates or not.

    `value` is quote units before any cap (None for hold). `move_pct` is the expected change of the
    price in percent, given or derived, in the direction of the side (None: not said), `cost_pct`
    what a round trip costs in percent of the price (None: no price).
    """

    side: Side | None = None
    value: Decimal | None = None
    size_confidence: float | None = None
    move_pct: Decimal | None = None
    cost_pct: Decimal | None = None


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """An idea that passed the gates: `value` in quote units, before any cap of risk or funds.

    `bias_allocation` is as in Advice: it can only make the order smaller.
    """

    pair: str
    side: Side
    value: Decimal
    reason: Reason
    decision_id: str
    bias_allocation: float | None = None


class Skip(msgspec.Struct, frozen=True, kw_only=True):
    """An idea that did not pass, and why."""

    reason: Reason
    detail: str


def weigh(
    advice: Advice,
    settings: TradingSettings,
    *,
    quote: Quote | None,
    taker: Decimal,
    size_confidence: float,
) -> Weighed:
    """Side, value, expected move and cost of a piece of advice at this quote and taker fee.

    `size_confidence` is cut to the raw confidence: nothing can make an order larger than that.
    """
    usable = quote if quote is not None and quote.bid > ZERO and quote.ask > ZERO else None
    move = expected_move_pct(advice, None if usable is None else usable.mid)
    cost = None if usable is None else round_trip_pct(usable, taker)
    if advice.action == "hold":
        return Weighed(move_pct=move, cost_pct=cost)
    side, confidence = Side(advice.action), min(advice.confidence, size_confidence)
    if move is not None and side is Side.SELL:
        move = -move
    return Weighed(
        side=side,
        value=order_value(advice.risk_level, confidence, settings),
        size_confidence=confidence,
        move_pct=move,
        cost_pct=cost,
    )


def expected_move_pct(advice: Advice, mid: Decimal | None) -> Decimal | None:
    """The move that was told, else the one from the middle to the price target, in percent."""
    if advice.expected_move_pct is not None:
        return Decimal(repr(advice.expected_move_pct))
    if advice.price_target is None or mid is None:
        return None
    return (advice.price_target - mid) / mid * HUNDRED


def wish(
    advice: Advice,
    weighed: Weighed,
    settings: TradingSettings,
    *,
    holding_value: Decimal,
    decision_id: str,
) -> Wish | Skip:
    """Judge one valid advice by the gates above; `holding_value` (quote units) decides only whether
    there is anything to sell.
    """
    skip = _first_gate(advice, weighed, settings)
    side, value = weighed.side, weighed.value
    if skip is not None or side is None or value is None:
        return skip or Skip(reason=Reason.ADVISED_HOLD, detail=advice.rationale)
    if side is Side.SELL and holding_value <= ZERO:
        return Skip(reason=Reason.NOTHING_TO_SELL, detail=f"no holding of {advice.pair}")
    return Wish(
        pair=advice.pair,
        side=side,
        value=value,
        reason=Reason.BIAS_BUY if side is Side.BUY else Reason.BIAS_SELL,
        decision_id=decision_id,
        bias_allocation=advice.bias_allocation,
    )


def _first_gate(advice: Advice, weighed: Weighed, settings: TradingSettings) -> Skip | None:
    """The first of the gates 1 to 4 that objects."""
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
    return _move_gate(weighed, settings)


def _move_gate(weighed: Weighed, settings: TradingSettings) -> Skip | None:
    """The expected move must pay for the round trip and a little more."""
    move, cost = weighed.move_pct, weighed.cost_pct
    if move is None or cost is None:
        return None
    least = cost + Decimal(repr(settings.min_expected_move_pct))
    if move >= least:
        return None
    return Skip(
        reason=Reason.MOVE_TOO_SMALL,
        detail=f"expected move {move:.4f} % < {least:.4f} % (round trip {cost:.4f} %)",
    )


def order_value(risk_level: str, confidence: float, settings: TradingSettings) -> Decimal:
    """base_order x risk multiplier x confidence in quote units, without rounding; the confidence is
    read as the shortest decimal text of its float.
    """
    multiplier = {
        "low": settings.risk_multiplier_low,
        "medium": settings.risk_multiplier_medium,
        "high": settings.risk_multiplier_high,
    }[risk_level]
    factor = Decimal(repr(confidence))
    return _EXACT.multiply(_EXACT.multiply(settings.base_order, multiplier), factor)
