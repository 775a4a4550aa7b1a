"""Queries of the replay, made from the tables so that a new column is compared by itself."""

from functools import cache

from sqlalchemy import Table, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.expression import Select

from simple_trader.adapters.store import tables
from simple_trader.adapters.store.statements import DIALECT


@cache
def by_key(table: Table, key: str) -> str:
    """Whole rows of `table` whose `key` is in the array $1."""
    column = table.columns[key]
    wanted = bindparam("wanted", type_=ARRAY(column.type))
    return _text(select(*table.columns).where(column == any_(wanted)))


@cache
def keys_between(table: Table, key: str) -> str:
    """Names of the rows whose market time is after $1 and not after $2."""
    at = table.columns["at"]
    name = table.columns[key]
    # In the order of the parameters: since, until.
    return _text(
        select(name).where(at > bindparam("since"), at <= bindparam("until"), name.is_not(None))
    )


@cache
def nameless_after(table: Table) -> str:
    """Rows of `table` without a name after id $1, in order of writing, at most $2."""
    place = table.columns["id"]
    query = select(*table.columns).where(place > bindparam("place"))
    return _text(_nameless(table, query).order_by(place).limit(bindparam("most")))


@cache
def nameless_at(table: Table) -> str:
    """Rows of `table` without a name that stand at market time $1, in order of writing."""
    query = select(*table.columns).where(table.columns["at"] == bindparam("at"))
    return _text(_nameless(table, query).order_by(table.columns["id"]))


@cache
def place_before(table: Table) -> str:
    """The last id of `table` before market time $1."""
    query = select(func.max(table.columns["id"]))
    return _text(query.where(table.columns["at"] < bindparam("at")))


def _nameless(table: Table, query: Select[tuple[object, ...]]) -> Select[tuple[object, ...]]:
    """Reports that are no trades have no exec_id; other tables with an id have no names at all."""
    if table is tables.EXECUTIONS:
        return query.where(table.columns["exec_id"].is_(None))
    return query


def _text(query: Select[tuple[object, ...]]) -> str:
    return str(query.compile(dialect=DIALECT))
