"""The rows a replay makes, compared with the rows that are stored, whatever records there are.

Records are folded as the database folds them (insert, keep, change) and compared chunk by chunk. A
value that later events may change is compared again with each change; what is left of them at the
end of the stretch differs, or was changed after it.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

import msgspec

from simple_trader.adapters.store import replay_queries as query
from simple_trader.adapters.store import statements, tables
from simple_trader.adapters.store.db_manager import RawConnection
from simple_trader.adapters.store.nameless_rows import NamelessRows
from simple_trader.adapters.store.row_values import Difference, canonical, difference, documents_of
from simple_trader.adapters.store.rows import rows_of, storable
from simple_trader.adapters.store.statements import Statement
from simple_trader.domain.records import LedgerRecord

Values = dict[str, Any]

# Columns that a later event may rightly change; all other values are written once.
LATER: Mapping[str, frozenset[str]] = {
    "pending_trades": frozenset(
        "state state_reason detail order_id filled_qty filled_cost fees_quote changed_at "
        "amended_qty amended_price".split()
    ),
    "model_predictions": frozenset("outcome brier log_loss scored_mid scored_at".split()),
    "trades": frozenset(
        "cl_ord_id owner origin decision_id fee fees realised_pnl".split()  # folded again, X26
    ),
    "decision_marks": frozenset(
        "outcome_mid mid_at roi_pct net_roi_pct is_right void_reason scored_at".split()
    ),
}
# Rows that stand for what is now: each write may change all of them.
NOW = frozenset(
    "holding_lots risk_states model_skills kraken_assets kraken_pairs kraken_balances "
    "kraken_orders kraken_trades kraken_ledgers".split()
)
# Each start writes these too, before its first event, from the exchange's own words.
_BOOT_WRITES = frozenset({"kraken_assets", "kraken_pairs"})
_OTHERS_WRITE = frozenset({"rate_counters"})
_BY_BOOT = "boot"  # the cause of a balance that a start has written
_FORGOTTEN = "the daemon restarted before the outcome was known"  # recover_forget_sends.sql


class Counted(msgspec.Struct):
    """How many rows were compared, and how many were changed after the stretch, by table."""

    rows: Counter[str] = msgspec.field(default_factory=Counter)
    changed_after: Counter[str] = msgspec.field(default_factory=Counter)


class _Row(msgspec.Struct):
    """A row as the chunk leaves it; `at` is the market time of its first record in the chunk."""

    at: datetime
    values: Values
    is_kept: bool


class ReplayedRows:
    """Takes records as the engine emits them and settles them against the database."""

    def __init__(self, connection: RawConnection, *, since: datetime, from_beginning: bool) -> None:
        """Rows of the stretch after market time `since`, or of the whole journal."""
        self._connection = connection
        self._since = since
        self._rows: dict[str, dict[str, _Row]] = defaultdict(dict)
        self._nameless = NamelessRows(connection, from_beginning=from_beginning)
        self._open: dict[tuple[str, str], dict[str, Difference]] = {}
        self.counted = Counted()
        self.size = 0

    def take(self, record: LedgerRecord, at: datetime) -> None:
        """Fold one record, remembered at market time `at`."""
        for statement, given in rows_of(record, at):
            values = _written(statement, given)
            self.size += 1
            key = _key_of(statement)
            name = None if key is None else values[key]
            if name is None:
                self.counted.rows[statement.table] += 1
                self._nameless.take(statement.table, values)
            else:
                self._fold(statement, name, values, at)

    def _fold(self, statement: Statement, name: str, values: Values, at: datetime) -> None:
        rows = self._rows[statement.table]
        row = rows.get(name)
        changed = {one: values[one] for one in _changes_of(statement) if one in values}
        if row is None:
            is_new = statement.makes and statement.table not in NOW
            rows[name] = _Row(at=at, values=values if is_new else changed, is_kept=statement.keeps)
        elif not statement.keeps:
            row.values |= changed

    async def settle(self, until: datetime) -> list[Difference]:
        """Compare what was taken with the rows; all events up to market time `until` are in."""
        found: list[Difference] = []
        for table in sorted(self._rows):
            found += await self._settle_table(table, self._rows[table])
        found += await self._not_made(until)
        found += await self._nameless.settle()
        self._rows.clear()
        self._since, self.size = until, 0
        return found

    async def end(self, *, is_whole: bool) -> list[Difference]:
        """What still differs. Where the stretch ends before the journal does, a later event may
        have changed it.
        """
        if is_whole:
            found = [one for fields in self._open.values() for one in fields.values()]
            return found + await self._nameless.left()
        for table, _ in self._open:
            self.counted.changed_after[table] += 1
        return []

    # -- inside ------------------------------------------------------------------------

    async def _settle_table(self, table: str, rows: dict[str, _Row]) -> list[Difference]:
        if not rows:
            return []
        key = _keys()[table]
        text = query.by_key(tables.METADATA.tables[table], key)
        stored = {row[key]: dict(row) for row in await self._connection.fetch(text, list(rows))}
        found: list[Difference] = []
        for name, row in rows.items():
            there = stored.get(name)
            if there is None:
                found.append(difference(f"{table} {name}", "row", None, "a row"))
            else:
                found += self._compare(table, name, row, there)
        return found

    def _compare(
        self, table: str, name: str, row: _Row, stored: Mapping[str, Any]
    ) -> list[Difference]:
        """Differences that no later event can explain; the others stay open."""
        found: list[Difference] = []
        documents = documents_of(tables.METADATA.tables[table])
        later = LATER.get(table, frozenset())
        still_open = self._open.setdefault((table, name), {})
        is_older = stored["at"] < row.at  # made by an event before this one
        if not is_older or table in NOW:
            self.counted.rows[table] += 1  # a change of a row from an earlier chunk is no new row
        for column, value in row.values.items():
            still_open.pop(column, None)
            recorded = canonical(stored[column], is_document=column in documents)
            replayed = canonical(value, is_document=column in documents)
            if recorded == replayed:
                continue
            one = difference(f"{table} {name}", column, recorded, replayed)
            if table in NOW or column in later:
                if not _by_a_start(table, stored, row):
                    still_open[column] = one
            elif not (is_older and (row.is_kept or column == "at")):
                found.append(one)
        if not still_open:
            del self._open[table, name]
        return found

    async def _not_made(self, until: datetime) -> list[Difference]:
        """Stored rows of these market times that the replay did not make."""
        found: list[Difference] = []
        for table, key in _keys().items():
            if table in _OTHERS_WRITE or table.startswith("kraken_"):
                continue  # mirrors stand at the exchange's moments, and starts write them too
            text = query.keys_between(tables.METADATA.tables[table], key)
            made = self._rows.get(table, {})
            for (name,) in await self._connection.fetch(text, self._since, until):
                if name not in made:
                    found.append(difference(f"{table} {name}", "row", "a row", None))
        return found


def _written(statement: Statement, given: Values) -> Values:
    """What the statement writes, by column."""
    names = statement.renamed
    return {
        names.get(name, name): storable(given[name])
        for name in statement.columns
        if given[name] is not None or name not in statement.kept_if_null
    }


def _key_of(statement: Statement) -> str | None:
    """The column that names the row; of a change that does not say, its first parameter."""
    if statement.key:
        return statement.key[0]
    return None if statement.makes else statement.columns[0]


def _changes_of(statement: Statement) -> tuple[str, ...]:
    """The columns it changes of a row that is there."""
    return statement.changes or (() if statement.makes else statement.columns[1:])


@cache
def _keys() -> dict[str, str]:
    """The column that names a row, of each table whose rows have names."""
    made = [one for one in vars(statements).values() if isinstance(one, Statement) and one.makes]
    return {one.table: one.key[0] for one in made if one.key}


def _by_a_start(table: str, stored: Mapping[str, Any], row: _Row) -> bool:
    """Whether the stored value is what a start wrote before its first event."""
    if table == "kraken_balances":
        return bool(stored["cause"] == _BY_BOOT)
    if table in _BOOT_WRITES:
        return bool(stored["at"] > row.at)
    return table == "pending_trades" and stored["detail"] == _FORGOTTEN
