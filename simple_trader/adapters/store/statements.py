"""The statements that write records, made from the tables so that no column is named twice."""

from collections.abc import Collection
from importlib import import_module
from typing import Any

import msgspec
from sqlalchemy import Table, bindparam, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Dialect

from simple_trader.adapters.store import tables

DIALECT: Dialect = import_module("sqlalchemy.dialects.postgresql.asyncpg").dialect()


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """SQL for the driver, the table it writes and the columns its parameters stand for.

    `one_row` demands that it hits exactly one row (the SQL then ends in RETURNING). The rest says
    what it leaves behind, for replay: the columns that name the row (none: a row without a name);
    whether it makes a row, and keeps one that is there; the columns it changes of one that is
    there. `renamed` maps a parameter to its column, `kept_if_null` are left as they are by a null.
    """

    table: str
    sql: str
    columns: tuple[str, ...]
    one_row: bool = False
    key: tuple[str, ...] = ()
    makes: bool = False
    keeps: bool = False
    changes: tuple[str, ...] = ()
    renamed: dict[str, str] = {}
    kept_if_null: tuple[str, ...] = ()

    def arguments(self, values: dict[str, Any]) -> tuple[Any, ...]:
        """The parameters in the order of the statement."""
        return tuple(values[name] for name in self.columns)


def _insert(
    table: Table,
    *,
    key: str | None = None,
    update: Collection[str] | None = None,
    keep: bool = False,
) -> Statement:
    """INSERT of every column without a default; on a conflict of `key` update or keep the row.

    `update` names the columns that a conflict changes (None: all); `keep` changes nothing.
    """
    names = [
        column.name
        for column in table.columns
        if column.identity is None and column.server_default is None
    ]
    if table is tables.HOLDING_LOTS:
        names.append("deleted")
    statement = insert(table).inline().values({name: bindparam(name) for name in names})
    changed: list[str] = []
    if keep:
        statement = statement.on_conflict_do_nothing(index_elements=[key] if key else None)
    elif key is not None:
        changed = [name for name in (names if update is None else update) if name != key]
        statement = statement.on_conflict_do_update(
            index_elements=[key],
            set_={name: statement.excluded[name] for name in changed} | {"recorded_at": func.now()},
        )
    compiled = statement.compile(dialect=DIALECT)
    primary = [column for column in table.primary_key.columns if column.identity is None]
    return Statement(
        table=table.name,
        sql=str(compiled),
        columns=tuple(compiled.positiontup or ()),
        key=(key,) if key else tuple(column.name for column in primary),
        makes=True,
        keeps=keep,
        changes=tuple(changed),
    )


INSERT_SNAPSHOT = _insert(tables.AI_SNAPSHOTS, key="snapshot_id")
INSERT_LLM_CALL = _insert(tables.LLM_CALLS, key="call_id")
INSERT_DECISION = _insert(tables.AI_DECISIONS, key="decision_id")
INSERT_PREDICTION = _insert(tables.MODEL_PREDICTIONS, key="prediction_id", keep=True)
INSERT_MARK = _insert(tables.DECISION_MARKS, key="mark_id", keep=True)
INSERT_COUNTERFACTUAL = _insert(tables.COUNTERFACTUALS, key="decision_id", keep=True)
INSERT_SHADOW = _insert(tables.SHADOW_DECISIONS, key="shadow_id")
UPSERT_SKILL = _insert(tables.MODEL_SKILLS, key="skill_id")
INSERT_MODEL = _insert(tables.MODEL_SNAPSHOTS, key="model_id", keep=True)
# A client order id that is used again must fail: no conflict clause.
INSERT_INTENT = _insert(tables.PENDING_TRADES)
INSERT_EXECUTION = _insert(tables.EXECUTIONS, key="exec_id", keep=True)
# A fold that is done again may change what a trade realised, and the exchange its fee (X26);
# never the trade.
INSERT_TRADE = _insert(
    tables.TRADES,
    key="exec_id",
    update=("cl_ord_id", "owner", "origin", "decision_id", "fee", "fees", "realised_pnl"),
)
UPSERT_LOT = _insert(tables.HOLDING_LOTS, key="lot_id")
UPSERT_BALANCE = _insert(tables.KRAKEN_BALANCES, key="asset")
INSERT_BALANCE_HISTORY = _insert(tables.KRAKEN_BALANCE_HISTORY)
UPSERT_LEDGER = _insert(tables.KRAKEN_LEDGERS, key="ledger_id")
INSERT_RECONCILIATION = _insert(tables.RECONCILIATIONS)
UPSERT_RISK = _insert(tables.RISK_STATES, key="name")
INSERT_AUDIT = _insert(tables.AUDIT_LOG)
INSERT_CONFIG = _insert(tables.CONFIG_VERSIONS, key="config_hash", keep=True)
UPSERT_ASSET = _insert(tables.KRAKEN_ASSETS, key="asset")
UPSERT_PAIR = _insert(tables.KRAKEN_PAIRS, key="pair")
UPSERT_VENUE_ORDER = _insert(tables.KRAKEN_ORDERS, key="order_id")
# What we know of our own order; the moment it was opened stays the exchange's.
UPSERT_OWN_ORDER = _insert(
    tables.KRAKEN_ORDERS,
    key="order_id",
    update=(
        "cl_ord_id",
        "status",
        "filled_qty",
        "cost",
        "fee",
        "avg_price",
        "closed_at",
        "reason",
        "at",
    ),
)
UPSERT_VENUE_TRADE = _insert(tables.KRAKEN_TRADES, key="exec_id")
UPSERT_RATE_COUNTER = _insert(tables.RATE_COUNTERS, key="name")

UPDATE_ORDER = Statement(
    table="pending_trades",
    sql=(
        "UPDATE pending_trades SET state = $2, state_reason = $3, detail = $4, "
        "order_id = coalesce($5, order_id), filled_qty = $6, filled_cost = $7, fees_quote = $8, "
        "changed_at = $9, amended_qty = $10, amended_price = $11 WHERE cl_ord_id = $1 "
        "RETURNING cl_ord_id"
    ),
    columns=(
        "cl_ord_id",
        "state",
        "state_reason",
        "detail",
        "order_id",
        "filled_qty",
        "filled_cost",
        "fees_quote",
        "changed_at",
        "amended_qty",
        "amended_price",
    ),
    one_row=True,
    key=("cl_ord_id",),
    changes=(
        "state",
        "state_reason",
        "detail",
        "order_id",
        "filled_qty",
        "filled_cost",
        "fees_quote",
        "changed_at",
        "amended_qty",
        "amended_price",
    ),
    kept_if_null=("order_id",),
)
SCORE_PREDICTION = Statement(
    table="model_predictions",
    sql=(
        "UPDATE model_predictions SET outcome = $2, brier = $3, log_loss = $4, scored_mid = $5, "
        "scored_at = $6 WHERE prediction_id = $1 AND outcome IS NULL"
    ),
    columns=("prediction_id", "outcome", "brier", "log_loss", "mid", "scored_at"),
    key=("prediction_id",),
    changes=("outcome", "brier", "log_loss", "scored_mid", "scored_at"),
    renamed={"mid": "scored_mid"},
)
SETTLE_MARK = Statement(
    table="decision_marks",
    sql=(
        "UPDATE decision_marks SET outcome_mid = $2, mid_at = $3, roi_pct = $4, net_roi_pct = $5, "
        "is_right = $6, void_reason = $7, scored_at = $8 "
        "WHERE mark_id = $1 AND scored_at IS NULL"
    ),
    columns=(
        "mark_id",
        "outcome_mid",
        "mid_at",
        "roi_pct",
        "net_roi_pct",
        "is_right",
        "void_reason",
        "scored_at",
    ),
)

# -- the lane's own ----------------------------------------------------------------------

# Checks the epoch and moves the journal's end in one step: no row means someone else did.
FENCE = (
    "UPDATE writer_epoch SET last_seq = $3, recorded_at = now() "
    "WHERE epoch = $1 AND last_seq = $2 RETURNING pg_current_xact_id()::text"
)
READ_EPOCH = "SELECT epoch, last_seq FROM writer_epoch"
INSERT_SEGMENT = (
    "INSERT INTO engine_journal "
    "(last_seq, first_seq, at, at_to, events, epoch, payload, prev_hash, hash) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
)
HAS_SEQ = "SELECT EXISTS (SELECT 1 FROM engine_journal WHERE last_seq >= $1)"
XACT_STATUS = "SELECT pg_xact_status($1::text::xid8)"
ENSURE_PARTITION = "SELECT ensure_day_partition($1::text::regclass, $2)"
INSERT_ENGINE_SNAPSHOT = (
    "INSERT INTO engine_snapshots (seq, why, state, at) VALUES ($1, $2, $3, $4)"
)
TRY_LOCK = "SELECT pg_try_advisory_lock($1, $2)"
UNLOCK = "SELECT pg_advisory_unlock($1, $2)"
WHO_AM_I = "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
END_OLD_BACKEND = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
    "WHERE pid = $1 AND backend_start = $2"
)
LOCK_HOLDER = (
    "SELECT a.pid, a.application_name FROM pg_locks AS l "
    "JOIN pg_stat_activity AS a USING (pid) "
    "WHERE l.locktype = 'advisory' AND l.granted AND l.classid = $1::int AND l.objid = $2::int "
    "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
