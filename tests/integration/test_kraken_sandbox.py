"""The Kraken room against the sandbox over real sockets: two readings of one protocol agree."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sandbox_desk import PAIRS, Desk, desk_at
from sandbox_parts import START, child

from simple_trader.adapters.kraken.connection import open_wire
from simple_trader.app.feed_plan import feed_plan
from simple_trader.config.schema import Settings
from simple_trader.domain.actions import AskOrders, AskReconcile, CancelOrder, Question
from simple_trader.domain.events import (
    BalancesSeen,
    BookLost,
    BookSeen,
    CandleSeen,
    ExecutionReport,
    LedgerSeen,
    OrderAcked,
    OrderLooked,
    OrderRejected,
    Reconciled,
)
from simple_trader.domain.orders import TimeInForce
from simple_trader.domain.reasons import Reason
from simple_trader.ports import Wire

pytestmark = pytest.mark.timeout(90)


def question() -> Question:
    return Question(
        question_id="q", kind="x", subject="x", asked_at=START, deadline_s=30, config_hash=""
    )


async def test_ten_market_minutes_of_books_verify_on_every_message() -> None:
    with child() as there:
        async with desk_at(there) as desk:
            await desk.up()
            await desk.step(600)
            assert [event for event in desk.events if isinstance(event, BookLost)] == []
            for pair in PAIRS:
                seen = [
                    e.book for e in desk.events if isinstance(e, BookSeen) and e.book.pair == pair
                ]
                assert len(seen) > 20
                assert all(-1 <= book.imbalance <= 1 for book in seen)
                assert all(book.bid < book.mid < book.ask for book in seen)
            assert {e.candle.pair for e in desk.events if isinstance(e, CandleSeen)} == set(PAIRS)
            assert dict(desk.ups()) == {"public": True, "private": True, "book": True}


async def test_an_order_is_placed_filled_and_told_alike_by_socket_and_rest() -> None:
    with child() as there:
        async with desk_at(there) as desk:
            await desk.up()
            price = desk.last_quote("BTC/USD").ask * Decimal("1.001")
            acked = await desk.place(desk.order(2, price))
            assert isinstance(acked, OrderAcked)
            await desk.until(lambda: any(f.cl_ord_id == "st7-2" for f in fills(desk.events)))
            (by_socket,) = [f for f in fills(desk.events) if f.cl_ord_id == "st7-2"]
            assert by_socket.qty == Decimal("0.001")
            looked = await desk.venue.look(
                AskOrders(question=question(), cl_ord_ids=("st7-2", "st7-none"))
            )
            assert [f for f in fills(looked) if f.cl_ord_id == "st7-2"] == [by_socket]
            found = {e.cl_ord_id: e for e in looked if isinstance(e, OrderLooked)}
            assert (found["st7-2"].status, found["st7-2"].filled_qty) == ("closed", by_socket.qty)
            assert found["st7-none"].status is None


async def test_an_order_rests_is_cancelled_and_the_second_cancel_is_refused() -> None:
    with child() as there:
        async with desk_at(there) as desk:
            await desk.up()
            price = desk.last_quote("BTC/USD").bid * Decimal("0.9")
            resting = desk.order(1, price, time_in_force=TimeInForce.GTC, post_only=True)
            acked = await desk.place(resting)
            assert isinstance(acked, OrderAcked)
            assert [row.cl_ord_id for row in await desk.rest.open_orders()] == ["st7-1"]
            cancel = CancelOrder(
                cl_ord_id="st7-1", order_id=acked.order_id, pair="BTC/USD", reason=Reason.OPERATOR
            )
            assert await desk.venue.cancel(cancel) is None
            refused = await desk.venue.cancel(cancel)
            assert refused is not None
            assert refused.error.startswith("EOrder:Unknown order")
            kinds = [e.exec_type for e in desk.events if isinstance(e, ExecutionReport)]
            assert kinds == ["pending_new", "new", "canceled"]
            ours = [e for e in desk.events if isinstance(e, ExecutionReport)]
            assert {e.pair for e in ours} == {"BTC/USD"}


async def test_a_definitive_error_is_a_rejection() -> None:
    with child() as there:
        async with desk_at(there) as desk:
            await desk.up()
            price = desk.last_quote("BTC/USD").ask
            tiny = await desk.place(desk.order(1, price, qty=Decimal("0.00000001")))
            assert isinstance(tiny, OrderRejected)
            late = await desk.place(
                desk.order(2, price, deadline=desk.clock.now() - timedelta(seconds=60))
            )
            assert isinstance(late, OrderRejected)
            huge = await desk.place(desk.order(3, price, qty=Decimal(1000)))
            assert isinstance(huge, OrderRejected)
            assert "Insufficient funds" in huge.error


async def test_the_account_reconciles_to_the_last_digit() -> None:
    with child() as there:
        async with desk_at(there) as desk:
            await desk.up()
            opening = next(e.balances for e in desk.events if isinstance(e, BalancesSeen))
            for number in range(1, 4):
                price = desk.last_quote("BTC/USD").ask * Decimal("1.001")
                assert isinstance(await desk.place(desk.order(number, price)), OrderAcked)
                await desk.step(2)
            found = await desk.venue.reconcile(AskReconcile(question=question(), since=START))
            end = found[-1]
            assert isinstance(end, Reconciled)
            assert end.clean
            assert fills(found) == fills(desk.events)
            totals = next(e.balances for e in found if isinstance(e, BalancesSeen))
            entries = [e.entry for e in found if isinstance(e, LedgerSeen)]
            by_socket = [e.entry for e in desk.events if isinstance(e, LedgerSeen)]
            assert {e.ledger_id for e in by_socket} <= {e.ledger_id for e in entries}
            for asset in totals:
                moved = sum(e.amount - e.fee for e in by_socket if e.asset == asset)
                assert totals[asset] == opening.get(asset, Decimal(0)) + moved


class Overheard:
    """A wire whose frames are noted."""

    def __init__(self, wire: Wire, sent: list[Any], received: list[Any]) -> None:
        self.wire, self.sent, self.received = wire, sent, received

    async def send(self, text: str) -> None:
        self.sent.append(json.loads(text))
        await self.wire.send(text)

    async def recv(self) -> str | bytes:
        frame = await self.wire.recv()
        self.received.append(json.loads(frame))
        return frame

    async def close(self) -> None:
        await self.wire.close()


class Wiretap:
    """Opens wires that are overheard."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.sent: list[Any] = []
        self.received: list[Any] = []

    async def open(self, url: str) -> Wire:
        self.opened.append(url.rsplit(":", 1)[-1].partition("/")[2])
        return Overheard(await open_wire(url), self.sent, self.received)

    def asked(self) -> list[tuple[str, str, int | None]]:
        """(method, channel, depth) of what was asked since the last look."""
        out = [
            (message["method"], message["params"]["channel"], message["params"].get("depth"))
            for message in self.sent
            if "subscribe" in message.get("method", "")
        ]
        self.sent.clear()
        return out

    def channels(self) -> set[str]:
        """Channels that spoke since the last look, beside status and heartbeat."""
        out = {message["channel"] for message in self.received if "channel" in message}
        self.received.clear()
        return out - {"status", "heartbeat", "instrument"}


async def test_each_switch_of_the_configuration_really_stops_and_starts_its_feed() -> None:
    tap = Wiretap()

    async def change(desk: Desk, **keys: object) -> None:
        settings = Settings.model_validate(keys)
        desk.venue.apply(feed_plan(settings, PAIRS))
        await asyncio.sleep(1.5)  # all is asked, at our pace, and the frames of before are read
        tap.channels()
        await desk.step(30)

    with child() as there:
        async with desk_at(there, opener=tap.open) as desk:
            await desk.up()
            await desk.step(5)
            tap.asked()
            tap.channels()

            await change(desk, enable_order_book_feed=False)
            assert tap.asked() == [("unsubscribe", "book", 10)] * len(PAIRS)
            assert tap.channels() == {"ticker", "ohlc"}
            lost = [event for event in desk.events if isinstance(event, BookLost)]
            assert {event.pair for event in lost} == set(PAIRS)

            minimal = {
                "enable_order_book_feed": False,
                "enable_minimal_order_book_feed": True,
                "minimal_order_book_depth": 25,
            }
            await change(desk, **minimal)
            assert tap.asked() == [("subscribe", "book", 25)]
            assert "book" in tap.channels()
            assert [e for e in desk.events if isinstance(e, BookSeen)][-1].book.depth == 25

            await change(desk, order_book_depth=100)
            assert tap.asked() == [
                *[("unsubscribe", "book", 25)] * len(PAIRS),
                ("subscribe", "book", 100),
            ]
            assert [e for e in desk.events if isinstance(e, BookSeen)][-1].book.depth == 100

            await change(desk, enable_public_feed=False)
            assert {(how, what) for how, what, _ in tap.asked()} == {
                ("unsubscribe", "ticker"),
                ("unsubscribe", "ohlc"),
                ("unsubscribe", "book"),  # back to the depth of before
                ("subscribe", "book"),
            }
            assert tap.channels() == {"book"}

            await change(desk, enable_private_feed=False)
            await desk.until(lambda: ("private", False) in desk.ups())
            assert tap.opened.count("auth/v2") == 1
            assert not desk.venue.can_place
            await change(desk)
            await desk.until(lambda: desk.venue.can_place)
            assert tap.opened.count("auth/v2") == 2


async def test_after_kill_nine_of_the_exchange_both_feeds_return_and_the_order_is_found(
    tmp_path: Path,
) -> None:
    port = free_port()
    with child(state=tmp_path / "state", port=port) as there:
        async with desk_at(there) as desk:
            await desk.up()
            price = desk.last_quote("BTC/USD").bid * Decimal("0.9")
            resting = desk.order(1, price, time_in_force=TimeInForce.GTC, post_only=True)
            assert isinstance(await desk.place(resting), OrderAcked)
            before = len(desk.events)
            there.kill()
            await desk.until(lambda: ("private", False) in desk.ups())
            await desk.until(lambda: ("public", False) in desk.ups())
            lost = {e.pair for e in desk.events[before:] if isinstance(e, BookLost)}
            assert lost == set(PAIRS)
            with child(state=tmp_path / "state", port=port):
                await desk.until(lambda: desk.ups()[-3:].count(("private", True)) == 1, 30)
                await desk.until(
                    lambda: {n for n, on in desk.ups()[-3:] if on} == {"public", "private", "book"}
                )
                again = [
                    e
                    for e in desk.events[before:]
                    if isinstance(e, ExecutionReport) and e.snapshot and e.cl_ord_id == "st7-1"
                ]
                assert again
                (looked,) = await desk.venue.look(
                    AskOrders(question=question(), cl_ord_ids=("st7-1",))
                )
                assert isinstance(looked, OrderLooked)
                assert looked.status == "open"


async def test_n02_a_half_open_connection_is_noticed_and_replaced() -> None:
    with child() as there:
        async with proxy(there.announced["port"]) as between:
            url = f"http://127.0.0.1:{between.port}"
            async with desk_at(there, url, silence_s=2.0, heartbeat_s=4.0) as desk:
                await desk.up()
                began = asyncio.get_running_loop().time()
                between.swallow = True  # packets are taken and lost: no FIN, no RST
                await desk.until(lambda: {("private", False), ("public", False)} <= set(desk.ups()))
                assert asyncio.get_running_loop().time() - began <= 5.0
                between.swallow = False
                await desk.until(
                    lambda: {n for n, on in desk.ups()[-3:] if on} == {"public", "private", "book"},
                    30,
                )


def fills(events: Any) -> list[Any]:
    """The fills among events, in order."""
    return [e.fill for e in events if isinstance(e, ExecutionReport) and e.fill is not None]


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Between:
    """A TCP proxy that can swallow everything."""

    port: int = 0
    swallow: bool = False


@asynccontextmanager
async def proxy(target: int) -> AsyncIterator[Between]:
    """Forward bytes both ways."""
    between = Between()
    writers: list[asyncio.StreamWriter] = []

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        dead = False
        while data := await source.read(65536):
            dead = dead or between.swallow  # a connection that lost bytes stays dead
            if not dead:
                sink.write(data)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
        writers.extend((writer, far_writer))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(pump(reader, far_writer))
                group.create_task(pump(far_reader, writer))
        except* ConnectionError:
            pass  # an end of the test
        writer.close()
        far_writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    between.port = server.sockets[0].getsockname()[1]
    try:
        yield between
    finally:
        server.close()
        for writer in writers:
            writer.close()
