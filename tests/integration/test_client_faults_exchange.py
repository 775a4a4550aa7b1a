"""Family X, the client's part: errors typed, nothing sent twice, every fill told, nothing lost."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
from faulty_desk import FaultyDesk

from simple_trader.adapters.kraken.errors import ErrorKind, kind_of
from simple_trader.domain.actions import AskReconcile
from simple_trader.domain.events import (
    BalancesSeen,
    BookLost,
    BookSeen,
    ExecutionReport,
    InstrumentSeen,
    LedgerSeen,
    OrderAcked,
    OrderRejected,
    QuoteSeen,
    Reconciled,
    SendUnknown,
    VenueStatusSeen,
)
from simple_trader.domain.instruments import PairStatus
from simple_trader.domain.money import floor_to_step
from simple_trader.domain.orders import AmendRequest
from simple_trader.domain.venue_replies import AmendRejected, AmendUnknown

pytestmark = pytest.mark.timeout(60)


def amend(desk: FaultyDesk, number: int) -> AmendRequest:
    return AmendRequest(
        cl_ord_id=f"st7-{number}",
        pair="BTC/USD",
        limit_price=floor_to_step(desk.mid() * Decimal("0.79"), Decimal("0.1")),
        deadline=desk.clock.now() + timedelta(seconds=1),
    )


# -- orders and their answers ---------------------------------------------------------------


async def test_x01_an_ack_that_is_lost_is_unknown_and_the_stream_knows_better(
    desk: FaultyDesk,
) -> None:
    desk.there.fault("X01")
    outcome = await desk.place(desk.order(1))
    assert isinstance(outcome, SendUnknown)
    assert "filled" in desk.reports(1)
    looked, fills = await desk.looked_up(1)
    assert looked.status == "closed"
    assert fills == desk.fills(1)


async def test_x04_a_fill_before_its_ack_is_told_with_its_order(desk: FaultyDesk) -> None:
    desk.there.fault("X04")
    placing = asyncio.ensure_future(desk.place(desk.order(1)))
    await desk.until(lambda: len(desk.fills(1)) == 1)
    assert not placing.done()
    await desk.moving(placing.done)
    assert isinstance(await placing, OrderAcked)


async def test_x05_a_fill_told_three_times_has_one_id_and_is_a_gap(desk: FaultyDesk) -> None:
    desk.there.fault("X05 count=1")
    assert isinstance(await desk.place(desk.order(1)), OrderAcked)
    await desk.until(lambda: desk.there.fired("X05") >= 1)
    await desk.up()
    await desk.until(lambda: "filled" in desk.reports(1))
    assert len(desk.fills(1)) == 1


async def test_x06_events_out_of_order_all_arrive(desk: FaultyDesk) -> None:
    desk.there.fault("X06")
    assert isinstance(await desk.place(desk.order(1)), OrderAcked)
    await desk.until(lambda: {"pending_new", "new", "trade", "filled"} <= set(desk.reports(1)))
    assert len(desk.fills(1)) == 1
    assert {e.cl_ord_id for e in desk.of(ExecutionReport)} == {"st7-1"}


@pytest.mark.parametrize("how", ["gap", "restart", "back"])
async def test_x07_a_sequence_that_jumps_is_a_gap_and_the_channel_is_fetched_anew(
    desk: FaultyDesk, how: str
) -> None:
    await desk.place(desk.order(1))
    await desk.until(lambda: "filled" in desk.reports(1))
    desk.there.fault(f"X07 how={how}")
    await desk.place(desk.order(2))
    await desk.again("private")
    assert desk.count("private.gap") >= 1
    await desk.until(lambda: len(desk.fills(1)) == len(desk.fills(2)) == 1)


async def test_x10_a_fast_fill_that_nobody_told_is_found_by_a_look(desk: FaultyDesk) -> None:
    desk.there.fault("X10")
    outcome = await desk.place(desk.order(1))
    assert isinstance(outcome, SendUnknown)
    looked, fills = await desk.looked_up(1)
    assert looked.status == "closed"
    assert len(fills) == 1


async def test_x11_sixty_fills_while_we_were_away_are_all_found(desk: FaultyDesk) -> None:
    order = desk.order(1, "0.9", qty=Decimal("0.006"))
    assert isinstance(await desk.place(order), OrderAcked)
    since = desk.clock.now()
    fault = desk.there.fault("N09")
    await desk.until(lambda: not desk.ups("private")[-1])
    desk.there.fault("X11 fills=60")
    await desk.there.step(5)
    desk.there.stop_fault(fault)
    await desk.again("private")
    found = await desk.venue.reconcile(AskReconcile(question=desk.question(), since=since))
    fills = {e.fill.exec_id for e in found if isinstance(e, ExecutionReport) and e.fill}
    assert len(fills | desk.fills(1)) >= 60
    assert [e.clean for e in found if isinstance(e, Reconciled)] == [True]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("X16", ErrorKind.UNKNOWN),
        ("X17", ErrorKind.DEFINITIVE),
        ("X18 how=order", ErrorKind.RATE),
        ("X24", ErrorKind.DEFINITIVE),
        ("X33", ErrorKind.DEFINITIVE),
        ("S06", ErrorKind.UNKNOWN),
    ],
)
async def test_a_refusal_is_typed_and_only_a_proof_is_a_rejection(
    desk: FaultyDesk, fault: str, kind: ErrorKind
) -> None:
    """X16, X17, X18, X24, X33, S06."""
    desk.there.fault(fault)
    outcome = await desk.place(desk.order(1, "0.8", post_only=True))
    if kind is ErrorKind.UNKNOWN:
        assert isinstance(outcome, SendUnknown)
        assert kind_of(outcome.detail) is kind
    else:
        assert isinstance(outcome, OrderRejected)
        assert kind_of(outcome.error) is kind


async def test_x24_a_post_only_order_canceled_on_arrival_is_told_by_the_stream(
    desk: FaultyDesk,
) -> None:
    desk.there.fault("X24 how=cancel")
    assert isinstance(await desk.place(desk.order(1, "0.8", post_only=True)), OrderAcked)
    await desk.until(lambda: desk.reports(1)[-1:] == ["canceled"])
    assert "Post only" in desk.of(ExecutionReport)[-1].reason


async def test_x21_a_token_that_expired_is_renewed_by_a_new_connection(desk: FaultyDesk) -> None:
    desk.there.fault("X21")
    desk.there.fault("N01 on=private how=close count=1")
    await desk.moving(lambda: not desk.ups("private")[-1])
    await desk.again("private")
    assert isinstance(await desk.place(desk.order(1, "0.8")), OrderAcked)


async def test_x26_a_fill_without_its_fee_is_still_a_fill(desk: FaultyDesk) -> None:
    desk.there.fault("X26")
    assert isinstance(await desk.place(desk.order(1)), OrderAcked)
    await desk.until(lambda: len(desk.fills(1)) == 1)
    assert desk.ups("private")[-1]


async def test_x29_an_order_by_hand_is_told_as_nobodys(desk: FaultyDesk) -> None:
    desk.there.fault("X29 how=place")
    await desk.moving(lambda: len(desk.of(ExecutionReport)) > 0)
    assert {e.cl_ord_id for e in desk.of(ExecutionReport)} <= {None, ""}


async def test_x30_a_switch_that_fired_is_told_as_cancels(desk: FaultyDesk) -> None:
    assert isinstance(await desk.place(desk.order(1, "0.8")), OrderAcked)
    desk.there.fault("X30")
    await desk.moving(lambda: desk.reports(1)[-1:] == ["canceled"])


async def test_x31_an_amend_whose_answer_is_lost_is_unknown_and_the_stream_tells_it(
    desk: FaultyDesk,
) -> None:
    assert isinstance(await desk.place(desk.order(1, "0.8")), OrderAcked)
    desk.there.fault("X31")
    assert isinstance(await desk.venue.amend(amend(desk, 1)), AmendUnknown)
    await desk.until(lambda: "amended" in desk.reports(1))
    (row,) = await desk.rest.open_orders()
    assert row.limit_price == amend(desk, 1).limit_price
    assert row.qty == Decimal("0.001")


async def test_x31_an_amend_of_an_order_that_just_filled_is_refused(desk: FaultyDesk) -> None:
    assert isinstance(await desk.place(desk.order(1, "0.8")), OrderAcked)
    desk.there.fault("X31 how=filled")
    assert isinstance(await desk.venue.amend(amend(desk, 1)), AmendRejected)
    await desk.until(lambda: len(desk.fills(1)) == 1)


# -- books and prices -----------------------------------------------------------------------


async def test_x13_a_wrong_checksum_costs_one_resubscription_of_one_pair(
    desk: FaultyDesk,
) -> None:
    desk.there.fault("X13 count=1 pair=BTC/USD")
    await desk.moving(lambda: bool(desk.of(BookLost)))
    lost = desk.events.index(desk.of(BookLost)[0])
    await desk.moving(
        lambda: any(
            isinstance(e, BookSeen) and e.book.pair == "BTC/USD" for e in desk.events[lost:]
        )
    )
    assert {event.pair for event in desk.of(BookLost)} == {"BTC/USD"}
    assert desk.count("public.checksum") == 1
    assert desk.ups("public") == desk.ups("book") == [True]


async def test_x13_a_pair_that_fails_always_never_stops_the_other(desk: FaultyDesk) -> None:
    desk.there.fault("X13 pair=BTC/USD")
    await desk.moving(lambda: desk.count("public.checksum") >= 3)
    seen = [e.book.pair for e in desk.of(BookSeen)].count("ETH/USD")
    await desk.moving(lambda: [e.book.pair for e in desk.of(BookSeen)].count("ETH/USD") > seen)
    newest = [e for e in desk.events if isinstance(e, BookLost | BookSeen)]
    of_btc = [
        e for e in newest if (e.pair if isinstance(e, BookLost) else e.book.pair) == "BTC/USD"
    ]
    assert isinstance(of_btc[-1], BookLost)
    assert desk.ups("public") == [True]


@pytest.mark.parametrize("how", ["crossed", "locked", "zero", "negative"])
async def test_x14_a_book_that_cannot_be_is_not_trusted_and_fetched_anew(
    desk: FaultyDesk, how: str
) -> None:
    desk.there.fault(f"X14 how={how} pair=BTC/USD channel=book type=update count=1")
    await desk.moving(lambda: bool(desk.of(BookLost)))
    lost = desk.events.index(desk.of(BookLost)[0])
    await desk.moving(
        lambda: any(
            isinstance(e, BookSeen) and e.book.pair == "BTC/USD" for e in desk.events[lost:]
        )
    )
    assert all(e.book.bid < e.book.ask and e.book.bid > 0 for e in desk.of(BookSeen))


async def test_x15_a_wick_is_passed_on_as_it_is(desk: FaultyDesk) -> None:
    before = desk.mid()
    desk.there.fault("X15")
    await desk.moving(lambda: desk.mid() < before * Decimal("0.6"))
    await desk.moving(lambda: desk.mid() > before * Decimal("0.8"))
    assert all(e.quote.bid < e.quote.ask for e in desk.of(QuoteSeen))


# -- the exchange itself --------------------------------------------------------------------


async def test_x22_each_state_of_the_exchange_is_told_in_order(desk: FaultyDesk) -> None:
    desk.there.fault("X22 step_s=2")
    states = ["maintenance", "cancel_only", "post_only", "online"]

    def told() -> list[str]:
        seen: list[str] = []
        for event in desk.of(VenueStatusSeen):
            if not seen or seen[-1] != event.status.value:
                seen.append(event.status.value)
        return seen

    await desk.moving(lambda: told()[-4:] == states)


@pytest.mark.parametrize(
    ("line", "kind"),
    [("X23 phase=30m", "upcoming_maintenance"), ("X23 emergency=stop", "emergency")],
)
async def test_x23_an_announcement_is_told_and_costs_nothing(
    desk: FaultyDesk, line: str, kind: str
) -> None:
    desk.there.fault(line)
    await desk.until(lambda: bool(desk.warned(kind)))
    assert desk.ups("public") == [True]


async def test_x27_a_pair_that_changes_is_told_at_once(desk: FaultyDesk) -> None:
    desk.there.fault("X27 status=cancel_only")
    await desk.moving(
        lambda: any(e.rules.status is PairStatus.CANCEL_ONLY for e in desk.of(InstrumentSeen))
    )


async def test_x28_money_from_outside_is_a_line_of_the_ledger(desk: FaultyDesk) -> None:
    before = len(desk.of(LedgerSeen))
    desk.there.fault("X28")
    await desk.moving(lambda: len(desk.of(LedgerSeen)) > before)
    entry = desk.of(LedgerSeen)[-1].entry
    assert (entry.kind, entry.asset, entry.amount) == ("deposit", "USD", Decimal(100))
    assert desk.of(BalancesSeen)


async def test_x34_a_clock_that_is_three_seconds_off_is_measured_and_told(
    desk: FaultyDesk,
) -> None:
    desk.there.fault("X34 skew_s=3")
    await desk.until(lambda: bool(desk.warned("clock_skew")))
    (warned, *_) = desk.warned("clock_skew")
    assert warned.value == pytest.approx(3.0, abs=0.6)
    offsets = [clock.clock_offset_s for clock in desk.venue.clocks().values()]
    assert any(offset is not None and abs(offset - 3) < 0.6 for offset in offsets)


@pytest.mark.parametrize("channel", ["book", "trade"])
async def test_s02_a_backlog_that_comes_at_once_is_not_wrong(
    desk: FaultyDesk, channel: str
) -> None:
    """That a backlog which lasts is told as late stands in the unit tests of lateness."""
    desk.there.fault(f"S02 hold_s=8 channel={channel}")
    await desk.there.step(12)
    books, trades = len(desk.of(BookSeen)), len(desk.trades)
    await desk.moving(lambda: len(desk.of(BookSeen)) > books and len(desk.trades) > trades)
    assert desk.venue.counts() == {}
    assert desk.ups("public") == [True]
    numbers = [trade.trade_id for trade in desk.trades if trade.pair == "BTC/USD"]
    assert numbers == sorted(set(numbers))
