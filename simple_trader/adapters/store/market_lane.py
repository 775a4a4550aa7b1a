"""The market lane: quotes and book summaries by COPY, bounded, the oldest dropped and counted."""

import asyncio
import logging
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, date
from itertools import islice
from typing import assert_never

import asyncpg
import msgspec

from simple_trader.adapters.store.db_manager import (
    CONNECTION_LOST,
    FAILED,
    RawConnection,
    connect,
)
from simple_trader.adapters.store.lane_connection import EnsureServer, server_is_elsewhere
from simple_trader.adapters.store.statements import ENSURE_PARTITION
from simple_trader.domain.errors import StoreSetupError
from simple_trader.domain.records import BookMetricsRow, MarketRecord, PriceRow

_log = logging.getLogger("simple_trader.store")
_COLUMNS = {
    "price_history": ("pair", "ts", "last", "bid", "ask", "volume", "vwap"),
    "order_book_metrics": (
        "pair",
        "ts",
        "bid",
        "ask",
        "spread_bps",
        "imbalance",
        "mid",
        "vwap_mid",
        "depth",
    ),
}
_MAX_PAUSE_S = 2.0
_CHUNK_LINES = 500
_AWAY: tuple[type[Exception], ...] = (StoreSetupError, *CONNECTION_LOST)


class MarketLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes and transport spans of the lane."""

    rows: int = 50_000  # kept while the server is away
    batch_rows: int = 5_000
    linger_s: float = 0.5
    close_within_s: float = 5.0
    tries: int = 3  # of a batch that the server refuses


class MarketLane:
    """ports.MarketRows over its own session with synchronous_commit off."""

    def __init__(
        self,
        dsn: str,
        *,
        ensure_server: EnsureServer = server_is_elsewhere,
        limits: MarketLimits | None = None,
    ) -> None:
        """Write to the database at `dsn`; `ensure_server` starts an embedded server again."""
        self._dsn = dsn
        self._ensure_server = ensure_server
        self._limits = limits or MarketLimits()
        self._queue: deque[MarketRecord] = deque()
        self._writing = 0
        self._dropped = 0
        self._written = 0
        self._wake = asyncio.Event()
        self._closed = asyncio.Event()
        self._closing = False
        self._session: RawConnection | None = None
        self._days: set[tuple[str, date]] = set()

    def put(self, record: MarketRecord) -> None:
        """Queue a row; when the queue is full the oldest goes."""
        if len(self._queue) >= self._limits.rows:
            self._queue.popleft()
            self._dropped += 1
        self._queue.append(record)
        if len(self._queue) == 1 or len(self._queue) >= self._limits.batch_rows:
            self._wake.set()

    @property
    def idle(self) -> bool:
        """Whether everything put is written."""
        return not self._queue and not self._writing

    @property
    def dropped(self) -> int:
        """Rows dropped so far, those of batches with an unknown outcome included."""
        return self._dropped

    @property
    def written(self) -> int:
        """Rows written so far."""
        return self._written

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            while not (self._closing and not self._queue):
                if not self._queue:
                    self._wake.clear()
                    await self._wake.wait()
                    continue
                await self._gather()
                await self._write_batch()
            await self._end()
            self._closed.set()
            await asyncio.Event().wait()  # the supervisor cancels us when all is closed
        finally:
            self._drop_session()

    async def close(self) -> None:
        """Write what is queued, within `close_within_s`."""
        self._closing = True
        self._wake.set()
        try:
            async with asyncio.timeout(self._limits.close_within_s):
                await self._closed.wait()
        except TimeoutError:
            _log.warning("%d market rows were not written at the end", len(self._queue))

    # -- inside ------------------------------------------------------------------------

    async def _gather(self) -> None:
        """Let a batch come together."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._limits.linger_s
        while len(self._queue) < self._limits.batch_rows and not self._closing:
            self._wake.clear()
            try:
                async with asyncio.timeout_at(until):
                    await self._wake.wait()
            except TimeoutError:
                return

    async def _write_batch(self) -> None:
        """Write one batch; a lost session is opened again and the batch written anew.

        Only when COMMIT itself got no answer are its rows given up (and counted): a market row
        may be lost, but is not written twice.
        """
        count = min(len(self._queue), self._limits.batch_rows)
        batch = [self._queue.popleft() for _ in range(count)]
        self._writing = count
        refused = 0
        pause_s = 0.05
        while True:
            try:
                session = await self._open()
                await self._fill(session, batch)
            except _AWAY as error:
                _log.warning("market rows wait for the database: %s", error)
            except asyncpg.PostgresError as error:
                refused += 1
                _log.warning("the database refused %d market rows: %s", count, error)
                if refused >= self._limits.tries:
                    self._give_up(count)
                    return
            else:
                await self._commit(session, count)
                return
            self._drop_session()
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _MAX_PAUSE_S)

    async def _fill(self, session: RawConnection, batch: Sequence[MarketRecord]) -> None:
        """Make the partitions and COPY the rows, all in an open transaction."""
        prices: list[PriceRow] = []
        books: list[BookMetricsRow] = []
        days: set[tuple[str, date]] = set()
        for record in batch:
            day = (record.ts if record.ts.tzinfo is UTC else record.ts.astimezone(UTC)).date()
            match record:
                case PriceRow():
                    prices.append(record)
                    days.add(("price_history", day))
                case BookMetricsRow():
                    books.append(record)
                    days.add(("order_book_metrics", day))
                case _:
                    assert_never(record)
        for table, day in days - self._days:
            await session.execute(ENSURE_PARTITION, table, day)
            self._days.add((table, day))
        await session.execute("BEGIN")
        for table, lines in (
            ("price_history", map(_price_line, prices)),
            ("order_book_metrics", map(_book_line, books)),
        ):
            await session.copy_to_table(
                table, source=_Chunks(lines), columns=_COLUMNS[table], format="text"
            )

    async def _commit(self, session: RawConnection, count: int) -> None:
        try:
            await session.execute("COMMIT")
        except FAILED as error:
            _log.warning("the outcome of %d market rows is unknown: %s", count, error)
            self._drop_session()
            self._give_up(count)
        else:
            self._written += count
            self._writing = 0

    def _give_up(self, count: int) -> None:
        self._dropped += count
        self._writing = 0
        self._drop_session()

    async def _open(self) -> RawConnection:
        if self._session is None or self._session.is_closed():
            await self._ensure_server()
            # A new session also forgets what it cached of the tables, as it must after DDL.
            self._days.clear()
            self._session = await connect(
                self._dsn,
                application="simple-trader market",
                settings={"synchronous_commit": "off"},
            )
        return self._session

    async def _end(self) -> None:
        session, self._session = self._session, None
        if session is not None and not session.is_closed():
            try:
                async with asyncio.timeout(2.0):
                    await session.close()
            except FAILED:
                session.terminate()

    def _drop_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.terminate()


class _Chunks:
    """The text of a COPY in pieces: the server reads one while the next is made."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines

    def __aiter__(self) -> "_Chunks":
        return self

    async def __anext__(self) -> bytes:
        chunk = "".join(islice(self._lines, _CHUNK_LINES))
        if not chunk:
            raise StopAsyncIteration
        return chunk.encode()


# Formatting with !s is the short way to the digits the wire had.


def _price_line(row: PriceRow) -> str:
    """The COPY text of a quote."""
    return (
        f"{_escaped(row.pair)}\t{row.ts.isoformat()}\t{row.last!s}\t{row.bid!s}\t{row.ask!s}"
        f"\t{row.volume!s}\t{row.vwap!s}\n"
    )


def _book_line(row: BookMetricsRow) -> str:
    """The COPY text of a book summary."""
    return (
        f"{_escaped(row.pair)}\t{row.ts.isoformat()}\t{row.bid!s}\t{row.ask!s}"
        f"\t{row.spread_bps!s}\t{row.imbalance!s}\t{row.mid!s}\t{row.vwap_mid!s}\t{row.depth}\n"
    )


def _escaped(text: str) -> str:
    """Text as COPY wants it."""
    if "\\" not in text and "\t" not in text and "\n" not in text and "\r" not in text:
        return text
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
