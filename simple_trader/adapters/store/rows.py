"""Records become rows: which statements, with which values, each type of record needs."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from simple_trader.adapters.store import statements as sql
from simple_trader.adapters.store.statements import Statement
from simple_trader.domain import records as r
from simple_trader.domain.fills import Fill
from simple_trader.domain.marks import (
    CounterfactualRow,
    DecisionMarkRow,
    MarkOutcomeRow,
    ShadowDecisionRow,
)
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.orders import Order
from simple_trader.domain.records import LedgerRecord

Values = dict[str, Any]
Row = tuple[Statement, Values]
Run = tuple[Statement, list[tuple[Any, ...]]]

_VENUE_STATUS = {
    OrderState.FILLED: "closed",
    OrderState.CANCELED: "canceled",
    OrderState.REJECTED: "canceled",
    OrderState.EXPIRED: "expired",
    OrderState.NOT_ACCEPTED: "canceled",
    OrderState.VOID: "canceled",
}


def rows_of(record: LedgerRecord, at: datetime) -> Sequence[Row]:
    """The rows of `record`, remembered at market time `at`."""
    return _ROWS[type(record)](record, at)


def runs_of(batches: Iterable[tuple[datetime, Sequence[LedgerRecord]]]) -> list[Run]:
    """All rows as runs of one statement each; the order of rows is kept within each table.

    Tables do not refer to one another, so their runs may be written one table after the other.
    """
    tables: dict[str, list[Run]] = {}
    for at, records in batches:
        for record in records:
            for statement, values in rows_of(record, at):
                runs = tables.setdefault(statement.table, [])
                if not runs or runs[-1][0] is not statement:
                    runs.append((statement, []))
                stored = {name: storable(value) for name, value in values.items()}
                runs[-1][1].append(statement.arguments(stored))
    return [run for runs in tables.values() for run in runs]


def storable(value: Any) -> Any:
    """Text that Postgres takes: NUL becomes its picture, lone surrogates their escape."""
    if not isinstance(value, str):
        return value
    if "\x00" in value:
        value = value.replace("\x00", "\u2400")
    if not value.isascii():
        value = value.encode("utf-8", "backslashreplace").decode("utf-8")
    return value


def _json(value: Any) -> str:
    """JSON text; Decimals become strings, so no digit is lost."""
    return msgspec.json.encode(value).decode()


def _same(statement: Statement, *documents: str) -> Callable[[msgspec.Struct, datetime], list[Row]]:
    """Rows whose fields are the columns; those named in `documents` become JSON text."""

    def rows(record: msgspec.Struct, at: datetime) -> list[Row]:
        values = {"at": at, **msgspec.structs.asdict(record)}
        for name in documents:
            values[name] = _json(values[name])
        return [(statement, values)]

    return rows


def _prediction(record: r.PredictionRow, at: datetime) -> list[Row]:
    values = {"at": at, **msgspec.structs.asdict(record.prediction)}
    waits = ("outcome", "brier", "log_loss", "scored_mid", "scored_at")
    return [(sql.INSERT_PREDICTION, values | dict.fromkeys(waits))]


def _skill(record: r.SkillRow, at: datetime) -> list[Row]:
    skill = record.skill
    values = {"at": at, "skill_id": f"{skill.pair} {skill.horizon_s}"}
    return [(sql.UPSERT_SKILL, values | msgspec.structs.asdict(skill))]


def _mark(record: DecisionMarkRow, at: datetime) -> list[Row]:
    mark = record.mark
    values = msgspec.structs.asdict(mark) | msgspec.structs.asdict(mark.source) | {"at": at}
    waits = ("outcome_mid", "mid_at", "roi_pct", "net_roi_pct", "is_right", "void_reason")
    return [(sql.INSERT_MARK, values | dict.fromkeys((*waits, "scored_at")))]


def _intent(record: r.IntentRow, at: datetime) -> list[Row]:
    order = record.order
    trigger = order.request.trigger
    values = {
        **msgspec.structs.asdict(order.request),
        "trigger_price": None if trigger is None else trigger.price,
        "trigger_price_type": None if trigger is None else trigger.price_type,
        "trigger_reference": None if trigger is None else trigger.reference,
        **msgspec.structs.asdict(order),
        "cap_asset": record.cap_asset,
        "cap_total": record.cap_total,
        "epoch": record.epoch,
        "at": at,
    }
    return [(sql.INSERT_INTENT, values)]


def _order_state(record: r.OrderStateRow, at: datetime) -> list[Row]:
    order = record.order
    values = {"cl_ord_id": order.cl_ord_id, **msgspec.structs.asdict(order)}
    rows: list[Row] = [(sql.UPDATE_ORDER, values | {"changed_at": order.changed_at or at})]
    if order.order_id is not None:
        rows.append((sql.UPSERT_OWN_ORDER, _own_order(order, order.order_id, at)))
    return rows


def _own_order(order: Order, order_id: str, at: datetime) -> Values:
    """Our order as table kraken_orders shows it."""
    request = order.request
    filled = order.filled_qty
    return {
        "order_id": order_id,
        "cl_ord_id": order.cl_ord_id,
        "pair": request.pair,
        "side": request.side,
        "order_type": request.order_type,
        "status": _VENUE_STATUS.get(order.state, "open"),
        "qty": order.qty,
        "filled_qty": filled,
        "cost": order.filled_cost,
        "fee": order.fees_quote,
        "limit_price": order.limit_price,
        "avg_price": order.filled_cost / filled if filled else None,
        "opened_at": order.approved_at,
        "closed_at": (order.changed_at or at) if order.is_terminal else None,
        "reason": order.state_reason or "",
        "at": at,
    }


def _trade(record: r.TradeRow, at: datetime) -> list[Row]:
    fill = record.fill
    values = _fill(fill, at)
    booked = {"fee": fill.fee_value(), "realised_pnl": record.realised_pnl}
    return [(sql.INSERT_TRADE, values | booked), (sql.UPSERT_VENUE_TRADE, values)]


def _fill(fill: Fill, at: datetime) -> Values:
    return {"at": at, **msgspec.structs.asdict(fill), "fees": _json(fill.fees)}


def _lot(record: r.LotRow, at: datetime) -> list[Row]:
    values = {"at": at, "deleted": record.deleted, **msgspec.structs.asdict(record.lot)}
    return [(sql.UPSERT_LOT, values)]


def _balance(record: r.BalanceRow, at: datetime) -> list[Row]:
    values = msgspec.structs.asdict(record)
    return [(sql.UPSERT_BALANCE, values), (sql.INSERT_BALANCE_HISTORY, values)]


def _ledger(record: r.LedgerRow, at: datetime) -> list[Row]:
    values = msgspec.structs.asdict(record.entry)
    return [(sql.UPSERT_LEDGER, values)]


def _risk(record: r.RiskRow, at: datetime) -> list[Row]:
    values = {
        **msgspec.structs.asdict(record.memory),
        "name": "account",
        "state": record.state,
        "reasons": _json(record.reasons),
        "candle_guard": _json(record.memory.candle_guard),
        "strikes": _json(record.memory.strikes),
        "equity": record.equity,
        "at": record.at,
    }
    return [(sql.UPSERT_RISK, values)]


def _asset(record: r.AssetRow, at: datetime) -> list[Row]:
    return [(sql.UPSERT_ASSET, {"at": at, **msgspec.structs.asdict(record.rules)})]


def _pair(record: r.PairRow, at: datetime) -> list[Row]:
    return [(sql.UPSERT_PAIR, {"at": at, **msgspec.structs.asdict(record.rules)})]


_Rows = Callable[[Any, datetime], Sequence[Row]]
_ROWS: dict[type, _Rows] = {
    r.SnapshotRow: _same(
        sql.INSERT_SNAPSHOT,
        "features",
        "feature_times",
        "balances",
        "limits",
        "probabilities",
        "texts",
    ),
    r.LlmCallRow: _same(sql.INSERT_LLM_CALL),
    r.DecisionRow: _same(sql.INSERT_DECISION),
    r.PredictionRow: _prediction,
    r.PredictionScoreRow: _same(sql.SCORE_PREDICTION),
    r.SkillRow: _skill,
    DecisionMarkRow: _mark,
    MarkOutcomeRow: _same(sql.SETTLE_MARK),
    CounterfactualRow: _same(sql.INSERT_COUNTERFACTUAL),
    ShadowDecisionRow: _same(sql.INSERT_SHADOW),
    r.ModelRow: _same(sql.INSERT_MODEL, "metrics"),
    r.IntentRow: _intent,
    r.OrderStateRow: _order_state,
    r.ExecutionRow: _same(sql.INSERT_EXECUTION),
    r.TradeRow: _trade,
    r.LotRow: _lot,
    r.BalanceRow: _balance,
    r.LedgerRow: _ledger,
    r.ReconciliationRow: _same(sql.INSERT_RECONCILIATION),
    r.RiskRow: _risk,
    r.AuditRow: _same(sql.INSERT_AUDIT),
    r.ConfigRow: _same(sql.INSERT_CONFIG, "texts"),
    r.AssetRow: _asset,
    r.PairRow: _pair,
    r.VenueOrderRow: _same(sql.UPSERT_VENUE_ORDER),
}

KNOWN_RECORDS = frozenset(_ROWS)
