"""Exit orders: stop-loss and take-profit of every owner's lots, through the same review as all."""

from datetime import datetime
from decimal import Decimal

from simple_trader.core.portfolio.account import rate_of
from simple_trader.core.reactions.keeping import keep_decision
from simple_trader.core.reactions.trade import due_key, judge_intent
from simple_trader.core.risk.limits import most_qty, windows
from simple_trader.core.risk.sizing import too_small
from simple_trader.core.state import EngineState
from simple_trader.core.strategy.exits import due_exit
from simple_trader.core.strategy.pricing import marketable_limit
from simple_trader.domain.actions import Action
from simple_trader.domain.instruments import PairRules
from simple_trader.domain.money import ONE, ZERO, floor_to_step
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
    holdings = _holdings(state)
    _forget_sold(state, holdings)
    for owner, pair in holdings:
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
            _note_due(state, due_key(owner, pair), quote, at)
            actions.extend(_sell(state, owner, quote, rules, left, reason, at))
    return actions


def _holdings(state: EngineState) -> list[tuple[str, str]]:
    return list(dict.fromkeys((lot.owner, lot.pair) for lot in state.lots.lots()))


def _forget_sold(state: EngineState, holdings: list[tuple[str, str]]) -> None:
    """What is held no more is due no more: a later holding begins anew."""
    held = {due_key(owner, pair) for owner, pair in holdings}
    state.exit_due = {key: since for key, since in state.exit_due.items() if key in held}
    state.exit_told = {key: reason for key, reason in state.exit_told.items() if key in held}


def _note_due(state: EngineState, key: str, quote: Quote, at: datetime) -> None:
    """Since when its exit is due at every look; a stale price does not say that it is."""
    if quote.age_s(at, state.health.skew_s) > state.settings.max_quote_age_s:
        state.exit_due.pop(key, None)
    else:
        state.exit_due.setdefault(key, at)


def _bounds(
    state: EngineState, rules: PairRules, price: Decimal, left: Decimal, at: datetime
) -> list[tuple[Decimal, Reason | None]]:
    """Most base units that a sale may be for, each with the reason where it leaves too little.

    What a limit would refuse as a whole is sold in parts, as it has room.
    """
    rate = rate_of(rules.quote, state.mids())
    flow, strike = state.turnover.flow(rules.pair, at), state.memory.strikes.get(rules.pair)
    room = min(limit - before for _, before, limit in windows(flow, state.settings))
    bounds: list[tuple[Decimal, Reason | None]] = [
        (left, None),
        (state.spendable(rules.base), Reason.NO_FUNDS),
        (most_qty(rules.pair, price, rate, state.settings), None),
        (max(ZERO, room) / (price * (rate or ONE)), Reason.NOTIONAL_LIMIT),
    ]
    if strike is not None and strike.most_qty is not None and strike.side == Side.SELL.value:
        bounds.append((strike.most_qty, Reason.SIZED_UP))
    return bounds


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
    least, bound = min(_bounds(state, rules, price, left, at), key=lambda item: item[0])
    qty = floor_to_step(least, rules.qty_increment)
    decision_id = state.next_id("d")
    small = too_small(qty, price, rules, state.settings)
    if small is not None:
        detail = f"held {left:f}, spendable {state.spendable(rules.base):f}: {small.detail}"
        return _tell(state, owner, rules.pair, bound or small.reason, detail, decision_id, at)
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
