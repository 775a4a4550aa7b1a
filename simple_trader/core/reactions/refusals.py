"""Refusals: what the exchange's "no" to an order changes besides the order itself (X16 to X18)."""

from datetime import datetime

from simple_trader.core.reactions.asking import look_anew
from simple_trader.core.reactions.standing import halt_on, restate, risk_row
from simple_trader.core.risk import strikes
from simple_trader.core.state import EngineState
from simple_trader.domain.actions import Action, Note
from simple_trader.domain.events import OrderRejected, RejectKind
from simple_trader.domain.orders import Order, Origin
from simple_trader.domain.reasons import Reason


def count_refusal(
    state: EngineState, order: Order, event: OrderRejected, at: datetime
) -> list[Action]:
    """Count it: cool-down of the pair, pause of the account, a look, or HALT; each told once."""
    pair, side = order.request.pair, order.request.side.value
    before = state.memory
    state.memory = strikes.refused(before, pair, side, order.request.qty, event.kind, at)
    actions: list[Action] = []
    strike, was = state.memory.strikes[pair], before.strikes.get(pair)
    if strike.until is not None and (was is None or strike.until != was.until):
        text = f"{strike.row} refusals in a row on {pair}: it waits {strike.pause_s:g} s."
        actions.append(Note(level="warning", text=text, reason=Reason.COOL_DOWN, pair=pair))
    if state.memory.paused_until != before.paused_until:
        text = f"The exchange counts too many requests: orders wait {state.memory.pause_s:g} s."
        actions.append(Note(level="warning", text=text, reason=Reason.COOL_DOWN))
    if state.memory.rejects_in_row >= strikes.HALT_AFTER:
        text = f"The exchange refused {state.memory.rejects_in_row} orders in a row: {event.error}"
        return [*actions, *(halt_on(state, at, Reason.REJECT_STORM, text)), risk_row(state, at)]
    if event.kind is RejectKind.FUNDS:
        # What we believe of the balances is wrong: no new risk before a clean look at all of them.
        looked = look_anew(state, at)
        actions.extend([*restate(state, at), *looked])
    return [*actions, risk_row(state, at)]


def count_taken(state: EngineState, order: Order, at: datetime) -> list[Action]:
    """The exchange has the order: rows of refusals end."""
    before = state.memory
    state.memory = strikes.taken(before, order.request.pair)
    return [] if state.memory is before else [risk_row(state, at)]


def count_filled(
    state: EngineState, order: Order, filled_at: datetime, at: datetime
) -> list[Action]:
    """The first fill of an order: one too many of its kind halts (PT6). It counts by the exchange's
    moment: what a restored backup missed in a day is told at once and is no loop (D12). One of the
    future would leave every later fill out of its ten minutes: it counts as of now.

    An exit is none of a loop: it can but sell what is held, and a halt would keep the rest of it.
    """
    if order.origin is Origin.EXIT:
        return []
    key = f"{order.owner} {order.request.pair} {order.request.side.value}"
    if not state.repeats.note(key, min(filled_at, at)):
        return []
    text = f"{key} was filled {len(state.repeats.filled[key])} times within ten minutes."
    return halt_on(state, at, Reason.REPEATED_ORDERS, text)
