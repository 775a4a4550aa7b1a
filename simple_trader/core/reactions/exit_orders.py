"""Exit orders: stop-loss and take-profit of every owner's lots, through the same review as all."""

from datetime import datetime
from decimal import Decimal

from simple_trader.core.portfolio.account import rate_of
from simple_trader.core.reactions.cycle import keep_decision
from simple_trader.core.reactions.trade import due_key, judge_intent
from simple_trader.core.risk.limits import most_qty
from simple_trader.core.risk.sizing import too_small
from simple_trader.core.state import EngineState
from simple_trader.core.strategy.exits import due_exit
from simple_trader.core.strategy.pricing import marketable_limit
from simple_trader.domain.actions import Action
from simple_trader.domain.instruments import PairRules
from simple_trader.domain.money import ZERO, floor_to_step
from simple_trader.domain.orders import Intent, OrderType, Origin, Side, TimeInForce
from simple_trader.domain.quotes import Quote
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import DecisionRow
from simple_trader.domain.verdicts import Approved, Refused

EXIT_ADVISOR = "exit rule"


def due_exits(state: EngineState, at: datetime) -> list[Action]:
    """One protective sale for each holding whose exit is due, unless one is already on its way."""
    if state.stopping:
        return []
    actions: list[Action] = []
    for owner, pair in _holdings(state):
        quote, rules = state.board.quote(pair), state.rules.get(pair)
        left = state.sellable(owner, pair)
        if quote is None or rules is None or left <= ZERO:
            continue
        avg_cost = state.lots.cost_held(owner, pair) / state.lots.held(owner, pair)
        reason = due_exit(
            pair=pair, quote=quote, avg_cost=avg_cost, left_qty=left, settings=state.settings
        )
        if reason is None:
            state.exit_told.pop(f"{owner} {pair}", None)
            state.exit_due.pop(due_key(owner, pair), None)
        else:
            state.exit_due.setdefault(due_key(owner, pair), at)
            actions.extend(_sell(state, owner, quote, rules, left, reason, at))
    return actions


def _holdings(state: EngineState) -> list[tuple[str, str]]:
    return list(dict.fromkeys((lot.owner, lot.pair) for lot in state.lots.lots()))


def _sell(
    state: EngineState,
    owner: str,
    quote: Quote,
    rules: PairRules,
    left: Decimal,
    reason: Reason,
    at: datetime,
) -> list[Action]:
    """Sell all of it; dust below the exchange's minimum stays, and is told of once."""
    price = marketable_limit(quote, Side.SELL, rules, state.settings.max_slippage_bps)
    spendable = state.spendable(rules.base)
    most = most_qty(rules.pair, price, rate_of(rules.quote, state.mids()), state.settings)
    qty = floor_to_step(min(left, spendable, most), rules.qty_increment)
    decision_id = state.next_id("d")
    small = too_small(qty, price, rules, state.settings)
    if small is not None:
        why = small.reason if spendable >= left else Reason.NO_FUNDS
        detail = f"held {left:f}, spendable {spendable:f}: {small.detail}"
        return _tell(state, owner, rules.pair, why, detail, decision_id, at)
    intent = Intent(
        origin=Origin.EXIT,
        owner=owner,
        pair=rules.pair,
        side=Side.SELL,
        order_type=OrderType.LIMIT,
        qty=qty,
        price=price,
        time_in_force=TimeInForce.IOC,
        post_only=False,
        reason=reason,
        mid=quote.mid,
        decision_id=decision_id,
        protective=True,
    )
    verdict, actions = judge_intent(state, intent, at, state.config_hash)
    if isinstance(verdict, Refused):
        return _tell(state, owner, rules.pair, verdict.reason, verdict.detail, decision_id, at)
    state.exit_told.pop(f"{owner} {rules.pair}", None)
    detail = f"sell {qty:f} at {price:f}"
    row = _row(state, rules.pair, decision_id, verdict, reason, detail, at)
    return [keep_decision(state, row, EXIT_ADVISOR), *actions]


def _tell(
    state: EngineState,
    owner: str,
    pair: str,
    reason: Reason,
    detail: str,
    decision_id: str,
    at: datetime,
) -> list[Action]:
    """An exit that could not be made: one decision row for each new reason, not one a second."""
    key = f"{owner} {pair}"
    if state.exit_told.get(key) is reason:
        return []
    state.exit_told[key] = reason
    row = _row(state, pair, decision_id, None, reason, detail, at)
    return [keep_decision(state, row, EXIT_ADVISOR)]


def _row(
    state: EngineState,
    pair: str,
    decision_id: str,
    approved: Approved | None,
    reason: Reason,
    detail: str,
    at: datetime,
) -> DecisionRow:
    return DecisionRow(
        decision_id=decision_id,
        cycle_id=state.next_id("x"),
        pair=pair,
        snapshot_id=state.snapshot_ids.get(pair),
        call_id=None,
        decided_at=at,
        action="sell",
        confidence=None,
        risk_level=None,
        rationale=EXIT_ADVISOR,
        verdict="refused" if approved is None else "approved",
        reason=reason,
        detail=detail,
        cl_ord_id=None if approved is None else approved.request.cl_ord_id,
        config_hash=state.config_hash,
    )
