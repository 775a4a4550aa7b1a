"""The engine: deterministic, snapshotted in mid-flow, total over its events, quick on quotes."""

import typing
from datetime import timedelta
from time import perf_counter

import msgspec
import pytest
from brain_desk import (
    BTC,
    ETH,
    T0,
    D,
    Desk,
    advice_text,
    book,
    candle,
    decisions_of,
    quote,
    rules,
    say,
    settings,
)
from brain_reports import ledger, report
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from simple_trader.core.engine import Engine
from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain.errors import InvariantBroken
from simple_trader.domain.instruments import FeeRates, VenueStatus
from simple_trader.domain.reasons import Reason

TIMERS = ["aggregate", "risk_check", "reconcile", "train", "day"]


def coded(actions: list[a.Action]) -> bytes:
    """Actions as bytes."""
    return msgspec.json.encode(actions)


def step(desk: Desk, kind: int, number: int) -> None:
    """One step of a random story, made of what is possible at this moment."""
    state = desk.engine.state
    live = state.orders.live()
    order = live[number % len(live)].request if live else None
    if kind == 0:
        desk.at += msgspec.convert(number % 40, type=int) * (T0 - T0.replace(hour=9)) / 240
    elif kind == 1:
        desk.quotes(btc=str(45000 + number * 37 % 9000), eth=str(1800 + number % 400))
    elif kind == 2:
        desk.timer(TIMERS[number % len(TIMERS)])
    elif kind == 3 and state.cycle is not None:
        asked = next(
            x for _, acts in reversed(desk.log) for x in acts if isinstance(x, a.AskAdvice)
        )
        sides = ("buy", "sell", "hold")
        desk.answer(
            asked,
            advice_text(say(BTC, sides[number % 3]), say(ETH, sides[number // 3 % 3])),
        )
    elif kind == 4 and order is not None:
        desk.fill(order, f"E{number % 50}", qty=order.qty / 4, trade_id=number, order_id="O9")
    elif kind == 5 and order is not None:
        desk.do(e.SendUnknown(cl_ord_id=order.cl_ord_id, detail="lost"))
    elif kind == 6:
        desk.settle()
    elif kind == 7:
        desk.do(e.FeedDown(feed="private", detail="x"))
        desk.do(e.FeedUp(feed="private"))
        desk.reconciled()


stories = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 999)), max_size=40)


@examples(max_examples=40, deadline=None)
@given(stories)
def test_the_same_events_make_the_same_bytes(story: list[tuple[int, int]]) -> None:
    desk = Desk()
    desk.open()
    for kind, number in story:
        step(desk, kind, number)
    again = Engine()
    for stamped, actions in desk.log:
        assert coded(again.process(stamped)) == coded(actions)
    assert again.snapshot() == desk.engine.snapshot()


@examples(max_examples=40, deadline=None)
@given(stories, st.integers(0, 60))
def test_a_snapshot_taken_anywhere_goes_on_the_same(story: list[tuple[int, int]], cut: int) -> None:
    desk = Desk()
    desk.open()
    for kind, number in story:
        step(desk, kind, number)
    cut = min(max(cut, 1), len(desk.log))
    first = Engine()
    for stamped, _ in desk.log[:cut]:
        first.process(stamped)
    second = Engine.restore(first.snapshot())
    for stamped, actions in desk.log[cut:]:
        assert coded(second.process(stamped)) == coded(actions)
    assert second.snapshot() == desk.engine.snapshot()
    assert second.next_due() == desk.engine.next_due()


def test_an_engine_that_was_not_started_says_so() -> None:
    engine = Engine()
    assert engine.next_due() is None
    assert engine.pairs_wanted == ()
    with pytest.raises(InvariantBroken, match="before it was started"):
        engine.process(e.Stamped(1, T0, e.FeedUp(feed="public")))


def test_bytes_that_are_no_state_are_refused() -> None:
    with pytest.raises(InvariantBroken, match="no state of this version"):
        Engine.restore(b"\x80")


def test_the_first_cycle_is_due_as_soon_as_every_pair_has_its_price_and_reference() -> None:
    desk = Desk()
    desk.at = T0.replace(second=30)
    desk.start()
    desk.do(e.FeedUp(feed="public"))
    desk.do(e.FeedUp(feed="private"))
    desk.reconciled()
    desk.do(e.QuoteSeen(quote=quote(BTC, "1", "2", desk.at)))
    due = desk.engine.next_due()
    assert due is not None
    assert due[1] != "aggregate"
    desk.do(e.QuoteSeen(quote=quote(ETH, "1", "2", desk.at)))
    due = desk.engine.next_due()
    assert due is not None
    assert due[1] != "aggregate", "half a minute of prices makes a reference"
    desk.at += timedelta(seconds=30)
    desk.do(e.QuoteSeen(quote=quote(ETH, "1", "2", desk.at)))
    assert desk.engine.state.timers.due["aggregate"] == desk.at


def strangers() -> list[e.Event]:
    """An event of every kind but Started, about orders and questions that nobody knows."""
    name, moment = "st1-1", T0
    return [
        e.Stopping(reason="x"),
        e.SettingsChanged(settings=settings(), config_hash="d", before="", after="", source="a: 1"),
        e.SettingsRejected(detail="x"),
        e.OperatorHalt(actor="me", detail="x"),
        e.OperatorResume(actor="me", detail="x"),
        e.StoreHealth(ok=True, reason=None, oldest_age_s=0.0),
        e.ClockSkewSeen(skew_s=1.5),
        e.LoopLagSeen(p99_ms=700.0, over=False),
        e.LoopGapSeen(gap_s=7.0),
        e.AuthTrouble(kind="nonce", persistent=False, detail="x"),
        e.TimerFired(name="risk_check", due=moment),
        e.QuoteSeen(quote=quote("X/Y", "1", "2", moment)),
        e.BookSeen(book=book("X/Y", moment)),
        e.BookLost(pair="X/Y", detail="x"),
        e.CandleSeen(candle=candle("X/Y", moment)),
        e.InstrumentSeen(rules=rules("X/Y")),
        e.VenueStatusSeen(status=VenueStatus.ONLINE),
        e.VenueAnnounced(action="stop", detail="x"),
        e.FeedUp(feed="public"),
        e.VenueWarned(feed="public", kind="late", detail="x", value=3.0),
        e.FeedDown(feed="book", detail="x"),
        e.BalancesSeen(balances={"USD": D(1000)}, source="ws"),
        e.LedgerSeen(entry=ledger("L", "USD", "0", "1000", moment)),
        e.FeesSeen(fees=FeeRates(pair=BTC, maker=D(0), taker=D(0))),
        e.Reconciled(
            open_cl_ord_ids=(), foreign_open_orders=2, looked_from=moment, clean=True, detail=""
        ),
        e.OperatorExplained(asset="USD", actor="me", detail="x"),
        e.OrderSent(cl_ord_id=name),
        e.NotSent(cl_ord_id=name, reason=Reason.LOCK_LOST, detail=""),
        e.OrderAcked(cl_ord_id=name, order_id="O"),
        e.OrderRejected(cl_ord_id=name, error="x"),
        e.SendUnknown(cl_ord_id=name, detail="x"),
        e.CancelRejected(cl_ord_id=name, error="x"),
        e.OrderLooked(
            cl_ord_id=name, order_id=None, status=None, filled_qty=None, looked_from=moment
        ),
        report("new", cl_ord_id=name, at=moment),
        e.AdviceFailed(question_id="q", reason=Reason.ADVICE_FAILED, detail="x"),
        e.PredictionsArrived(question_id="q", model_id="m", predictions=(), learned=0),
        e.PredictionsFailed(question_id="q", reason=Reason.MODEL_LATE, detail="x"),
        e.ModelTrained(question_id="q", model_id="m", sha256="s", blob=b"", rows=0, metrics={}),
        e.TrainingSkipped(question_id="q", reason=Reason.TOO_FEW_ROWS, detail="x"),
        e.OperatorTrain(actor="me", detail="x"),
    ]


def test_every_event_has_a_reaction_that_trades_nothing_by_itself() -> None:
    kinds = {type(event) for event in strangers()} | {e.Started, e.AdviceArrived}
    assert kinds == set(typing.get_args(e.Event))
    for event in strangers():
        desk = Desk()
        desk.open()
        assert not [x for x in desk.do(event) if isinstance(x, a.PlaceOrder)]


def test_an_hour_of_trading_ends_with_books_that_agree() -> None:
    desk = Desk()
    desk.open()
    bought = desk.hold()
    desk.next_candle()
    assert decisions_of(desk.advise(say(BTC, "sell", 1.0)))[BTC].verdict == "approved"
    sold = desk.engine.state.orders.live()[0].request
    desk.fill(sold, "E2", price=D(51000), trade_id=2)
    desk.settle()
    state = desk.engine.state
    assert state.lots.held("ai", BTC) == bought.qty - sold.qty == state.balances.total("BTC")
    gained = state.balances.total("USD") - 1000
    assert abs(gained - state.tally.realised) < D("1E-9") or state.lots.held("ai", BTC) > 0


def test_a_quote_costs_less_than_fifty_microseconds() -> None:
    desk = Desk()
    desk.open()
    stamped = [
        e.Stamped(n, T0, e.QuoteSeen(quote=quote(BTC, "50000", "50001", T0))) for n in range(5000)
    ]
    best = min(_seconds(desk.engine, stamped) for _ in range(3))
    assert best / len(stamped) < 50e-6


def _seconds(engine: Engine, stamped: list[e.Stamped]) -> float:
    begun = perf_counter()
    for one in stamped:
        engine.process(one)
        engine.next_due()
    return perf_counter() - begun
