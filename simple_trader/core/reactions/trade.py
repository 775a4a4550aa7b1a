"""Trade: from an intent to a reserved order, for whoever wants to trade."""

from datetime import datetime

from simple_trader.core.portfolio.account import rate_of
from simple_trader.core.portfolio.open_orders import taker_of
from simple_trader.core.reactions.standing import risk_row
from simple_trader.core.risk import breaker
from simple_trader.core.risk.case import Case
from simple_trader.core.risk.exposure import exposure_of
from simple_trader.core.risk.limits import TWIN_WITHIN, room_for
from simple_trader.core.risk.risk_manager import review
from simple_trader.core.state import EngineState
from simple_trader.domain.actions import Action, Note, PlaceOrder, Remember
from simple_trader.domain.errors import InvariantBroken
from simple_trader.domain.instruments import base_of, quote_of
from simple_trader.domain.money import ZERO
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.orders import Intent, Order, Origin
from simple_trader.domain.records import IntentRow
from simple_trader.domain.verdicts import Approved, Refused


def case_of(state: EngineState, intent: Intent, at: datetime) -> Case:
    """Everything true about an intent at this very moment."""
    pair = intent.pair
    mids = state.mids()
    board = state.board.boards.get(pair)
    due_since = state.exit_due.get(due_key(intent.owner, pair)) if intent.protective else None
    unknown = state.orders.unresolved_on(pair)
    flips, advised_side = state.turnover.flips(pair, Origin.AI.value, at)
    return Case(
        intent=intent,
        at=at,
        settings=state.settings,
        trading_state=state.trading_state,
        causes=state.causes,
        stopping=state.stopping,
        day_stopped=state.memory.day_stopped,
        rules=state.rules.get(pair),
        venue=state.health.takes,
        quote=state.board.quote(pair),
        book_trusted=board is not None and board.book_trusted,
        unknown_order=None if unknown is None else unknown.cl_ord_id,
        guarded_since=state.memory.candle_guard.get(breaker.guard_key(pair, intent.side)),
        candle_begin=breaker.candle_of(at, state.settings),
        taker=taker_of(state.fees, pair),
        fee_known=pair in state.fees,
        quote_rate=rate_of(quote_of(pair), mids),
        spendable_base=state.spendable(base_of(pair)),
        spendable_quote=state.spendable(quote_of(pair)),
        exposure=exposure_of(state.held_at_most(), state.orders.live(), state.fees, mids),
        equity=state.equity(),
        private_up=state.health.private_up,
        reference=state.board.reference(pair, at),
        mistrusted=board is not None and board.is_mistrusted(at),
        drawdown_stopped=state.memory.drawdown_stopped,
        due_s=0.0 if due_since is None else (at - due_since).total_seconds(),
        venue_ahead_s=state.health.skew_s,
        flow=state.turnover.flow(pair, at),
        live_on_pair=sum(order.request.pair == pair for order in state.orders.live()),
        twin=_twin(state, intent, at),
        strike=state.memory.strikes.get(pair),
        paused_until=state.memory.paused_until,
        flips=flips,
        advised_side=advised_side,
    )


def due_key(owner: str, pair: str) -> str:
    """The key of an owner's exit on a pair."""
    return f"{owner} {pair}"


def _twin(state: EngineState, intent: Intent, at: datetime) -> str | None:
    """An order of the same owner, pair, side and price that may still fill or is a moment old.

    One that never left is none; the quantity does not matter.
    """
    for order in reversed(state.orders.orders.values()):
        recent = at - order.approved_at <= TWIN_WITHIN and order.state is not OrderState.VOID
        if (
            (recent or not order.is_terminal)
            and order.owner == intent.owner
            and order.request.pair == intent.pair
            and order.request.side is intent.side
            and order.request.limit_price == intent.price
        ):
            return order.cl_ord_id
    return None


def judge_intent(
    state: EngineState, intent: Intent, at: datetime, config_hash: str
) -> tuple[Approved | Refused, list[Action]]:
    """Review an intent and, if it is approved, reserve it at once: no other judgement comes between
    (I-19). The actions carry the intent row and the order to be sent after it.
    """
    case = case_of(state, intent, at)
    verdict = review(case, cl_ord_id=state.next_order_id())
    if isinstance(verdict, Refused):
        return verdict, []
    return verdict, _reserve(state, case, verdict, config_hash)


def _reserve(state: EngineState, case: Case, approved: Approved, config_hash: str) -> list[Action]:
    intent = approved.intent
    if approved.request.cl_ord_id in state.orders.orders:
        raise InvariantBroken(f"order id {approved.request.cl_ord_id} was given twice (I-02)")
    order = Order(
        request=approved.request,
        origin=intent.origin,
        owner=intent.owner,
        decision_id=intent.decision_id,
        reason=intent.reason,
        state=OrderState.DISPATCHING,
        approved_at=approved.approved_at,
        send_by=approved.send_by,
        params_hash=approved.params_hash,
        config_hash=config_hash,
        notional=case.notional,
        reserved=case.reserved,
        changed_at=approved.approved_at,
    )
    state.orders.put(order)
    state.turnover.count(order)
    actions: list[Action] = [Remember(record=_intent_row(state, case, order))]
    if not intent.protective:
        key = breaker.guard_key(intent.pair, intent.side)
        begin = breaker.candle_of(approved.approved_at, state.settings)
        state.memory = breaker.take_guard(state.memory, key, begin)
        actions.append(risk_row(state, approved.approved_at))
    actions.append(PlaceOrder(approved=approved))
    actions.append(
        Note(
            level="info",
            text=(
                f"{intent.side.value} {intent.qty:f} {intent.pair} at {intent.price:f} "
                f"({order.cl_ord_id}, {intent.reason.value})"
            ),
            reason=intent.reason,
            pair=intent.pair,
            decision_id=intent.decision_id,
            cl_ord_id=order.cl_ord_id,
        )
    )
    return actions


def _intent_row(state: EngineState, case: Case, order: Order) -> IntentRow:
    """The row, with what the database compares all reservations with (I-19)."""
    if order.reserved == ZERO:
        return IntentRow(order=order, epoch=state.epoch)
    base, in_flight = base_of(order.request.pair), case.exposure.reserved
    room = room_for(base, case.exposure, case.equity, case.settings)
    return IntentRow(
        order=order,
        epoch=state.epoch,
        cap_asset=room.asset + in_flight.get(base, ZERO),
        cap_total=room.total + sum(in_flight.values(), ZERO),
    )


def release_guard(state: EngineState, order: Order) -> list[Action]:
    """Free the candle of an order that never left; it counts in no rolling limit either.

    A protective order took no candle: the one noted is that of an entry before it (I-33).
    """
    state.turnover.forget(order.cl_ord_id)
    if order.origin is Origin.EXIT:
        return []
    key = breaker.guard_key(order.request.pair, order.request.side)
    begin = breaker.candle_of(order.approved_at, state.settings)
    before = state.memory
    state.memory = breaker.free_guard(state.memory, key, begin)
    changed = state.memory is not before
    return [risk_row(state, order.changed_at or order.approved_at)] if changed else []
