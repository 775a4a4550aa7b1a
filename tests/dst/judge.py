"""Judges a finished run: the independent checker where it is there, the books of the tests else."""

import asyncio
from collections import Counter
from typing import Any

import asyncpg
import books


async def _rows(dsn: str) -> dict[str, list[dict[str, Any]]]:
    connection = await asyncpg.connect(dsn)
    try:
        queries = {
            "trades": "SELECT * FROM trades",
            "lots": "SELECT * FROM holding_lots WHERE NOT deleted",
            "orders": "SELECT * FROM pending_trades",
            "audit": "SELECT * FROM v_decision_audit",
            "balances": "SELECT * FROM kraken_balances",
        }
        return {
            name: [dict(row) for row in await connection.fetch(query)]
            for name, query in queries.items()
        }
    finally:
        await connection.close()


def differences(dsn: str, real: dict[str, Any]) -> books.Books:
    """Our tables against the exchange's truth, to the last unit; what others did is left out."""
    found_rows = asyncio.run(_rows(dsn))
    ours = {row["cl_ord_id"] for row in found_rows["orders"]}
    real = {
        **real,
        "orders": [o for o in real["orders"] if o["cl_ord_id"]],
        "trades": [t for t in real["trades"] if t["cl_ord_id"]],
    }
    found = books.Books(orders=len(ours), fills=len(found_rows["trades"]))
    books._ledger(found, real)
    books._trades(found, real, found_rows["trades"])
    books._orders(found, real, found_rows["orders"])
    books._audit(found, found_rows["audit"], found_rows["trades"])
    books._balances(found, real, {r["asset"]: r["balance"] for r in found_rows["balances"]})
    found.states = dict(Counter(row["state"] for row in found_rows["orders"]))
    return found
