"""A backup of before a halt does not lift it: only a person who resumes does (I-23, I-24, D12)."""

from pathlib import Path

import asyncpg
import msgspec
import pytest
from store_parts import AT, RISK
from store_story import batches, running

from simple_trader.adapters.store import db_manager
from simple_trader.adapters.store.postgres_backup import dump_database
from simple_trader.adapters.store.postgres_restore import restore_database
from simple_trader.adapters.store.recovery import Recovery
from simple_trader.domain.memory import RiskMemory
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import RiskRow

STAMP = "20261121_080000"
CALM = RISK
HALTED = msgspec.structs.replace(
    RISK, halted=True, halt_reason=Reason.OPERATOR, halt_detail="pressed by hand"
)
UNSENT = msgspec.structs.replace(HALTED, cancel_due=True)  # pressed while no cancel could be sent
DAY = msgspec.structs.replace(RISK, day_stopped=True)
DRAWDOWN = msgspec.structs.replace(RISK, drawdown_stopped=True)


async def remember(dsn: str, memory: RiskMemory) -> None:
    """What the daemon of this world holds latched."""
    await db_manager.check_world(dsn, mode="sim", identity="seed 1", detail="seed 1", at=AT)
    state = "HALT" if memory.halted else "REDUCE"
    row = RiskRow(state=state, reasons=(Reason.OPERATOR,), memory=memory, equity=None, at=AT)
    async with running(dsn, boot_seconds=1000) as (lane, ticks, recovered):
        (batch,) = batches([(row,)], recovered.last_seq)
        lane.put(batch)
        await ticks.reach(batch.seq)
        await lane.close()


def stops(memory: RiskMemory) -> tuple[object, ...]:
    return (
        memory.halted,
        memory.halt_reason,
        memory.halt_detail,
        memory.cancel_due,
        memory.day_stopped,
        memory.drawdown_stopped,
    )


@pytest.mark.parametrize(
    "now",
    [HALTED, UNSENT, DAY, DRAWDOWN, CALM],
    ids=["halt", "unsent", "day", "fall", "none"],
)
async def test_d12_i_23_i_24_a_restore_lifts_no_halt_and_no_stop_of_what_it_replaces(
    database: str, tmp_path: Path, now: RiskMemory
) -> None:
    dump = tmp_path / "a.dump"
    await remember(database, CALM)
    await dump_database(database, dump)
    await remember(database, now)
    done = await restore_database(database, dump, STAMP)
    found = (await Recovery(database, boot_seconds=5).recover()).risk
    assert stops(found) == stops(now)
    assert found.candle_guard == CALM.candle_guard
    assert bool(done.notes) == (now is not CALM)


async def test_d12_i_24_a_backup_of_before_the_first_judgement_lifts_no_halt_either(
    database: str, tmp_path: Path
) -> None:
    dump = tmp_path / "a.dump"
    await db_manager.check_world(database, mode="sim", identity="seed 1", detail="seed 1", at=AT)
    async with running(database, boot_seconds=1000) as (lane, _, _):
        await lane.close()
    await dump_database(database, dump)
    await remember(database, UNSENT)
    done = await restore_database(database, dump, STAMP)
    assert stops((await Recovery(database, boot_seconds=5).recover()).risk) == stops(UNSENT)
    assert done.notes


async def test_d12_i_24_what_the_backup_itself_holds_latched_stays_and_damage_is_no_hindrance(
    database: str, tmp_path: Path
) -> None:
    dump = tmp_path / "a.dump"
    await remember(database, HALTED)
    await dump_database(database, dump)
    await remember(database, DAY)
    connection = await asyncpg.connect(database)
    await connection.execute("ALTER TABLE risk_states DROP COLUMN halt_reason")
    await connection.close()
    await restore_database(database, dump, STAMP)
    found = (await Recovery(database, boot_seconds=5).recover()).risk
    assert stops(found) == (True, Reason.OPERATOR, "pressed by hand", False, True, False)
    connection = await asyncpg.connect(database)
    await connection.execute("DROP TABLE risk_states")
    await connection.close()
    await restore_database(database, dump, "20261121_090000")
    assert (await Recovery(database, boot_seconds=5).recover()).risk.halted
