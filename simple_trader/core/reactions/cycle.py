"""The decision cycle up to the question to the advisor: look, remember, predict, ask."""

from datetime import datetime
from decimal import Decimal

from simple_trader.core.portfolio.account import rate_of
from simple_trader.core.portfolio.open_orders import taker_of
from simple_trader.core.reactions.advising import ask_advice
from simple_trader.core.reactions.asking import PREDICTIONS
from simple_trader.core.reactions.keeping import keep_decision
from simple_trader.core.reactions.predicting import (
    ask_predictions,
    leave_stale,
    settle_predictions,
    teach_only,
)
from simple_trader.core.reactions.standing import risk_row
from simple_trader.core.scoring.outcomes import round_trip_pct
from simple_trader.core.state import AI_OWNER, Cycle, EngineState
from simple_trader.core.strategy.aggregator import CycleInputs, price_fault, snapshots
from simple_trader.domain.actions import (
    Action,
    Lesson,
    Note,
)
from simple_trader.domain.instruments import PairStatus, quote_of
from simple_trader.domain.moments import to_rfc3339
from simple_trader.domain.money import ZERO
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import DecisionRow
from simple_trader.domain.shown import OutsideText

_HUNDRED = Decimal(100)


def begin_cycle(state: EngineState, at: datetime) -> list[Action]:
    """Begin a cycle, unless the previous one still waits for an answer."""
    state.last_cycle_at = at
    if state.stopping:
        return []
    if state.cycle is not None:
        waiting = (at - state.cycle.as_of).total_seconds()
        text = (
            f"Cycle {state.cycle.cycle_id} still waits after {waiting:.0f} s: this one is left out."
        )
        return [Note(level="warning", text=text, reason=Reason.CYCLE_BUSY)]
    state.tally.cycles += 1
    state.board.finish_until(at)
    cycle_id = state.next_id("c")
    actions, lessons = settle_predictions(state, at)
    actions.append(risk_row(state, at))  # equity in risk_states is never older than a cycle
    inputs = _inputs(state, cycle_id, at)
    rows = snapshots(inputs)
    actions.extend(_without_price(state, inputs, at))
    if not rows:
        return [*actions, *teach_only(state, lessons, at)]
    state.cycle = Cycle(
        cycle_id=cycle_id,
        as_of=at,
        config_hash=state.config_hash,
        settings=state.settings,
        question_id="",
        waits_for=PREDICTIONS,
        rows=rows,
        fills=state.tally.fills,
    )
    if state.settings.enable_model:
        return [*actions, *_ask_model(state, state.cycle, lessons, at)]
    return [*actions, *ask_advice(state, state.cycle, at)]


def _inputs(state: EngineState, cycle_id: str, at: datetime) -> CycleInputs:
    pairs = state.settings.traded_pairs
    holdings: dict[str, Decimal] = {}
    unrealised: dict[str, float | None] = {}
    for pair in pairs:
        quote = state.board.quote(pair)
        held = state.lots.held(AI_OWNER, pair)
        if quote is None or held == ZERO:
            continue
        value, cost = held * quote.mid, state.lots.cost_held(AI_OWNER, pair)
        holdings[pair] = value
        unrealised[pair] = float((value - cost) / cost * _HUNDRED) if cost > ZERO else None
    for pair in pairs:
        state.snapshot_ids[pair] = state.next_id("s")
    return CycleInputs(
        cycle_id=cycle_id,
        as_of=at,
        config_hash=state.config_hash,
        boards=tuple(state.board.board(pair) for pair in pairs),
        holdings=holdings,
        unrealised_pct=unrealised,
        cash=_cash(state),
        equity=state.shown_equity(),
        tradable={pair: _tradable(state, pair) for pair in pairs},
        cost_pct=_costs(state),
        snapshot_ids={pair: state.snapshot_ids[pair] for pair in pairs},
        settings=state.settings,
        texts={pair: _last_words(state, pair) for pair in pairs},
    )


def _costs(state: EngineState) -> dict[str, Decimal]:
    """What a round trip costs in percent of the price, where there is a quote."""
    quotes = {pair: state.board.quote(pair) for pair in state.settings.traded_pairs}
    return {
        pair: round_trip_pct(quote, taker_of(state.fees, pair))
        for pair, quote in quotes.items()
        if quote is not None and quote.mid > ZERO
    }


def _last_words(state: EngineState, pair: str) -> tuple[OutsideText, ...]:
    """What the advisor itself said of the pair last: a model's text, so it is a stranger's."""
    view = state.decisions.get(pair)
    if view is None or not view.advisor or not view.rationale:
        return ()
    text = f"{view.action} at {to_rfc3339(view.at, digits=0)}: {view.rationale}"
    return (OutsideText(source=f"last rationale of {view.advisor}", text=text),)


def _cash(state: EngineState) -> Decimal:
    """Spendable quote assets of the traded pairs in the reporting currency."""
    mids = state.mids()
    assets = dict.fromkeys(quote_of(pair) for pair in state.settings.traded_pairs)
    return sum((state.spendable(asset) * (rate_of(asset, mids) or ZERO) for asset in assets), ZERO)


def _tradable(state: EngineState, pair: str) -> bool:
    rules = state.rules.get(pair)
    return rules is not None and rules.status is PairStatus.ONLINE


def _without_price(state: EngineState, inputs: CycleInputs, at: datetime) -> list[Action]:
    """A pair without a price gets its decision too: hold."""
    actions: list[Action] = []
    for pair in state.settings.traded_pairs:
        fault = price_fault(state.board.quote(pair), at, state.settings)
        if fault is not None:
            reason, detail = fault
            row = DecisionRow(
                decision_id=state.next_id("d"),
                cycle_id=inputs.cycle_id,
                pair=pair,
                snapshot_id=None,
                call_id=None,
                decided_at=at,
                action="hold",
                confidence=None,
                risk_level=None,
                rationale="",
                verdict="hold",
                reason=reason,
                detail=detail,
                cl_ord_id=None,
                config_hash=inputs.config_hash,
            )
            actions.append(keep_decision(state, row, ""))
    return actions


def _ask_model(
    state: EngineState, cycle: Cycle, lessons: tuple[Lesson, ...], at: datetime
) -> list[Action]:
    left_out = leave_stale(state, cycle, at)
    asked = ask_predictions(state, cycle, lessons, at)
    if asked is None:
        note = Note(level="warning", text="The learner still waits.", reason=Reason.MODEL_LATE)
        return [note, *ask_advice(state, cycle, at)]
    return [*left_out, asked]
