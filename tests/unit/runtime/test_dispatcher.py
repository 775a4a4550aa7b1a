"""The dispatcher lets visible actions go after their commit, in sequence, and repeats reads."""

import asyncio
import logging

import pytest
from runtime_parts import T0, HandClock, approved

from simple_trader.domain.actions import (
    AskReconcile,
    CancelAllOrders,
    CancelOrder,
    PlaceOrder,
    Question,
)
from simple_trader.domain.errors import VenueUnreachable
from simple_trader.domain.events import CancelRejected, FeedUp
from simple_trader.domain.reasons import Reason
from simple_trader.runtime.dispatcher import Dispatcher
from simple_trader.runtime.supervisor import Supervisor


class NotingGate:
    """A gate that notes the order of sends."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, approval, received_at) -> None:
        self.sent.append(approval.request.cl_ord_id)


class FlakyVenue:
    """An exchange that cannot be read the first two times."""

    def __init__(self) -> None:
        self.reads = 0
        self.open_orders = 2

    async def reconcile(self, action):
        self.reads += 1
        if self.reads < 3:
            raise VenueUnreachable("no answer")
        return [FeedUp(feed="reconciled")]

    async def cancel_all(self) -> int:
        self.reads += 1
        if self.reads < 3:
            raise VenueUnreachable("no answer")
        return self.open_orders

    async def cancel(self, action):
        return CancelRejected(cl_ord_id=action.cl_ord_id, error="EOrder:Unknown order")


def dispatcher():
    events: list = []
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    gate, venue = NotingGate(), FlakyVenue()
    made = Dispatcher(
        supervisor=Supervisor(),
        gate=gate,
        venue=venue,
        advisor=None,
        learner=None,
        clock=HandClock(),
        emit=events.append,
        pause=pause,
    )
    return made, gate, venue, events, pauses


async def settle(made: Dispatcher) -> None:
    async with asyncio.timeout(5):
        while made.waiting_for:
            await asyncio.sleep(0)


async def test_an_order_waits_for_the_commit_of_its_batch_and_of_all_earlier_ones() -> None:
    made, gate, *_ = dispatcher()
    for seq, name in [(1, "st1-1"), (3, "st1-2"), (5, "st1-3")]:
        made.hold(seq, PlaceOrder(approved=approved(name)))
    made.on_commit(0)
    await asyncio.sleep(0)
    assert gate.sent == []
    assert made.waiting_for == ("commit",)
    made.on_commit(3)
    await asyncio.sleep(0.01)
    assert gate.sent == ["st1-1", "st1-2"]
    made.on_commit(9)
    await settle(made)
    assert gate.sent == ["st1-1", "st1-2", "st1-3"]


async def test_a_read_of_the_exchange_is_repeated_until_it_answers() -> None:
    made, _, venue, events, pauses = dispatcher()
    question = Question(
        question_id="q1",
        kind="account",
        subject="",
        asked_at=T0,
        deadline_s=60,
        config_hash="c",
    )
    made.now(AskReconcile(question=question, since=T0))
    await settle(made)
    assert venue.reads == 3
    assert pauses == [0.5, 1.0]
    assert events == [FeedUp(feed="reconciled")]


async def test_a_refused_cancel_becomes_an_event() -> None:
    made, _, _, events, _ = dispatcher()
    made.now(CancelOrder(cl_ord_id="st1-1", order_id="O1", pair="BTC/USD", reason=Reason.OPERATOR))
    await settle(made)
    assert events == [CancelRejected(cl_ord_id="st1-1", error="EOrder:Unknown order")]


async def test_i28_the_kill_switch_cancels_until_the_exchange_has_answered() -> None:
    made, _, venue, _, pauses = dispatcher()
    made.now(CancelAllOrders(reason=Reason.OPERATOR))
    async with asyncio.timeout(5):
        while venue.reads < 3:
            await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert made.waiting_for == ()  # the stepped market is not held up by the later tries
    assert (venue.reads, pauses) == (3, [0.5, 1.0])


@pytest.mark.parametrize(("count", "level"), [(0, "INFO"), (2, "WARNING")])
async def test_cancelling_everything_is_a_warning_only_where_an_order_was_open(
    count: int, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    made, _, venue, *_ = dispatcher()
    venue.reads = 2
    venue.open_orders = count
    with caplog.at_level(logging.INFO, logger="simple_trader.brain"):
        made.now(CancelAllOrders(reason=Reason.OPERATOR))
        await settle(made)
    told = [(line.levelname, line.getMessage()) for line in caplog.records]
    assert told == [(level, f"cancelled {count} orders at the exchange")]
