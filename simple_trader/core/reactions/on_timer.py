"""Timers: the day, the risk check with exits, the full look, training, the decision cycle."""

from datetime import datetime

from simple_trader.core.reactions.asking import ask_reconcile, ask_unresolved
from simple_trader.core.reactions.cycle import begin_cycle
from simple_trader.core.reactions.exit_orders import due_exits
from simple_trader.core.reactions.marking import settle_marks
from simple_trader.core.reactions.on_account import count_flows, follow_assets, judged_equity
from simple_trader.core.reactions.on_advice import give_up
from simple_trader.core.reactions.on_execution import claim
from simple_trader.core.reactions.on_model import ask_training
from simple_trader.core.reactions.on_reconciled import check_stream, decide_doubts
from simple_trader.core.reactions.on_reply import doubt_silent
from simple_trader.core.reactions.standing import audit, cancel_again, restate, risk_row
from simple_trader.core.risk import breaker
from simple_trader.core.schedule.timers import (
    AGGREGATE,
    BALANCES,
    DAY,
    RECONCILE,
    RESOLVE,
    RISK_CHECK,
    TRAIN,
)
from simple_trader.core.state import EngineState
from simple_trader.domain.actions import Action, Note
from simple_trader.domain.events import TimerFired
from simple_trader.domain.moments import utc_day
from simple_trader.domain.money import ZERO
from simple_trader.domain.reasons import Reason


def on_timer(state: EngineState, event: TimerFired, at: datetime) -> list[Action]:
    """Do what is due and set its next moment; an unknown name is a timer of an older version."""
    state.timers.fired(event.name, state.settings, at)
    if event.name == AGGREGATE:
        return _aggregate(state, at)
    if event.name == RISK_CHECK:
        return _risk_check(state, at)
    if event.name == BALANCES:
        return check_stream(state, at)
    if event.name == RECONCILE:
        return ask_reconcile(state, at)
    if event.name == RESOLVE:
        return ask_unresolved(state, at)
    if event.name == TRAIN:
        return ask_training(state, at)
    if event.name == DAY:
        return check_day(state, at)
    return [Note(level="info", text=f"Timer {event.name} is not known and was left out.")]


def _aggregate(state: EngineState, at: datetime) -> list[Action]:
    if not state.settings.enable_aggregator:
        text = "No decision cycle: enable_aggregator is false."
        return [Note(level="info", text=text, reason=Reason.AGGREGATOR_OFF)]
    return begin_cycle(state, at)


def _risk_check(state: EngineState, at: datetime) -> list[Action]:
    """Day and loss limit, questions nobody answered, orders nobody knows, then exits."""
    state.balances.settle(at)
    return [
        *_give_up_waiting(state, at),
        *decide_doubts(state, at),
        *check_day(state, at),
        *claim(state, at),
        *doubt_silent(state, at),
        *ask_unresolved(state, at),
        *_look_again(state, at),
        *cancel_again(state, at),
        *due_exits(state, at),
        *settle_marks(state, at),
    ]


def _look_again(state: EngineState, at: datetime) -> list[Action]:
    """A full look that failed is repeated, unless one is under way or the stream is down."""
    if state.health.reconciled or not state.health.private_up:
        return []
    return ask_reconcile(state, at)


def check_day(state: EngineState, at: datetime) -> list[Action]:
    """Begin a new UTC day where one began, and stop this one where it lost too much."""
    before = state.memory
    follow_assets(state, at)
    flows = count_flows(state, at)
    equity = judged_equity(state)
    state.memory = breaker.roll_day(state.memory, equity, at)
    if state.tally.today != utc_day(at):
        state.tally.today, state.tally.realised_today = utc_day(at), ZERO
    actions: list[Action] = flows
    rolled = state.memory
    state.memory = breaker.stop_day(rolled, equity, state.settings)
    if state.memory is not rolled:
        loss = breaker.loss_today(state.memory, equity)
        text = f"Lost {loss:.2f} today of {rolled.day_start_equity:.2f}: no new risk."
        actions.append(audit(at, "engine", "engine", "halt", "new risk", state.trading_state, text))
        actions.append(Note(level="error", text=text, reason=Reason.DAILY_LOSS))
    judged = state.memory
    state.memory = breaker.follow_peak(judged, equity, state.settings)
    if state.memory.drawdown_stopped and not judged.drawdown_stopped:
        text = f"Equity {equity:.2f} fell too far from {judged.peak_equity:.2f}: no new risk."
        actions.append(audit(at, "engine", "engine", "halt", "new risk", state.trading_state, text))
        actions.append(Note(level="error", text=text, reason=Reason.DRAWDOWN))
    changed = restate(state, at)
    if state.memory is not before and not changed:
        changed = [risk_row(state, at)]
    return [*actions, *changed]


def _give_up_waiting(state: EngineState, at: datetime) -> list[Action]:
    """The body answers every question in time; if it ever does not, nothing waits for ever."""
    actions: list[Action] = []
    for question in state.expired_questions(at):
        state.close_question(question.question_id)
        text = f"Question {question.question_id} ({question.kind}) was never answered."
        actions.append(Note(level="error", text=text))
        cycle = state.cycle
        if cycle is not None and cycle.question_id == question.question_id:
            actions.extend(give_up(state, cycle, Reason.ADVICE_TIMEOUT, "no answer at all", at))
    return actions
