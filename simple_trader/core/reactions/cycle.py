"""The decision cycle up to the question to the advisor: look, remember, predict, ask."""

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from simple_trader.core.portfolio.account import rate_of
from simple_trader.core.reactions.asking import ADVICE, CYCLE, PREDICTIONS
from simple_trader.core.reactions.standing import risk_row
from simple_trader.core.scoring.labels import settle
from simple_trader.core.state import AI_OWNER, PROBABILITY_SKILL, Cycle, EngineState
from simple_trader.core.strategy.aggregator import CycleInputs, fraction, snapshots
from simple_trader.domain.actions import (
    Action,
    AskAdvice,
    AskPredictions,
    Lesson,
    Note,
    PredictFor,
    Remember,
)
from simple_trader.domain.instruments import PairStatus, quote_of
from simple_trader.domain.money import ZERO
from simple_trader.domain.predictions import PendingPrediction, Prediction
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import DecisionRow, PredictionRow
from simple_trader.domain.views import DecisionView

PREDICT_DEADLINE_S = 10.0
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
    actions, lessons = _settle(state, at)
    actions.append(risk_row(state, at))  # equity in risk_states is never older than a cycle
    inputs = _inputs(state, cycle_id, at)
    rows, briefs = snapshots(inputs)
    actions.extend(_without_price(state, inputs, [row.pair for row in rows], at))
    if not rows:
        return [*actions, *_teach_only(state, lessons, at)]
    state.cycle = Cycle(
        cycle_id=cycle_id,
        as_of=at,
        config_hash=state.config_hash,
        settings=state.settings,
        question_id="",
        waits_for=PREDICTIONS,
        rows=rows,
        briefs=briefs,
        cash_fraction=float(fraction(inputs.cash, inputs.equity)),
    )
    if state.settings.enable_model:
        return [*actions, *_ask_predictions(state, state.cycle, lessons, at)]
    return [*actions, *ask_advice(state, state.cycle, at)]


def _settle(state: EngineState, at: datetime) -> tuple[list[Action], tuple[Lesson, ...]]:
    """Score the predictions whose horizon is over."""
    settled = settle(list(state.pending_predictions), state.mids(), at)
    state.pending_predictions = settled.still_open
    return [Remember(record=score) for score in settled.scores], settled.lessons


def _teach_only(state: EngineState, lessons: tuple[Lesson, ...], at: datetime) -> list[Action]:
    """Lessons are not lost where there is nothing to predict."""
    if not lessons or not state.settings.enable_model:
        return []
    question = state.open_question(PREDICTIONS, "lessons", at, PREDICT_DEADLINE_S)
    if question is None:
        return []
    return [AskPredictions(question=question, lessons=lessons, items=())]


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
        snapshot_ids={pair: state.snapshot_ids[pair] for pair in pairs},
        probabilities={},
        probability_skill=PROBABILITY_SKILL,
        model_horizon_s=_horizon_s(state),
        settings=state.settings,
    )


def _cash(state: EngineState) -> Decimal:
    """Spendable quote assets of the traded pairs in the reporting currency."""
    mids = state.mids()
    assets = dict.fromkeys(quote_of(pair) for pair in state.settings.traded_pairs)
    return sum((state.spendable(asset) * (rate_of(asset, mids) or ZERO) for asset in assets), ZERO)


def _tradable(state: EngineState, pair: str) -> bool:
    rules = state.rules.get(pair)
    return rules is not None and rules.status is PairStatus.ONLINE


def _horizon_s(state: EngineState) -> int:
    return state.settings.model_horizons[0] * state.settings.aggregator_interval_s


def _without_price(
    state: EngineState, inputs: CycleInputs, seen: list[str], at: datetime
) -> list[Action]:
    """A pair without a price gets its decision too: hold."""
    actions: list[Action] = []
    for pair in state.settings.traded_pairs:
        if pair not in seen:
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
                reason=Reason.NO_PRICE,
                detail="no quote of this pair yet",
                cl_ord_id=None,
                config_hash=inputs.config_hash,
            )
            actions.append(keep_decision(state, row, ""))
    return actions


def keep_decision(state: EngineState, row: DecisionRow, advisor: str) -> Remember:
    """Remember a decision and show it as the last one of its pair, and of all."""
    state.decisions.pop(row.pair, None)
    state.decisions[row.pair] = DecisionView(
        decision_id=row.decision_id,
        pair=row.pair,
        at=row.decided_at,
        action=row.action,
        confidence=row.confidence,
        verdict=row.verdict,
        reason=row.reason.value,
        detail=row.detail,
        advisor=advisor,
    )
    return Remember(record=row)


def _ask_predictions(
    state: EngineState, cycle: Cycle, lessons: tuple[Lesson, ...], at: datetime
) -> list[Action]:
    question = state.open_question(PREDICTIONS, CYCLE, at, PREDICT_DEADLINE_S)
    if question is None:
        note = Note(level="warning", text="The learner still waits.", reason=Reason.MODEL_LATE)
        return [note, *ask_advice(state, cycle, at)]
    cycle.question_id = question.question_id
    items = tuple(PredictFor(pair=row.pair, features=row.features) for row in cycle.rows)
    return [AskPredictions(question=question, lessons=lessons, items=items)]


def add_predictions(
    state: EngineState, cycle: Cycle, model_id: str, predictions: tuple[Prediction, ...]
) -> list[Action]:
    """Put the probabilities into what is remembered and shown, and log them before any outcome.

    What is not a finite probability of an asked pair is dropped (I-42).
    """
    valid = {item.pair: item.probability for item in predictions if 0.0 <= item.probability <= 1.0}
    cycle.rows = tuple(
        msgspec.structs.replace(row, probability=valid.get(row.pair)) for row in cycle.rows
    )
    cycle.briefs = tuple(
        msgspec.structs.replace(brief, probability=valid.get(brief.pair)) for brief in cycle.briefs
    )
    horizon_s = cycle.settings.model_horizons[0] * cycle.settings.aggregator_interval_s
    made = tuple(
        PendingPrediction(
            prediction_id=state.next_id("p"),
            pair=row.pair,
            cycle_id=cycle.cycle_id,
            made_at=cycle.as_of,
            due_at=cycle.as_of + timedelta(seconds=horizon_s),
            horizon_cycles=cycle.settings.model_horizons[0],
            horizon_s=horizon_s,
            probability=valid[row.pair],
            model_id=model_id,
            mid=row.mid,
            features=row.features,
        )
        for row in cycle.rows
        if row.pair in valid
    )
    state.pending_predictions = (*state.pending_predictions, *made)
    return [Remember(record=PredictionRow(prediction=item)) for item in made]


def ask_advice(state: EngineState, cycle: Cycle, at: datetime) -> list[Action]:
    """Remember what will be shown, then ask."""
    settings = cycle.settings
    actions: list[Action] = [Remember(record=row) for row in cycle.rows]
    state.close_about(ADVICE, CYCLE)
    question = state.open_question(ADVICE, CYCLE, at, float(settings.advice_deadline_s))
    if question is None:
        state.cycle = None
        text = "Too many open questions: no advice asked in this cycle."
        return [*actions, Note(level="error", text=text, reason=Reason.ADVICE_FAILED)]
    question = msgspec.structs.replace(question, config_hash=cycle.config_hash)
    state.questions[question.question_id] = question
    cycle.question_id = question.question_id
    cycle.waits_for = ADVICE
    actions.append(
        AskAdvice(
            question=question,
            cycle_id=cycle.cycle_id,
            as_of=cycle.as_of,
            briefs=cycle.briefs,
            cash_fraction=cycle.cash_fraction,
            max_asset_exposure=float(settings.max_asset_exposure),
            max_total_exposure=float(settings.max_total_exposure),
            min_confidence=settings.min_confidence,
        )
    )
    return actions
