"""A fill that comes late, across a restart, still finds its order, its owner and its decision."""

import msgspec
import pytest
from brain_desk import Desk, records, report, started
from store_parts import AT, ROOM, fill, order

from simple_trader.adapters.store.recovery import Recovery
from simple_trader.domain import records as r
from simple_trader.domain.events import Started
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
