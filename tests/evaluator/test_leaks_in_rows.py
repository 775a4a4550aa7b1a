"""Rows that know something of later are found by v_point_in_time, each by its own line (I-42)."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec
import pytest
from evaluator.worlds import SOURCE
from store_parts import asked, decided, moment, prediction

from simple_trader.adapters.store.db_manager import RawConnection
from simple_trader.adapters.store.recovery import Recovery
from simple_trader.adapters.store.scorecard import read_marks
from simple_trader.domain.errors import StoreError
from simple_trader.domain.marks import DecisionMarkRow, MarkOutcomeRow, OpenMark
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import (
    LedgerRecord,
    ModelRow,
    PredictionRow,
    PredictionScoreRow,
)

H = timedelta(seconds=900)
SECOND = timedelta(seconds=1)
change = msgspec.structs.replace


def mark(number: int) -> OpenMark:
    """The mark of decision `number`, due after 900 s."""
    at = moment(number)
    return OpenMark(
        mark_id=f"d{number}/900",
        decision_id=f"d{number}",
        source=SOURCE,
        pair="BTC/USD",
        decided_at=at,
        due_at=at + H,
        horizon_s=900,
        is_own=True,
        is_repeat=False,
        action="buy",
        verdict="approved",
        reason=Reason.TRADED,
        confidence=0.8,
        expected_move_pct=1.25,
        mid=Decimal("132.45"),
        cost_pct=Decimal("0.8755"),
        past_roi_pct=None,
        wanted_side=None,
        wanted_value=Decimal(1000),
        done_value=Decimal(0),
    )


def outcome(number: int, **changes: Any) -> MarkOutcomeRow:
    """The outcome of that mark at the very moment it was due."""
    values: dict[str, Any] = {
        "mark_id": f"d{number}/900",
        "outcome_mid": Decimal("133.45"),
        "mid_at": moment(number) + H,
        "roi_pct": 0.755,
        "net_roi_pct": -0.1205,
        "is_right": 0,
        "void_reason": None,
        "scored_at": moment(number) + H,
    }
    return MarkOutcomeRow(**values | changes)


def score(number: int, late: timedelta) -> PredictionScoreRow:
    """The outcome of prediction `number`, so much after it was due."""
    one = prediction(number)
    return PredictionScoreRow(
        prediction_id=one.prediction_id,
        outcome=1,
        brier=0.1,
        log_loss=0.4,
        mid=Decimal(134),
        scored_at=one.due_at + late,
    )


def model(number: int, *, after: timedelta) -> ModelRow:
    """The model of prediction `number`, trained so much after it was made."""
    return ModelRow(
        model_id=f"model{number}",
        kind="trained",
        basis="",
        trained_at=prediction(number).made_at + after,
        sha256="0" * 64,
        blob=b"",
        rows=1,
        metrics={},
    )


def honest(number: int) -> list[LedgerRecord]:
    """A cycle whose every stamp is in order, up to the outcome."""
    snapshot, call, _ = asked(number)
    stamped = change(snapshot, feature_times={moment(number).isoformat(): ("rsi_14",)})
    told = PredictionRow(prediction=change(prediction(number), model_id=f"model{number}"))
    return [
        stamped,
        call,
        told,
        decided(number),
        DecisionMarkRow(mark=mark(number)),
        outcome(number),
        score(number, timedelta(0)),
        model(number, after=-SECOND),
    ]


def replaced(number: int, *records: LedgerRecord) -> list[LedgerRecord]:
    """An honest cycle in which these records stand for those of their types."""
    kinds = {type(record): record for record in records}
    return [kinds.get(type(record), record) for record in honest(number)]


def _newer_feature(number: int) -> list[LedgerRecord]:
    late = (moment(number) + SECOND).isoformat()
    return replaced(number, change(honest(number)[0], feature_times={late: ("rsi_14",)}))


def _snapshot_after_decision(number: int) -> list[LedgerRecord]:
    at = moment(number) + SECOND
    snapshot = change(honest(number)[0], as_of=at, newest_event_at=at)
    return replaced(number, snapshot)


def _answer_after_decision(number: int) -> list[LedgerRecord]:
    return replaced(number, change(honest(number)[1], answered_at=moment(number) + SECOND))


def _priced_before_horizon(number: int) -> list[LedgerRecord]:
    return replaced(number, outcome(number, mid_at=moment(number) + H - SECOND))


def _horizon_from_elsewhere(number: int) -> list[LedgerRecord]:
    moved = change(mark(number), due_at=moment(number) + H / 2)
    return replaced(number, DecisionMarkRow(mark=moved))


def _price_passed_over(number: int) -> list[LedgerRecord]:
    best = moment(number) + H + timedelta(seconds=300)
    return replaced(number, outcome(number, mid_at=best, scored_at=best))


def _scored_before_due(number: int) -> list[LedgerRecord]:
    return replaced(number, score(number, -SECOND))


def _model_of_later(number: int) -> list[LedgerRecord]:
    return replaced(number, model(number, after=SECOND))


LEAKS: dict[str, Callable[[int], list[LedgerRecord]]] = {
    "a feature has an event newer than the snapshot": _newer_feature,
    "it was taken before what it was shown": _snapshot_after_decision,
    "it was taken before the answer came": _answer_after_decision,
    "its price is not of the horizon": _priced_before_horizon,
    "its horizon is not counted from the decision": _horizon_from_elsewhere,
    "a price before the one it was marked with was passed over": _price_passed_over,
    "it was scored before its horizon was over": _scored_before_due,
    "its model was trained later": _model_of_later,
}


async def keep(dsn: str, number: int, records: list[LedgerRecord]) -> None:
    """Write the records, and a price each minute for an hour from that moment on."""
    await Recovery(dsn, boot_seconds=1).mirror(records, at=moment(number))
    connection: RawConnection = await asyncpg.connect(dsn)
    try:
        day = moment(number).date()
        await connection.execute("SELECT ensure_day_partition('price_history'::regclass, $1)", day)
        await connection.executemany(
            "INSERT INTO price_history (pair, ts, last, bid, ask, volume, vwap) "
            "VALUES ('BTC/USD', $1, 1, 1, 1, 1, 1)",
            [(moment(number) + timedelta(minutes=minute),) for minute in range(60)],
        )
    finally:
        await connection.close()


async def faults(dsn: str) -> list[tuple[str, str]]:
    """What the scorecard says first: which row, and why."""
    return [(row["id"], row["fault"]) for row in (await read_marks(dsn, None)).faults]


async def test_i_42_m02_each_leak_of_a_stamp_is_found_and_an_honest_cycle_is_not(
    database: str,
) -> None:
    dsn = database
    await keep(dsn, 1, honest(1))
    assert await faults(dsn) == []
    for number, (fault, plant) in enumerate(LEAKS.items(), start=2):
        before = await faults(dsn)
        await keep(dsn, 100 * number, plant(100 * number))
        found = [line for line in await faults(dsn) if line not in before]
        assert any(line.startswith(fault) for _, line in found), fault


async def test_i_42_a_snapshot_newer_than_its_moment_is_refused_by_the_database(
    database: str,
) -> None:
    at = moment(1) + SECOND
    with pytest.raises(StoreError, match="newest_event_at_at_most_as_of"):
        await keep(database, 1, replaced(1, change(honest(1)[0], newest_event_at=at)))
