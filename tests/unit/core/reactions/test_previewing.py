"""Previewing: what would be asked now is what the next cycle asks, and nothing is changed by it."""

from datetime import timedelta
from typing import Any

import msgspec
from brain_desk import BTC, ETH, Desk, advice_text, only, say, settings

from simple_trader.core.engine import Engine
from simple_trader.core.reactions.previewing import Preview, question_now
from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain.predictions import Prediction

HOLD = (say(BTC, "hold"), say(ETH, "hold"))


def preview(one: Desk) -> Preview:
    """What the desk's engine would ask now."""
    return question_now(Engine.restore(one.engine.snapshot()).state, one.at)


def words(ask: a.AskAdvice | None) -> bytes:
    """A question without its identity."""
    assert ask is not None
    question = msgspec.structs.replace(ask.question, question_id="", asked_at=ask.as_of)
    return msgspec.json.encode(msgspec.structs.replace(ask, question=question))


def desk(**changes: Any) -> Desk:
    one = Desk()
    one.open(settings=settings(**changes))
    return one


def test_the_preview_is_the_question_of_the_next_cycle_and_changes_nothing() -> None:
    one = desk()
    one.hold()
    one.next_candle()
    before = one.engine.snapshot()
    seen = preview(one)
    assert one.engine.snapshot() == before
    assert seen.note == ""
    assert words(seen.ask) == words(one.ask())
    assert seen.ask is not None
    (said,) = seen.ask.briefs[0].texts
    assert said.source == "last rationale of test advisor"
    assert said.text == "buy at 2026-03-02T10:00:00Z: because"


def test_while_a_question_is_open_and_while_stopping_there_is_a_preview() -> None:
    one = desk()
    asked = one.ask()
    seen = preview(one).ask
    assert seen is not None
    assert [brief.pair for brief in seen.briefs] == [brief.pair for brief in asked.briefs]
    one.do(e.Stopping(reason="test"))
    assert preview(one).ask is not None


def test_an_answer_that_is_still_good_is_told() -> None:
    one = desk(advice_reuse_s=900, aggregator_interval_s=600)
    asked = one.ask()
    one.answer(asked, advice_text(*HOLD))
    one.at += timedelta(minutes=10)
    one.quotes()
    seen = preview(one)
    assert seen.ask is not None
    assert asked.question.question_id in seen.note
    assert not [x for x in one.timer("aggregate") if isinstance(x, a.AskAdvice)]


def test_without_a_price_nothing_would_be_asked() -> None:
    one = Desk()
    one.start()
    assert preview(one).ask is None
    assert "no traded pair has a price" in preview(one).note


def test_a_switched_off_aggregator_is_told() -> None:
    one = desk(enable_aggregator=False)
    assert preview(one).note == "enable_aggregator is off: no cycle comes"


def test_of_the_model_the_newest_predictions_are_shown() -> None:
    one = desk(enable_model=True, model_horizons=(1, 2), shadows=("other",))
    asked = only(one.timer("aggregate"), a.AskPredictions)
    made = tuple(
        Prediction(pair=BTC, horizon_cycles=horizon, probability=0.6 + horizon / 100)
        for horizon in (1, 2)
    )
    one.do(
        e.PredictionsArrived(
            question_id=asked.question.question_id, model_id="m", predictions=made, learned=0
        )
    )
    one.at += timedelta(minutes=5)
    one.quotes()
    seen = preview(one).ask
    assert seen is not None
    views = {brief.pair: brief.probabilities for brief in seen.briefs}
    assert [(view.horizon_s, view.probability) for view in views[BTC]] == [
        (900, 0.61),
        (1800, 0.62),
    ]
    assert [view.probability for view in views[ETH]] == [None, None]


def test_of_a_price_over_a_minute_old_no_prediction_is_shown_as_in_a_cycle() -> None:
    one = desk(enable_model=True, model_horizons=(1,))
    asked = only(one.timer("aggregate"), a.AskPredictions)
    made = (Prediction(pair=BTC, horizon_cycles=1, probability=0.6),)
    one.do(
        e.PredictionsArrived(
            question_id=asked.question.question_id, model_id="m", predictions=made, learned=0
        )
    )
    one.at += timedelta(minutes=2)
    seen = preview(one).ask
    assert seen is not None
    assert [view.probability for view in seen.briefs[0].probabilities] == [None]
