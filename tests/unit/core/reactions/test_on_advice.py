"""Answers: remembered word by word, judged once, late ones change nothing (I-39)."""

from datetime import timedelta

from brain_desk import BTC, ETH, Desk, advice_text, decisions_of, only, records, say, settings

from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.domain.reasons import Reason

R = Reason


def desk() -> Desk:
    """A desk that trades."""
    made = Desk()
    made.open()
    return made


def test_the_exact_words_are_remembered() -> None:
    one = desk()
    asked = one.ask()
    one.at += timedelta(seconds=7)
    (row,) = records(one.answer(asked, "exactly this"), r.LlmCallRow)
    assert (row.reply, row.prompt, row.error) == ("exactly this", "prompt", "")
    assert row.answered_at - row.asked_at == timedelta(seconds=7)
    assert row.advisor_label == "test advisor"


def test_the_same_answer_again_changes_nothing_but_is_remembered_as_late() -> None:
    one = desk()
    asked = one.ask()
    one.answer(asked, advice_text(say(BTC, "buy")))
    live = len(one.engine.state.orders.live())
    again = one.answer(asked, advice_text(say(BTC, "buy")))
    (row,) = records(again, r.LlmCallRow)
    assert row.reason is R.ADVICE_LATE
    assert row.call_id != asked.question.question_id
    assert decisions_of(again) == {}
    assert len(one.engine.state.orders.live()) == live


def test_an_answer_to_no_question_changes_nothing() -> None:
    one = desk()
    asked = one.ask()
    one.answer(asked, "{}")
    told = one.answer(asked, advice_text(say(ETH, "buy")))
    assert only(told, a.Note).reason is R.ADVICE_LATE
    assert one.engine.state.cycle is None


def test_no_advice_is_hold_on_every_pair_with_the_reason() -> None:
    one = desk()
    asked = one.ask()
    failed = e.AdviceFailed(
        question_id=asked.question.question_id, reason=R.ADVICE_TIMEOUT, detail="60 s"
    )
    told = one.do(failed)
    assert {(d.verdict, d.reason) for d in decisions_of(told).values()} == {
        ("hold", R.ADVICE_TIMEOUT)
    }
    assert records(told, r.LlmCallRow)[0].error == "60 s"
    assert decisions_of(one.do(failed)) == {}
    one.next_candle()
    assert decisions_of(one.advise(say(BTC, "buy")))[BTC].verdict == "approved"


def test_l14_an_answer_to_a_question_of_another_kind_ends_no_wait() -> None:
    one = Desk()
    one.open(settings=settings(enable_model=True))
    question = only(one.timer("aggregate"), a.AskPredictions).question
    told = one.do(
        e.AdviceFailed(question_id=question.question_id, reason=R.ADVICE_TIMEOUT, detail="no")
    )
    assert not decisions_of(told)
    empty = e.PredictionsArrived(
        question_id=question.question_id, model_id="m", predictions=(), learned=0
    )
    asked = only(one.do(empty), a.AskAdvice)
    assert set(decisions_of(one.answer(asked, advice_text()))) == {BTC, ETH}
