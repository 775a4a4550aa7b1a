"""Decide: from judged advice to one decision row per pair, and orders where all rules agree."""

from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.core.portfolio.account import rate_of
from simple_trader.core.portfolio.open_orders import taker_of
from simple_trader.core.reactions.cycle import keep_decision
from simple_trader.core.reactions.trade import judge_intent
from simple_trader.core.risk.ceilings import in_force
from simple_trader.core.risk.exposure import exposure_of
from simple_trader.core.risk.limits import most_qty, room_for
from simple_trader.core.risk.sizing import Sized, TooSmall, buy_qty, sell_qty
from simple_trader.core.state import AI_OWNER, Cycle, EngineState
from simple_trader.core.strategy.advice import Advice, Unusable
from simple_trader.core.strategy.ai_strategy import Skip, Wish, wish
from simple_trader.core.strategy.pricing import marketable_limit
from simple_trader.domain.actions import Action
from simple_trader.domain.instruments import PairRules, base_of, quote_of
from simple_trader.domain.money import ZERO
from simple_trader.domain.orders import Intent, OrderType, Origin, Side, TimeInForce
from simple_trader.domain.quotes import Quote
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import DecisionRow
from simple_trader.domain.recovered import Undecided
from simple_trader.domain.settings import TradingSettings
from simple_trader.domain.verdicts import Refused

_FIRST = {"sell": 0, "buy": 1, "hold": 2}


class Outcome(msgspec.Struct, frozen=True):
    """What became of one piece of advice."""

    verdict: str  # approved, refused, hold
    reason: Reason
    detail: str
    cl_ord_id: str | None = None


def decide(
    state: EngineState,
    cycle: Cycle,
    judged: dict[str, Advice | Unusable],
    call_id: str | None,
    advisor: str,
    at: datetime,
) -> list[Action]:
    """One decision for each pair, sales first: they lower exposure before purchases need room."""
    actions: list[Action] = []
    for pair in sorted_by_side(judged):
        advice = judged[pair]
        decision_id = state.next_id("d")
        outcome, trading = _carry_out(state, cycle, pair, advice, decision_id, at)
        row = _row(cycle, pair, advice, decision_id, call_id, outcome, at)
        actions.append(keep_decision(state, row, advisor))
        actions.extend(trading)
    return actions


def hold_all(
    state: EngineState,
    cycle: Cycle,
    reason: Reason,
    detail: str,
    call_id: str | None,
    at: datetime,
) -> list[Action]:
    """HOLD on every pair of the cycle, for one reason."""
    judged: dict[str, Advice | Unusable] = {
        brief.pair: Unusable(reason=reason, detail=detail) for brief in cycle.briefs
    }
    return decide(state, cycle, judged, call_id, "", at)


def cut_off(state: EngineState, snapshot: Undecided, at: datetime) -> Action:
    """The decision that the daemon did not live to take: hold."""
    row = DecisionRow(
        decision_id=state.next_id("d"),
        cycle_id=snapshot.cycle_id,
        pair=snapshot.pair,
        snapshot_id=snapshot.snapshot_id,
        call_id=None,
        decided_at=at,
        action="hold",
        confidence=None,
        risk_level=None,
        rationale="",
        verdict="hold",
        reason=Reason.INTERRUPTED,
        detail="the daemon ended before the advice came; written at its next start",
        cl_ord_id=None,
        config_hash=snapshot.config_hash,
    )
    return keep_decision(state, row, "")


def sorted_by_side(judged: dict[str, Advice | Unusable]) -> list[str]:
    """Pairs with a sale, then with a purchase, then the rest; else in the order asked."""

    def rank(pair: str) -> int:
        advice = judged[pair]
        return _FIRST[advice.action] if isinstance(advice, Advice) else _FIRST["hold"]

    return sorted(judged, key=rank)


def _carry_out(
    state: EngineState,
    cycle: Cycle,
    pair: str,
    advice: Advice | Unusable,
    decision_id: str,
    at: datetime,
) -> tuple[Outcome, list[Action]]:
    """Gates, size, review: the first that objects gives the one reason."""
    if isinstance(advice, Unusable):
        return Outcome("hold", advice.reason, advice.detail), []
    quote, rules = state.board.quote(pair), state.rules.get(pair)
    holding = ZERO if quote is None else state.sellable(AI_OWNER, pair) * quote.bid
    wished = wish(advice, cycle.settings, holding_value=holding, decision_id=decision_id)
    if isinstance(wished, Skip):
        verdict = "hold" if advice.action == "hold" else "refused"
        return Outcome(verdict, wished.reason, wished.detail), []
    if rules is None:
        return Outcome("refused", Reason.NO_INSTRUMENT, f"no rules for {pair}"), []
    if quote is None or quote.bid <= ZERO or quote.ask <= ZERO:
        return Outcome("refused", Reason.NO_PRICE, f"no usable quote of {pair}"), []
    price = marketable_limit(quote, wished.side, rules, cycle.settings.max_slippage_bps)
    sized = size(state, wished, price, rules, cycle.settings)
    if isinstance(sized, TooSmall):
        return Outcome("refused", sized.reason, sized.detail), []
    intent = _intent(wished, sized, price, quote)
    verdict_, actions = judge_intent(state, intent, at, cycle.config_hash)
    if isinstance(verdict_, Refused):
        return Outcome("refused", verdict_.reason, verdict_.detail), []
    detail = f"{intent.side.value} {intent.qty:f} at {price:f}"
    return Outcome("approved", Reason.TRADED, detail, verdict_.request.cl_ord_id), actions


def size(
    state: EngineState, wished: Wish, price: Decimal, rules: PairRules, settings: TradingSettings
) -> Sized | TooSmall:
    """The quantity that fits caps, funds and steps right now."""
    pair, settings = wished.pair, in_force(settings)
    if wished.side is Side.SELL:
        return sell_qty(
            wished.value,
            price=price,
            rules=rules,
            holding=state.sellable(AI_OWNER, pair),
            spendable=state.spendable(base_of(pair)),
            settings=settings,
            most=most_qty(pair, price, rate_of(quote_of(pair), state.mids()), settings),
        )
    mids = state.mids()
    rate = rate_of(quote_of(pair), mids)
    if rate is None:
        return TooSmall(Reason.NO_PRICE, f"no price of {quote_of(pair)}")
    exposure = exposure_of(state.held_at_most(), state.orders.live(), state.fees, mids)
    return buy_qty(
        wished.value,
        price=price,
        rules=rules,
        taker=taker_of(state.fees, pair),
        quote_rate=rate,
        room=room_for(rules.base, exposure, state.equity(), settings),
        spendable=state.spendable(quote_of(pair)),
        settings=settings,
        most=most_qty(pair, price, rate, settings),
    )


def _intent(wished: Wish, sized: Sized, price: Decimal, quote: Quote) -> Intent:
    return Intent(
        origin=Origin.AI,
        owner=AI_OWNER,
        pair=wished.pair,
        side=wished.side,
        order_type=OrderType.LIMIT,
        qty=sized.qty,
        price=price,
        time_in_force=TimeInForce.IOC,
        post_only=False,
        reason=wished.reason,
        mid=quote.mid,
        decision_id=wished.decision_id,
    )


def _row(
    cycle: Cycle,
    pair: str,
    advice: Advice | Unusable,
    decision_id: str,
    call_id: str | None,
    outcome: Outcome,
    at: datetime,
) -> DecisionRow:
    known = advice if isinstance(advice, Advice) else None
    shown = {row.pair: row.snapshot_id for row in cycle.rows}
    return DecisionRow(
        decision_id=decision_id,
        cycle_id=cycle.cycle_id,
        pair=pair,
        snapshot_id=shown.get(pair),
        call_id=call_id,
        decided_at=at,
        action="hold" if known is None else known.action,
        confidence=None if known is None else known.confidence,
        risk_level=None if known is None else known.risk_level,
        rationale="" if known is None else known.rationale,
        verdict=outcome.verdict,
        reason=outcome.reason,
        detail=outcome.detail,
        cl_ord_id=outcome.cl_ord_id,
        config_hash=cycle.config_hash,
    )
