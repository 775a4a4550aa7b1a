"""Decide: from judged advice to one decision row per pair, and orders where all rules agree."""

from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.core.portfolio.account import rate_of
from simple_trader.core.portfolio.open_orders import taker_of
from simple_trader.core.reactions.keeping import keep_decision
from simple_trader.core.reactions.marking import open_marks
from simple_trader.core.reactions.trade import judge_intent
from simple_trader.core.risk.ceilings import in_force
from simple_trader.core.risk.exposure import Exposure, exposure_of
from simple_trader.core.risk.limits import most_qty, room_for
from simple_trader.core.risk.sizing import Sized, TooSmall, buy_qty, sell_qty
from simple_trader.core.state import AI_OWNER, Cycle, EngineState
from simple_trader.core.strategy.advice import Advice, Unusable
from simple_trader.core.strategy.ai_strategy import MOVE_UNKNOWN, Skip, Weighed, Wish, weigh, wish
from simple_trader.core.strategy.last_advice import STALE_MOVE, moved
from simple_trader.core.strategy.pricing import marketable_limit
from simple_trader.domain.actions import Action
from simple_trader.domain.instruments import PairRules, base_of, quote_of
from simple_trader.domain.marks import MarkSource
from simple_trader.domain.money import ZERO
from simple_trader.domain.orders import Intent, OrderType, Origin, Side, TimeInForce
from simple_trader.domain.quotes import Quote
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import DecisionRow
from simple_trader.domain.recovered import Undecided
from simple_trader.domain.settings import TradingSettings
from simple_trader.domain.verdicts import Refused

_FIRST = {"sell": 0, "buy": 1, "hold": 2}
_BEFORE_MOVE = (Reason.ADVICE_STALE, Reason.CONFIDENCE_TOO_LOW, Reason.RISK_TOO_HIGH)
NOBODY = MarkSource(provider="", model="", template_hash="")


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What was answered to a cycle, judged, and by whom; `source` is NOBODY where no answer came.

    `reused_from` is the call whose earlier answer it is.
    """

    judged: dict[str, Advice | Unusable]
    call_id: str | None = None
    label: str = ""
    source: MarkSource = NOBODY
    reused_from: str | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one piece of advice."""

    verdict: str  # approved, refused, hold
    reason: Reason
    detail: str
    weighed: Weighed = Weighed()
    sized_qty: Decimal | None = None
    cl_ord_id: str | None = None


def decide(state: EngineState, cycle: Cycle, told: Told, at: datetime) -> list[Action]:
    """One decision for each pair, sales first: they lower exposure before purchases need room."""
    actions: list[Action] = []
    for pair in sorted_by_side(told.judged):
        decision_id = state.next_id("d")
        outcome, trading = _carry_out(state, cycle, pair, told, decision_id, at)
        row = _row(cycle, pair, told, decision_id, outcome, at)
        actions.append(keep_decision(state, row, told.label))
        actions.extend(trading)
        actions.extend(open_marks(state, row, told.source, at))
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
    told = Told(judged=unusable(cycle, reason, detail), call_id=call_id)
    return decide(state, cycle, told, at)


def unusable(cycle: Cycle, reason: Reason, detail: str) -> dict[str, Advice | Unusable]:
    """The same reason for every pair of the cycle."""
    return {pair: Unusable(reason=reason, detail=detail) for pair in cycle.pairs}


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


def gated(
    state: EngineState,
    advice: Advice,
    settings: TradingSettings,
    shown: dict[str, Decimal],
    source: MarkSource,
    decision_id: str,
) -> tuple[Weighed, Wish | Skip]:
    """Weigh advice at this moment's price, and let the gates speak; for shadows too.

    `shown` are the mids that the advisor saw: after a larger move than STALE_MOVE its word is no
    longer about this market (L15).
    """
    pair = advice.pair
    quote = state.board.quote(pair)
    threshold = settings.min_confidence
    confidence = state.calibration.size_confidence(source, advice.confidence, threshold)
    taker = taker_of(state.fees, pair)
    weighed = weigh(advice, settings, quote=quote, taker=taker, size_confidence=confidence)
    if quote is not None and weighed.side is not None:
        change = moved(shown, pair, quote.mid)
        if change > STALE_MOVE:
            detail = f"{pair} moved {change * 100:.3f} % from {shown[pair]:f} to {quote.mid:f}"
            return weighed, Skip(reason=Reason.ADVICE_STALE, detail=detail)
    holding = ZERO if quote is None else state.sellable(AI_OWNER, pair) * quote.bid
    return weighed, wish(advice, weighed, settings, holding_value=holding, decision_id=decision_id)


def marked(detail: str, reason: Reason, weighed: Weighed) -> str:
    """The detail, with a word that the gate of the expected move had nothing to judge."""
    if weighed.side is None or weighed.move_pct is not None or reason in _BEFORE_MOVE:
        return detail
    return f"{detail}; {MOVE_UNKNOWN}"


def _carry_out(
    state: EngineState, cycle: Cycle, pair: str, told: Told, decision_id: str, at: datetime
) -> tuple[Outcome, list[Action]]:
    """Gates, size, review: the first that objects gives the one reason."""
    advice = told.judged[pair]
    if isinstance(advice, Unusable):
        return Outcome(verdict="hold", reason=advice.reason, detail=advice.detail), []
    mids = {row.pair: row.mid for row in cycle.rows}
    weighed, wished = gated(state, advice, cycle.settings, mids, told.source, decision_id)
    if isinstance(wished, Skip):
        verdict = "hold" if advice.action == "hold" else "refused"
        detail = marked(wished.detail, wished.reason, weighed)
        return Outcome(verdict=verdict, reason=wished.reason, detail=detail, weighed=weighed), []
    outcome, actions = _order(state, cycle, wished, at)
    return msgspec.structs.replace(
        outcome, weighed=weighed, detail=marked(outcome.detail, outcome.reason, weighed)
    ), actions


def _order(
    state: EngineState, cycle: Cycle, wished: Wish, at: datetime
) -> tuple[Outcome, list[Action]]:
    """From a wish to an order in the books, or the reason why there is none."""
    pair = wished.pair
    quote, rules = state.board.quote(pair), state.rules.get(pair)
    if rules is None:
        return _refused(Reason.NO_INSTRUMENT, f"no rules for {pair}"), []
    if quote is None or quote.bid <= ZERO or quote.ask <= ZERO:
        return _refused(Reason.NO_PRICE, f"no usable quote of {pair}"), []
    price = marketable_limit(quote, wished.side, rules, cycle.settings.max_slippage_bps)
    sized = size(state, wished, price, rules, cycle.settings)
    if isinstance(sized, TooSmall):
        return _refused(sized.reason, sized.detail), []
    intent = _intent(wished, sized, price, quote)
    verdict, actions = judge_intent(state, intent, at, cycle.config_hash)
    if isinstance(verdict, Refused):
        return _refused(verdict.reason, verdict.detail, sized.qty), []
    return Outcome(
        verdict="approved",
        reason=Reason.TRADED,
        detail=f"{intent.side.value} {intent.qty:f} at {price:f}",
        sized_qty=sized.qty,
        cl_ord_id=verdict.request.cl_ord_id,
    ), actions


def _refused(reason: Reason, detail: str, qty: Decimal | None = None) -> Outcome:
    return Outcome(verdict="refused", reason=reason, detail=detail, sized_qty=qty)


def size(
    state: EngineState, wished: Wish, price: Decimal, rules: PairRules, settings: TradingSettings
) -> Sized | TooSmall:
    """The quantity that fits caps, funds and steps right now: of the books, never of the prompt
    (L21).
    """
    pair, settings = wished.pair, in_force(settings)
    mids = state.mids()
    rate = rate_of(quote_of(pair), mids)
    exposure = exposure_of(state.held_at_most(), state.orders.live(), state.fees, mids)
    room = _allocation(state, wished, exposure, settings)
    if wished.side is Side.SELL:
        value = wished.value
        if room is not None and rate is not None:
            value = min(value, room / rate)
        if value <= ZERO < wished.value:
            return TooSmall(Reason.ALLOCATION_REACHED, f"{rules.base} is at or below its share")
        return sell_qty(
            value,
            price=price,
            rules=rules,
            holding=state.sellable(AI_OWNER, pair),
            spendable=state.spendable(base_of(pair)),
            settings=settings,
            most=most_qty(pair, price, rate, settings),
        )
    if rate is None:
        return TooSmall(Reason.NO_PRICE, f"no price of {quote_of(pair)}")
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
        allocation=room,
    )


def _allocation(
    state: EngineState, wished: Wish, exposure: Exposure, settings: TradingSettings
) -> Decimal | None:
    """How much of the asset the advisor's own wanted holding leaves to buy or to sell, in the
    reporting currency; None where it names none, or the equity is not known. A bound, never a goal.
    """
    bias, equity = wished.bias_allocation, state.equity()
    if bias is None or equity is None:
        return None
    share = max(ZERO, Decimal(repr(bias)))
    goal = share * settings.max_asset_exposure * equity
    held = exposure.of(base_of(wished.pair))
    return max(ZERO, goal - held if wished.side is Side.BUY else held - goal)


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
    cycle: Cycle, pair: str, told: Told, decision_id: str, outcome: Outcome, at: datetime
) -> DecisionRow:
    advice = told.judged[pair]
    known = advice if isinstance(advice, Advice) else _NO_ADVICE
    shown = {row.pair: row.snapshot_id for row in cycle.rows}
    weighed, move = outcome.weighed, outcome.weighed.move_pct
    return DecisionRow(
        decision_id=decision_id,
        cycle_id=cycle.cycle_id,
        pair=pair,
        snapshot_id=shown.get(pair),
        call_id=told.call_id,
        decided_at=at,
        action=known.action,
        confidence=None if known is _NO_ADVICE else known.confidence,
        risk_level=None if known is _NO_ADVICE else known.risk_level,
        rationale=known.rationale,
        verdict=outcome.verdict,
        reason=outcome.reason,
        detail=outcome.detail,
        cl_ord_id=outcome.cl_ord_id,
        config_hash=cycle.config_hash,
        price_target=known.price_target,
        stop_loss=known.stop_loss,
        expected_move_pct=known.expected_move_pct,
        horizon_minutes=known.horizon_minutes,
        bias_allocation=known.bias_allocation,
        sentiment=known.sentiment,
        wanted_side=weighed.side,
        wanted_value=weighed.value,
        sized_qty=outcome.sized_qty,
        size_confidence=weighed.size_confidence,
        reused_from=told.reused_from,
        expected_move_used_pct=None if move is None else float(move),
        cost_pct=weighed.cost_pct,
    )


_NO_ADVICE = Advice(pair="", action="hold", confidence=0.0, risk_level="low", rationale="")
