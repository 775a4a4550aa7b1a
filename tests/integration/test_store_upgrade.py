"""An upgrade of the program with orders on their way: nothing of them is lost or sent again."""

import shutil
from pathlib import Path

import asyncpg
import pytest
from store_parts import ROOM, order
from store_story import batches, running

from simple_trader.adapters.store import db_manager
from simple_trader.adapters.store.recovery import Recovery
from simple_trader.assets import asset_path
from simple_trader.domain.errors import SchemaError
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import IntentRow, OrderStateRow

# What a next version may do to the very table that the orders stand in.
NEXT_VERSION = '''"""The next version."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE pending_trades ADD COLUMN venue_note text NOT NULL DEFAULT ''")
    op.execute("CREATE INDEX pending_trades_note ON pending_trades (venue_note)")
'''


async def test_p13_orders_on_their_way_survive_an_upgrade_of_the_schema(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forward only: the old program is killed with one order in doubt and one being sent, the new
    one migrates, and both are in doubt for it: they go to the resolver, none may be sent again.
    """
    async with running(database) as (lane, ticks, recovered):
        parts = (
            (IntentRow(order=order(1), epoch=recovered.epoch, cap_asset=ROOM, cap_total=ROOM),),
            (OrderStateRow(order=order(1, OrderState.UNKNOWN)),),
            (IntentRow(order=order(2), epoch=recovered.epoch, cap_asset=ROOM, cap_total=ROOM),),
        )
        for batch in batches(parts):
            lane.put(batch)
        await ticks.reach(batch.seq)
        await lane.close()
    old = db_manager.newest_revision()

    migrations = tmp_path / "migrations"
    shutil.copytree(asset_path("migrations"), migrations)
    (migrations / "versions" / "0002_next_version.py").write_text(NEXT_VERSION)
    with monkeypatch.context() as newer:
        newer.setattr(db_manager, "asset_path", lambda name: tmp_path / name)
        with pytest.raises(SchemaError, match="db upgrade"):
            await db_manager.check_schema(database)
        assert await db_manager.upgrade(database) == "0002" != old
        found = await Recovery(database, boot_seconds=2).recover()
        assert {one.request.cl_ord_id: one.state for one in found.orders} == {
            "stx-1": OrderState.UNKNOWN,
            "stx-2": OrderState.UNKNOWN,
        }
        assert {one.request for one in found.orders} == {order(1).request, order(2).request}
        assert all(one.state_reason is Reason.SENT_UNKNOWN for one in found.orders[1:])
        assert found.epoch > recovered.epoch

    with pytest.raises(SchemaError, match="newer than this program"):
        await db_manager.upgrade(database)
    connection = await asyncpg.connect(database)
    try:
        with pytest.raises(asyncpg.PostgresError):
            await connection.execute("UPDATE pending_trades SET state = 'DISPATCHING'")
        rows = await connection.fetch("SELECT state FROM pending_trades")
        assert [row["state"] for row in rows] == ["UNKNOWN", "UNKNOWN"]
    finally:
        await connection.close()
