"""Replay knows of every statement what it leaves behind, and compares values by what they say."""

from decimal import Decimal

import pytest

from simple_trader.adapters.store import statements, tables
from simple_trader.adapters.store.replayed_rows import LATER, NOW
from simple_trader.adapters.store.row_values import canonical, difference
from simple_trader.adapters.store.statements import Statement

WRITES = {name: one for name, one in vars(statements).items() if isinstance(one, Statement)}
# Written whole again only when the same event is written again: nothing of them changes later.
ONCE = {"ai_snapshots", "llm_calls", "ai_decisions", "shadow_decisions"}


@pytest.mark.parametrize("name", WRITES)
def test_i_43_what_a_statement_may_change_later_is_on_the_list(name: str) -> None:
    one = WRITES[name]
    columns = set(tables.METADATA.tables[one.table].columns.keys())
    changes = one.changes or (() if one.makes else one.columns[1:])
    assert len(one.key) <= 1
    assert {*one.key, *changes} <= columns
    if one.table not in NOW | ONCE | {"rate_counters"}:
        assert set(changes) <= LATER.get(one.table, frozenset())


def test_every_value_that_may_change_later_is_changed_by_some_statement() -> None:
    changed: dict[str, set[str]] = {}
    for one in WRITES.values():
        names = one.changes or (() if one.makes else one.columns[1:])
        changed.setdefault(one.table, set()).update(names)
    assert {table: set(names) for table, names in LATER.items()} == {
        table: changed[table] for table in LATER
    }


@pytest.mark.parametrize(
    ("stored", "replayed", "is_same"),
    [
        (Decimal("0.00"), Decimal("-0.00"), True),
        (Decimal("1.50"), Decimal("1.5"), False),
        (Decimal("1000"), Decimal("1E+3"), True),
        (0.1, 0.1, True),
        (0.1, 0.1 + 2**-55, False),
        (float("nan"), float("nan"), True),
        (b"a", memoryview(b"a"), True),
        ("buy", "Buy", False),
        (True, 1, False),
    ],
)
def test_exact_values_are_compared_by_their_digits(
    stored: object, replayed: object, is_same: bool
) -> None:
    first, second = canonical(stored), canonical(replayed)
    assert ((first, type(first)) == (second, type(second))) is is_same


def test_documents_are_compared_by_what_they_say_and_not_by_how_jsonb_writes_it() -> None:
    ours, theirs = '{"b":1e2,"a":[-0.0,1e-7]}', '{"a": [0.0, 0.0000001], "b": 100}'
    assert canonical(ours, is_document=True) == canonical(theirs, is_document=True)
    other = canonical('{"a": [0.0, 0.0000001], "b": 101}', is_document=True)
    assert canonical(ours, is_document=True) != other


def test_two_long_texts_are_shown_where_they_part() -> None:
    one = difference("here", "prompt", "a" * 500 + "b" + "c" * 500, "a" * 500 + "x" + "c" * 500)
    assert one.recorded == f"at character 500: {'a' * 40 + 'b' + 'c' * 39!r}"
    assert str(one).startswith("here: prompt: recorded at character 500: ")
