"""What the scorecard reads: marks, predictions, calls, the gates, and rows that look ahead."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, TypeVar

import asyncpg
import msgspec

from simple_trader.adapters.store.db_manager import LONG_PATIENCE, session
from simple_trader.adapters.store.named_sql import named
from simple_trader.core.scoring.leaks import Suspect, suspect
from simple_trader.core.scoring.outcomes import change_pct
from simple_trader.core.scoring.scorecard import Marked, Predicted
from simple_trader.domain.marks import MarkSource

_T = TypeVar("_T")
_DOING = "the marks could not be read from the database"
_MARKED = tuple(field.name for field in msgspec.structs.fields(Marked))
_PREDICTED = tuple(field.name for field in msgspec.structs.fields(Predicted))


class SourceMarks(msgspec.Struct, kw_only=True):
    """The settled marks of one source; `decisions` of it, those of them that said hold, and those
    that used an earlier answer again.
    """

    source: MarkSource
    marks: list[Marked]
    voided: int = 0
    decisions: int = 0
    holds: int = 0
    repeats: int = 0


class MarkFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One look at what was marked; lists of rows by column, money exact.

    `oldest` to `newest` is the stretch that was read, `days` its length where older marks were
    left out by it.
    """

    oldest: datetime | None
    newest: datetime | None
    days: float | None
    waiting: int
    sources: list[SourceMarks]
    predictions: list[Predicted]
    calls: list[dict[str, Any]]
    gate: list[dict[str, Any]]
    realised: list[dict[str, Any]]
    faults: list[dict[str, Any]]
    suspects: list[Suspect]


async def read_marks(dsn: str, days: float | None) -> MarkFacts:
    """Read them, of the last `days` of the world's own time if given. Raises StoreError."""
    async with (
        session(
            dsn, application="simple-trader scorecard", doing=_DOING, settings=LONG_PATIENCE
        ) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        period = await connection.fetchrow(named("scorecard_period"))
        assert period is not None
        newest = period["newest"]
        since = None if days is None or newest is None else newest - timedelta(days=days)
        marks = await connection.fetch(named("scorecard_marks"), since)
        predictions = await connection.fetch(named("scorecard_predictions"), since)
        calls = await connection.fetch(named("scorecard_calls"), since)
        gate = await connection.fetch(named("scorecard_gate"), since)
        realised = await connection.fetch(named("scorecard_realised"), since)
        faults = await connection.fetch(named("scorecard_faults"), since)
        shown = await connection.fetch(named("scorecard_features"), since)
    is_part = since is not None and period["oldest"] < since
    return MarkFacts(
        oldest=since if is_part else period["oldest"],
        newest=newest,
        days=days if is_part else None,
        waiting=period["waiting"],
        sources=_by_source(marks),
        predictions=[_struct(row, Predicted, _PREDICTED) for row in predictions],
        calls=[dict(row) for row in calls],
        gate=[dict(row) for row in gate],
        realised=[dict(row) for row in realised],
        faults=[dict(row) for row in faults],
        suspects=_suspects(shown),
    )


def _suspects(rows: Sequence[asyncpg.Record]) -> list[Suspect]:
    """Features that know the move to the next snapshot of their pair too well."""
    by_pair: dict[str, list[tuple[Decimal, dict[str, float | None]]]] = {}
    for row in rows:
        shown = (row["mid"], msgspec.json.decode(row["features"]))
        by_pair.setdefault(row["pair"], []).append(shown)
    found: list[Suspect] = []
    for pair, series in by_pair.items():
        mids = [mid for mid, _ in series]
        moves: list[float | None] = [
            float(change_pct(before, after)) for before, after in pairwise(mids)
        ]
        names = dict.fromkeys(name for _, features in series for name in features)
        for name in names:
            values = [features.get(name) for _, features in series[:-1]]
            judged = suspect(f"{name} of {pair}", values, moves)
            if judged is not None:
                found.append(judged)
    return found


def _by_source(rows: Sequence[asyncpg.Record]) -> list[SourceMarks]:
    """Marks by source: the one that trades first, then shadows by name, what nobody said last."""
    found: dict[MarkSource, SourceMarks] = {}
    for row in rows:
        source = MarkSource(
            provider=row["provider"],
            model=row["model"],
            template_hash=row["template_hash"],
            advisor=row["advisor"],
        )
        marks = found.setdefault(source, SourceMarks(source=source, marks=[]))
        if row["is_own"]:
            marks.decisions += 1
            marks.holds += row["reason"] == "advised_hold"
            marks.repeats += row["is_repeat"]
        if row["void_reason"] is not None:
            marks.voided += 1
        elif row["scored_at"] is not None:
            marks.marks.append(_struct(row, Marked, _MARKED))
    ordered = sorted(found, key=_place)
    return [found[source] for source in ordered]


def _place(source: MarkSource) -> tuple[bool, str, str, str, str]:
    nobody = not source.provider
    return nobody, source.advisor, source.provider, source.model, source.template_hash


def _struct(row: asyncpg.Record, kind: type[_T], names: tuple[str, ...]) -> _T:
    return kind(**{name: row[name] for name in names})
