"""What the command `decisions` reads: a list by what people look for, and one decision in full."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any

import msgspec

from simple_trader.adapters.store.db_manager import READER_PATIENCE, RawConnection, session
from simple_trader.adapters.store.named_sql import named

_DOING = "the decisions could not be read from the database"


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """Which decisions; None: any. `last_s` counts seconds back from the newest decision."""

    pair: str | None = None
    verdict: str | None = None
    reason: str | None = None
    since: datetime | None = None
    last_s: float | None = None
    limit: int = 30


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """One decision: its row of v_decision_audit (with the pair's last price), and the rows behind.

    `calls` are all attempts at the question, `fills` those of the order, `marks` what it came to by
    horizon, `shadows` what others said of the same snapshot.
    """

    row: dict[str, Any]
    calls: list[dict[str, Any]]
    fills: list[dict[str, Any]]
    marks: list[dict[str, Any]]
    shadows: list[dict[str, Any]]


async def decisions(dsn: str, sought: Sought) -> list[dict[str, Any]]:
    """The newest decisions that fit, newest first. Raises StoreError when they cannot be read."""
    async with _session(dsn) as connection:
        return await _rows(
            connection,
            "facts_decisions",
            sought.pair,
            sought.verdict,
            sought.reason,
            sought.since,
            sought.last_s,
            sought.limit,
        )


async def stories(dsn: str, name: str) -> list[Story]:
    """The decisions of a decision's, cycle's, question's or order's id, in their order."""
    async with (
        _session(dsn) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        names = await connection.fetch(named("facts_decision_ids"), name)
        ids = [row["decision_id"] for row in names if row["decision_id"] is not None]
        return [
            Story(
                row=row,
                calls=await _rows(connection, "facts_decision_calls", row["call_id"]),
                fills=await _rows(connection, "facts_decision_fills", row["cl_ord_id"]),
                marks=await _rows(connection, "facts_decision_marks", row["decision_id"]),
                shadows=await _rows(
                    connection, "facts_decision_shadows", row["cycle_id"], row["pair"]
                ),
            )
            for row in await _rows(connection, "facts_decision", ids)
        ]


def _session(dsn: str) -> AbstractAsyncContextManager[RawConnection]:
    return session(
        dsn, application="simple-trader decisions", doing=_DOING, settings=READER_PATIENCE
    )


async def _rows(connection: RawConnection, query: str, *arguments: object) -> list[dict[str, Any]]:
    return [dict(row) for row in await connection.fetch(named(query), *arguments)]
