"""Reads the daemon's database with the checker's own SQL, into plain dictionaries."""

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import asyncpg

Row = dict[str, Any]

_ORDERS = """
SELECT cl_ord_id, pair, side, order_type, qty, limit_price, time_in_force, post_only, expire_at,
       deadline, origin, owner, decision_id, state, state_reason, approved_at, send_by,
       params_hash, config_hash, order_id, filled_qty, filled_cost, fees_quote, changed_at, epoch,
       at
FROM pending_trades ORDER BY approved_at, cl_ord_id
"""
_TRADES = """
SELECT exec_id, trade_id, order_id, cl_ord_id, pair, side, price, qty, cost, fee, fees::text,
       liquidity, venue_at, owner, origin, realised_pnl, at
FROM trades ORDER BY venue_at, trade_id, exec_id
"""
_LOTS = """
SELECT lot_id, owner, pair, base, quote, opened_exec_id, qty, left_qty, price, cost, realised_pnl
FROM holding_lots WHERE NOT deleted ORDER BY opened_at, lot_id
"""
_JOURNAL = """
SELECT first_seq, last_seq, events, epoch, payload, prev_hash, hash
FROM engine_journal ORDER BY first_seq, last_seq
"""
_PLAIN = {
    "orders": _ORDERS,
    "trades": _TRADES,
    "lots": _LOTS,
    "journal": _JOURNAL,
    "executions": "SELECT id, exec_id, order_id, cl_ord_id, exec_type FROM executions ORDER BY id",
    "balances": "SELECT asset, balance FROM kraken_balances ORDER BY asset",
    "ledgers": "SELECT ledger_id, ref_id, kind, asset, amount, fee, balance, at"
    " FROM kraken_ledgers ORDER BY at, ledger_id",
    "mirrored_trades": "SELECT exec_id, cl_ord_id FROM kraken_trades",
    "pairs": "SELECT pair, base, quote, price_increment, qty_increment, qty_min, cost_min"
    " FROM kraken_pairs",
    "risk": "SELECT name, state, reasons::text, halted, day_stopped, at FROM risk_states",
    "audit": "SELECT id, actor, origin, action, object, at FROM audit_log ORDER BY id",
    "configs": "SELECT config_hash FROM config_versions",
    "decisions": "SELECT decision_id, cycle_id, pair, action, verdict, cl_ord_id, config_hash,"
    " call_id FROM ai_decisions",
    "snapshots": "SELECT snapshot_id, as_of, newest_event_at,"
    " ARRAY(SELECT jsonb_object_keys(feature_times)) AS moments FROM ai_snapshots",
    "marks": "SELECT mark_id, decision_id, decided_at, due_at, horizon_s, mid, outcome_mid, mid_at,"
    " roi_pct, void_reason, scored_at FROM decision_marks ORDER BY decided_at, mark_id",
}
# Tables that may not be there: the checker's own triggers, and what a schema may not have yet.
_OPTIONAL = {
    "order_history": (
        "checker.orders",
        "SELECT id, op, cl_ord_id, state, filled_qty, order_id, at FROM checker.orders ORDER BY 1",
    ),
    "risk_history": (
        "checker.risk",
        "SELECT id, state, reasons::text, halted, day_stopped, at FROM checker.risk ORDER BY 1",
    ),
    "reconciliations": (
        "public.reconciliations",
        "SELECT asset, state, residual, at FROM reconciliations ORDER BY at",
    ),
}
_COMMITS = """
SELECT h.id, pg_xact_commit_timestamp(h.xmin) AS committed_at
FROM {table} AS h
"""


@dataclass
class Rows:
    """Every table the checker looks at; a history is None where its table is not there."""

    orders: list[Row] = field(default_factory=list)
    trades: list[Row] = field(default_factory=list)
    lots: list[Row] = field(default_factory=list)
    journal: list[Row] = field(default_factory=list)
    executions: list[Row] = field(default_factory=list)
    balances: list[Row] = field(default_factory=list)
    ledgers: list[Row] = field(default_factory=list)
    mirrored_trades: list[Row] = field(default_factory=list)
    pairs: list[Row] = field(default_factory=list)
    risk: list[Row] = field(default_factory=list)
    audit: list[Row] = field(default_factory=list)
    configs: list[Row] = field(default_factory=list)
    decisions: list[Row] = field(default_factory=list)
    snapshots: list[Row] = field(default_factory=list)
    marks: list[Row] = field(default_factory=list)
    order_history: list[Row] | None = None
    risk_history: list[Row] | None = None
    reconciliations: list[Row] | None = None

    def by_id(self) -> dict[str, Row]:
        """Orders by their client order id."""
        return {row["cl_ord_id"]: row for row in self.orders}

    def history_of(self) -> dict[str, list[Row]]:
        """The versions of each order, oldest first; empty where there is no history."""
        found: dict[str, list[Row]] = {}
        for row in self.order_history or ():
            found.setdefault(row["cl_ord_id"], []).append(row)
        return found


async def fetch(dsn: str) -> Rows:
    """Read everything in one transaction, so that all tables are of one moment."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            rows = Rows()
            for name, statement in _PLAIN.items():
                setattr(rows, name, _dicts(await connection.fetch(statement)))
            for name, (table, statement) in _OPTIONAL.items():
                if await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", table):
                    setattr(rows, name, _dicts(await connection.fetch(statement)))
            if await connection.fetchval("SHOW track_commit_timestamp") == "on":
                await _stamp(connection, rows.order_history, "checker.orders")
                await _stamp(connection, rows.risk_history, "checker.risk")
            return rows
    finally:
        await connection.close()


async def _stamp(connection: asyncpg.Connection, rows: list[Row] | None, table: str) -> None:
    """Add `committed_at`: a version is written once, so its xmin is the transaction it came in."""
    if rows is None:
        return
    found = await connection.fetch(_COMMITS.format(table=table))
    stamps = {row["id"]: row["committed_at"] for row in found}
    for row in rows:
        row["committed_at"] = stamps.get(row["id"])


def _dicts(records: Iterable[asyncpg.Record]) -> list[Row]:
    return [dict(record) for record in records]


def read(dsn: str) -> Rows:
    """As `fetch`, from anywhere: in a thread with a loop of its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(fetch(dsn))).result()
