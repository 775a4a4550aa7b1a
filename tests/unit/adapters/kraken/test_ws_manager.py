"""Kraken as the daemon sees it, over wires in memory: feeds, the one send, and what is unknown."""

import asyncio
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest
from kraken_parts import (
    HEARTBEAT,
    STATUS,
    TICKER,
    TRADE,
    executions,
)
from venue_desk import CANCEL, PLAN, REQUEST, Desk, reply, running

from simple_trader.adapters.kraken import connection, rest_client
from simple_trader.domain.events import (
    CancelRejected,
    Event,
    ExecutionReport,
    FeedDown,
    FeedUp,
    NotSent,
    OrderAcked,
    OrderRejected,
    QuoteSeen,
    SendUnknown,
    VenueStatusSeen,
)
from simple_trader.domain.instruments import VenueStatus
from simple_trader.domain.reasons import Reason
from simple_trader.ports import FeedPlan, HttpFailed, Wire, WireClosed


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest_client, "_FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr(connection, "_QUICK_S", 0.0)


# -- feeds ---------------------------------------------------------------------------------


async def test_both_feeds_come_up_and_frames_are_counted_after_their_events() -> None:
    async with running() as desk:
        await desk.up()
        counts = desk.venue.handled()
        assert set(counts) == {11043817702341890007, 22}
        before = counts[11043817702341890007]
        desk.public.push(HEARTBEAT, "garbage", TICKER, '{"method":"pong","req_id":1}')
        quotes = sum(isinstance(event, QuoteSeen) for event in desk.events)
        await desk.until(lambda: desk.venue.handled()[11043817702341890007] == before + 4)
        assert sum(isinstance(event, QuoteSeen) for event in desk.events) == quotes + 1


async def test_a_feed_that_ends_says_so_and_comes_back_with_a_new_token() -> None:
    async with running() as desk:
        await desk.up()
        desk.private.drop()
        await desk.until(lambda: len(desk.wires["private"]) == 2 and "private" in desk.feeds())
        kinds = [type(e) for e in desk.events if isinstance(e, FeedUp | FeedDown)][-2:]
        assert kinds == [FeedDown, FeedUp]
        tokens = [
            endpoint for endpoint, _, _ in desk.http.asked if endpoint == "GetWebSocketsToken"
        ]
        assert len(tokens) == 2
        assert len(desk.wires["public"]) == 1


async def test_x21_a_refused_token_is_renewed_by_a_new_connection() -> None:
    async with running(plan=None) as desk:
        desk.http.answers["GetWebSocketsToken"] = [{"token": "old"}, {"token": "TOK"}]
        desk.refused_token = "old"
        desk.venue.apply(PLAN)
        await desk.until(lambda: "private" in desk.feeds())
        assert [wire.sent[0]["params"]["token"] for wire in desk.wires["private"]] == ["old", "TOK"]


async def test_a_feed_that_is_switched_off_is_disabled_and_may_come_back() -> None:
    async with running(tick_s=0.01) as desk:
        await desk.up()
        book_off = [e for e in desk.events if isinstance(e, FeedDown) and e.feed == "book"]
        assert [event.disabled for event in book_off] == [True]
        off = FeedPlan(pairs=("BTC/USD",), public=False, private=True, book=False, book_depth=10)
        desk.venue.apply(off)
        await desk.until(lambda: desk.public.closed)
        downs = [e for e in desk.events if isinstance(e, FeedDown) and e.feed == "public"]
        assert [event.disabled for event in downs] == [True]
        desk.venue.apply(PLAN)
        await desk.until(lambda: "public" in desk.feeds())
        assert len(desk.wires["private"]) == 1


async def test_a_state_that_is_not_known_is_asked_for_until_it_is() -> None:
    """No other status frame may come: a word nobody knows must not stop trading for ever."""
    async with running(status_again_s=0.01) as desk:
        await desk.up()
        words = [{"status": word} for word in ("hypothetical", "online")]
        desk.http.will("SystemStatus", HttpFailed("reset"), *words)
        desk.public.push(STATUS.replace('"online"', '"hypothetical"'))
        seen = [VenueStatus.UNKNOWN, VenueStatus.ONLINE]
        await desk.until(lambda: _states(desk.events)[-2:] == seen)


def _states(events: Iterable[Event]) -> list[VenueStatus]:
    return [event.status for event in events if isinstance(event, VenueStatusSeen)]


async def test_an_unknown_book_depth_is_refused() -> None:
    async with running(plan=None) as desk:
        with pytest.raises(ValueError, match="depth"):
            desk.venue.apply(
                FeedPlan(pairs=(), public=True, private=False, book=True, book_depth=11)
            )


async def test_nothing_private_is_read_while_there_is_no_room() -> None:
    async with running() as desk:
        await desk.up()
        desk.room_open.clear()
        desk.private.push(HEARTBEAT)  # is read, then the reader waits for room
        desk.private.push(executions(2, TRADE))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not any(isinstance(event, ExecutionReport) for event in desk.events)
        desk.room_open.set()
        await desk.until(lambda: any(isinstance(e, ExecutionReport) for e in desk.events))


async def test_not_reading_for_want_of_room_is_not_the_exchanges_silence() -> None:
    async with running(tick_s=0.01, silence_s=0.05, heartbeat_s=0.05) as desk:
        desk.room_open.clear()
        await desk.until(lambda: len(desk.wires.get("private", [])) == 1)
        began = asyncio.get_running_loop().time()
        await desk.until(lambda: len(desk.wires["public"]) >= 2)  # there, silence is silence
        await desk.until(lambda: asyncio.get_running_loop().time() - began > 0.2)
        assert len(desk.wires["private"]) == 1


async def test_a_permission_error_is_not_tried_again() -> None:
    async with running(plan=None) as desk:
        desk.http.answers["GetWebSocketsToken"] = ["EGeneral:Permission denied"]
        desk.venue.apply(PLAN)
        await desk.until(
            lambda: any(isinstance(e, FeedDown) and not e.disabled for e in desk.events)
        )
        for _ in range(50):
            await asyncio.sleep(0)
        asked = [endpoint for endpoint, _, _ in desk.http.asked if endpoint == "GetWebSocketsToken"]
        assert len(asked) == 1
        assert "private" not in desk.wires


# -- the order path ------------------------------------------------------------------------


async def place(desk: Desk) -> object:
    return await desk.venue.place(REQUEST, desk.venue.encode_order(REQUEST))


async def test_a_good_answer_is_an_acknowledgement() -> None:
    async with running() as desk:
        await desk.up()
        desk.orders = lambda m: [reply(m, success=True, result={"order_id": "O1"})]
        assert await place(desk) == OrderAcked(cl_ord_id="st7-1", order_id="O1")
        (sent,) = desk.sent("add_order")
        assert sent["params"]["token"] == "TOK"
        assert sent["params"]["order_qty"] == Decimal("0.001")


async def test_the_frame_leaves_before_the_first_suspension() -> None:
    async with running() as desk:
        await desk.up()
        placing = desk.venue.place(REQUEST, desk.venue.encode_order(REQUEST))
        placing.send(None)  # runs to the first suspension
        assert len(desk.sent("add_order")) == 1
        placing.close()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("EOrder:Insufficient funds", OrderRejected),
        ("EService:Deadline elapsed", OrderRejected),
        ("Limit_price field must be a number_float", OrderRejected),
        ("EService:Unavailable", SendUnknown),
        ("EGeneral:Internal error", SendUnknown),
        ("never heard of", SendUnknown),
    ],
)
async def test_an_error_is_a_rejection_only_when_it_is_definitive(
    error: str, kind: type[Event]
) -> None:
    async with running() as desk:
        await desk.up()
        desk.orders = lambda m: [reply(m, success=False, error=error)]
        assert type(await place(desk)) is kind
        assert len(desk.sent("add_order")) == 1


async def test_x01_silence_is_unknown_and_a_late_answer_is_still_evidence() -> None:
    async with running() as desk:
        await desk.up()
        outcome = await place(desk)
        assert isinstance(outcome, SendUnknown)
        (sent,) = desk.sent("add_order")
        desk.private.push(reply(sent, success=True, result={"order_id": "O1"}))
        late = OrderAcked(cl_ord_id="st7-1", order_id="O1")
        await desk.until(lambda: late in desk.events)
        assert len(desk.sent("add_order")) == 1


async def test_a_connection_lost_after_the_send_is_unknown_and_never_sent_again() -> None:
    async with running() as desk:
        await desk.up()

        def drop(_message: dict[str, Any]) -> Iterable[str]:
            desk.private.drop()
            return ()

        desk.orders = drop
        outcome = await place(desk)
        assert isinstance(outcome, SendUnknown)
        assert "lost after the send" in outcome.detail
        await desk.until(lambda: len(desk.wires["private"]) == 2 and "private" in desk.feeds())
        assert len(desk.sent("add_order")) == 1


async def test_without_a_private_feed_nothing_is_sent() -> None:
    async with running(plan=None) as desk:
        outcome = await place(desk)
        assert isinstance(outcome, NotSent)
        assert outcome.reason is Reason.PRIVATE_FEED_DOWN


async def test_a_cancel_goes_by_socket_and_a_refusal_is_told() -> None:
    async with running() as desk:
        await desk.up()
        desk.orders = lambda m: [reply(m, success=True, result={"order_id": "O1"})]
        assert await desk.venue.cancel(CANCEL) is None
        assert desk.sent("cancel_order")[0]["params"]["order_id"] == ["O1"]
        desk.orders = lambda m: [reply(m, success=False, error="EOrder:Unknown order")]
        refused = await desk.venue.cancel(CANCEL)
        assert refused == CancelRejected(cl_ord_id="st7-1", error="EOrder:Unknown order")


async def test_n09_without_the_socket_cancels_go_by_rest() -> None:
    async with running(plan=None) as desk:
        desk.http.will("CancelOrder", {"count": 1})
        desk.http.will("CancelAll", {"count": 3})
        assert await desk.venue.cancel(CANCEL) is None
        assert await desk.venue.cancel_all() == 3
        assert "txid=O1" in desk.http.asked[0][1]
        desk.http.answers["CancelOrder"] = [HttpFailed("reset")]
        unknown = await desk.venue.cancel(CANCEL)
        assert unknown is not None
        assert "outcome unknown" in unknown.error


async def test_a_silent_socket_does_not_keep_a_cancel_from_rest() -> None:
    async with running() as desk:
        await desk.up()
        desk.http.will("CancelAll", {"count": 2})
        assert await desk.venue.cancel_all() == 2
        assert len(desk.sent("cancel_all")) == 1


async def test_stopping_closes_the_wires_and_says_nothing() -> None:
    async with running() as desk:
        await desk.up()
    assert desk.public.closed
    assert desk.private.closed
    assert desk.feeds() == {"public", "private"}


async def test_an_order_in_flight_at_the_stop_is_unknown() -> None:
    placing: asyncio.Task[object]
    async with asyncio.TaskGroup() as group, running() as desk:
        await desk.up()
        placing = group.create_task(place(desk))
        await desk.until(lambda: len(desk.sent("add_order")) == 1)
    assert isinstance(placing.result(), SendUnknown)


async def test_a_wire_that_cannot_be_opened_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = 0

    async def refuse(_url: str) -> Wire:
        nonlocal tries
        tries += 1
        raise WireClosed("refused")

    async with running(plan=None) as desk:
        monkeypatch.setattr(desk.venue._public, "_open_wire", refuse)
        desk.venue.apply(
            FeedPlan(pairs=("BTC/USD",), public=True, private=False, book=False, book_depth=10)
        )
        await desk.until(lambda: tries >= 3)
        downs = [e for e in desk.events if isinstance(e, FeedDown) and e.feed == "public"]
        assert len(downs) == 1
