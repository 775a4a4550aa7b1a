"""Health: what takes new risk away, what halts, and how each comes back."""

from datetime import timedelta

import msgspec
import pytest
from brain_desk import BTC, Desk, decisions_of, only, quote, records, say
from brain_reports import report

from simple_trader.core.engine import Engine
from simple_trader.core.reactions.standing import SETTLE_S
from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.domain.instruments import VenueStatus
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.orders import Origin, TimeInForce
from simple_trader.domain.reasons import Reason

R = Reason


def run() -> Desk:
    """A desk in RUN."""
    desk = Desk()
    desk.open()
    assert desk.engine.trading_state == "RUN"
    return desk


def rest_one(desk: Desk, **changes: object) -> str:
    """An entry of ours that rests at the exchange."""
    request = desk.place()
    desk.do(e.OrderAcked(cl_ord_id=request.cl_ord_id, order_id="O1"))
    orders = desk.engine.state.orders
    order = orders.orders[request.cl_ord_id]
    gtd = msgspec.structs.replace(order.request, time_in_force=TimeInForce.GTD)
    orders.put(msgspec.structs.replace(order, request=gtd, state=OrderState.OPEN, **changes))
    return request.cl_ord_id


TROUBLES = {
    "private stream": (
        e.FeedDown(feed="private", detail="x"),
        e.FeedUp(feed="private"),
        R.PRIVATE_DOWN,
    ),
    "public stream": (
        e.FeedDown(feed="public", detail="x"),
        e.FeedUp(feed="public"),
        R.PUBLIC_DOWN,
    ),
    "database": (
        e.StoreHealth(ok=False, reason=R.STORE_DOWN, oldest_age_s=6.0),
        e.StoreHealth(ok=True, reason=None, oldest_age_s=0.0),
        R.STORE_DOWN,
    ),
    "loop lag": (
        e.LoopLagSeen(p99_ms=700.0, over=False),
        e.LoopLagSeen(p99_ms=100.0, over=True),
        R.LOOP_LAG,
    ),
    "exchange": (
        e.VenueStatusSeen(status=VenueStatus.CANCEL_ONLY),
        e.VenueStatusSeen(status=VenueStatus.ONLINE),
        R.VENUE_NOT_ONLINE,
    ),
}


@pytest.mark.parametrize("name", sorted(TROUBLES))
def test_d02_n07_n09_n10_p09_each_part_of_the_lease_reduces_and_lifts_itself_after_30_s(
    name: str,
) -> None:
    begun, ended, cause = TROUBLES[name]
    desk = run()
    desk.do(begun)
    assert desk.engine.trading_state == "REDUCE"
    assert cause in desk.engine.state.causes
    desk.do(ended, after_s=100)
    if name == "private stream":
        desk.reconciled()
    assert desk.engine.state.causes == (R.SETTLING,)
    due = desk.engine.next_due()
    assert due is not None
    assert due[0] <= desk.at + SETTLE_S  # the brain asked to be woken in time
    desk.do(e.TimerFired(name="risk_check", due=desk.at), after_s=29.9)
    assert desk.engine.trading_state == "REDUCE"
    desk.do(e.TimerFired(name="risk_check", due=desk.at), after_s=0.1)
    assert desk.engine.trading_state == "RUN"


def test_health_never_latches_and_the_30_s_begin_anew_with_each_trouble() -> None:
    desk = run()
    for _ in range(5):
        desk.do(e.FeedDown(feed="public", detail="x"))
        desk.do(e.FeedUp(feed="public"), after_s=1)
        desk.do(e.TimerFired(name="risk_check", due=desk.at), after_s=20)
        assert desk.engine.trading_state == "REDUCE"
    desk.calm()
    assert desk.engine.trading_state == "RUN"


def test_new_risk_waits_for_reconciliation_however_long_it_takes() -> None:
    desk = run()
    desk.do(e.FeedDown(feed="private", detail="x"))
    desk.do(e.FeedUp(feed="private"))
    desk.do(e.TimerFired(name="risk_check", due=desk.at), after_s=300)
    assert desk.engine.state.causes == (R.RECONCILING,)
    desk.reconciled()
    assert desk.engine.trading_state == "RUN"  # the 30 s were over long ago


def test_a_start_needs_no_thirty_seconds() -> None:
    desk = Desk()
    desk.start()
    desk.do(e.StoreHealth(ok=False, reason=R.STORE_SLOW, oldest_age_s=1.0))
    desk.do(e.StoreHealth(ok=True, reason=None, oldest_age_s=0.0))
    desk.do(e.FeedUp(feed="public"))
    desk.do(e.FeedUp(feed="private"))
    desk.reconciled()
    assert desk.engine.trading_state == "RUN"


def test_while_it_settles_a_sale_is_let_through_and_a_purchase_is_not() -> None:
    desk = run()
    desk.hold()
    desk.next_candle()
    desk.do(e.LoopLagSeen(p99_ms=900.0, over=False))
    desk.do(e.LoopLagSeen(p99_ms=90.0, over=True))
    made = decisions_of(desk.advise(say(BTC, "sell", 1.0), say("ETH/USD", "buy", 1.0)))
    assert made[BTC].verdict == "approved"
    assert made["ETH/USD"].verdict != "approved"


# -- X34, I-49: clocks ------------------------------------------------------------------------


@pytest.mark.parametrize("skew_s", [-3.0, 3.0])
def test_x34_a_deadline_follows_the_exchanges_clock(skew_s: float) -> None:
    desk = run()
    plain = desk.place().deadline - desk.at
    other = run()
    other.do(e.ClockSkewSeen(skew_s=skew_s))
    assert other.engine.trading_state == "RUN"
    assert other.place().deadline - other.at == plain + timedelta(seconds=skew_s)
    assert other.engine.venue_ahead_s == skew_s


@pytest.mark.parametrize(
    ("skew_s", "age_s", "unmeasured", "measured"),
    [
        (-3.0, 8.0, R.PRICE_STALE, R.TRADED),
        (3.0, 0.0, R.PRICE_AHEAD, R.TRADED),
        (3.0, 10.5, R.TRADED, R.PRICE_STALE),
    ],
)
def test_x34_i_21_i_49_prices_age_by_the_exchanges_clock_once_it_is_measured(
    skew_s: float, age_s: float, unmeasured: Reason, measured: Reason
) -> None:
    for told, reason in ((False, unmeasured), (True, measured)):
        desk = run()
        if told:
            desk.do(e.ClockSkewSeen(skew_s=skew_s))
        stamp = desk.at + timedelta(seconds=skew_s - age_s)
        desk.do(e.QuoteSeen(quote=quote(BTC, "49999.5", "50000.5", desk.at, stamp)))
        assert decisions_of(desk.advise(say(BTC, "buy")))[BTC].reason is reason


@pytest.mark.parametrize("skew_s", [-5.1, 5.1, -3600.0, 3600.0])
def test_x34_i_49_more_than_five_seconds_halt_until_a_person_resumes(skew_s: float) -> None:
    desk = run()
    halted = desk.do(e.ClockSkewSeen(skew_s=skew_s))
    assert desk.engine.trading_state == "HALT"
    assert records(halted, r.RiskRow)[0].memory.halt_reason is R.CLOCK_SKEW
    desk.do(e.ClockSkewSeen(skew_s=0.0))
    desk.calm()
    assert desk.engine.trading_state == "HALT"
    desk.do(e.OperatorResume(actor="me", detail="clock set"))
    assert desk.engine.trading_state == "RUN"


# -- I-27: pauses ------------------------------------------------------------------------------


def test_i_27_p03_a_pause_of_the_process_reconciles_before_anything_new() -> None:
    desk = run()
    desk.at += timedelta(seconds=90)
    told = desk.do(e.LoopGapSeen(gap_s=90.0))
    only(told, a.AskReconcile)
    assert R.RECONCILING in desk.engine.state.causes
    before = e.Reconciled(
        open_cl_ord_ids=(),
        foreign_open_orders=0,
        looked_from=desk.at - timedelta(seconds=80),
        clean=True,
        detail="",
    )
    desk.do(before)  # a look that began before the pause
    assert not desk.engine.reconciled
    desk.reconciled()
    assert desk.engine.reconciled
    assert desk.engine.state.causes == (R.SETTLING,)
    desk.calm()
    assert desk.engine.trading_state == "RUN"


# -- X19, X20: the key -------------------------------------------------------------------------


def test_x19_one_invalid_nonce_is_told_and_no_more() -> None:
    desk = run()
    (note,) = desk.do(e.AuthTrouble(kind="nonce", persistent=False, detail="again"))
    assert note == a.Note(level="warning", text="again", reason=R.NONCE_REFUSED)
    assert desk.engine.trading_state == "RUN"


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("nonce", R.NONCE_REFUSED),
        ("lockout", R.KEY_REFUSED),
        ("permission", R.KEY_REFUSED),
        ("invalid_key", R.KEY_REFUSED),
    ],
)
def test_x19_x20_a_key_that_is_refused_halts_and_stays_halted(kind: str, reason: Reason) -> None:
    desk = run()
    desk.do(e.AuthTrouble(kind=kind, persistent=True, detail="refused"))
    assert desk.engine.state.memory.halt_reason is reason
    again = desk.do(e.AuthTrouble(kind=kind, persistent=True, detail="refused"))
    assert not [one for one in again if not isinstance(one, a.Note)]  # told, nothing more
    desk.calm()
    assert desk.engine.trading_state == "HALT"


# -- X22, X23: maintenance ---------------------------------------------------------------------


def test_x23_advice_is_followed_step_by_step() -> None:
    desk = run()
    name = rest_one(desk)
    assert desk.engine.wants_switch
    told = desk.do(e.VenueAnnounced(action="reduce", detail="30m"))
    assert desk.engine.state.causes == (R.MAINTENANCE_AHEAD,)
    assert not [one for one in told if isinstance(one, a.CancelOrder)]
    assert desk.engine.wants_switch
    told = desk.do(e.VenueAnnounced(action="cancel", detail="5m"))
    assert only(told, a.CancelOrder).cl_ord_id == name
    assert not desk.engine.wants_switch  # armed over a maintenance it would fire on return
    bought = decisions_of(desk.advise(say("ETH/USD", "buy", 1.0)))["ETH/USD"]
    assert bought.verdict != "approved"
    desk.do(e.VenueAnnounced(action="stop", detail="30s"))
    sale = desk.engine.state.health.takes
    assert sale is VenueStatus.CANCEL_ONLY
    assert only(desk.do(e.VenueAnnounced(action="disconnect", detail="30s")), a.LeaveVenue)
    assert not desk.do(e.VenueAnnounced(action="disconnect", detail="30s"))  # once


def test_x23_what_protects_a_position_stays_when_entries_are_cancelled() -> None:
    desk = run()
    rest_one(desk, origin=Origin.EXIT)
    told = desk.do(e.VenueAnnounced(action="cancel", detail="5m"))
    assert not [one for one in told if isinstance(one, a.CancelOrder)]


def test_x22_x23_after_the_maintenance_it_reconciles_and_runs_again() -> None:
    desk = run()
    desk.do(e.VenueAnnounced(action="stop", detail="30s"))
    desk.do(e.VenueStatusSeen(status=VenueStatus.MAINTENANCE), after_s=30)
    desk.do(e.VenueStatusSeen(status=VenueStatus.CANCEL_ONLY), after_s=600)
    assert not desk.engine.reconciled
    desk.do(e.VenueStatusSeen(status=VenueStatus.ONLINE), after_s=10)
    desk.reconciled()
    assert desk.engine.state.causes == (R.SETTLING,)
    desk.calm()
    assert desk.engine.trading_state == "RUN"


def test_x23_a_maintenance_that_never_begins_is_forgotten_after_two_hours() -> None:
    desk = run()
    desk.do(e.VenueAnnounced(action="reduce", detail="24h"))
    desk.do(e.TimerFired(name="risk_check", due=desk.at), after_s=7190)
    assert desk.engine.trading_state == "REDUCE"
    desk.do(e.TimerFired(name="risk_check", due=desk.at), after_s=20)
    desk.calm()
    assert desk.engine.trading_state == "RUN"


# -- X30: the switch fired ---------------------------------------------------------------------


def test_x30_a_switch_that_fired_is_recognised_once_and_the_account_is_looked_at() -> None:
    desk = run()
    name = rest_one(desk)
    gone = report("canceled", cl_ord_id=name, at=desk.at, reason="Dead man's switch")
    told = desk.do(gone)
    assert R.SWITCH_FIRED in [one.reason for one in told if isinstance(one, a.Note)]
    only(told, a.AskReconcile)
    assert not desk.engine.wants_switch  # nothing rests any more
    again = desk.do(gone, after_s=1)
    assert R.SWITCH_FIRED not in [one.reason for one in again if isinstance(one, a.Note)]
    desk.reconciled()
    desk.calm()
    assert desk.engine.trading_state == "RUN"


def test_a_snapshot_of_the_state_goes_on_in_the_middle_of_trouble() -> None:
    desk = run()
    desk.do(e.VenueAnnounced(action="cancel", detail="5m"))
    desk.engine = Engine.restore(desk.engine.snapshot())
    assert desk.engine.state.causes == (R.MAINTENANCE_AHEAD,)
