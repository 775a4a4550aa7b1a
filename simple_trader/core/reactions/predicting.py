"""The online model in the cycle: what became known is scored and taught, then it predicts again."""

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from simple_trader.core.reactions.asking import CYCLE, LESSONS, PREDICTIONS
from simple_trader.core.schedule.timers import TRAIN
from simple_trader.core.scoring import skill as measure
from simple_trader.core.scoring.labels import is_new, settle
from simple_trader.core.state import Cycle, EngineState
from simple_trader.core.strategy.model_inputs import model_inputs
from simple_trader.domain.actions import (
    Action,
    AskPredictions,
    Lesson,
    Note,
    PredictFor,
    Remember,
)
from simple_trader.domain.events import PredictionsArrived, Started
from simple_trader.domain.money import ZERO
from simple_trader.domain.predictions import (
    HorizonView,
    ModelOf,
    ModelSkill,
    ModelState,
    PendingPrediction,
    Prediction,
)
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import ModelRow, PredictionRow, SkillRow, SnapshotRow

PREDICT_DEADLINE_S = 10.0
CHECKPOINT_EVERY = timedelta(hours=1)  # market time: a restart loses no more than this

# -- at the start -------------------------------------------------------------------------


def take_up_model(state: EngineState, event: Started, at: datetime) -> None:
    """Go on where the last run ended: skill, open predictions and what they were made from."""
    learned = event.learned
    state.model_id = learned.model_id
    state.last_checkpoint_at = learned.last_checkpoint_at
    state.pending_predictions = event.pending_predictions
    for skill in learned.skills:
        _put(state, skill)
    for prediction in event.pending_predictions:
        shown = learned.features.get(prediction.snapshot_id)
        if shown is not None:
            state.shown_features[prediction.snapshot_id] = model_inputs(shown)
    ensure_model_trained(state, at)


def ensure_model_trained(state: EngineState, at: datetime) -> None:
    """Train at once where no good model was found at the start; else by the timer's interval."""
    if TRAIN in state.timers.due and not state.model_id:
        state.timers.wake(TRAIN, at)


# -- what became known --------------------------------------------------------------------


def settle_predictions(state: EngineState, at: datetime) -> tuple[list[Action], tuple[Lesson, ...]]:
    """Score the predictions whose horizon is over, and judge the models by it."""
    settled = settle(state.pending_predictions, _prices(state, at), state.shown_features, at)
    state.pending_predictions = settled.still_open
    needed = {prediction.snapshot_id for prediction in settled.still_open}
    state.shown_features = {
        name: shown for name, shown in state.shown_features.items() if name in needed
    }
    touched: dict[tuple[str, int], ModelSkill] = {}
    for prediction, outcome in settled.timely:
        skill = measure.scored(
            _skill_of(state, prediction.pair, prediction.horizon_cycles, prediction.horizon_s),
            probability=prediction.probability,
            base=prediction.base_rate,
            outcome=outcome,
        )
        _put(state, skill)
        touched[prediction.pair, prediction.horizon_s] = skill
    actions: list[Action] = [Remember(record=score) for score in settled.scores]
    for skill in touched.values():
        actions.extend(_judge(state, skill, at))
    return actions, settled.lessons


def _prices(state: EngineState, at: datetime) -> dict[str, Decimal]:
    """The middles that outcomes are told by: of new quotes, and not crossed."""
    ahead_s = state.health.skew_s
    quotes = [board.quote for board in state.board.boards.values() if board.quote is not None]
    return {
        quote.pair: quote.mid
        for quote in quotes
        if is_new(quote, at, ahead_s) and ZERO < quote.bid < quote.ask
    }


def _judge(state: EngineState, before: ModelSkill, at: datetime) -> list[Action]:
    """Quarantine or show again, told once; the row says where it stands."""
    skill = measure.judged(before, at)
    _put(state, skill)
    row = Remember(record=SkillRow(skill=skill))
    if (skill.quarantined_at is None) == (before.quarantined_at is None):
        return [row]
    recent = measure.recent_skill(before) or 0.0
    said = f"The model for {skill.pair} over {skill.horizon_s} s has a skill of {recent:+.3f}"
    if skill.quarantined_at is None:
        text, reason = f"{said}: shown to the advisor again.", Reason.MODEL_REGAINED
    else:
        text, reason = f"{said}: not shown to the advisor any more.", Reason.MODEL_UNSKILLED
    return [row, Note(level="info", text=text, reason=reason, pair=skill.pair)]


def _skill_of(state: EngineState, pair: str, horizon_cycles: int, horizon_s: int) -> ModelSkill:
    known = state.skills.get(pair, {}).get(horizon_s)
    if known is not None:
        # With shorter cycles more predictions of a horizon overlap: count the most that ever did.
        most = max(known.horizon_cycles, horizon_cycles)
        return msgspec.structs.replace(known, horizon_cycles=most)
    return ModelSkill(pair=pair, horizon_cycles=horizon_cycles, horizon_s=horizon_s)


def _put(state: EngineState, skill: ModelSkill) -> None:
    state.skills.setdefault(skill.pair, {})[skill.horizon_s] = skill


# -- asking -------------------------------------------------------------------------------


def teach_only(state: EngineState, lessons: tuple[Lesson, ...], at: datetime) -> list[Action]:
    """Lessons are not lost where there is nothing to predict."""
    if not lessons or not state.settings.enable_model:
        return []
    question = state.open_question(PREDICTIONS, LESSONS, at, PREDICT_DEADLINE_S)
    if question is None:
        return []
    settings = state.settings
    return [
        AskPredictions(
            question=question,
            lessons=lessons,
            items=(),
            horizons=settings.model_horizons,
            cycle_s=settings.aggregator_interval_s,
        )
    ]


def leave_stale(state: EngineState, cycle: Cycle, at: datetime) -> list[Action]:
    """Leave out the pairs whose price is no longer new: what came after it would be told twice.

    Called before the learner is asked, so that none of its answers can begin there either.
    """
    ahead_s = state.health.skew_s
    quotes = {row.pair: state.board.quote(row.pair) for row in cycle.rows}
    cycle.stale = tuple(
        pair for pair, quote in quotes.items() if quote is None or not is_new(quote, at, ahead_s)
    )
    if not cycle.stale:
        return []
    text = f"No prediction for {', '.join(cycle.stale)}: the price is over a minute old."
    return [Note(level="info", text=text, reason=Reason.PREDICTION_STALE)]


def ask_predictions(
    state: EngineState, cycle: Cycle, lessons: tuple[Lesson, ...], at: datetime
) -> AskPredictions | None:
    """Teach what became known, then ask for every horizon; None while the learner is still asked.

    Now and then the learner's state is asked for too, so that a restart loses little of it.
    """
    question = state.open_question(PREDICTIONS, CYCLE, at, PREDICT_DEADLINE_S)
    if question is None:
        return None
    cycle.question_id = question.question_id
    last = state.last_checkpoint_at
    return AskPredictions(
        question=question,
        lessons=lessons,
        items=tuple(
            PredictFor(pair=row.pair, features=model_inputs(row.features))
            for row in cycle.rows
            if row.pair not in cycle.stale
        ),
        horizons=cycle.settings.model_horizons,
        cycle_s=cycle.settings.aggregator_interval_s,
        checkpoint=last is None or at - last >= CHECKPOINT_EVERY,
    )


# -- the answer ---------------------------------------------------------------------------


def add_predictions(
    state: EngineState, cycle: Cycle, model_id: str, predictions: tuple[Prediction, ...]
) -> list[Action]:
    """Put the probabilities into what is remembered and shown, and log them before any outcome.

    What is not a finite probability of an asked pair and horizon is dropped (I-42). One that is
    quarantined is logged and scored, but not shown.
    """
    horizons = cycle.settings.model_horizons
    valid = {
        (item.pair, item.horizon_cycles): item.probability
        for item in predictions
        if 0.0 <= item.probability <= 1.0 and item.pair not in cycle.stale
    }
    views: dict[str, tuple[HorizonView, ...]] = {}
    made: list[PendingPrediction] = []
    for row in cycle.rows:
        shown: list[HorizonView] = []
        before = len(made)
        for horizon in horizons:
            probability = valid.get((row.pair, horizon))
            horizon_s = horizon * cycle.settings.aggregator_interval_s
            skill = state.skills.get(row.pair, {}).get(horizon_s)
            shown.append(_view(skill, horizon_s, probability))
            if probability is not None:
                made.append(_pending(state, cycle, row, horizon, probability, skill, model_id))
        views[row.pair] = tuple(shown)
        if len(made) > before:
            state.shown_features[row.snapshot_id] = model_inputs(row.features)
    cycle.rows = tuple(
        msgspec.structs.replace(row, probabilities=views[row.pair]) for row in cycle.rows
    )
    state.pending_predictions = (*state.pending_predictions, *made)
    return [Remember(record=PredictionRow(prediction=item)) for item in made]


def _view(skill: ModelSkill | None, horizon_s: int, probability: float | None) -> HorizonView:
    hidden = skill is not None and skill.quarantined_at is not None
    return HorizonView(
        horizon_s=horizon_s,
        probability=None if hidden else probability,
        skill=measure.claimed(skill),
        scored=0 if skill is None else skill.scored,
        quarantined=hidden,
    )


def _pending(
    state: EngineState,
    cycle: Cycle,
    row: SnapshotRow,
    horizon: int,
    probability: float,
    skill: ModelSkill | None,
    model_id: str,
) -> PendingPrediction:
    horizon_s = horizon * cycle.settings.aggregator_interval_s
    return PendingPrediction(
        prediction_id=state.next_id("p"),
        pair=row.pair,
        cycle_id=cycle.cycle_id,
        snapshot_id=row.snapshot_id,
        made_at=cycle.as_of,
        due_at=cycle.as_of + timedelta(seconds=horizon_s),
        horizon_cycles=horizon,
        horizon_s=horizon_s,
        probability=probability,
        base_rate=measure.base_rate(skill),
        model_id=model_id,
        mid=row.mid,
        quarantined=skill is not None and skill.quarantined_at is not None,
    )


def heed_learner(state: EngineState, event: PredictionsArrived, at: datetime) -> list[Action]:
    """What the learner tells of itself: models that diverged or drifted, its state to be kept."""
    actions: list[Action] = []
    for model in event.diverged:
        actions.extend(_diverged(state, model, at))
    for model in event.drifted:
        actions.extend(_drifted(state, model, at))
    if event.refused:
        text = f"{event.refused} lessons were refused: their outcome was not known yet (M02)."
        actions.append(Note(level="error", text=text, reason=Reason.MODEL_FAILED))
    if event.checkpoint is not None:
        state.last_checkpoint_at = at
        actions.append(Remember(record=_online(event.checkpoint, at)))
    return actions


def _diverged(state: EngineState, model: ModelOf, at: datetime) -> list[Action]:
    skill = measure.diverged(_of(state, model), at)
    _put(state, skill)
    text = (
        f"The model for {model.pair} over {model.horizon_s} s diverged: its last good weights are "
        "used, and it is not shown to the advisor until it has proved itself."
    )
    note = Note(level="warning", text=text, reason=Reason.MODEL_DIVERGED, pair=model.pair)
    return [Remember(record=SkillRow(skill=skill)), note]


def _drifted(state: EngineState, model: ModelOf, at: datetime) -> list[Action]:
    skill = measure.drifted(_of(state, model), at)
    _put(state, skill)
    text = f"The model for {model.pair} over {model.horizon_s} s errs differently than before."
    note = Note(level="info", text=text, reason=Reason.MODEL_DRIFTED, pair=model.pair)
    return [Remember(record=SkillRow(skill=skill)), note]


def _of(state: EngineState, model: ModelOf) -> ModelSkill:
    cycles = model.horizon_s // state.settings.aggregator_interval_s
    return _skill_of(state, model.pair, max(1, cycles), model.horizon_s)


def _online(saved: ModelState, at: datetime) -> ModelRow:
    return ModelRow(
        model_id=saved.model_id,
        kind="online",
        basis=saved.basis,
        trained_at=at,
        sha256=saved.sha256,
        blob=saved.blob,
        rows=0,
        metrics={},
    )
