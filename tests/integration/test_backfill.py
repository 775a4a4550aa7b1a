"""Backfill on a real database: against a tape that pages as Kraken does, and a real sandbox."""

import random
import zipfile
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import asyncpg
import pytest
import sandbox_parts as parts

from simple_trader.adapters.kraken.history import TradePage
from simple_trader.adapters.store.market_history import TRADES, MarketHistory
from simple_trader.app.backfill import Backfill
from simple_trader.app.history_source import open_history_source
from simple_trader.core.market.candle_maker import candles_of
from simple_trader.domain.errors import MarketDataError
from simple_trader.domain.history import PublicTrade, Span
from simple_trader.domain.moments import EPOCH
from simple_trader.domain.quotes import Candle

ZERO = datetime(2026, 1, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Watcher:
    """Counts what it is told."""

    def __init__(self) -> None:
        self.total = self.done = 0.0

    def begin(self, what: str, total: float) -> None:
        self.total += total

    def advance(self, units: float) -> None:
        self.done += units


class Tape:
    """An exchange that knows its tape: pages of `page` trades, the last `told` candles."""

    def __init__(self, seed: int, *, minutes: int, page: int, told: int) -> None:
        dice = random.Random(seed)
        seconds = sorted(
            # Bursts share a moment, and whole minutes have no trade at all.
            dice.randrange(minutes * 60) // dice.choice((1, 1, 7)) * 1.0
            for _ in range(minutes * 3)
        )
        self.trades_made = [
            PublicTrade(
                pair="BTC/USD",
                at=ZERO + timedelta(seconds=second),
                price=Decimal(dice.randrange(900, 1100)) / 10,
                qty=Decimal(dice.randrange(1, 500)) / 100,
                trade_id=number,
            )
            for number, second in enumerate(seconds)
        ]
        self._moments = [self._ns(trade) for trade in self.trades_made]
        self._page, self._told = page, told
        self._end = ZERO + minutes * MINUTE
        self.asked = 0
        self.fails_after: int | None = None

    @staticmethod
    def _ns(trade: PublicTrade) -> int:
        # Kraken's moments are nanoseconds and differ; the id stands for the digits we do not keep.
        micros = (trade.at - EPOCH) // timedelta(microseconds=1)
        return micros * 1000 + (trade.trade_id or 0) % 1000

    def candle(self, begin: datetime) -> Candle:
        found = [t for t in self.trades_made if begin <= t.at < begin + MINUTE]
        if found:
            return next(candles_of(found, 60))
        flat = Decimal(1)
        return Candle(
            pair="BTC/USD", interval_s=60, begin=begin, open=flat, high=flat, low=flat,
            close=flat, volume=Decimal(0), trades=0,
        )  # fmt: skip

    async def candles(self, pair: str, interval_s: int) -> tuple[Candle, ...]:
        return tuple(self.candle(self._end - n * MINUTE) for n in range(self._told, 0, -1))

    async def trades(self, pair: str, since_ns: int) -> TradePage:
        self.asked += 1
        if self.fails_after is not None and self.asked > self.fails_after:
            raise MarketDataError("cut off")
        at = bisect_right(self._moments, since_ns)
        page = tuple(self.trades_made[at : at + self._page])
        last = self._ns(page[-1]) if page else since_ns
        return TradePage(trades=page, next_ns=last, more=len(page) == self._page)


async def stored(database: str) -> list[tuple[datetime, float, float, int]]:
    connection = await asyncpg.connect(database)
    try:
        rows = await connection.fetch(
            "SELECT begin, close, volume, trades FROM market_candles ORDER BY begin"
        )
        return [tuple(row) for row in rows]
    finally:
        await connection.close()


def expected(tape: Tape, wanted: Span) -> list[tuple[datetime, float, float, int]]:
    inside = [t for t in tape.trades_made if wanted.begin <= t.at < wanted.end]
    return [(c.begin, float(c.close), float(c.volume), c.trades) for c in candles_of(inside, 60)]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("keep", [False, True])
async def test_old_candles_are_made_of_trades_and_new_ones_taken_as_told(
    database: str, seed: int, keep: bool
) -> None:
    tape = Tape(seed, minutes=40, page=10 + seed, told=9)
    wanted = Span(ZERO + 3 * MINUTE, ZERO + 38 * MINUTE)
    watcher = Watcher()
    async with MarketHistory(database) as history:
        work = Backfill(history, watcher)
        reports = await work.fetch(tape, "BTC/USD", 60, wanted, trades=keep)
        assert [report.holes for report in reports] == [()] * len(reports)
        assert await stored(database) == expected(tape, wanted)
        if keep:
            count = sum(wanted.begin <= t.at < wanted.end for t in tape.trades_made)
            assert [r.rows for r in reports if r.interval_s == TRADES] == [count]
        assert watcher.done == watcher.total > 0
        asked = tape.asked
        again = await work.fetch(tape, "BTC/USD", 60, wanted, trades=keep)
        assert (tape.asked, [report.rows for report in again]) == (asked, [0] * len(again))


async def test_a_backfill_that_was_cut_off_goes_on_where_it_ended(database: str) -> None:
    tape = Tape(1, minutes=60, page=12, told=2)
    wanted = Span(ZERO, ZERO + 60 * MINUTE)
    async with MarketHistory(database) as history:
        work = Backfill(history, Watcher())
        tape.fails_after = 5
        with pytest.raises(MarketDataError, match="cut off"):
            await work.fetch(tape, "BTC/USD", 60, wanted, trades=False)
        kept = await work.report("BTC/USD", 60, wanted)
        assert 0 < sum(hole.seconds for hole in kept.holes) < 58 * 60
        tape.fails_after = None
        tape.asked = 0
        (report,) = await work.fetch(tape, "BTC/USD", 60, wanted, trades=False)
        assert not report.holes
        assert tape.asked < len(tape.trades_made) / 12  # not from the beginning again
        assert await stored(database) == expected(tape, wanted)


async def test_an_imported_file_closes_its_span_and_a_bad_line_imports_nothing(
    database: str, tmp_path: Path
) -> None:
    from simple_trader.adapters.downloads.kraken_files import find_downloads

    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("XBTUSD_1.csv", "1767571200,1,2,1,2,0.5,3\n1767571380,1,2,1,2,0.5,4\n")
        archive.writestr("ETHUSD_1.csv", "1767571200,1,2,1,2,0.5,3\n1767571380,1,2,1,2,oops,4\n")
        archive.writestr("XBTUSD.csv", "1767571200.5,1,0.5\n1767571200.5,2,0.5\n")
    eth, trades, btc = find_downloads(path)
    async with MarketHistory(database) as history:
        work = Backfill(history, Watcher())
        report = await work.load(btc, "BTC/USD")
        assert (report.rows, report.holes) == (2, ())
        assert await history.covered("BTC/USD", 60) == (Span(ZERO, ZERO + 4 * MINUTE),)
        with pytest.raises(MarketDataError, match="line 2"):
            await work.load(eth, "ETH/USD")
        assert await history.covered("ETH/USD", 60) == ()
        assert (await work.load(trades, "BTC/USD")).rows == 2
        assert (await work.load(trades, "BTC/USD")).rows == 2
        wide = await work.report("BTC/USD", 60, Span(ZERO - MINUTE, ZERO + 5 * MINUTE))
        assert [hole.seconds for hole in wide.holes] == [60, 60]
    assert [row[3] for row in await stored(database)] == [3, 4]


async def test_candles_of_a_real_exchange_come_by_rest_and_are_those_it_tells(
    database: str, tmp_path: Path
) -> None:
    with parts.child(seed=5) as sandbox:
        async with (
            open_history_source(sandbox.url) as (source, symbols),
            MarketHistory(database) as history,
        ):
            told = await source.candles("BTC/USD", 60)
            assert symbols.rules("BTC/USD") is not None
            wanted = Span(told[0].begin, told[-1].begin + MINUTE)
            work = Backfill(history, Watcher())
            (report,) = await work.fetch(source, "BTC/USD", 60, wanted, trades=False)
            page = await source.trades("BTC/USD", 0)
    assert not report.holes
    assert [row[0] for row in await stored(database)] == [c.begin for c in told if c.trades]
    assert page.trades
    assert [t.trade_id for t in page.trades] == list(
        range(page.trades[0].trade_id or 0, (page.trades[-1].trade_id or 0) + 1)
    )
