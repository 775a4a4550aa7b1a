"""The database refuses an over-reservation by itself, whoever writes it (I-19)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec
import pytest
from store_parts import AT, ROOM, order
from store_story import batches, running

from simple_trader.adapters.store.recovery import Recovery
from simple_trader.adapters.store.rows import runs_of
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.orders import Order, Side
from simple_trader.domain.records import IntentRow, OrderStateRow

D = Decimal


@asynccontextmanager
async def session(dsn: str) -> AsyncIterator[Any]:
    """A plain connection: the statements of the store, without its writer."""
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


def bought(number: int, reserved: str, pair: str = "BTC/USD", **changed: Any) -> Order:
    """A purchase that reserves so much."""
    one = order(number, reserved=D(reserved), **changed)
    return msgspec.structs.replace(one, request=msgspec.structs.replace(one.request, pair=pair))


async def insert(connection: Any, one: Order, total: str = "300", asset: str = "200") -> None:
    """Write its row as the ledger lane does."""
    row = IntentRow(order=one, epoch=1, cap_asset=D(asset), cap_total=D(total))
    for statement, rows in runs_of([(AT, [row])]):
        await connection.executemany(statement.sql, rows)


async def refused(connection: Any, one: Order, **caps: str) -> str:
    """The words with which the database refuses the row."""
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as trouble:
        await insert(connection, one, **caps)
    return str(trouble.value)


async def test_i_19_purchases_on_their_way_add_up_to_the_caps_and_no_further(database: str) -> None:
    async with session(database) as sql:
        await insert(sql, bought(1, "120"))
        await insert(sql, bought(2, "80"))
        assert "in its asset" in await refused(sql, bought(3, "0.01"))
        await insert(sql, bought(4, "100", "ETH/USD"))
        assert "in all" in await refused(sql, bought(5, "0.01", "ETH/USD"))
        assert await sql.fetchval("SELECT count(*) FROM pending_trades") == 3


async def test_i_18_i_19_every_state_that_may_still_fill_counts(database: str) -> None:
    async with session(database) as sql:
        for way in (("SENT",), ("SENT", "OPEN"), ("SENT", "OPEN", "PENDING_CANCEL"), ("UNKNOWN",)):
            await sql.execute("TRUNCATE pending_trades")
            await insert(sql, bought(1, "200"))
            for state in way:
                await sql.execute("UPDATE pending_trades SET state = $1", state)
            assert "I-19" in await refused(sql, bought(2, "1"))


async def test_i_19_what_is_filled_or_over_frees_its_part(database: str) -> None:
    async with session(database) as sql:
        await insert(sql, bought(1, "200"))
        await sql.execute("UPDATE pending_trades SET state = 'PARTIAL', filled_qty = qty / 4")
        assert "150.0" in await refused(sql, bought(2, "50.01"))
        await insert(sql, bought(3, "50"))
        await sql.execute("UPDATE pending_trades SET state = 'CANCELED' WHERE cl_ord_id = 'stx-1'")
        await insert(sql, bought(4, "150"))


async def test_i_19_a_purchase_that_reserves_nothing_and_a_changed_reservation_are_refused(
    database: str,
) -> None:
    async with session(database) as sql:
        assert "reserves nothing" in await refused(sql, bought(1, "0"))
        await insert(sql, bought(2, "10"))
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await sql.execute("UPDATE pending_trades SET reserved = 0")


async def test_i_19_sales_and_orders_that_were_found_need_no_cap(database: str) -> None:
    async with session(database) as sql:
        await insert(sql, bought(1, "200"))
        sale = order(2, reserved=D(0))
        sold = msgspec.structs.replace(sale.request, side=Side.SELL)
        await insert(sql, msgspec.structs.replace(sale, request=sold), total="0", asset="0")
        found = bought(3, "0", state=OrderState.UNKNOWN)
        await insert(sql, found, total="0", asset="0")


async def test_i_19_two_writers_at_once_cannot_both_take_the_last_room(database: str) -> None:
    async with session(database) as one, session(database) as two:
        first = one.transaction()
        await first.start()
        await insert(one, bought(1, "150"))
        other = asyncio.create_task(refused(two, bought(2, "150")))
        async with session(database) as third:
            while not await third.fetchval(  # until the second waits for the first
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            ):
                await asyncio.sleep(0)
        await first.commit()
        assert "with 150.0" in await other


async def test_pt3_i_22_the_orders_of_the_last_day_come_back_after_a_restart(database: str) -> None:
    rows = [IntentRow(order=order(n), epoch=1, cap_asset=ROOM, cap_total=ROOM) for n in (1, 2, 3)]
    void = OrderStateRow(order=order(2, OrderState.VOID))
    async with running(database) as (lane, ticks, _):
        for batch in batches(((*rows,), (void,))):
            lane.put(batch)
        await ticks.reach(batch.seq)
    found = await Recovery(database, boot_seconds=1000).recover()
    assert [(turned.cl_ord_id, turned.value) for turned in found.turned] == [
        ("stx-1", D("1.325")),
        ("stx-3", D("1.325")),
    ]
