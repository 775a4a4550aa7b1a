"""The cycle: what is shown is remembered first, predictions are logged before their outcome."""

from datetime import timedelta

from brain_desk import BTC, ETH, Desk, decisions_of, only, quote, records, say, settings

from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.domain.marks import DecisionMarkRow
from simple_trader.domain.predictions import HorizonView, Prediction
from simple_trader.domain.reasons import Reason

MODEL = settings(enable_model=True, model_horizons=(1,))


def answered(
    desk: Desk, asked: a.AskPredictions, *probabilities: tuple[str, float]
) -> list[a.Action]:
    """The learner's answer."""
    return desk.do(
        e.PredictionsArrived(
            question_id=asked.question.question_id,
            model_id="m1",
            predictions=tuple(
                Prediction(pair=p, horizon_cycles=1, probability=x) for p, x in probabilities
            ),
            learned=0,
        )
    )


def test_without_a_model_the_advisor_is_asked_at_once_and_shown_what_is_remembered() -> None:
    desk = Desk()
    desk.open()
    told = desk.timer("aggregate")
    asked = only(told, a.AskAdvice)
    rows = records(told, r.SnapshotRow)
    assert [b.snapshot_id for b in asked.briefs] == [row.snapshot_id for row in rows]
    assert [b.features for b in asked.briefs] == [row.features for row in rows]
    assert isinstance(told[-1], a.AskAdvice)
    assert asked.cash_fraction == 1.0
    assert asked.question.deadline_s == 60.0


def test_the_model_is_asked_first_and_its_probabilities_are_shown_and_logged() -> None:
    desk = Desk()
    desk.open(settings=MODEL)
    first = only(desk.timer("aggregate"), a.AskPredictions)
    assert [item.pair for item in first.items] == [BTC, ETH]
    told = answered(desk, first, (BTC, 0.75), (ETH, 0.25))
    logged = records(told, r.PredictionRow)
    assert [row.prediction.probability for row in logged] == [0.75, 0.25]
    assert logged[0].prediction.due_at == desk.at + timedelta(seconds=900)
    asked = only(told, a.AskAdvice)
    views = [HorizonView(horizon_s=900, probability=shown) for shown in (0.75, 0.25)]
    assert [b.probabilities for b in asked.briefs] == [(views[0],), (views[1],)]
    assert asked.briefs[0].probabilities[0].skill is None, "unproven"
    assert [row.probabilities for row in records(told, r.SnapshotRow)] == [(views[0],), (views[1],)]


def test_i_42_what_is_no_probability_of_an_asked_pair_is_dropped() -> None:
    desk = Desk()
    desk.open(settings=MODEL)
    first = only(desk.timer("aggregate"), a.AskPredictions)
    told = answered(desk, first, (BTC, float("nan")), (ETH, 1.5), ("DOGE/USD", 0.5))
    assert records(told, r.PredictionRow) == []
    shown = [b.probabilities[0].probability for b in only(told, a.AskAdvice).briefs]
    assert shown == [None, None]


def test_outcomes_are_scored_once_and_taught_before_the_next_prediction() -> None:
    desk = Desk()
    desk.open(settings=MODEL)
    first = only(desk.timer("aggregate"), a.AskPredictions)
    answered(desk, first, (BTC, 0.75))
    desk.answer(only([desk.log[-1][1][-1]], a.AskAdvice), "{}")
    desk.next_candle()
    desk.quotes(btc="51000")
    told = desk.timer("aggregate")
    (score,) = records(told, r.PredictionScoreRow)
    assert (score.outcome, score.brier) == (1, 0.0625)
    (lesson,) = only(told, a.AskPredictions).lessons
    assert (lesson.pair, lesson.outcome) == (BTC, 1)
    assert desk.engine.state.pending_predictions == ()


def test_a_learner_that_fails_does_not_stop_the_cycle() -> None:
    desk = Desk()
    desk.open(settings=MODEL)
    first = only(desk.timer("aggregate"), a.AskPredictions)
    told = desk.do(
        e.PredictionsFailed(
            question_id=first.question.question_id, reason=Reason.MODEL_LATE, detail="10 s"
        )
    )
    assert only(told, a.Note).reason is Reason.MODEL_LATE
    assert [b.probabilities for b in only(told, a.AskAdvice).briefs] == [(), ()]


def test_a_cycle_while_the_previous_waits_is_left_out_with_a_note() -> None:
    desk = Desk()
    desk.open()
    desk.ask()
    assert only(desk.timer("aggregate"), a.Note).reason is Reason.CYCLE_BUSY


def test_a_pair_without_a_price_gets_its_decision_too() -> None:
    desk = Desk()
    desk.open()
    del desk.engine.state.board.boards[ETH]
    told = desk.timer("aggregate")
    row = decisions_of(told)[ETH]
    assert (row.verdict, row.reason) == ("hold", Reason.NO_PRICE)
    assert row.snapshot_id is None
    assert [b.pair for b in only(told, a.AskAdvice).briefs] == [BTC]


def test_without_any_price_nobody_is_asked() -> None:
    desk = Desk()
    desk.start()
    told = desk.timer("aggregate")
    assert set(decisions_of(told)) == {BTC, ETH}
    assert desk.engine.state.cycle is None


def test_a_pair_that_was_silent_for_a_whole_cycle_is_held_and_nobody_is_paid_to_look() -> None:
    desk = Desk()
    desk.open(settings=MODEL)
    first = only(desk.timer("aggregate"), a.AskPredictions)
    desk.answer(only(answered(desk, first, (BTC, 0.75)), a.AskAdvice), "{}")
    desk.at += timedelta(minutes=15, seconds=1)  # the feed is down: not one quote
    told = desk.timer("aggregate")
    rows = decisions_of(told)
    assert {(one.verdict, one.reason) for one in rows.values()} == {("hold", Reason.PRICE_STALE)}
    assert rows[BTC].detail == "no quote for 901 s"
    assert rows[BTC].snapshot_id is None
    assert [one for one in told if isinstance(one, a.AskAdvice | a.AskPredictions)] == []
    assert records(told, r.SnapshotRow) == records(told, DecisionMarkRow) == []
    desk.quotes()
    assert len(only(desk.timer("aggregate"), a.AskPredictions).items) == 2


def test_a_quiet_pair_is_shown_for_a_whole_cycle() -> None:
    desk = Desk()
    desk.open()
    desk.at += timedelta(minutes=15)
    assert [b.pair for b in desk.ask().briefs] == [BTC, ETH]


def test_a_crossed_quote_is_no_price_to_decide_on() -> None:
    desk = Desk()
    desk.open()
    desk.do(e.QuoteSeen(quote=quote(BTC, "50001", "50000", desk.at)))
    told = desk.timer("aggregate")
    row = decisions_of(told)[BTC]
    assert (row.verdict, row.reason) == ("hold", Reason.PRICE_UNREASONABLE)
    assert [b.pair for b in only(told, a.AskAdvice).briefs] == [ETH]


def test_a_holding_is_shown_with_its_share_and_gain() -> None:
    desk = Desk()
    desk.open()
    desk.hold()
    desk.next_candle()
    desk.quotes(btc="60000")
    brief = desk.ask().briefs[0]
    assert 0.14 < brief.holding_fraction < 0.18
    assert brief.unrealised_pct is not None
    assert 18 < brief.unrealised_pct < 20


def test_a_quote_of_the_future_is_not_used() -> None:
    desk = Desk()
    desk.open()
    desk.do(e.QuoteSeen(quote=quote(BTC, "1", "2", desk.at + timedelta(seconds=1))))
    rows = records(desk.timer("aggregate"), r.SnapshotRow)
    assert all(row.newest_event_at <= row.as_of for row in rows)


def test_decisions_are_shown_as_the_last_of_their_pair() -> None:
    desk = Desk()
    desk.open()
    desk.advise(say(BTC, "buy"), say(ETH, "hold"))
    shown = {d.pair: (d.verdict, d.advisor) for d in desk.engine.view(desk.at).decisions}
    assert shown == {BTC: ("approved", "test advisor"), ETH: ("hold", "test advisor")}


def test_lessons_are_taught_even_when_there_is_nothing_to_predict() -> None:
    desk = Desk()
    desk.open(settings=MODEL)
    first = only(desk.timer("aggregate"), a.AskPredictions)
    advice = only(answered(desk, first, (BTC, 0.75)), a.AskAdvice)
    desk.answer(advice, "{}")
    desk.next_candle()
    desk.quotes(btc="49000", eth="0.5")  # a bid of zero is no price
    desk.do(
        e.SettingsChanged(
            settings=settings(enable_model=True, traded_pairs=(ETH,)),
            config_hash="d",
            before="",
            after="",
            source="",
        )
    )
    taught = only(desk.timer("aggregate"), a.AskPredictions)
    assert taught.items == ()
    assert [lesson.outcome for lesson in taught.lessons] == [0]
    assert answered(desk, taught) == []
    assert desk.engine.state.cycle is None


def test_a_learner_that_never_answered_the_last_time_is_not_asked_again() -> None:
    desk = Desk()
    desk.open(settings=MODEL)
    desk.timer("aggregate")
    desk.engine.state.cycle = None
    told = desk.timer("aggregate")
    assert only(told, a.Note).reason is Reason.MODEL_LATE
    only(told, a.AskAdvice)


def test_with_too_many_open_questions_the_cycle_ends_and_says_so() -> None:
    desk = Desk()
    desk.open()
    for number in range(500):
        desk.engine.state.open_question("orders", str(number), desk.at, 1.0)
    assert only(desk.timer("aggregate"), a.Note).level == "error"
    assert desk.engine.state.cycle is None
