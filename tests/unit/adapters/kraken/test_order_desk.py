"""Amends, checks and the dead man's switch: each ends acknowledged, refused or unknown."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from kraken_parts import AT, HEARTBEAT
from venue_desk import REQUEST, reply, running

from simple_trader.adapters.kraken import connection, rest_client
from simple_trader.domain.events import OrderRejected
from simple_trader.domain.orders import AmendRequest
from simple_trader.domain.venue_replies import (
    AmendAcked,
    AmendRejected,
    AmendUnknown,
    CheckUnknown,
    OrderChecked,
    SwitchArmed,
    SwitchRejected,
    SwitchUnknown,
)
from simple_trader.ports import HttpFailed

CHANGE = AmendRequest(
    cl_ord_id="st7-1",
    pair="BTC/USD",
    order_id="O1",
    limit_price=Decimal("61000.5"),
    deadline=AT + timedelta(seconds=0.05),
)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest_client, "_FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr(connection, "_QUICK_S", 0.0)


def saying(**body: object) -> Any:
    def answer(message: dict[str, Any]) -> Iterable[str]:
        yield reply(message, **body)

    return answer


# -- amend ----------------------------------------------------------------------------------


async def test_an_amend_that_is_acknowledged_names_its_id() -> None:
    async with running() as desk:
        await desk.up()
        desk.orders = saying(success=True, result={"amend_id": "TTB6D6", "order_id": "O1"})
        assert await desk.venue.amend(CHANGE) == AmendAcked(cl_ord_id="st7-1", amend_id="TTB6D6")
        (sent,) = desk.sent("amend_order")
        assert sent["params"]["order_id"] == "O1"
        assert "cl_ord_id" not in sent["params"]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        ("EOrder:Unknown order", AmendRejected),
        ("EOrder:Rate limit exceeded", AmendRejected),
        ("EService:Unavailable", AmendUnknown),
        ("EGalaxy:Never heard of", AmendUnknown),
    ],
)
async def test_an_amend_is_refused_only_by_an_error_that_proves_it(
    error: str, outcome: type
) -> None:
    async with running() as desk:
        await desk.up()
        desk.orders = saying(success=False, error=error)
        assert isinstance(await desk.venue.amend(CHANGE), outcome)


async def test_x31_an_amend_without_an_answer_is_unknown_and_never_sent_again() -> None:
    async with running() as desk:
        await desk.up()
        assert isinstance(await desk.venue.amend(CHANGE), AmendUnknown)
        desk.private.push(HEARTBEAT)
        assert len(desk.sent("amend_order")) == 1


async def test_an_amend_without_a_private_connection_is_refused_as_never_sent() -> None:
    async with running(plan=None) as desk:
        outcome = await desk.venue.amend(CHANGE)
        assert isinstance(outcome, AmendRejected)
        assert not outcome.sent


# -- the dead man's switch ------------------------------------------------------------------


async def test_an_armed_switch_says_when_it_fires() -> None:
    async with running() as desk:
        await desk.up()
        desk.orders = saying(
            success=True,
            result={"currentTime": "2026-03-02T10:10:00Z", "triggerTime": "2026-03-02T10:11:00Z"},
        )
        assert await desk.venue.arm_switch(60) == SwitchArmed(
            current_at=datetime(2026, 3, 2, 10, 10, tzinfo=UTC),
            trigger_at=datetime(2026, 3, 2, 10, 11, tzinfo=UTC),
        )
        (sent,) = desk.sent("cancel_all_orders_after")
        assert sent["params"]["timeout"] == 60


@pytest.mark.parametrize("trigger", ["0", 0, None, "2026-03-02T10:10:00Z"])
async def test_a_disarmed_switch_has_no_moment_whatever_stands_there(trigger: object) -> None:
    async with running() as desk:
        await desk.up()
        result = {"currentTime": "2026-03-02T10:10:00Z", "triggerTime": trigger}
        desk.orders = saying(success=True, result=result)
        outcome = await desk.venue.arm_switch(0)
        assert isinstance(outcome, SwitchArmed)
        assert outcome.trigger_at is None


async def test_a_silent_socket_does_not_keep_the_switch_from_rest() -> None:
    async with running() as desk:
        await desk.up()
        desk.http.will(
            "CancelAllOrdersAfter",
            {"currentTime": "2026-03-02T10:10:00Z", "triggerTime": "2026-03-02T10:11:00Z"},
        )
        assert isinstance(await desk.venue.arm_switch(60), SwitchArmed)


async def test_a_switch_is_refused_by_an_error_and_unknown_where_nobody_answers() -> None:
    async with running() as desk:
        await desk.up()
        desk.http.will("CancelAllOrdersAfter", HttpFailed("gone"))
        assert isinstance(await desk.venue.arm_switch(60), SwitchUnknown)
        desk.orders = saying(success=False, error="EGeneral:Permission denied")
        assert isinstance(await desk.venue.arm_switch(60), SwitchRejected)


# -- checks ---------------------------------------------------------------------------------


async def test_a_check_makes_no_order_and_says_what_the_exchange_thinks() -> None:
    async with running() as desk:
        await desk.up()
        wire = desk.venue.encode_order(REQUEST)
        assert isinstance(await desk.venue.check(REQUEST, wire), CheckUnknown)
        desk.orders = saying(success=True, result={})
        assert isinstance(await desk.venue.check(REQUEST, wire), OrderChecked)
        desk.orders = saying(success=False, error="EOrder:Insufficient funds")
        assert isinstance(await desk.venue.check(REQUEST, wire), OrderRejected)
        assert all(message["params"]["validate"] is True for message in desk.sent("add_order"))


async def test_a_late_answer_to_a_check_is_no_evidence_of_an_order() -> None:
    async with running() as desk:
        await desk.up()
        before = len(desk.events)
        wire = desk.venue.encode_order(REQUEST)
        assert isinstance(await desk.venue.check(REQUEST, wire), CheckUnknown)
        (message,) = desk.sent("add_order")
        desk.private.push(reply(message, success=True, result={"order_id": "O1"}))
        frames = desk.venue.handled()[22]
        desk.private.push(HEARTBEAT)
        await desk.until(lambda: desk.venue.handled()[22] > frames)
        assert desk.events[before:] == []
