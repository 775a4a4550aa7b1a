"""Advising: a question for each cycle, or the last answer again where nothing changed (I-38)."""

from datetime import timedelta
from typing import Any

from brain_desk import (
    BTC,
    ETH,
    Desk,
    advice_text,
    decisions_of,
    only,
    quote,
    records,
    say,
    settings,
)

from simple_trader.core.engine import Engine
from simple_trader.core.state import MAX_QUESTIONS
from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.domain.reasons import Reason

R = Reason


def desk(**changes: Any) -> Desk:
    """A desk that asks every ten minutes and may use an answer for fifteen."""
    one = Desk()
    values = {"advice_reuse_s": 900, "aggregator_interval_s": 600, **changes}
    one.open(settings=settings(**values))
    return one


def later(one: Desk, minutes: float = 10, **prices: str) -> list[a.Action]:
    """The cycle so many minutes later, at these prices."""
    one.at += timedelta(minutes=minutes)
    one.quotes(**prices)
    return one.timer("aggregate")


def asked(told: list[a.Action]) -> int:
    """How many questions were asked."""
    return sum(isinstance(x, a.AskAdvice) for x in told)


def predicted(one: Desk, begun: list[a.Action]) -> list[a.Action]:
    """The learner answers now, with nothing."""
    question = only(begun, a.AskPredictions).question
    empty = e.PredictionsArrived(
        question_id=question.question_id, model_id="m", predictions=(), learned=0
    )
    return one.do(empty)


HOLD = (say(BTC, "hold"), say(ETH, "hold"))


def test_an_answer_is_used_again_and_the_rows_say_so() -> None:
    one = desk()
    first = one.ask()
    one.answer(first, advice_text(*HOLD))
    told = later(one)
    assert asked(told) == 0
    rows = decisions_of(told)
    call = first.question.question_id
    assert {(row.reused_from, row.call_id) for row in rows.values()} == {(call, call)}
    assert {(row.verdict, row.reason) for row in rows.values()} == {("hold", R.ADVISED_HOLD)}
    shown = {row.pair: row for row in records(told, r.SnapshotRow)}
    assert {row.snapshot_id for row in rows.values()} == {x.snapshot_id for x in shown.values()}
    assert not records(told, r.LlmCallRow)
    assert one.engine.state.cycle is None


def test_i_38_an_answer_is_not_used_past_its_time_and_the_next_cycle_asks() -> None:
    one = desk()
    one.advise(*HOLD)
    assert asked(later(one)) == 0
    assert asked(later(one)) == 1


def test_while_one_pair_is_silent_the_answer_stays_good_for_the_others() -> None:
    one = desk(aggregator_interval_s=60)
    first = one.ask()
    one.answer(first, advice_text(*HOLD))
    one.at += timedelta(seconds=61)
    one.do(e.QuoteSeen(quote=quote(BTC, "50000", "50001", one.at)))
    told = one.timer("aggregate")
    rows = decisions_of(told)
    assert asked(told) == 0
    assert (rows[BTC].reason, rows[BTC].reused_from) == (R.ADVISED_HOLD, first.question.question_id)
    assert (rows[ETH].reason, rows[ETH].reused_from) == (R.PRICE_STALE, None)
    assert asked(later(one, 1)) == 0


def test_a_reused_answer_does_not_begin_its_time_anew() -> None:
    one = desk(aggregator_interval_s=60, advice_reuse_s=180)
    one.advise(*HOLD)
    assert [asked(later(one, 1)) for _ in range(3)] == [0, 0, 1]


def test_a_move_of_one_pair_asks_about_all() -> None:
    one = desk()
    one.advise(*HOLD)
    told = later(one, eth="2005.01")
    assert {brief.pair for brief in only(told, a.AskAdvice).briefs} == {BTC, ETH}


def test_a_fill_asks_anew() -> None:
    one = desk(candle_minutes=1)
    one.hold()
    assert asked(later(one, 5)) == 1


def test_an_order_that_was_not_filled_is_advised_again() -> None:
    one = desk(candle_minutes=1)
    one.advise(say(BTC, "buy"), say(ETH, "hold"))
    told = later(one, 5)
    assert asked(told) == 0
    row = decisions_of(told)[BTC]
    assert row.reused_from is not None
    assert (row.action, row.confidence) == ("buy", 0.9)


def test_what_could_not_be_used_is_not_used_again() -> None:
    one = desk()
    one.answer(one.ask(), "no JSON at all")
    assert asked(later(one)) == 1


def test_a_newer_question_ends_the_last_answer_even_when_it_fails() -> None:
    one = desk()
    one.advise(*HOLD)
    question = only(later(one, 1, btc="51000"), a.AskAdvice)
    one.answer(question, "")
    assert asked(later(one, 1)) == 1


def test_prices_of_a_reused_answer_are_judged_as_they_were_shown() -> None:
    one = desk()
    buy = {**say(BTC, "buy"), "price_target": 50_050}
    one.answer(one.ask(), advice_text(buy, say(ETH, "hold")))
    told = later(one, btc="50100")  # above the target by now, within a quarter percent
    assert asked(told) == 0
    assert decisions_of(told)[BTC].reason is R.MOVE_TOO_SMALL


def test_an_answer_is_used_again_after_the_state_was_stored_and_taken_up() -> None:
    one = desk()
    one.advise(*HOLD)
    one.engine = Engine.restore(one.engine.snapshot())
    assert asked(later(one)) == 0


def test_after_a_change_of_the_configuration_the_advisor_is_asked() -> None:
    one = desk()
    one.advise(*HOLD)
    one.engine.state.config_hash = "d" * 64
    assert asked(later(one)) == 1


def test_a_used_answer_still_meets_the_rules_of_its_moment() -> None:
    one = desk()
    one.advise(say(BTC, "buy"), say(ETH, "hold"))
    row = decisions_of(later(one))[BTC]
    assert (row.verdict, row.reason) == ("refused", R.SAME_CANDLE)
    assert row.sized_qty is not None


def test_i_38_an_answer_that_grew_too_old_while_the_model_was_asked_is_not_used() -> None:
    one = desk(enable_model=True)
    asks = only(predicted(one, one.timer("aggregate")), a.AskAdvice)
    one.answer(asks, advice_text(*HOLD))
    begun = later(one, 14.9)
    one.at += timedelta(seconds=5)
    assert asked(predicted(one, begun)) == 0
    begun = later(one, 0)
    one.at += timedelta(seconds=1)
    assert asked(predicted(one, begun)) == 1


def test_l15_a_move_while_the_model_was_asked_ends_the_last_answer() -> None:
    one = desk(enable_model=True)
    asks = only(predicted(one, one.timer("aggregate")), a.AskAdvice)
    one.answer(asks, advice_text(say(BTC, "buy"), say(ETH, "hold")))
    begun = later(one, btc="50100")  # within a quarter percent
    one.quotes(btc="50320")  # and now more than half a percent from what was shown
    told = predicted(one, begun)
    assert asked(told) == 1
    assert not decisions_of(told)


def test_i_38_a_fill_that_the_advisor_did_not_see_ends_its_answer() -> None:
    one = desk(candle_minutes=1)
    order = one.place()
    asks = only(later(one, 15), a.AskAdvice)
    one.fill(order, "E1")
    one.settle()
    one.answer(asks, advice_text(*HOLD))
    assert asked(later(one, 1)) == 1


def test_i_39_a_cycle_that_cannot_ask_decides_about_each_pair_all_the_same() -> None:
    one = desk()
    for number in range(MAX_QUESTIONS):
        one.engine.state.open_question("other", str(number), one.at, 1.0)
    rows = decisions_of(one.timer("aggregate"))
    assert {(pair, row.verdict, row.reason) for pair, row in rows.items()} == {
        (BTC, "hold", R.ADVICE_FAILED),
        (ETH, "hold", R.ADVICE_FAILED),
    }
    assert one.engine.state.cycle is None
