"""What the commands beside the daemon read: figures for status and doctor, PnL."""

from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from simple_trader.adapters.store.db_manager import READER_PATIENCE, session
from simple_trader.adapters.store.named_sql import named

_DOING = "the figures could not be read from the database"


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """One look at the database; moments are market time but `database_now`, money exact text."""

    database_now: datetime
    world_mode: str | None
    world_detail: str | None
    trading_state: str | None
    reasons: str | None
    halt_detail: str | None
    equity: str | None
    equity_at: datetime | None
    newest_price: datetime | None
    newest_snapshot: datetime | None
    snapshots: int
    newest_decision: datetime | None
    decisions: int
    newest_model: datetime | None
    trades: int
    open_orders: int
    unknown_orders: int
    realised_pnl: str
    failed_calls: int
    call_error: str | None
    failed_shadow_calls: int
    shadow_error: str | None
    newest_event: datetime | None


async def read_facts(dsn: str) -> Facts:
    """Read them; the schema must be there. Raises StoreError when the database cannot."""
    (row,) = await _fetch(dsn, "facts_all")
    return msgspec.convert(dict(row), Facts)


async def pnl_days(dsn: str, limit: int) -> list[dict[str, Any]]:
    """Profit and loss by UTC day and quote asset, newest first."""
    return await _rows(dsn, "facts_pnl", limit)


async def open_lots(dsn: str) -> list[dict[str, Any]]:
    """Open lots with the last price seen and their unrealised PnL, both None without a price."""
    return await _rows(dsn, "facts_lots")


async def balances_explained(dsn: str) -> list[dict[str, Any]]:
    """Each asset with its opening, ledger, lots and residual, as they stand now."""
    return await _rows(dsn, "facts_reconciliation")


async def unexplained(dsn: str) -> list[dict[str, Any]]:
    """What stands UNEXPLAINED: subject, asset, detail, residual."""
    return await _rows(dsn, "recover_doubts")


async def _rows(dsn: str, query: str, *arguments: object) -> list[dict[str, Any]]:
    return [dict(row) for row in await _fetch(dsn, query, *arguments)]


async def _fetch(dsn: str, query: str, *arguments: object) -> list[asyncpg.Record]:
    async with session(
        dsn, application="simple-trader facts", doing=_DOING, settings=READER_PATIENCE
    ) as connection:
        return await connection.fetch(named(query), *arguments)
