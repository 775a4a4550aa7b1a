"""Recovery of the reconciliation: openings, sums of the ledger, what stood unexplained (I-13)."""

from simple_trader.adapters.store.db_manager import RawConnection
from simple_trader.adapters.store.named_sql import named
from simple_trader.domain.fills import LedgerEntry
from simple_trader.domain.recovered import AssetLedger, LedgerMemory, OpenDoubt, Unmet


async def recover_ledger(connection: RawConnection) -> LedgerMemory:
    """Read it inside the transaction of the recovery; empty for a world without an opening."""
    openings = await connection.fetch(named("recover_openings"))
    if not openings:
        return LedgerMemory()
    doubts = await connection.fetch(named("recover_doubts"))
    unmet = await connection.fetch(named("recover_unmet"))
    lost = await connection.fetch(named("recover_lost_fills"))
    early = await connection.fetch(named("recover_early_entries"), openings[0]["since"])
    looked_from = await connection.fetchval(named("recover_looked_from"))
    seen = await connection.fetch(named("recover_ledger_ids"), looked_from)
    return LedgerMemory(
        since=openings[0]["since"],
        assets=tuple(
            AssetLedger(
                asset=row["asset"],
                opening=row["opening"],
                ledger_sum=row["ledger_sum"],
                explained=row["explained"],
                short=row["short"],
            )
            for row in openings
        ),
        doubts=tuple(OpenDoubt(**row) for row in doubts),
        unmet=tuple(Unmet(**row) for row in unmet),
        lost_fills={row["exec_id"]: row["base"] for row in lost},
        seen=tuple(row["ledger_id"] for row in seen),
        looked_from=looked_from,
        early=tuple(LedgerEntry(**row) for row in early),
    )
