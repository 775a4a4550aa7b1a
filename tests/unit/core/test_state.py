"""The state: ids never repeat, questions are bounded and unique, the account is one view."""

from datetime import timedelta

from brain_desk import BTC, ETH, T0, D, Desk, settings

from simple_trader.core import state as file
from simple_trader.core.state import EngineState


def fresh() -> EngineState:
    """The state of a desk that trades."""
    desk = Desk()
    desk.open()
    return desk.engine.state


def test_ids_of_every_kind_are_counted_on_their_own() -> None:
    state = fresh()
    made = [state.next_id("d"), state.next_id("d"), state.next_id("p"), state.next_order_id()]
    assert len(set(made)) == 4
    assert made[0].startswith("d")
    assert made[3].startswith("st")


def test_there_is_one_open_question_for_each_kind_and_subject() -> None:
    state = fresh()
    first = state.open_question("orders", "st1-1", T0, 1.0)
    assert first is not None
    assert state.open_question("orders", "st1-1", T0, 1.0) is None
    assert state.open_question("orders", "st1-2", T0, 1.0) is not None
    state.close_about("orders", "st1-1")
    assert state.close_question(first.question_id) is None
    assert state.open_question("orders", "st1-1", T0, 1.0) is not None


def test_questions_are_bounded() -> None:
    state = fresh()
    asked = [state.open_question("orders", str(n), T0, 1.0) for n in range(500)]
    assert sum(q is not None for q in asked) == len(state.questions) == file.MAX_QUESTIONS


def test_a_question_nobody_answers_is_found() -> None:
    state = fresh()
    asked = state.open_question("orders", "x", T0, 1.0)
    assert state.expired_questions(T0 + timedelta(hours=2)) == []
    assert state.expired_questions(T0 + timedelta(hours=3)) == [asked]


def test_seen_executions_are_bounded_and_the_newest_stay() -> None:
    state = fresh()
    for number in range(file.MAX_SEEN_EXECS + 5):
        state.see_exec(f"E{number}")
    assert len(state.seen_execs) == file.MAX_SEEN_EXECS
    assert "E0" not in state.seen_execs
    assert f"E{file.MAX_SEEN_EXECS + 4}" in state.seen_execs


def test_an_order_in_flight_holds_its_cost_with_the_fee() -> None:
    desk = Desk()
    desk.open()
    request = desk.place()
    price = request.limit_price or D(0)
    held = request.qty * price * D("1.004")
    assert desk.engine.state.spendable("USD") == D(1000) - held
    assert desk.engine.state.equity() == D(1000)


def test_a_removed_pair_with_lots_or_orders_is_still_watched() -> None:
    desk = Desk()
    desk.open()
    desk.fill(desk.place(ETH), "E1")
    state = desk.engine.state
    state.settings = settings(traded_pairs=(BTC,))
    assert state.watched_pairs() == (BTC, ETH)
    assert set(state.watched_assets()) == {"BTC", "ETH", "USD"}
    assert set(state.held_at_most()) == {"BTC", "ETH"}


def test_equity_is_unknown_while_a_holding_has_no_price() -> None:
    desk = Desk()
    desk.open(balances={"USD": D(10), "BTC": D(1)})
    state = desk.engine.state
    assert state.equity() == D(50010)
    del state.board.boards[BTC]
    assert state.equity() is None
    assert state.shown_equity() == D(10)


def test_i_12_an_execution_noted_again_is_forgotten_last() -> None:
    state = fresh()
    state.see_exec("E-old")
    for number in range(file.MAX_SEEN_EXECS - 1):
        state.see_exec(f"E{number}")
    state.see_exec("E-old")
    state.see_exec("E-new")
    assert "E-old" in state.seen_execs
    assert "E0" not in state.seen_execs
