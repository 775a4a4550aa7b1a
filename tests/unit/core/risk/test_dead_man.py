"""The dead man's switch: wanted while entries may rest and nothing protective does (I-29)."""

from datetime import timedelta

import msgspec
import pytest
from brain_desk import T0, Desk
from brain_reports import report

from simple_trader.core.risk.dead_man import fired, wants_switch
from simple_trader.domain.order_states import TERMINAL, OrderState
from simple_trader.domain.orders import Order, Origin, Side, TimeInForce


def resting(state: OrderState = OrderState.OPEN, **changes: object) -> Order:
    """An entry that rests at the exchange until it is cancelled or an hour is over."""
    desk = Desk()
    desk.open()
    request = desk.place()
    order = desk.engine.state.orders.orders[request.cl_ord_id]
    side = changes.pop("side", Side.BUY)
    until = changes.pop("time_in_force", TimeInForce.GTD)
    request = msgspec.structs.replace(
        request, time_in_force=until, side=side, expire_at=T0 + timedelta(hours=1)
    )
    return msgspec.structs.replace(order, request=request, state=state, **changes)


@pytest.mark.parametrize("state", [one for one in OrderState if one not in TERMINAL])
def test_i_29_an_entry_that_may_rest_wants_the_switch(state: OrderState) -> None:
    assert wants_switch([resting(state)]) is (state is not OrderState.DISPATCHING)


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_i_29_an_entry_that_is_over_wants_no_switch(state: OrderState) -> None:
    assert not wants_switch([resting(state)])


def test_i_29_the_switch_would_take_a_protective_order_too_so_it_is_not_wanted() -> None:
    stop = resting(side=Side.SELL, origin=Origin.EXIT)
    assert not wants_switch([resting(), stop])
    assert wants_switch([resting(), msgspec.structs.replace(stop, state=OrderState.FILLED)])


def test_i_29_a_sale_and_an_order_that_never_rests_want_no_switch() -> None:
    assert not wants_switch([])
    assert not wants_switch([resting(side=Side.SELL)])
    assert not wants_switch([resting(time_in_force=TimeInForce.IOC)])


@pytest.mark.parametrize(
    ("reason", "snapshot", "is_it"),
    [
        ("Dead man's switch", False, True),
        ("Cancelled by cancel_all_orders_after", False, True),
        ("Dead man's switch", True, False),
        ("User requested", False, False),
        ("", False, False),
    ],
)
def test_x30_the_firing_is_known_by_its_words(reason: str, snapshot: bool, is_it: bool) -> None:
    seen = report("canceled", cl_ord_id="st1-1", at=T0, reason=reason)
    assert fired(msgspec.structs.replace(seen, snapshot=snapshot)) is is_it
