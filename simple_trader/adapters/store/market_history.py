"""Market history in the database: candles, trades and the spans in which they are whole.

Each save is one transaction: the rows of a span replace what stood in it, and the span joins the
coverage. So a save may be repeated, and what is covered is never half there.
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from types import TracebackType
from typing import Any, Self

import asyncpg

from simple_trader.adapters.store.db_manager import (
    FAILED,
    LONG_PATIENCE,
    RawConnection,
    connect,
)
from simple_trader.core.market.coverage import merged
from simple_trader.domain.errors import StoreError
from simple_trader.domain.history import PublicTrade, Span
from simple_trader.domain.quotes import Candle

TRADES = 0  # stands for trades where an interval is asked for
_CHUNK_LINES = 5_000
_COVERED = (
    "SELECT begin, ends FROM market_coverage WHERE pair = $1 AND interval_s = $2 ORDER BY begin"
)
_TOUCHED = (
    "DELETE FROM market_coverage WHERE pair = $1 AND interval_s = $2 AND begin <= $4 "
    "AND ends >= $3 RETURNING begin, ends"
)
_COVER = "INSERT INTO market_coverage (pair, interval_s, begin, ends) VALUES ($1, $2, $3, $4)"
_CLEAR_CANDLES = (
    "DELETE FROM market_candles WHERE pair = $1 AND interval_s = $2 AND begin >= $3 AND begin < $4"
)
_CLEAR_TRADES = "DELETE FROM market_trades WHERE pair = $1 AND ts >= $2 AND ts < $3"
_LOCK = "SELECT pg_advisory_xact_lock(21332, 7)"  # one backfill writes at a time
_CANDLE_COLUMNS = (
    "pair", "interval_s", "begin", "open", "high", "low", "close", "volume", "trades", "source",
)  # fmt: skip
_TRADE_COLUMNS = ("pair", "ts", "price", "qty", "side", "market", "trade_id", "source")
_NAMES = "SELECT altname, pair FROM kraken_pairs"


class MarketHistory:
    """A session of its own for backfills; use as `async with MarketHistory(dsn) as history`.

    Raises StoreError.
    """

    def __init__(self, dsn: str) -> None:
        """Nothing is opened yet."""
        self._dsn = dsn
        self._session: RawConnection | None = None

    async def __aenter__(self) -> Self:
        self._session = await connect(
            self._dsn, application="simple-trader backfill", settings=LONG_PATIENCE
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        session, self._session = self._session, None
        if session is not None:
            if error is not None:
                session.terminate()
            else:
                await session.close()

    async def altnames(self) -> dict[str, str]:
        """REST altname -> v2 name of the pairs that the daemon has seen; empty before that."""
        return {row["altname"]: row["pair"] for row in await self._fetch(_NAMES)}

    async def covered(self, pair: str, interval_s: int) -> tuple[Span, ...]:
        """The spans in which candles of `interval_s` (or TRADES) are whole."""
        rows = await self._fetch(_COVERED, pair, interval_s)
        return tuple(Span(row["begin"], row["ends"]) for row in rows)

    async def save_candles(
        self, pair: str, interval_s: int, span: Span, candles: Iterable[Candle], source: str
    ) -> int:
        """Replace the candles that begin in `span`; gives how many there are now.

        `span` lies on the grid of the interval, all candles begin in it.
        """
        lines = _Counted(_candle_line(candle, source) for candle in candles)
        async with self._transaction() as session:
            await session.execute(_CLEAR_CANDLES, pair, interval_s, span.begin, span.end)
            await session.copy_to_table(
                "market_candles", source=lines, columns=_CANDLE_COLUMNS, format="text"
            )
            await _cover(session, pair, interval_s, span)
        return lines.count

    async def save_trades(
        self, pair: str, span: Span, trades: Iterable[PublicTrade], source: str
    ) -> int:
        """Replace the trades in `span`; gives how many there are now."""
        lines = _Counted(_trade_line(trade, source) for trade in trades)
        async with self._transaction() as session:
            await session.execute(_CLEAR_TRADES, pair, span.begin, span.end)
            await session.copy_to_table(
                "market_trades", source=lines, columns=_TRADE_COLUMNS, format="text"
            )
            await _cover(session, pair, TRADES, span)
        return lines.count

    async def _fetch(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        try:
            return await self._open().fetch(sql, *arguments, timeout=60)
        except FAILED as error:
            raise StoreError(f"the market history cannot be read: {error}.") from error

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._open())

    def _open(self) -> RawConnection:
        if self._session is None:
            raise StoreError("the market history is not open.")
        return self._session


class _Transaction:
    """One transaction under the backfill's lock; failures become StoreError."""

    def __init__(self, session: RawConnection) -> None:
        self._session = session
        self._transaction = session.transaction()

    async def __aenter__(self) -> RawConnection:
        try:
            await self._transaction.start()
            await self._session.execute(_LOCK)
        except FAILED as error:
            raise StoreError(f"the market history cannot be written: {error}.") from error
        return self._session

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                await self._transaction.commit()
                return
            await self._transaction.rollback()
        except FAILED as failed:
            raise StoreError(f"the market history cannot be written: {failed}.") from failed
        if isinstance(error, FAILED):
            raise StoreError(f"the market history cannot be written: {error}.") from error


async def _cover(session: RawConnection, pair: str, interval_s: int, span: Span) -> None:
    rows = await session.fetch(_TOUCHED, pair, interval_s, span.begin, span.end)
    touched = [Span(row["begin"], row["ends"]) for row in rows]
    for whole in merged([*touched, span]):
        await session.execute(_COVER, pair, interval_s, whole.begin, whole.end)


class _Counted:
    """Lines of COPY in chunks of bytes, counted; the rows are made while they are sent."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.count = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunk: list[str] = []
        for line in self._lines:
            self.count += 1
            chunk.append(line)
            if len(chunk) >= _CHUNK_LINES:
                yield "".join(chunk).encode()
                chunk.clear()
        yield "".join(chunk).encode()


def _candle_line(candle: Candle, source: str) -> str:
    return (
        f"{candle.pair}\t{candle.interval_s}\t{candle.begin.isoformat()}\t{candle.open}\t"
        f"{candle.high}\t{candle.low}\t{candle.close}\t{candle.volume}\t{candle.trades}\t{source}\n"
    )


def _trade_line(trade: PublicTrade, source: str) -> str:
    return (
        f"{trade.pair}\t{trade.at.isoformat()}\t{trade.price}\t{trade.qty}\t{_cell(trade.side)}\t"
        f"{_cell(trade.market)}\t{_cell(trade.trade_id)}\t{source}\n"
    )


def _cell(value: object) -> str:
    return "\\N" if value is None else str(value)
