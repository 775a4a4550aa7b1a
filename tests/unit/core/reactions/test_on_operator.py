"""People: the kill switch, resume, and settings that change while we run."""

from datetime import timedelta

from brain_desk import BTC, ETH, Desk, advice_text, decisions_of, only, records, say, settings

from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.reasons import Reason
from simple_trader.domain.settings import TradingSettings

R = Reason


def changed(version: TradingSettings, name: str = "d" * 64) -> e.SettingsChanged:
    """An edit of the configuration."""
    return e.SettingsChanged(
        settings=version, config_hash=name, before="a: 1", after="a: 2", source="a: 2\n"
    )


def test_halt_stops_everything_and_cancels_everything() -> None:
    desk = Desk()
    desk.open()
    request = desk.place()
    desk.do(e.OrderAcked(cl_ord_id=request.cl_ord_id, order_id="O1"))
    told = desk.do(e.OperatorHalt(actor="me", detail="lunch"))
    only(told, a.CancelAllOrders)
    assert records(told, r.AuditRow)[0].actor == "me"
    assert records(told, r.RiskRow)[0].memory.halted
    assert records(told, r.OrderStateRow)[0].order.state is OrderState.PENDING_CANCEL
    desk.next_candle()
    assert decisions_of(desk.advise(say(BTC, "buy")))[BTC].reason is R.TRADING_HALTED


def test_resume_lifts_halt_and_is_audited() -> None:
    desk = Desk()
    desk.open()
    desk.do(e.OperatorHalt(actor="me", detail="lunch"))
    told = desk.do(e.OperatorResume(actor="me", detail="back"))
    row = records(told, r.AuditRow)[0]
    assert (row.action, row.after) == ("resume", "RUN")
    assert not records(told, r.RiskRow)[-1].memory.halted
    assert desk.engine.state.trading_state == "RUN"


def test_resume_does_not_lift_what_heals_by_itself() -> None:
    desk = Desk()
    desk.open()
    desk.do(e.FeedDown(feed="private", detail="closed"))
    desk.do(e.OperatorResume(actor="me", detail="back"))
    assert desk.engine.state.trading_state == "REDUCE"


def test_a_new_version_is_remembered_and_valid() -> None:
    desk = Desk()
    desk.open()
    told = desk.do(changed(settings(max_risk_level="low")))
    assert records(told, r.ConfigRow)[0].source == "a: 2\n"
    assert records(told, r.AuditRow)[0].action == "config"
    rows = decisions_of(desk.advise(say(BTC, "buy", risk="medium")))
    assert rows[BTC].reason is R.RISK_TOO_HIGH
    assert rows[BTC].config_hash == "d" * 64


def test_c03_i_50_a_cycle_in_flight_keeps_the_version_it_began_with() -> None:
    desk = Desk()
    desk.open()
    asked = desk.ask()
    desk.do(changed(settings(max_risk_level="low")))
    rows = decisions_of(desk.answer(asked, advice_text(say(BTC, "buy", risk="medium"))))
    assert rows[BTC].verdict == "approved"
    assert rows[BTC].config_hash == "c" * 64


def test_c04_a_removed_pair_takes_no_entry_and_is_still_followed() -> None:
    desk = Desk()
    desk.open()
    desk.hold(ETH)
    asked = desk.ask()
    desk.do(changed(settings(traded_pairs=(BTC,))))
    rows = decisions_of(desk.answer(asked, advice_text(say(ETH, "buy"), say(BTC, "hold"))))
    assert rows[ETH].reason is R.PAIR_NOT_ALLOWED
    assert desk.engine.pairs_wanted == (BTC, ETH)
    desk.quotes(eth="1800")
    sale = only(desk.timer("risk_check"), a.PlaceOrder)
    assert sale.approved.request.pair == ETH


def test_a_refused_edit_is_told_and_changes_nothing() -> None:
    desk = Desk()
    desk.open()
    before = desk.engine.snapshot()
    told = desk.do(e.SettingsRejected(detail="line 3: unknown key"))
    assert records(told, r.AuditRow)[0].result == "refused: line 3: unknown key"
    assert only(told, a.Note).level == "error"
    assert desk.engine.snapshot() == before


def test_a_shorter_interval_is_used_at_once() -> None:
    desk = Desk()
    desk.open()
    desk.timer("aggregate")
    desk.do(changed(settings(aggregator_interval_s=60)), after_s=1)
    assert desk.engine.state.timers.due["aggregate"] == desk.at + timedelta(seconds=59)


def test_w08_a_resume_that_cannot_be_safe_yet_is_refused_with_its_reason() -> None:
    desk = Desk()
    desk.open()
    desk.do(e.OperatorHalt(actor="me", detail="lunch"))

    def refused(word: str) -> None:
        told = desk.do(e.OperatorResume(actor="me", detail="back"))
        (row,) = records(told, r.AuditRow)
        assert row.result.startswith("refused: ")
        assert word in row.result
        assert only(told, a.Note).text == "Not resumed: " + row.result.removeprefix("refused: ")
        assert not records(told, r.RiskRow)
        assert desk.engine.trading_state == "HALT"

    desk.do(e.LoopGapSeen(gap_s=9.0))
    refused("not reconciled")
    desk.reconciled()
    desk.do(e.ClockSkewSeen(skew_s=6.0))
    refused("clock")
    desk.do(e.ClockSkewSeen(skew_s=0.0))
    desk.do(e.OperatorResume(actor="me", detail="back"))
    assert desk.engine.state.memory.halted is False


def test_w08_a_resume_waits_for_the_outcome_of_an_order_on_its_way() -> None:
    desk = Desk()
    desk.open()
    name = desk.place().cl_ord_id
    desk.do(e.OperatorHalt(actor="me", detail="lunch"))
    desk.do(e.SendUnknown(cl_ord_id=name, detail="no answer"))
    told = desk.do(e.OperatorResume(actor="me", detail="back"))
    assert name in records(told, r.AuditRow)[0].result
    assert desk.engine.trading_state == "HALT"


def test_w08_a_kill_switch_pressed_twice_is_one_halt() -> None:
    desk = Desk()
    desk.open()
    desk.do(e.OperatorHalt(actor="me", detail="lunch"))
    memory = desk.engine.state.memory
    again = desk.do(e.OperatorHalt(actor="me", detail="lunch"))
    only(again, a.CancelAllOrders)  # the first may have been refused
    assert desk.engine.state.memory == memory
    desk.do(e.OperatorResume(actor="me", detail="back"))
    assert desk.engine.trading_state == "RUN"
