"""A fill that comes late, across a restart, still finds its order, its owner and its decision."""

import msgspec
import pytest
from brain_desk import D, Desk, records, started
from brain_reports import fill_of, report, traded
from order_parts import plain_order
from store_parts import AT, ROOM, fill, order

from simple_trader.adapters.store.recovery import Recovery
from simple_trader.domain import records as r
from simple_trader.domain.actions import Action, Remember
from simple_trader.domain.errors import InvariantBroken
from simple_trader.domain.events import Started
from simple_trader.domain.ids import client_order_id
from simple_trader.domain.order_states import OrderState

S = OrderState


async def recovered_after(dsn: str, state: OrderState) -> Started:
    """What the next start knows of an order that ended in `state` without a fill."""
    store = Recovery(dsn, boot_seconds=1)
    ended = order(1, state, order_id="O1")
    await store.mirror(
        (
            r.IntentRow(order=order(1), epoch=1, cap_asset=ROOM, cap_total=ROOM),
            r.OrderStateRow(order=msgspec.structs.replace(ended, state=S.UNKNOWN)),
            r.OrderStateRow(order=ended),
        ),
        at=AT,
    )
    found = await store.recover()
    return started(orders=found.orders, epoch=found.epoch)


@pytest.mark.parametrize("state", [S.CANCELED, S.EXPIRED, S.REJECTED, S.NOT_ACCEPTED])
async def test_x06_a_late_fill_of_an_ended_order_is_ours_after_a_restart(
    database: str, state: OrderState
) -> None:
    # REST said canceled with nothing filled (X09), the daemon was killed, then the fill came.
    desk = Desk(AT)
    desk.do(await recovered_after(database, state))
    one = msgspec.structs.replace(fill(1), owner="external", origin=None, decision_id=None)
    told = desk.do(report("trade", cl_ord_id="stx-1", at=AT, order_id="O1", fill=one))
    (row,) = records(told, r.TradeRow)
    assert (row.fill.owner, row.fill.decision_id) == ("ai", "d1")
    assert desk.engine.state.lots.held("ai", "BTC/USD") == one.qty


async def test_ended_orders_are_not_counted_as_open_after_a_restart(database: str) -> None:
    desk = Desk(AT)
    desk.do(await recovered_after(database, S.CANCELED))
    assert desk.engine.state.orders.live() == []
    assert desk.engine.state.holds() == {}


def rows_of(told: list[Action]) -> list[r.LedgerRecord]:
    """What the lane would write of these actions."""
    return [action.record for action in told if isinstance(action, Remember)]


async def test_d12_an_order_that_was_taken_into_restored_books_lets_the_next_start_begin(
    database: str,
) -> None:
    """Nobody approved its parameters here: the exchange told them."""
    request = plain_order(name=client_order_id(99, 7), qty="0.002").request
    desk = Desk(AT)
    desk.do(started())
    half = fill_of(request, "E1", desk.at, qty=D("0.001"))
    event = msgspec.structs.replace(traded(half, desk.at, source="rest"), order_qty=D("0.002"))
    store = Recovery(database, boot_seconds=1)
    await store.mirror(rows_of(desk.do(event)), at=AT)
    found = await store.recover()
    (order_found,) = found.orders
    assert (order_found.cl_ord_id, order_found.filled_qty) == (request.cl_ord_id, half.qty)
    next_life = Desk(AT)
    next_life.do(started(orders=found.orders, fills=found.fills, lots=found.lots, epoch=101))
    rest = fill_of(request, "E2", next_life.at, qty=D("0.001"))
    told = next_life.do(traded(rest, next_life.at))
    assert next_life.engine.state.orders.orders[request.cl_ord_id].state is S.FILLED
    assert records(told, r.IntentRow) == []


async def test_d11_an_order_of_ours_without_the_hash_of_its_approval_is_not_guessed_at(
    database: str,
) -> None:
    store = Recovery(database, boot_seconds=1)
    bare = msgspec.structs.replace(order(1), params_hash="")
    row = r.IntentRow(order=bare, epoch=1, cap_asset=ROOM, cap_total=ROOM)
    await store.mirror((row,), at=AT)
    with pytest.raises(InvariantBroken, match="approved with"):
        await store.recover()
