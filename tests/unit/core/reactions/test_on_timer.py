"""Timers: the day rolls, losses stop it, unanswered questions end, training is asked for."""

from datetime import timedelta

from brain_desk import BTC, D, Desk, decisions_of, only, records, say, settings

from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.domain.reasons import Reason

R = Reason


def losing() -> Desk:
    """A desk that lost more than five percent today."""
    desk = Desk()
    desk.open(balances={"USD": D(500), "BTC": D("0.01")})
    desk.timer("risk_check")
    desk.quotes(btc="44000")
    return desk


def test_a_daily_loss_stops_new_risk_and_is_audited() -> None:
    desk = losing()
    told = desk.timer("risk_check")
    assert desk.engine.state.causes == (R.DAILY_LOSS,)
    assert records(told, r.AuditRow)[0].action == "halt"
    assert records(told, r.RiskRow)[-1].memory.day_stopped
    assert decisions_of(desk.advise(say(BTC, "buy")))[BTC].verdict == "refused"


def test_i_24_neither_a_recovered_price_nor_the_next_day_lifts_the_stop() -> None:
    desk = losing()
    desk.timer("risk_check")
    desk.quotes(btc="60000")
    desk.timer("risk_check")
    assert desk.engine.state.causes == (R.DAILY_LOSS,)
    desk.at += timedelta(days=1)
    desk.quotes(btc="60000")
    desk.timer("day")
    assert desk.engine.state.causes == (R.DAILY_LOSS,)
    assert desk.engine.state.memory.loss_day == desk.at.replace(hour=0)
    desk.do(e.OperatorResume(actor="me", detail="seen"))
    assert desk.engine.state.trading_state == "RUN"


def test_an_operator_lifts_the_daily_stop() -> None:
    desk = losing()
    desk.timer("risk_check")
    desk.do(e.OperatorResume(actor="me", detail="seen"))
    desk.timer("risk_check")
    assert desk.engine.state.trading_state == "RUN"


def test_the_reconcile_timer_asks_for_a_full_look() -> None:
    desk = Desk()
    desk.open()
    only(desk.timer("reconcile"), a.AskReconcile)
    assert desk.timer("reconcile") == []


def test_a_look_that_failed_is_repeated_at_the_next_risk_check() -> None:
    # One HTTP error must not hold trading back until the next full look, a quarter of an hour on.
    desk = Desk()
    desk.open()
    assert not [x for x in desk.timer("risk_check") if isinstance(x, a.AskReconcile)]
    desk.reconciled(clean=False)
    only(desk.timer("risk_check"), a.AskReconcile)
    assert not [x for x in desk.timer("risk_check") if isinstance(x, a.AskReconcile)]
    desk.do(e.FeedDown(feed="private", detail="gone"))
    desk.reconciled(clean=False)
    assert not [x for x in desk.timer("risk_check") if isinstance(x, a.AskReconcile)]


def test_a_question_that_is_never_answered_ends_as_hold() -> None:
    desk = Desk()
    desk.open()
    desk.ask()
    desk.at += timedelta(hours=3)
    told = desk.timer("risk_check")
    assert {d.reason for d in decisions_of(told).values()} == {R.ADVICE_TIMEOUT}
    assert desk.engine.state.cycle is None
    assert desk.engine.state.questions == {}


def test_cycles_are_off_where_the_aggregator_is() -> None:
    desk = Desk()
    desk.open(settings=settings(enable_aggregator=False))
    assert desk.engine.state.timers.due.get("aggregate") is None
    assert only(desk.timer("aggregate"), a.Note).reason is R.AGGREGATOR_OFF


def test_training_runs_one_at_a_time_and_only_with_a_model() -> None:
    desk = Desk()
    desk.open(settings=settings(enable_model=True))
    only(desk.timer("train"), a.AskTraining)
    assert only(desk.timer("train"), a.Note).reason is R.MODEL_LATE
    assert desk.timer("train") == [], "a training that is late is told of once"
    other = Desk()
    other.open()
    assert other.timer("train") == []


def test_a_timer_of_another_version_is_left_out() -> None:
    desk = Desk()
    desk.open()
    assert "grid" in only(desk.timer("grid"), a.Note).text


def test_realised_today_begins_anew_with_the_day() -> None:
    desk = Desk()
    desk.open(realised_pnl=D(7), realised_today=D(3), last_trade_at=desk.at)
    assert desk.engine.view(desk.at).realised_today == 3
    desk.at += timedelta(days=1)
    desk.timer("day")
    view = desk.engine.view(desk.at)
    assert (view.realised_today, view.realised_pnl) == (0, 7)


def test_the_first_day_begins_with_the_equity_before_the_first_order() -> None:
    # The first cycle comes before the first risk check: its fees and slippage are losses too.
    desk = Desk()
    desk.open()
    desk.hold()
    desk.timer("risk_check")
    assert desk.engine.state.memory.day_start_equity == D(1000)
    assert desk.engine.state.equity() < D(1000)


def test_equity_is_written_with_every_cycle_and_at_the_end() -> None:
    desk = Desk()
    desk.open()
    desk.hold()
    desk.next_candle()
    (row,) = records(desk.timer("aggregate"), r.RiskRow)
    assert (row.equity, row.at) == (desk.engine.state.equity(), desk.at)
    desk.quotes(btc="51000")
    (row,) = records(desk.do(e.Stopping(reason="asked to stop"), after_s=1.0), r.RiskRow)
    assert (row.equity, row.at) == (desk.engine.state.equity(), desk.at)
