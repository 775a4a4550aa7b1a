"""Reports in any order, any number of times: booked once, ended by quantity (X04 to X06, X09)."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import msgspec
import pytest
from brain_desk import BTC, T0, D, Desk, only, placed, records, state_of
from brain_reports import fill_of, report, traded
from hypothesis import given, settings
from hypothesis import strategies as st

from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.reasons import Reason

S = OrderState


def test_x04_a_fill_before_the_ack_is_booked_and_completes_the_order() -> None:
    desk, request = placed()
    told = desk.fill(request, "E1")
    (trade,) = records(told, r.TradeRow)
    assert (trade.fill.owner, trade.fill.decision_id) == ("ai", "d2s-1")
    assert records(told, r.ExecutionRow)[0].exec_id == "E1"
    assert records(told, r.LotRow)[0].lot.opened_exec_id == "E1"
    assert records(told, r.OrderStateRow)[0].order.state is S.FILLED
    desk.do(e.OrderAcked(cl_ord_id=request.cl_ord_id, order_id="O1"))
    assert state_of(desk, request) is S.FILLED


def test_x05_i_12_a_fill_reported_three_times_is_booked_once() -> None:
    desk, request = placed()
    event = traded(fill_of(request, "E1", desk.at), desk.at)
    desk.do(event)
    before = desk.engine.snapshot()
    assert desk.do(event) == []
    assert desk.do(event, after_s=60) == []
    assert desk.engine.snapshot() == before


def test_x06_i_08_an_end_before_its_fills_waits_for_them_and_holds_the_exposure() -> None:
    desk, request = placed()
    told = desk.do(
        report("canceled", cl_ord_id=request.cl_ord_id, at=desk.at, cum_qty=request.qty / 2)
    )
    only(told, a.AskOrders)
    assert state_of(desk, request) is S.SENT
    assert desk.engine.state.spendable("USD") < 1000
    desk.fill(request, "E1", qty=request.qty / 2)
    assert state_of(desk, request) is S.CANCELED


def test_filled_without_a_fill_yet_is_not_the_end() -> None:
    desk, request = placed()
    desk.do(report("filled", cl_ord_id=request.cl_ord_id, at=desk.at))
    assert state_of(desk, request) is S.SENT
    desk.fill(request, "E1")
    assert state_of(desk, request) is S.FILLED


@pytest.mark.parametrize("order", list(permutations(range(5))))
def test_x06_any_order_of_reports_and_replies_ends_the_same(order: tuple[int, ...]) -> None:
    desk, request = placed()
    part = request.qty / 4
    events = [
        e.OrderAcked(cl_ord_id=request.cl_ord_id, order_id="O1"),
        report("new", cl_ord_id=request.cl_ord_id, at=T0),
        traded(fill_of(request, "E1", T0, qty=part, trade_id=1), T0),
        traded(fill_of(request, "E2", T0, qty=part, trade_id=2), T0),
        report("canceled", cl_ord_id=request.cl_ord_id, at=T0, cum_qty=2 * part),
    ]
    for number in order:
        desk.do(events[number])
    kept = desk.engine.state.orders.orders[request.cl_ord_id]
    assert (kept.state, kept.filled_qty) == (S.CANCELED, 2 * part)
    assert [lot.opened_exec_id for lot in desk.engine.state.lots.lots()] == ["E1", "E2"]
    assert desk.engine.state.holds() == {}


def test_x06_a_late_fill_of_a_cancelled_order_is_booked_with_a_warning() -> None:
    desk, request = placed()
    desk.do(report("canceled", cl_ord_id=request.cl_ord_id, at=desk.at))
    assert state_of(desk, request) is S.CANCELED
    told = desk.fill(request, "E1", qty=request.qty / 2)
    assert any(isinstance(x, a.Note) and x.reason is Reason.LATE_EVIDENCE for x in told)
    assert desk.engine.state.lots.held("ai", BTC) == request.qty / 2
    assert state_of(desk, request) is S.CANCELED


def test_an_order_found_alive_after_all_is_opened_again() -> None:
    desk, request = placed()
    desk.do(e.OrderRejected(cl_ord_id=request.cl_ord_id, error="EService:Unavailable"))
    told = desk.do(report("new", cl_ord_id=request.cl_ord_id, at=desk.at))
    assert state_of(desk, request) is S.OPEN
    assert next(x.reason for x in told if isinstance(x, a.Note)) is Reason.LATE_EVIDENCE
    assert desk.engine.state.trading_state == "REDUCE"


def test_i_07_more_filled_than_ordered_halts() -> None:
    desk, request = placed()
    desk.fill(request, "E1")
    desk.fill(request, "E2", trade_id=2)
    state = desk.engine.state
    assert (state.trading_state, state.causes) == ("HALT", (Reason.INVARIANT,))
    assert state.orders.orders[request.cl_ord_id].filled_qty == request.qty
    assert state.lots.held("ai", BTC) == 2 * request.qty  # the money moved: it is booked


def test_a_fill_of_an_order_that_was_never_sent_halts() -> None:
    desk = Desk()
    desk.open()
    asked = desk.ask()
    raw = '{"decisions":[{"pair":"BTC/USD","action":"buy","confidence":0.9,"risk_level":"low"}]}'
    request = only(desk.answer(asked, raw), a.PlaceOrder).approved.request
    desk.do(e.NotSent(cl_ord_id=request.cl_ord_id, reason=Reason.LOCK_LOST, detail=""))
    desk.fill(request, "E1")
    assert desk.engine.state.causes == (Reason.INVARIANT,)


def test_i_09_a_foreign_fill_is_remembered_and_never_adopted() -> None:
    desk, request = placed()
    foreign = msgspec.structs.replace(
        fill_of(request, "E9", desk.at, order_id="OX"), cl_ord_id="bot7-1"
    )
    told = desk.do(traded(foreign, desk.at))
    assert records(told, r.TradeRow)[0].fill.owner == "external"
    assert records(told, r.LotRow) == []
    assert desk.engine.state.lots.lots() == []
    assert desk.engine.state.balances.expected("BTC") == request.qty


def test_a_fill_without_our_name_waits_for_the_order_it_may_belong_to() -> None:
    desk, request = placed()
    desk.do(e.SendUnknown(cl_ord_id=request.cl_ord_id, detail="socket lost"))
    bare = fill_of(request, "E1", desk.at, named=False)
    assert records(desk.do(traded(bare, desk.at, source="rest")), r.TradeRow) == []
    found = desk.do(
        e.OrderLooked(
            cl_ord_id=request.cl_ord_id,
            order_id="O1",
            status="closed",
            filled_qty=request.qty,
            looked_from=desk.at,
        )
    )
    assert records(found, r.TradeRow)[0].fill.owner == "ai"
    assert state_of(desk, request) is S.FILLED


def test_a_fill_without_our_name_is_external_once_nothing_of_ours_can_own_it() -> None:
    desk, request = placed()
    desk.do(e.SendUnknown(cl_ord_id=request.cl_ord_id, detail="socket lost"))
    bare = fill_of(request, "E1", desk.at, named=False, order_id="OTHER")
    desk.do(traded(bare, desk.at, source="rest"))
    found = desk.do(
        e.OrderLooked(
            cl_ord_id=request.cl_ord_id,
            order_id="O1",
            status="canceled",
            filled_qty=D(0),
            looked_from=desk.at,
        )
    )
    assert records(found, r.TradeRow)[0].fill.owner == "external"
    assert desk.engine.state.lots.lots() == []


def test_a_snapshot_that_counts_more_than_we_saw_asks_for_the_fills() -> None:
    desk, request = placed()
    told = desk.do(
        report(
            "new",
            cl_ord_id=request.cl_ord_id,
            at=desk.at,
            cum_qty=request.qty / 2,
            order_status="partially_filled",
            snapshot=True,
        )
    )
    only(told, a.AskOrders)
    assert state_of(desk, request) is S.OPEN


def test_a_sale_realises_and_is_counted_once_for_people() -> None:
    desk = Desk()
    desk.open()
    bought = desk.hold()
    desk.next_candle()
    sold = desk.place(BTC, "sell")
    desk.fill(sold, "E2", price=D(60000), trade_id=2)
    cost = bought.qty * (bought.limit_price or D(0)) * D("1.004")
    share = sold.qty / bought.qty
    view = desk.engine.view(desk.at)
    assert abs(view.realised_pnl - (sold.qty * 60000 * D("0.996") - cost * share)) < D("1E-9")
    assert view.realised_today == view.realised_pnl
    assert view.fills == 2


@settings(max_examples=60)
@given(st.lists(st.integers(0, 7), min_size=8, max_size=24), st.permutations(range(8)))
def test_i_12_any_permutation_and_duplication_gives_identical_books(
    repeats: list[int], order: list[int]
) -> None:
    def books(numbers: list[int]) -> Any:
        desk, request = placed()
        desk.do(e.OrderAcked(cl_ord_id=request.cl_ord_id, order_id="O1"))
        part = (request.qty / 8).quantize(D("0.00000001"), rounding="ROUND_FLOOR")
        for number in numbers:
            moment = T0 + timedelta(milliseconds=number)
            fill = fill_of(request, f"E{number}", moment, qty=part, trade_id=number)
            desk.do(traded(fill, moment))
        state = desk.engine.state
        kept = state.orders.orders[request.cl_ord_id]
        money = {k: str(v.normalize()) for k, v in state.balances.all_expected().items()}
        return (
            msgspec.msgpack.encode(state.lots),
            sorted(money.items()),
            kept.state,
            kept.filled_qty.normalize(),
            kept.fees_quote.normalize(),
        )

    assert books(list(range(8))) == books([*order, *repeats])


def test_a_fill_that_names_an_order_of_this_life_we_do_not_know_is_told_of() -> None:
    """It cannot be of a lost book: the order is only no longer in memory, or somebody jokes."""
    desk, request = placed()
    name = f"{request.cl_ord_id.partition('-')[0]}-zz9"
    stray = msgspec.structs.replace(fill_of(request, "E7", desk.at), cl_ord_id=name)
    told = desk.do(traded(stray, desk.at))
    assert only(told, a.Note).level == "warning"
    assert records(told, r.TradeRow)[0].fill.owner == "external"


def test_a_late_fill_corrects_the_gain_of_a_sale_that_came_before_it() -> None:
    desk = Desk()
    desk.open()
    bought = desk.place()
    half = bought.qty / 2
    desk.fill(bought, "E2", qty=half, price=D(50000), trade_id=2)
    desk.settle()
    desk.next_candle()
    sold = desk.place(BTC, "sell", 1.0)
    desk.fill(sold, "E3", price=D(50000), trade_id=3, order_id="O3")
    before = desk.engine.state.tally.realised
    earlier = T0 - timedelta(seconds=1)
    late = fill_of(bought, "E1", earlier, qty=half, price=D(40000), trade_id=1)
    told = desk.do(traded(late, earlier, source="rest"))
    corrected = [row for row in records(told, r.TradeRow) if row.fill.exec_id == "E3"]
    assert len(corrected) == 1
    assert desk.engine.state.tally.realised - before > 0


def test_what_is_realised_after_midnight_is_tomorrows() -> None:
    desk = Desk()
    desk.open()
    desk.hold()
    desk.at += timedelta(days=1)
    desk.quotes()
    sold = desk.place(BTC, "sell", 1.0)
    desk.fill(sold, "E2", price=D(60000), trade_id=2)
    view = desk.engine.view(desk.at)
    assert view.realised_today == view.realised_pnl > 0
    assert desk.engine.state.tally.today == desk.at.replace(hour=0)


def test_a_report_that_changes_nothing_is_still_in_the_inbox() -> None:
    desk, request = placed()
    told = desk.do(report("restated", cl_ord_id=request.cl_ord_id, at=desk.at))
    assert [type(x.record) for x in told if isinstance(x, a.Remember)] == [r.ExecutionRow]
    assert len(told) == 1


def test_an_end_that_is_told_twice_changes_nothing_the_second_time() -> None:
    desk, request = placed()
    event = report("canceled", cl_ord_id=request.cl_ord_id, at=desk.at)
    desk.do(event)
    assert records(desk.do(event), r.OrderStateRow) == []


def test_an_end_told_of_a_never_accepted_order_brings_it_back_until_its_fills_are_in() -> None:
    desk = Desk()
    desk.open()
    request = desk.place()
    desk.do(e.SendUnknown(cl_ord_id=request.cl_ord_id, detail=""))
    desk.at += timedelta(seconds=90)
    desk.do(
        e.OrderLooked(
            cl_ord_id=request.cl_ord_id,
            order_id=None,
            status=None,
            filled_qty=None,
            looked_from=desk.at,
        )
    )
    order = desk.engine.state.orders.orders[request.cl_ord_id]
    assert order.state is OrderState.NOT_ACCEPTED
    desk.do(report("filled", cl_ord_id=request.cl_ord_id, at=desk.at, cum_qty=request.qty))
    assert [live.cl_ord_id for live in desk.engine.state.orders.live()] == [request.cl_ord_id]
    assert desk.engine.state.holds() != {}
    desk.fill(request, "E1")
    assert desk.engine.state.orders.orders[request.cl_ord_id].state is OrderState.FILLED
