"""Marks survive the journal and the snapshot of the engine to the last digit."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from mark_parts import marked, shadow_row

from simple_trader.domain.marks import (
    CounterfactualRow,
    DecisionMarkRow,
    MarkMemory,
    MarkOutcomeRow,
    MarkSource,
    MarkTally,
    OpenMark,
)
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import LedgerRecord

T0 = datetime(2026, 3, 2, tzinfo=UTC)
SOURCE = MarkSource(provider="p", model="m", template_hash="t")


def test_every_record_of_a_marked_life_comes_back_as_it_was() -> None:
    kinds = set()
    for record in marked():
        packed = msgspec.msgpack.encode(record)
        assert msgspec.msgpack.decode(packed, type=LedgerRecord) == record
        kinds.add(type(record))
    assert kinds >= {DecisionMarkRow, MarkOutcomeRow, CounterfactualRow, type(shadow_row())}


def test_what_a_start_goes_on_from_keeps_exact_prices_and_moments() -> None:
    mark = OpenMark(
        mark_id="d1/900",
        decision_id="d1",
        source=SOURCE,
        pair="BTC/USD",
        decided_at=T0,
        due_at=T0 + timedelta(microseconds=900_000_001),
        horizon_s=900,
        is_own=True,
        is_repeat=False,
        action="sell",
        verdict="refused",
        reason=Reason.NOTHING_TO_SELL,
        confidence=0.1 + 0.2,
        expected_move_pct=None,
        mid=Decimal("50000.10000000000000000001"),
        cost_pct=Decimal("0.8020"),
        past_roi_pct=None,
        wanted_side=None,
        wanted_value=None,
        done_value=Decimal(0),
    )
    memory = MarkMemory(open=(mark,), tallies=(MarkTally(source=SOURCE, bin=30, marks=4, right=1),))
    packed = msgspec.msgpack.encode(memory)
    again = msgspec.msgpack.decode(packed, type=MarkMemory)
    assert again == memory
    assert str(again.open[0].mid) == "50000.10000000000000000001"


def test_a_mark_cannot_be_changed() -> None:
    tally = MarkTally(source=SOURCE, bin=30, marks=4, right=1)
    with pytest.raises(AttributeError):
        tally.right = 4
