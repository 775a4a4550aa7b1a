"""Replayed rows that have no name of their own: their order of writing is compared."""

from collections import defaultdict, deque
from typing import Any

from simple_trader.adapters.store import replay_queries as query
from simple_trader.adapters.store import tables
from simple_trader.adapters.store.db_manager import RawConnection
from simple_trader.adapters.store.row_values import Difference, canonical, difference, documents_of

Values = dict[str, Any]

_AT_ONCE = 2_000
_BY_BOOT = "boot"  # a start writes balances before its first event


class NamelessRows:
    """Each row must be the next one that is stored, but for those that a start wrote."""

    def __init__(self, connection: RawConnection, *, from_beginning: bool) -> None:
        """From the first row of each table, or from where the first replayed row stands."""
        self._connection = connection
        self._from_beginning = from_beginning
        self._waiting: dict[str, deque[Values]] = defaultdict(deque)
        self._place: dict[str, int] = {}  # id of the last stored row that was met, by table

    def take(self, table: str, values: Values) -> None:
        """One more row, in the order of its event."""
        documents = documents_of(tables.METADATA.tables[table])
        self._waiting[table].append(
            {name: canonical(values[name], is_document=name in documents) for name in values}
        )

    async def settle(self) -> list[Difference]:
        """Compare all that was taken."""
        found: list[Difference] = []
        for table in sorted(self._waiting):
            found += await self._settle_table(table, self._waiting[table])
        return found

    async def left(self) -> list[Difference]:
        """Stored rows behind the last replayed one, at the end of the journal."""
        found: list[Difference] = []
        for table, place in self._place.items():
            found += [
                difference(f"{table} {row['id']}", "row", "a row", None)
                for row in await self._stored_after(table, place)
                if row.get("cause") != _BY_BOOT
            ]
        return found

    async def _settle_table(self, table: str, waiting: deque[Values]) -> list[Difference]:
        found: list[Difference] = []
        if not waiting:
            return found
        if table not in self._place:
            self._place[table] = await self._first_place(table, waiting[0])
        while waiting:
            stored = await self._stored_after(table, self._place[table])
            if not stored:
                break
            for number, row in enumerate(stored):
                if not waiting:
                    break
                after = stored[number + 1] if number + 1 < len(stored) else None
                found += _meet(table, row, after, waiting)
                self._place[table] = row["id"]
        found += [difference(table, "row", None, row) for row in waiting]
        waiting.clear()
        return found

    async def _first_place(self, table: str, first: Values) -> int:
        """The id before the row that equals `first`: there the stretch begins in this table."""
        if self._from_beginning:
            return 0
        there = tables.METADATA.tables[table]
        for row in await self._connection.fetch(query.nameless_at(there), first["at"]):
            if _is_same(_values(table, dict(row)), first):
                return int(row["id"]) - 1
        before = await self._connection.fetchval(query.place_before(there), first["at"])
        return int(before or 0)

    async def _stored_after(self, table: str, place: int) -> list[Values]:
        text = query.nameless_after(tables.METADATA.tables[table])
        rows = await self._connection.fetch(text, place, _AT_ONCE)
        return [_values(table, dict(row)) for row in rows]


def _values(table: str, row: Values) -> Values:
    documents = documents_of(tables.METADATA.tables[table])
    return {name: canonical(one, is_document=name in documents) for name, one in row.items()}


def _is_same(stored: Values, wanted: Values) -> bool:
    return all(stored[name] == value for name, value in wanted.items())


def _meet(
    table: str, row: Values, after: Values | None, waiting: deque[Values]
) -> list[Difference]:
    """Compare a stored row with the one that is due; either may be missing on its side."""
    where = f"{table} {row['id']}"
    if _is_same(row, waiting[0]):
        waiting.popleft()
        return []
    if row.get("cause") == _BY_BOOT:
        return []
    if after is not None and _is_same(after, waiting[0]):
        return [difference(where, "row", "a row", None)]
    wanted = waiting.popleft()
    if waiting and _is_same(row, waiting[0]):
        waiting.popleft()
        return [difference(f"{table} before {row['id']}", "row", None, wanted)]
    return [
        difference(where, name, row[name], value)
        for name, value in wanted.items()
        if row[name] != value
    ]
