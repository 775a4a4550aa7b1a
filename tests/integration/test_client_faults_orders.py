"""Families N and X where orders meet them: outcomes typed, sent once, no fill lost or told anew.

The faults of test_client_faults_{network,exchange,rest}.py are not repeated here.
"""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from faulty_desk import FaultyDesk
from faulty_sandbox import Raw

from simple_trader.adapters.kraken.errors import ErrorKind, kind_of
from simple_trader.domain.actions import AskReconcile, CancelOrder
from simple_trader.domain.events import (
    CancelRejected,
    ExecutionReport,
    LedgerSeen,
    OrderAcked,
    OrderRejected,
    QuoteSeen,
    Reconciled,
    SendUnknown,
)
from simple_trader.domain.reasons import Reason

pytestmark = pytest.mark.timeout(60)


def at_exchange(desk: FaultyDesk) -> list[Any]:
    """All orders that ever came to the exchange, by its own ledger."""
    return list(desk.there.exchange.venue.state.orders.values())


def unharmed(desk: FaultyDesk) -> bool:
    """Whether no feed ever went down and every frame could be used."""
    feeds = ("public", "private", "book")
    return all(desk.ups(feed) == [True] for feed in feeds) and desk.venue.counts() == {}


def cancel(number: int, acked: OrderAcked) -> CancelOrder:
    return CancelOrder(
        cl_ord_id=f"st7-{number}",
        order_id=acked.order_id,
        pair="BTC/USD",
        reason=Reason.OPERATOR,
    )


async def acked(desk: FaultyDesk, number: int, factor: str = "0.8", **more: Any) -> OrderAcked:
    """An order that the exchange took."""
    outcome = await desk.place(desk.order(number, factor, **more))
    assert isinstance(outcome, OrderAcked)
    return outcome


# -- silent channels and slow lines -----------------------------------------------------------


async def test_n04_a_channel_that_fell_silent_is_seen_by_the_next_sequence(
    desk: FaultyDesk,
) -> None:
    """Heartbeats flow, so nothing shows before the next event: its sequence tells the gap.

    The look at balances every 60 s, which needs no next event, is the daemon's (issue 4).
    """
    fault = desk.there.fault("N04")
    ledger = len(desk.of(LedgerSeen))
    await acked(desk, 1, "1.01")
    await desk.until(lambda: len(desk.of(LedgerSeen)) > ledger)
    assert desk.there.fired("N04") >= 1
    assert desk.reports(1) == []
    assert unharmed(desk)
    desk.there.stop_fault(fault)
    await acked(desk, 2, "1.01")
    await desk.again("private")
    assert desk.count("private.gap") >= 1
    await desk.until(lambda: len(desk.fills(1)) == len(desk.fills(2)) == 1)


async def test_n04_a_gap_without_a_sequence_is_told_by_the_quantity_and_found_by_a_look(
    desk: FaultyDesk,
) -> None:
    """Nothing on the wire is missing: only the sum of the next fill is above what was told.

    To compare it, and to look at balances every 60 s, is the daemon's (issue 4).
    """
    await acked(desk, 1, qty=Decimal("0.002"))
    fault = desk.there.fault("N04 sequence=closed")
    desk.there.do("fill", cl_ord_id="st7-1", share=0.5)
    await desk.until(lambda: desk.there.fired("N04") >= 1)
    desk.there.stop_fault(fault)
    desk.there.do("fill", cl_ord_id="st7-1")
    await desk.until(lambda: len(desk.fills(1)) == 1)
    (told,) = [e for e in desk.of(ExecutionReport) if e.fill]
    assert (told.fill.qty, told.cum_qty) == (Decimal("0.001"), Decimal("0.002"))
    looked, fills = await desk.looked_up(1)
    assert (looked.status, looked.filled_qty) == ("closed", Decimal("0.002"))
    assert len(fills) == 2
    assert desk.fills(1) < fills
    assert unharmed(desk)


async def test_n11_an_order_that_is_late_expires_cleanly_or_is_taken_once(
    desk: FaultyDesk,
) -> None:
    fault = desk.there.fault("N11 on=private delay_s=5 jitter_s=2 loss=0.01")
    async with asyncio.TaskGroup() as group:
        # The quickest way there takes 3 s; the answer has the same limit in real seconds.
        hurried = desk.order(1, deadline=desk.clock.now() + timedelta(seconds=2.5))
        late = group.create_task(desk.place(hurried))
        await asyncio.sleep(0)  # it is sent before the market moves
        await desk.moving(late.done)
    assert isinstance(late.result(), OrderRejected)
    assert late.result().error == "EService:Deadline elapsed"
    assert kind_of(late.result().error) is ErrorKind.DEFINITIVE
    assert at_exchange(desk) == []
    async with asyncio.TaskGroup() as group:
        patient = desk.order(2, deadline=desk.clock.now() + timedelta(seconds=30))
        taken = group.create_task(desk.place(patient))
        await asyncio.sleep(0)
        await desk.moving(taken.done)
    assert isinstance(taken.result(), OrderAcked)
    await desk.moving(lambda: "filled" in desk.reports(2))
    assert desk.there.fired("N11") >= 4
    desk.there.stop_fault(fault)
    assert [order.cl_ord_id for order in at_exchange(desk)] == ["st7-2"]
    assert len(desk.fills(2)) == 1
    assert desk.reports(1) == []
    assert desk.count("private.gap") == 0


async def test_n11_late_data_is_told_as_late_and_no_feed_is_lost(desk: FaultyDesk) -> None:
    desk.there.fault("N11 on=public delay_s=5 jitter_s=2 loss=0.01")
    await desk.moving(lambda: bool(desk.warned("late")))
    (warned, *_) = desk.warned("late")
    assert warned.value is not None
    assert 2.0 <= warned.value <= 12.0
    desk.there.stop_fault()
    await desk.moving(lambda: desk.warned("late")[-1].over)
    quotes = len(desk.of(QuoteSeen))
    await desk.moving(lambda: len(desk.of(QuoteSeen)) > quotes)
    assert unharmed(desk)


# -- orders and their answers -----------------------------------------------------------------


async def test_x02_an_order_taken_just_before_its_deadline_is_waited_for(
    desk: FaultyDesk,
) -> None:
    desk.there.fault("X02 delay_s=4")
    request = desk.order(1, deadline=desk.clock.now() + timedelta(seconds=5))
    async with asyncio.TaskGroup() as group:
        placing = group.create_task(desk.place(request))
        await desk.until(lambda: desk.there.fired("X02") == 1)
        await desk.there.step(3)
        assert at_exchange(desk) == []
        assert not placing.done()
        await desk.there.step(1)
    assert isinstance(placing.result(), OrderAcked)
    await desk.until(lambda: "filled" in desk.reports(1))
    assert len(at_exchange(desk)) == len(desk.fills(1)) == 1
    assert unharmed(desk)


async def test_x02_an_answer_after_our_patience_is_still_evidence(desk: FaultyDesk) -> None:
    desk.there.fault("X02 delay_s=0.5")  # the market stands still, so that we give up first
    assert isinstance(await desk.place(desk.order(1)), SendUnknown)
    assert desk.there.fired("X02") == 1
    assert at_exchange(desk) == []
    await desk.there.step(0.5)
    await desk.until(lambda: bool(desk.of(OrderAcked)) and "filled" in desk.reports(1))
    (order,) = at_exchange(desk)
    assert [e.order_id for e in desk.of(OrderAcked)] == [order.order_id]
    assert len(desk.fills(1)) == 1
    assert unharmed(desk)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("EOrder:Trading agreement required", ErrorKind.UNKNOWN),
        ("EOrder:Invalid price", ErrorKind.DEFINITIVE),
    ],
)
async def test_x16_a_storm_of_refusals_is_answered_one_by_one_and_none_is_sent_again(
    desk: FaultyDesk, text: str, kind: ErrorKind
) -> None:
    """A text that stands nowhere proves nothing. What stops the storm is the daemon's."""
    fault = desk.there.fault(f'X16 text="{text}"')
    for number in range(1, 6):
        outcome = await desk.place(desk.order(number))
        said = outcome.detail if isinstance(outcome, SendUnknown) else outcome.error
        assert isinstance(outcome, SendUnknown) == (kind is ErrorKind.UNKNOWN)
        assert (said, kind_of(said)) == (text, kind)
    assert desk.there.fired("X16") == 5
    assert at_exchange(desk) == []
    assert desk.of(ExecutionReport) == []
    desk.there.stop_fault(fault)
    await acked(desk, 6)
    assert unharmed(desk)


async def test_x17_no_funds_is_a_proof_and_leaves_the_balances_as_they_were(
    desk: FaultyDesk,
) -> None:
    before = await desk.rest.balances()
    desk.there.fault("X17")
    outcome = await desk.place(desk.order(1))
    assert isinstance(outcome, OrderRejected)
    assert outcome.error == "EOrder:Insufficient funds"
    assert kind_of(outcome.error) is ErrorKind.DEFINITIVE
    assert desk.there.fired("X17") == 1
    assert at_exchange(desk) == []
    assert await desk.rest.balances() == before
    await acked(desk, 2)
    assert unharmed(desk)


async def test_x33_a_full_list_of_orders_refuses_the_new_one_and_leaves_the_old(
    desk: FaultyDesk,
) -> None:
    old = await acked(desk, 1)
    desk.there.fault("X33")
    outcome = await desk.place(desk.order(2))
    assert isinstance(outcome, OrderRejected)
    assert outcome.error == "EOrder:Orders limit exceeded"
    assert kind_of(outcome.error) is ErrorKind.DEFINITIVE
    assert desk.there.fired("X33") == 1
    assert [row.cl_ord_id for row in await desk.rest.open_orders()] == ["st7-1"]
    assert await desk.venue.cancel(cancel(1, old)) is None
    await acked(desk, 3)
    assert unharmed(desk)


@pytest.mark.parametrize("how", ["full", "partial", "dust"])
async def test_x25_a_fill_just_before_its_cancel_is_told_whatever_the_cancel_says(
    desk: FaultyDesk, how: str
) -> None:
    qty = Decimal("0.006")
    placed = await acked(desk, 1, qty=qty)
    desk.there.fault(f"X25 how={how}")
    refused = await desk.venue.cancel(cancel(1, placed))
    assert desk.there.fired("X25") == 1
    end = "filled" if how == "full" else "canceled"
    await desk.until(lambda: desk.reports(1)[-1:] == [end])
    if how == "full":
        assert isinstance(refused, CancelRejected)
        assert kind_of(refused.error) is ErrorKind.DEFINITIVE
    else:
        assert refused is None
    (fill,) = [e.fill for e in desk.of(ExecutionReport) if e.fill]
    left = qty - fill.qty
    minimum = desk.there.exchange.pairs["BTC/USD"].qty_min
    assert (left == 0) == (how == "full")
    assert (0 < left < minimum) == (how == "dust")
    assert (await desk.looked_up(1))[0].filled_qty == fill.qty
    assert unharmed(desk)


async def test_x32_the_refused_order_of_a_batch_is_never_an_order_of_ours(
    desk: FaultyDesk,
) -> None:
    """We send no batches: another program does, under names that look like ours."""
    desk.there.fault("X32 index=1")
    wanted = [
        {
            "order_type": "limit",
            "side": "buy",
            "order_qty": 0.001,
            "limit_price": float(desk.order(number, factor).limit_price or 0),
            "cl_ord_id": f"st7-{number}",
        }
        for number, factor in enumerate(("0.9", "0.8", "0.7", "0.6", "0.5"), start=1)
    ]
    async with aiohttp.ClientSession() as http, http.ws_connect(desk.there.private) as socket:
        other = Raw(socket)
        other.token = await desk.rest.token()
        answer = await other.answer("batch_add", symbol="BTC/USD", orders=wanted)
    assert ["error" in row for row in answer["result"]] == [False, True, False, False, False]
    assert desk.there.fired("X32") == 1
    await desk.until(lambda: all("new" in desk.reports(number) for number in (1, 3, 4, 5)))
    assert desk.reports(2) == []
    assert [(await desk.looked_up(n))[0].status for n in (1, 2, 3)] == ["open", None, "open"]
    asked = AskReconcile(question=desk.question(), since=desk.clock.now())
    (told,) = [e for e in await desk.venue.reconcile(asked) if isinstance(e, Reconciled)]
    assert told.open_cl_ord_ids == ("st7-1", "st7-3", "st7-4", "st7-5")
    await acked(desk, 6)
    assert unharmed(desk)


# -- looks that see an older or another world --------------------------------------------------


async def test_x08_a_look_into_the_past_takes_nothing_back(desk: FaultyDesk) -> None:
    """What a look says carries when it began; which word counts is the daemon's (the stream's)."""
    placed = await acked(desk, 1)
    await desk.there.step(70)
    desk.there.fault("X08 lag_s=60")
    desk.there.do("fill", cl_ord_id="st7-1", share=0.5)
    await desk.until(lambda: len(desk.fills(1)) == 1)
    looked, fills = await desk.looked_up(1)
    assert (looked.status, looked.filled_qty, fills) == ("open", Decimal(0), set())
    assert looked.looked_from == desk.clock.now()
    desk.there.do("fill", cl_ord_id="st7-1")
    await desk.until(lambda: desk.reports(1)[-1:] == ["filled"])
    told = len(desk.of(ExecutionReport))
    (row,) = await desk.rest.orders_by_id([placed.order_id])
    assert (row.status, row.filled_qty) == ("open", Decimal(0))
    assert desk.there.fired("X08") >= 2
    refused = await desk.venue.cancel(cancel(1, placed))
    assert isinstance(refused, CancelRejected)
    assert kind_of(refused.error) is ErrorKind.DEFINITIVE
    assert len(desk.of(ExecutionReport)) == told
    await desk.there.step(61)
    looked, fills = await desk.looked_up(1)
    assert (looked.status, looked.filled_qty) == ("closed", Decimal("0.001"))
    assert fills == desk.fills(1)
    assert len(fills) == 2
    assert unharmed(desk)


async def test_x09_trades_count_where_the_order_reads_canceled_and_empty(
    desk: FaultyDesk,
) -> None:
    placed = await acked(desk, 1, "1.01")
    await desk.until(lambda: len(desk.fills(1)) == 1)
    desk.there.fault("X09")
    (row,) = await desk.rest.orders_by_id([placed.order_id])
    assert (row.status, row.filled_qty) == ("canceled", Decimal(0))
    looked, fills = await desk.looked_up(1)
    assert desk.there.fired("X09") >= 2
    assert (looked.status, looked.filled_qty) == ("canceled", Decimal("0.001"))
    assert fills == desk.fills(1)
    assert unharmed(desk)


async def test_x12_pages_that_shift_lose_no_trade_and_tell_none_twice(
    desk: FaultyDesk,
) -> None:
    await acked(desk, 1, "0.9", qty=Decimal("0.006"))
    desk.there.do("fill", cl_ord_id="st7-1", share=0.9, parts=80)
    await desk.until(lambda: len(desk.fills(1)) == 80)
    desk.there.fault("X12 trades=3")
    asked = AskReconcile(question=desk.question(), since=desk.clock.now())
    found = await desk.venue.reconcile(asked)
    assert desk.there.fired("X12") == 1
    ids = [e.fill.exec_id for e in found if isinstance(e, ExecutionReport) and e.fill]
    assert len(ids) == len(set(ids)) == 83
    assert set(ids) == {trade.exec_id for trade in desk.there.exchange.venue.state.trades}
    assert desk.fills(1) < set(ids)
    assert [e.clean for e in found if isinstance(e, Reconciled)] == [True]
    assert unharmed(desk)
