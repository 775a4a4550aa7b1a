"""Family N, the client's part: noticed, told, nothing corrupted, reconnected, resubscribed."""

import asyncio
import time

import pytest
from faulty_desk import QUICK, FaultyDesk, desk_on
from faulty_sandbox import There

from simple_trader.domain.actions import CancelOrder
from simple_trader.domain.events import (
    BookLost,
    BookSeen,
    NotSent,
    OrderAcked,
    OrderRejected,
    QuoteSeen,
    SendUnknown,
)
from simple_trader.domain.reasons import Reason

pytestmark = pytest.mark.timeout(60)


def books_are_whole(desk: FaultyDesk) -> bool:
    """Whether each pair's newest word is a summary, not a loss."""
    newest: dict[str, type] = {}
    for event in desk.events:
        if isinstance(event, BookSeen):
            newest[event.book.pair] = BookSeen
        elif isinstance(event, BookLost):
            newest[event.pair] = BookLost
    return set(newest.values()) == {BookSeen}


@pytest.mark.parametrize("how", ["torn", "fragment"])
async def test_n01_a_torn_frame_leaves_nothing_behind_and_the_feed_returns(
    desk: FaultyDesk, how: str
) -> None:
    desk.there.fault(f"N01 on=public how={how} channel=ticker")
    await desk.moving(lambda: len(desk.ups("public")) > 1)
    await desk.again("public")
    await desk.moving(lambda: books_are_whole(desk))
    assert desk.count("public.not_json") == 0  # a torn frame is no frame
    assert desk.ups("private") == [True]


@pytest.mark.parametrize("side", ["public", "private"])
async def test_n02_a_half_open_connection_is_noticed_and_replaced(
    desk: FaultyDesk, side: str
) -> None:
    fault = desk.there.fault(f"N02 on={side}")
    began = time.monotonic()
    await desk.until(lambda: desk.ups(side)[-1] is False)
    assert time.monotonic() - began <= 5.0
    desk.there.stop_fault(fault)
    await desk.again(side)


async def test_n03_pongs_without_heartbeats_are_a_stall(desk: FaultyDesk) -> None:
    fault = desk.there.fault("N03 on=public")
    began = time.monotonic()
    await desk.until(lambda: desk.ups("public")[-1] is False)
    assert time.monotonic() - began <= 5.0
    desk.there.stop_fault(fault)
    await desk.again("public")


async def test_n05_a_lost_fill_is_a_gap_and_comes_with_the_next_snapshot(
    desk: FaultyDesk,
) -> None:
    # Kept sequence: the exchange counted the frame that was lost.
    desk.there.fault("N05 sequence=kept")
    await desk.place(desk.order(1))
    await desk.until(lambda: desk.there.fired("N05") == 1)
    await desk.again("private")
    assert len(desk.fills(1)) == 1
    assert desk.count("private.gap") == 1


async def test_n06_a_storm_of_closed_connections_is_survived(there: There) -> None:
    there.fault("N06 count=4 on=private")
    async with desk_on(there, wait=False) as desk:
        await desk.up()
        assert there.fired("N06") == 4
        assert len([up for up in desk.ups("private") if not up]) == 1  # told once


async def test_n07_a_refused_port_is_told_once_and_tried_until_it_is_back(
    desk: FaultyDesk,
) -> None:
    fault = desk.there.fault("N07")
    await desk.until(lambda: not any(desk.ups(feed)[-1] for feed in ("public", "private", "book")))
    refused = await desk.place(desk.order(1))
    assert isinstance(refused, NotSent)
    await asyncio.sleep(0.5)
    desk.there.stop_fault(fault)
    await desk.up()
    assert desk.ups("public").count(False) == 1


async def test_n08_a_port_that_speaks_tls_is_never_answered_in_the_clear(
    desk: FaultyDesk,
) -> None:
    fault = desk.there.fault("N08")
    await desk.until(lambda: not desk.ups("public")[-1])
    desk.there.stop_fault(fault)
    await desk.up()


async def test_n09_without_the_private_feed_nothing_is_placed_and_cancels_go_by_rest(
    desk: FaultyDesk,
) -> None:
    acked = await desk.place(desk.order(1, "0.8"))
    assert isinstance(acked, OrderAcked)
    fault = desk.there.fault("N09")
    await desk.until(lambda: not desk.ups("private")[-1])
    assert desk.ups("public") == [True]
    refused = await desk.place(desk.order(2))
    assert isinstance(refused, NotSent)
    assert refused.reason is Reason.PRIVATE_FEED_DOWN
    cancel = CancelOrder(
        cl_ord_id="st7-1", order_id=acked.order_id, pair="BTC/USD", reason=Reason.OPERATOR
    )
    assert await desk.venue.cancel(cancel) is None
    desk.there.stop_fault(fault)
    await desk.again("private")
    assert await desk.rest.open_orders() == ()


async def test_n10_without_the_public_feed_books_are_lost_and_orders_still_seen(
    desk: FaultyDesk,
) -> None:
    fault = desk.there.fault("N10")
    await desk.until(lambda: not desk.ups("public")[-1] and not desk.ups("book")[-1])
    assert {event.pair for event in desk.of(BookLost)} == {"BTC/USD", "ETH/USD"}
    assert isinstance(await desk.place(desk.order(1)), OrderAcked)
    await desk.until(lambda: len(desk.fills(1)) == 1)
    desk.there.stop_fault(fault)
    await desk.again("public")


async def test_n12_a_burst_is_worked_off_without_an_error(desk: FaultyDesk) -> None:
    desk.there.fault("N12 rate=5000 lasts_s=1")
    for _ in range(12):  # while the market moves, too
        await desk.there.step(1)
        await asyncio.sleep(0.1)
    await desk.moving(lambda: books_are_whole(desk))
    before = len(desk.of(QuoteSeen))
    await desk.moving(lambda: len(desk.of(QuoteSeen)) > before)
    assert desk.venue.counts() == {}
    assert desk.ups("public") == [True]


async def test_n13_a_frame_of_20_megabytes_closes_is_counted_and_the_feed_returns(
    desk: FaultyDesk,
) -> None:
    desk.there.fault("N13 on=public how=big")
    await desk.again("public")
    assert desk.count("public.too_big") == 1
    assert desk.ups("private") == [True]


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("nested", "wrong_shape"),
        ("utf8", "not_text"),
        ("channel", "unknown_channel"),
        ("types", "wrong_shape"),
        ("infinity", "not_json"),
        ("enum", "unknown_word"),
        ("event", "wrong_shape"),
    ],
)
async def test_n13_garbage_is_counted_by_reason_and_costs_nothing(
    desk: FaultyDesk, how: str, reason: str
) -> None:
    desk.there.fault(f"N13 on=public how={how}")
    await desk.until(lambda: bool(desk.venue.counts()))
    assert desk.venue.counts() == {f"public.{reason}": 1}
    assert desk.ups("public") == [True]


async def test_n13_fields_we_do_not_know_are_nothing_to_complain_of(desk: FaultyDesk) -> None:
    desk.there.fault("N13 on=public how=fields")
    await desk.until(lambda: desk.there.fired("N13") == 1)
    seen = len(desk.of(QuoteSeen))
    await desk.moving(lambda: len(desk.of(QuoteSeen)) > seen)
    assert desk.venue.counts() == {}


async def test_n14_one_refused_symbol_is_told_and_the_others_are_served(there: There) -> None:
    there.fault("N14 pair=ETH/USD")
    async with desk_on(there) as desk:
        await desk.until(lambda: len(desk.warned("refused_subscription")) >= 4)
        assert all("ETH/USD" in warned.detail for warned in desk.warned("refused_subscription"))
        assert desk.count("public.refused_subscription") >= 4
        assert {event.book.pair for event in desk.of(BookSeen)} == {"BTC/USD"}


@pytest.mark.parametrize("how", ["swallowed", "lost"])
async def test_n15_a_subscription_without_an_answer_is_asked_for_again(
    there: There, how: str
) -> None:
    there.fault(f"N15 how={how} on=public")
    async with desk_on(there) as desk:
        await desk.until(lambda: books_are_whole(desk))
        assert there.fired("N15") == 1
        assert desk.ups("public") == [True]


async def test_n16_messages_of_an_old_subscription_are_dropped(desk: FaultyDesk) -> None:
    desk.there.fault("N16")
    desk.there.fault("X13 count=1 pair=BTC/USD")
    await desk.moving(lambda: desk.there.fired("N16") > 0)
    await desk.moving(lambda: books_are_whole(desk))
    assert desk.count("public.checksum") >= 1
    assert desk.ups("public") == [True]


async def test_n17_a_server_that_stops_reading_leaves_an_order_unknown(desk: FaultyDesk) -> None:
    fault = desk.there.fault("N17 on=private")
    await desk.until(lambda: desk.there.fired("N17") > 0)
    outcome = await desk.place(desk.order(1, "0.8"))
    assert isinstance(outcome, SendUnknown | NotSent | OrderRejected)
    desk.there.stop_fault(fault)
    await desk.until(lambda: desk.ups("private")[-1])


async def test_s01_the_words_of_a_proxy_are_counted_and_cost_nothing(desk: FaultyDesk) -> None:
    desk.there.fault("S01 on=public")
    await desk.until(lambda: desk.count("public.not_json") == 1)
    assert desk.ups("public") == [True]


async def test_s04_metadata_above_a_mebibyte_in_exponents_is_read(there: There) -> None:
    there.fault("S03")
    there.fault("S04")
    async with desk_on(there) as desk:
        assert there.fired("S04") == 1
        assert desk.venue.counts() == {}


async def test_s05_a_snapshot_that_does_not_come_is_asked_for_again(there: There) -> None:
    there.fault("S05 channel=book")
    async with desk_on(there) as desk:
        await desk.until(lambda: books_are_whole(desk))
        assert there.fired("S05") == 1


async def test_s07_trades_told_again_are_taken_once(desk: FaultyDesk) -> None:
    desk.there.fault("S07")
    await desk.moving(lambda: len(desk.trades) > 20)
    desk.there.fault("N01 on=public how=close channel=ticker")
    await desk.moving(lambda: len(desk.ups("public")) > 1)
    await desk.again("public")
    await desk.there.step(20)
    for pair in ("BTC/USD", "ETH/USD"):
        numbers = [trade.trade_id or 0 for trade in desk.trades if trade.pair == pair]
        assert numbers == sorted(set(numbers))


async def test_s08_too_many_messages_slow_us_down(desk: FaultyDesk) -> None:
    desk.there.fault("S08 on=public")
    await desk.until(lambda: len(desk.warned("msg_rate")) == 1)
    assert desk.ups("public") == [True]
    assert QUICK.ack_tries == 3
